"""Reading one datagram: the classes of RFC 4475 and RFC 5118 in our own words, and our stricter policy."""

import pytest

from callserver.sip.protocol.fields import parse_via
from callserver.sip.protocol.message import Request, Response, SipError, parse_message, parse_name_addr, parse_uri, same_uri

PLAIN = {
    "Via": "SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKp1;rport",
    "Max-Forwards": "70",
    "From": '"Point 1" <sip:hp1@help.test>;tag=f1',
    "To": "<sip:help@help.test>",
    "Call-ID": "c1@192.0.2.7",
    "CSeq": "7 INVITE",
    "Contact": "<sip:hp1@192.0.2.7:5060>",
}


def raw(start: str = "INVITE sip:help@help.test SIP/2.0", body: bytes = b"", extra: str = "", **changes: str | None) -> bytes:
    """A message from PLAIN with changes; names with `_` for `-`, None leaves a header out; `extra` are whole lines."""
    fields = PLAIN | {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [start] + [f"{name}: {value}" for name, value in fields.items() if value is not None]
    text = "\r\n".join(lines) + "\r\n" + extra
    if "content-length" not in text.lower() and "\r\nl:" not in text.lower():
        text += f"Content-Length: {len(body)}\r\n"
    return text.encode() + b"\r\n" + body


def request(data: bytes) -> Request:
    message = parse_message(data)
    assert isinstance(message, Request)
    assert message == parse_message(message.to_bytes())
    return message


def refusal(data: bytes) -> SipError:
    with pytest.raises(SipError) as caught:
        parse_message(data)
    return caught.value


def test_a_plain_request_is_read_in_all_its_parts() -> None:
    message = request(raw(body=b"abc", Expires="60"))
    assert (message.method, message.uri.user, message.uri.host, message.uri.port) == ("INVITE", "help", "help.test", None)
    assert (
        message.via[0].transport, message.via[0].host, message.via[0].port, message.via[0].branch,
    ) == ("UDP", "192.0.2.7", 5060, "z9hG4bKp1")  # fmt: skip
    assert (message.from_.display, message.from_.uri.user, message.from_.tag) == ("Point 1", "hp1", "f1")
    assert message.to.tag is None
    assert (message.cseq.number, message.cseq.method, message.call_id) == (7, "INVITE", "c1@192.0.2.7")
    assert message.contact is not None and message.contact.uri.port == 5060
    assert (message.expires, message.max_forwards, message.body) == (60, 70, b"abc")


def test_what_goes_out_is_what_came_in() -> None:
    data = raw(body=b"\x00\xff", extra="X-Odd:   kept \t\r\n").replace(b"X-Odd:   kept \t", b"X-Odd: kept")
    assert data == parse_message(data).to_bytes()


def test_blanks_folds_compact_names_and_odd_case_mean_the_same() -> None:
    data = (
        b"INVITE sip:help@help.test SIP/2.0\r\n"
        b"TO :\r\n sip:help@help.test ;  tag = 98z\r\n"
        b"f:caller<sip:hp1@help.test>;tag=323\r\n"
        b"MaX-fOrWaRdS: 0068\r\n"
        b"i: c2@x\r\n"
        b"cseq: 0009\r\n\t INVITE\r\n"
        b"v:  SIP  / 2.0\r\n / TCP     edge.test   ;\r\n"
        b"  branch  =   z9hG4bKq , SIP / 2.0 / UDP 192.0.2.9 : 5070;branch=z9hG4bKr\r\n"
        b"s :\r\n"
        b"NewFangled:   one thing\r\n more of it\r\n"
        b"l: 0\r\n"
        b'm:"Odd \\"quote, <x>" <sip:hp1@[2001:db8::1]:5070>;q=0.5,\r\n <sip:hp2@h>\r\n\r\n'
    )
    message = request(data)
    assert [via.transport for via in message.via] == ["TCP", "UDP"]
    assert (message.via[1].port, message.via[0].branch) == (5070, "z9hG4bKq")
    assert (message.to.tag, message.from_.display, message.max_forwards, message.cseq.number) == ("98z", "caller", 68, 9)
    assert [contact.display for contact in message.contacts] == ['Odd "quote, <x>', ""]
    assert message.get("newfangled") == "one thing more of it"
    assert message.get("Subject") == ""


GOOD = {
    "method of odd token marks": raw("!fetch%~*.+'`_- sip:a@b.test SIP/2.0", CSeq="1 !fetch%~*.+'`_-"),
    "escaped method is another method": raw("RE%47IST%45R sip:a@b.test SIP/2.0", CSeq="1 RE%47IST%45R"),
    "user part with params and escapes": raw("INVITE sip:u;par=x%40y.test@b.test SIP/2.0"),
    "escaped NUL in a user": raw("INVITE sip:null-%00-null@b.test SIP/2.0"),
    "unknown scheme": raw("INVITE no-such:totally/opaque SIP/2.0"),
    "tel scheme": raw("INVITE tel:+44-1325-1 SIP/2.0"),
    "unknown transport in Via": raw(Via="SIP/2.0/UNKNOWN h.test;branch=z9hG4bKo"),
    "no branch, as RFC 2543": raw(Via="SIP/2.0/UDP h.test"),
    "IPv6 everywhere": raw("INVITE sip:[2001:db8::10] SIP/2.0", Via="SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKo"),
    "bare IPv6 in received": raw(Via="SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKo"),
    "IPv4 mapped": raw("INVITE sip:u@[::ffff:192.0.2.10]:5070 SIP/2.0"),
    "no display space": raw(From="caller<sip:a@b.test>;tag=1"),
    "utf-8 display": raw(From='"Kurfürstendamm 東" <sip:a@b.test>;tag=1'),
    "latin-1 display": raw(From="Kurf?rst <sip:a@b.test>;tag=1").replace(b"Kurf?rst", b"Kurf\xfcrst"),
    "bare uri with tag": raw(From="sip:a@b.test;tag=1"),
    "zero forwards": raw(Max_Forwards="0"),
    "no forwards": raw(Max_Forwards=None),
    "nonsense date": raw(Date="Fri, 01 Jan 2010 16:00:00 EST"),
    "uri headers in a Contact": raw(Contact="<sip:u@h.test?Route=%3Csip:s.test%3E>"),
    "empty Supported": raw(Supported=""),
    "lower case version": raw("INVITE sip:a@b.test sip/2.0"),
    "empty lines first": b"\r\n\r\n" + raw(),
    "octets after the body": raw(body=b"four", extra="Content-Length: 2\r\n"),
    "star of a service code": raw("INVITE sip:*8#@b.test SIP/2.0"),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD.keys())
def test_unusual_but_legal_is_accepted(data: bytes) -> None:
    request(data)


BAD = {
    "empty params in Via": raw(Via="SIP/2.0/UDP 192.0.2.15;;,;,,"),
    "empty params in Contact": raw(Contact='"Joe" <sip:joe@h.test>;;;;'),
    "quote not closed": raw(To='"Mr. J. User <sip:j@h.test>'),
    "uri in angle brackets": raw("INVITE <sip:a@b.test> SIP/2.0"),
    "space in the uri": raw("INVITE sip:a@b.test; lr SIP/2.0"),
    "two spaces in the start line": raw("INVITE  sip:a@b.test  SIP/2.0"),
    "space after the version": raw("INVITE sip:a@b.test SIP/2.0 "),
    "tab in the start line": raw("INVITE\tsip:a@b.test SIP/2.0"),
    "headers in the uri": raw("INVITE sip:a@b.test?Route=%3Csip:x%3E SIP/2.0"),
    "empty headers in the uri": raw("INVITE sip:a@b.test? SIP/2.0"),
    "bare uri with a question mark": raw(Contact="sip:u@h.test?Route=%3Csip:x%3E"),
    "bare uri with a comma": raw(From="sip:a,b@h.test;tag=1"),
    "blanks inside the brackets": raw(To='"Watson, T" < sip:t@h.test >'),
    "comma in a bare display": raw(From="Bell, Alexander <sip:a@b.test>;tag=1"),
    "two pairs of brackets": raw(From="<sip:a@b.test> <sip:c@d.test>;tag=1"),
    "CSeq of another method": raw(CSeq="1 OPTIONS"),
    "CSeq too large": raw(CSeq="2147483648 INVITE"),
    "CSeq of 20 digits": raw(CSeq="36893488147419103232 INVITE"),
    "CSeq with an underscore": raw(CSeq="1_0 INVITE"),
    "CSeq in Arabic digits": raw(CSeq="١ INVITE"),
    "CSeq negative": raw(CSeq="-1 INVITE"),
    "Max-Forwards 256": raw(Max_Forwards="256"),
    "Expires too large": raw(Expires="10000000000000000000"),
    "Contact expires too large": raw(Contact="<sip:u@h.test>;expires=280297596632815"),
    "Contact expires quoted": raw(Contact='<sip:u@h.test>;expires="60"'),
    "Content-Length negative": raw(extra="Content-Length: -999\r\n"),
    "Content-Length with a plus": raw(extra="Content-Length: +0\r\n"),
    "Content-Length too long": raw(body=b"x", extra="Content-Length: 9\r\n"),
    "Content-Length twice": raw(extra="Content-Length: 0\r\nContent-Length: 0\r\n"),
    "Content-Length and its compact form": raw(extra="Content-Length: 0\r\nl: 0\r\n"),
    "Content-Length past 32 bits": raw(extra="Content-Length: 4294967297\r\n"),
    "no From": raw(From=None),
    "no To": raw(To=None),
    "no Via": raw(Via=None),
    "no Call-ID": raw(Call_ID=None),
    "no CSeq": raw(CSeq=None),
    "two From": raw(extra="f: <sip:x@y.test>;tag=2\r\n"),
    "two Max-Forwards": raw(extra="Max-Forwards: 5\r\n"),
    "a space in Call-ID": raw(Call_ID="a b"),
    "empty Call-ID": raw(Call_ID=""),
    "line without a colon": raw(extra="Nothing here\r\n"),
    "name with a space": raw(extra="Bad Name: 1\r\n"),
    "empty name": raw(extra=": 1\r\n"),
    "folded start line": b"INVITE sip:a@b.test\r\n SIP/2.0\r\n" + raw().partition(b"\r\n")[2],
    "first header line folded": b"OPTIONS sip:a@b.test SIP/2.0\r\n " + raw().partition(b"\r\n")[2],
    "repeated parameter": raw(Via="SIP/2.0/UDP h.test;branch=z9hG4bK1;branch=z9hG4bK2"),
    "repeated uri parameter": raw("INVITE sip:a@b.test;lr;LR SIP/2.0"),
    "quoted tag": raw(From='<sip:a@b.test>;tag="x"'),
    "empty tag": raw(From="<sip:a@b.test>;tag="),
    "IPv6 without brackets": raw("INVITE sip:2001:db8::10 SIP/2.0"),
    "IPv6 with three colons": raw("INVITE sip:u@[2001:db8:::1] SIP/2.0"),
    "IPv6 with a zone": raw("INVITE sip:u@[fe80::1%25eth0] SIP/2.0"),
    "junk after IPv6": raw("INVITE sip:u@[::1]x SIP/2.0"),
    "port zero": raw("INVITE sip:a@b.test:0 SIP/2.0"),
    "port too large": raw("INVITE sip:a@b.test:65536 SIP/2.0"),
    "port empty": raw("INVITE sip:a@b.test: SIP/2.0"),
    "two at signs": raw("INVITE sip:a@b@c.test SIP/2.0"),
    "empty user": raw("INVITE sip:@c.test SIP/2.0"),
    "half an escape": raw("INVITE sip:a%4@c.test SIP/2.0"),
    "no host": raw("INVITE sip: SIP/2.0"),
    "no scheme": raw("INVITE help.test SIP/2.0"),
    "non-ASCII host": raw("INVITE sip:a@bücher.test SIP/2.0"),
    "bare LF": raw().replace(b"Max-Forwards: 70\r\n", b"Max-Forwards: 70\n"),
    "LF only": raw().replace(b"\r\n", b"\n"),
    "bare CR": raw(extra="X: a\rb\r\n"),
    "NUL in a header": raw(extra="X: a\0b\r\n"),
    "NUL in a quoted pair": raw(From='"a\\\0b" <sip:a@b.test>;tag=1'),
    "escape character": raw(extra="X: \x1b[2J\r\n"),
    "delete character": raw(extra="X: \x7f\r\n"),
    "head without an end": b"INVITE sip:a@b.test SIP/2.0\r\nVia: x\r\n",
    "nothing": b"",
    "empty lines alone": b"\r\n\r\n\r\n",
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "start line of one word": b"INVITE\r\n\r\n",
    "Via of another protocol": raw(Via="HTTP/1.1/TCP h.test"),
    "Via of SIP 7": raw(Via="SIP/7.0/UDP h.test"),
    "broken Route": raw(Route="<sip:a@b.test"),
    "broken Record-Route": raw(Record_Route="sip:a b"),
    "empty Require element": raw(Require="a,,b"),
    "status too large": raw("SIP/2.0 4294967301 better not"),
    "status 099": raw("SIP/2.0 099 Low"),
    "status 700": raw("SIP/2.0 700 High"),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_broken_is_refused_with_400(data: bytes) -> None:
    assert refusal(data).status == 400


@pytest.mark.parametrize(
    "data",
    [
        raw(extra="X: " + "y" * 33_000 + "\r\n"),
        raw(extra="".join(f"X-{n}: 1\r\n" for n in range(200))),
        raw(extra="Content-Length: 65537\r\n"),
        raw(body=b"x" * 65_537),
        b"A" * 40_000,
    ],
    ids=["head", "headers", "announced body", "body", "no end"],
)
def test_past_the_caps_is_513(data: bytes) -> None:
    assert refusal(data).status == 513


def test_the_caps_themselves_are_allowed() -> None:
    had = len(PLAIN) + 1
    assert len(request(raw(extra="".join(f"X-{n}: 1\r\n" for n in range(128 - had)))).headers) == 128
    assert len(request(raw(body=b"x" * 65_536)).body) == 65_536
    filler = 32 * 1024 - len(raw(extra="X: \r\n"))
    request(raw(extra="X: " + "y" * filler + "\r\n"))
    assert refusal(raw(extra="X: " + "y" * (filler + 1) + "\r\n")).status == 513


def test_another_version_is_505_and_can_be_answered() -> None:
    error = refusal(raw("OPTIONS sip:t@h.test SIP/7.0", CSeq="1 OPTIONS"))
    assert error.status == 505
    assert error.request is not None and error.request.call_id == PLAIN["Call-ID"]


def test_a_broken_request_carries_what_its_answer_needs() -> None:
    for name in ("two From", "CSeq of another method", "Max-Forwards 256", "line without a colon", "headers in the uri"):
        answered = refusal(BAD[name]).request
        assert answered is not None, name
        assert (answered.from_.tag, answered.call_id, answered.via[0].branch) == ("f1", "c1@192.0.2.7", "z9hG4bKp1")
    assert (refusal(BAD["two From"]).request or request(raw())).uri.user == "help"
    for name in ("no Via", "quote not closed", "no CSeq", "HTTP", "status 700", "bare LF"):
        assert refusal(BAD[name]).request is None, name


def test_neither_an_ack_nor_a_response_is_ever_answered() -> None:
    assert refusal(raw("ACK sip:a@b.test SIP/2.0", CSeq="1 INVITE")).request is None
    assert refusal(raw("SIP/2.0 200 OK", Max_Forwards="256")).request is None


def test_responses_with_odd_reasons() -> None:
    for line, reason in {
        "SIP/2.0 200 = 2**3 * 5**2 но сто": "= 2**3 * 5**2 но сто",
        "SIP/2.0 100 ": "",
        "SIP/2.0 100": "",
        "SIP/2.0 486 Busy Here": "Busy Here",
    }.items():
        message = parse_message(raw(line))
        assert isinstance(message, Response) and message.reason == reason
        assert message == parse_message(bytes(message))


def test_lists_are_split_and_others_are_not() -> None:
    message = request(raw(extra='Route: <sip:a;lr>, "x, y" <sip:b>\r\nroute: <sip:c>\r\nSubject: a, b\r\nk: 100rel , timer\r\n'))
    assert message.get_all("Route") == ["<sip:a;lr>", '"x, y" <sip:b>', "<sip:c>"]
    assert message.get_all("Subject") == ["a, b"]
    assert message.lists("Supported", "TIMER") and not message.lists("Supported", "path")
    assert message.get_all("Require") == []
    assert [route.display for route in message.routes] == ["", "x, y", ""]


def test_contact_star_is_no_address() -> None:
    message = request(raw("REGISTER sip:help.test SIP/2.0", CSeq="1 REGISTER", Contact="*", Expires="0"))
    assert message.contact_star and message.contacts == () and message.contact is None


def test_octets_that_are_no_utf8_are_kept_for_the_wire_and_shown_safely() -> None:
    message = request(GOOD["latin-1 display"])
    assert b"Kurf\xfcrst <" in message.to_bytes()
    assert message.from_.display == "Kurf\ufffdrst"
    message.from_.display.encode()


def test_uris_compare_by_meaning() -> None:
    same = [
        ("sip:%61lice@atlanta.test;transport=TCP", "sip:alice@AtlanTa.test;Transport=tcp"),
        ("sip:carol@c.test", "sip:carol@c.test;newparam=5"),
        ("sip:biloxi.test;transport=tcp;method=REGISTER", "sip:biloxi.test;method=REGISTER;transport=tcp"),
    ]
    other = [
        ("SIP:ALICE@a.test", "sip:alice@a.test"),
        ("sip:bob@b.test", "sip:bob@b.test:5060"),
        ("sip:bob@b.test", "sip:bob@b.test;transport=udp"),
        ("sip:c@c.test;newparam=5", "sip:c@c.test;newparam=6"),
        ("sip:c@c.test", "sips:c@c.test"),
        ("tel:1", "tel:2"),
    ]
    assert all(same_uri(parse_uri(one), parse_uri(two)) for one, two in same)
    assert not any(same_uri(parse_uri(one), parse_uri(two)) for one, two in other)


def test_an_escape_that_would_not_print_stays_an_escape() -> None:
    assert parse_uri("sip:a%0D%0Ab@h").user == "a%0D%0Ab"
    assert parse_uri("sip:%61%C3%A9%40b@h").user == "aé@b"


def test_answer_address_of_via() -> None:
    for text, address in {
        "SIP/2.0/UDP h.test": ("h.test", 5060),
        "SIP/2.0/UDP h.test:5080;received=192.0.2.1": ("192.0.2.1", 5080),
        "SIP/2.0/UDP h.test:5080;received=192.0.2.1;rport=9999": ("192.0.2.1", 9999),
        "SIP/2.0/UDP h.test:5080;rport": ("h.test", 5080),
    }.items():
        assert address == parse_via(text).answer_address


def test_name_addr_text_round_trip() -> None:
    address = parse_name_addr('"a \\"b\\" \\\\" <sip:x@y;lr>;tag=1;flag', "From")
    assert address.display == 'a "b" \\'
    assert address == parse_name_addr(str(address), "From")
