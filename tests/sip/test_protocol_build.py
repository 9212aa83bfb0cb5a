"""Building: responses, Via stamping, and that nothing of ours can break out of its line."""

import pytest

from callserver.sip.protocol.message import (
    Request,
    Response,
    SipError,
    build_request,
    parse_message,
    quote,
    response_to,
    stamp_via,
    unquote,
)

HEADERS = [
    ("Via", "SIP/2.0/UDP a.test:5070;branch=z9hG4bK1;rport;received=6.6.6.6"),
    ("Via", "SIP/2.0/UDP b.test;branch=z9hG4bK2, SIP/2.0/TCP c.test;branch=z9hG4bK3"),
    ("Record-Route", "<sip:r1;lr>, <sip:r2;lr>"),
    ("From", '"Zoë" <sip:z@a.test>;tag=z'),
    ("To", "sip:help@h.test"),
    ("Call-ID", "x"),
    ("CSeq", "1 INVITE"),
    ("Timestamp", "54"),
    ("User-Agent", "none"),
]


def invite(headers: list[tuple[str, str]] = HEADERS) -> Request:
    built = build_request("INVITE", "sip:help@h.test", headers, b"body")
    assert built == parse_message(built.to_bytes())
    return built


def answered(status: int, to_tag: str = "t", headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> Response:
    response = response_to(invite(), status, to_tag=to_tag, headers=headers, body=body)
    assert response == parse_message(response.to_bytes())
    return response


def test_a_response_repeats_what_it_must_and_nothing_else() -> None:
    ringing = answered(180)
    assert [h.name for h in ringing.headers] == ["via", "via", "record-route", "from", "to", "call-id", "cseq", "content-length"]
    assert invite().get_all("Via") == ringing.get_all("Via")
    assert (ringing.to.tag, ringing.reason, ringing.to.uri.user) == ("t", "Ringing", "help")


def test_trying_has_the_timestamp_and_no_tag_and_a_failure_no_route() -> None:
    trying = answered(100)
    assert (trying.to.tag, trying.get("Timestamp")) == (None, "54")
    assert answered(486).get("Record-Route") is None


def test_a_tag_that_is_there_stays() -> None:
    headers = [(name, value + ";tag=old" if name == "To" else value) for name, value in HEADERS]
    assert response_to(invite(headers), 200, to_tag="new").to.tag == "old"


def test_headers_and_body_of_a_response() -> None:
    ok = answered(200, headers=(("Contact", "<sip:h@e>"),), body=b"v=0")
    assert (ok.get("Content-Length"), ok.body, ok.get("Contact")) == ("3", b"v=0", "<sip:h@e>")
    assert response_to(invite(), 488, "Own words").reason == "Own words"


def test_the_topmost_via_shows_the_true_source_only() -> None:
    stamped = stamp_via(invite(), "192.0.2.50", 7777)
    assert [(via.params.get("received"), via.params.get("rport")) for via in stamped.via] == [
        ("192.0.2.50", "7777"),
        (None, None),
        (None, None),
    ]
    assert stamped.via[0].answer_address == ("192.0.2.50", 7777)
    assert stamped == parse_message(stamped.to_bytes())


@pytest.mark.parametrize(
    ("via", "received", "rport"),
    [
        ("SIP/2.0/UDP 192.0.2.50:5070;branch=b", None, None),
        ("SIP/2.0/UDP 192.0.2.50:5070;branch=b;received=6.6.6.6", None, None),
        ("SIP/2.0/UDP 192.0.2.51:5070;branch=b", "192.0.2.50", None),
        ("SIP/2.0/UDP 192.0.2.50:5070;rport=1;branch=b", "192.0.2.50", "7777"),
    ],
)
def test_received_and_rport_by_rfc_3581(via: str, received: str | None, rport: str | None) -> None:
    stamped = stamp_via(invite([("Via", f"{via}, SIP/2.0/UDP z.test"), *HEADERS[2:]]), "192.0.2.50", 7777)
    assert (received, rport) == (stamped.via[0].params.get("received"), stamped.via[0].params.get("rport"))
    assert stamped.via[1].host == "z.test"


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\0b", "a\x1bb", "a\ud800b"])
def test_a_value_cannot_break_out_of_its_line(value: str) -> None:
    with pytest.raises(SipError) as caught:
        build_request("INVITE", "sip:a@b", [*HEADERS, ("X-Name", value)])
    assert caught.value.status == 500


def test_names_and_methods_of_ours_are_tokens() -> None:
    for method, name in (("IN VITE", "X"), ("INVITE", "X:")):
        with pytest.raises(SipError):
            build_request(method, "sip:a@b", [*HEADERS, (name, "1")])


def test_a_display_name_survives_quoting_whatever_it_holds() -> None:
    for text in ('Gate "3" \\ East', "Zoë 東", "a;b,c<d>", ""):
        assert text == unquote(quote(text))
        built = invite([(name, f"{quote(text)} <sip:x@y>;tag=1" if name == "From" else value) for name, value in HEADERS])
        assert text == built.from_.display
    assert quote("two\nlines") == '"two lines"'


def test_without_strips_by_any_spelling() -> None:
    built = invite([*HEADERS, ("x-own", "1"), ("P-Asserted-Identity", "<sip:boss@b>"), ("m", "<sip:a@b>")])
    bare = built.without("X-Own", "p-asserted-identity", "Contact")
    assert not {"x-own", "p-asserted-identity", "contact"} & {header.name for header in bare.headers}
    assert len(built.headers) - 3 == len(bare.headers)


def test_more_than_fits_is_not_built() -> None:
    with pytest.raises(SipError) as caught:
        invite([*HEADERS, ("X", "y" * 40_000)])
    assert caught.value.status == 513
