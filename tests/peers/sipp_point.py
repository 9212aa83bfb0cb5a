"""What a SIPp scenario of a help point is made of: a press with digest, requests within its dialog."""

_INVITE = """\
INVITE sip:help@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[local_ip]>;tag=[call_number]
To: <sip:help@[remote_ip]>
Call-ID: [call_id]
CSeq: {cseq} INVITE
Contact: <sip:[field0]@[local_ip]:[local_port]>
Max-Forwards: 70
{authorization}Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
"""

_REQUEST = """\
{method} [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[local_ip]>;tag=[call_number]
To: <sip:help@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: {cseq} {method}
Max-Forwards: 70
{body}
"""

_ACK_401 = """\
ACK sip:help@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[local_ip]>;tag=[call_number]
To: <sip:help@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

"""

PRESSED = 2
"""The CSeq of the INVITE that was authorized."""


def _send(text: str, repeat: bool = True) -> str:
    return f"<send{' retrans=' + chr(34) + '500' + chr(34) if repeat else ''}><![CDATA[\n{text}\n]]></send>\n"


def request(method: str, cseq: int, body: str = "") -> str:
    """One request in the dialog; `body` is a digit by application/dtmf-relay. Repeated until answered, but ACK."""
    kind = "Content-Type: application/dtmf-relay\nContent-Length: [len]\n\n" if body else "Content-Length: 0\n\n"
    return _send(_REQUEST.format(method=method, cseq=cseq, body=f"{kind}{body}"), method != "ACK")


def press() -> str:
    """INVITE, 401, INVITE with `[field1]` as authentication, up to its 200 and the ACK."""
    return "".join(
        [
            _send(_INVITE.format(cseq=1, authorization="")),
            '<recv response="100" optional="true"/><recv response="401" auth="true" rtd="true"/>',
            _send(_ACK_401, repeat=False),
            _send(_INVITE.format(cseq=PRESSED, authorization="[field1]\n")),
            '<recv response="100" optional="true"/><recv response="180" optional="true"/>',
            '<recv response="183" optional="true"/><recv response="200" rrs="true"/>',
            request("ACK", PRESSED),
        ]
    )


def scenario(name: str, *steps: str) -> str:
    """The whole text."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n{"".join(steps)}</scenario>\n'
