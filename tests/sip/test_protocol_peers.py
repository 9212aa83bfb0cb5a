"""What real clients sent (baresip 1.0.0, linphonec 5.1.65, pjsua2 2.15.1, SIPp 3.6.1), kept as octets in tests/data/sip.

They registered and called as hp1 with the password SECRET, over UDP and TCP, challenged by this room's own code.
"""

from pathlib import Path

import pytest

from callserver.sip.protocol import bindings, digest, sdp_gate
from callserver.sip.protocol.dialog import Dialog
from callserver.sip.protocol.message import Request, Response, SipError, Stream, parse_message, response_to, stamp_via
from callserver.sip.protocol.transaction import server_key

FILES = sorted(Path(__file__).parent.parent.joinpath("data/sip").glob("*.sip"))
GUARD = digest.Guard(b"0123456789abcdef", "help.test", frozenset({"help.test", "127.0.0.1"}))
SIGNED = [path for path in FILES if path.stem.endswith("-auth")]
INVITES = [path for path in SIGNED if "invite" in path.stem]


def ids(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths]


def read(path: Path) -> Request:
    message = parse_message(path.read_bytes())
    assert isinstance(message, Request)
    return message


def test_the_clients_are_all_there() -> None:
    assert {path.stem.partition("-")[0] for path in FILES} == {"baresip", "linphone", "pjsua2", "sipp"}


@pytest.mark.parametrize("path", FILES, ids=ids(FILES))
def test_each_is_read_as_datagram_and_as_stream_and_goes_round(path: Path) -> None:
    data = path.read_bytes()
    message = parse_message(data)
    assert message == parse_message(bytes(message))
    if message.get("Content-Length") is not None:  # linphone leaves it out over UDP, where it may
        assert Stream().feed(data * 2) == [message, message]


@pytest.mark.parametrize("path", FILES, ids=ids(FILES))
def test_each_cut_short_is_refused(path: Path) -> None:
    data = path.read_bytes()
    for end in range(0, len(data), 7):
        with pytest.raises(SipError) as caught:
            parse_message(data[:end])
        assert caught.value.status == 400


@pytest.mark.parametrize("path", SIGNED, ids=ids(SIGNED))
def test_their_digest_is_right_and_that_of_another_password_is_not(path: Path) -> None:
    request = read(path)
    values = request.get_all("Authorization") + request.get_all("Proxy-Authorization")
    credentials = digest.pick_credentials(values, "help.test")
    assert credentials is not None
    claim = digest.Claim("hp1", request.method, request.uri, "127.0.0.1")
    now_ns = int(credentials.nonce[:16], 16) + 10**9
    for password, expected in (("SECRET", digest.Refusal.NONE), ("secret", digest.Refusal.WRONG_RESPONSE)):
        account = (credentials.algorithm, digest.ha1(credentials.algorithm, "hp1", "help.test", password))
        verdict = digest.verify(GUARD, claim, credentials, account, now_ns, digest.NonceCounts())
        assert verdict.refusal is expected


@pytest.mark.parametrize("path", INVITES, ids=ids(INVITES))
def test_their_offers_can_be_taken(path: Path) -> None:
    offer = sdp_gate.read_offer(read(path).body)
    choice = offer.choose()
    assert choice.codec in ("PCMU", "PCMA")
    assert (choice.dtmf_payload_type > 0) == ("sipp" not in path.stem)
    local = sdp_gate.Local("127.0.0.1", 30000, 30001)
    answer = sdp_gate.read_answer(sdp_gate.build_answer(offer, choice, local, 1, 1))
    assert (answer.choice, answer.far.rtp_port) == (choice, 30000)


@pytest.mark.parametrize("path", INVITES, ids=ids(INVITES))
def test_their_invites_make_dialogs(path: Path) -> None:
    invite = stamp_via(read(path), "127.0.0.1", 9999)
    dialog = Dialog.as_uas(invite, "ours")
    _, bye = dialog.next_request("BYE", str(invite.via[0]))
    assert invite.contact is not None and bye.uri.raw == invite.contact.uri.raw
    assert (bye.to.tag, bye.to.uri.user) == (invite.from_.tag, "hp1")
    ok = response_to(invite, 200, to_tag="ours")
    assert isinstance(ok, Response) and ok.to.tag == "ours" and server_key(read(path)) == server_key(invite)


def test_their_registers_bind() -> None:
    for path in FILES:
        if "register" in path.stem:
            source = bindings.Source("127.0.0.1", 5060, "UDP")
            after, headers = bindings.apply_register((), read(path), 0, source)
            assert len(after) <= 1 and len(headers) == len(after), path.stem
            if read(path).expires != 0:
                assert after[0].contact.startswith("sip:hp1"), path.stem
