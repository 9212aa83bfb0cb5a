"""A SIPp scenario of an outside line that is called: it wants a longer session timer, then answers early and reliably."""

_LAST = "[last_Via:]\n[last_From:]\n[last_To:]{tag}\n[last_Call-ID:]\n[last_CSeq:]\n"
_OF_INVITE = "Via:[$via]\nFrom:[$from]\nTo:[$to];tag=[call_number]\n[last_Call-ID:]\nCSeq:[$cseq]\n"
_CONTACT = "Contact: <sip:line@[local_ip]:[local_port]>\n"
_EMPTY = "Content-Length: 0\n\n"
_SDP = """\
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
"""


def _send(status: str, body: str, head: str, repeat: bool = False) -> str:
    again = ' retrans="500"' if repeat else ""
    return f"<send{again}><![CDATA[\nSIP/2.0 {status}\n{head}{_CONTACT}{body}\n]]></send>\n"


def _kept(name: str, variable: str) -> str:
    return f'<ereg regexp=".*" search_in="hdr" header="{name}:" assign_to="{variable}"/>'


def line_that_answers_early() -> str:
    """422 (Min-SE 120); then 183 with SDP and RSeq, PRACK, 200 without SDP, and the BYE that it is sent."""
    first, later = _LAST.format(tag=";tag=[call_number]"), _LAST.format(tag="")
    kept = "".join(_kept(*pair) for pair in (("Via", "via"), ("From", "from"), ("To", "to"), ("CSeq", "cseq")))
    steps = [
        '<recv request="INVITE"/>\n',
        _send("422 Session Interval Too Small", f"Min-SE: 120\n{_EMPTY}", first),
        '<recv request="ACK"/>\n',
        f'<recv request="INVITE"><action>{kept}</action></recv>\n',
        _send("183 Session Progress", f"Require: 100rel\nRSeq: 77\n{_SDP}", first),
        '<recv request="PRACK"/>\n',
        _send("200 OK", _EMPTY, later),
        _send("200 OK", _EMPTY, _OF_INVITE, repeat=True),
        '<recv request="ACK"/>\n',
        '<recv request="BYE"/>\n',
        _send("200 OK", _EMPTY, later),
    ]
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="a line that answers early">\n'
    return f"{head}{''.join(steps)}</scenario>\n"
