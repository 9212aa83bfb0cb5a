"""Dialogs: from the request and response that make them, through routes, numbers and targets, to disk and back."""

import pytest

from callserver.sip.protocol.dialog import Dialog, request_key, response_key
from callserver.sip.protocol.message import Request, Response, SipError, build_request, parse_message, response_to, via_value

VIA = via_value("udp", "192.0.2.1", 5060, "z9hG4bKn")
LOOSE = "<sip:p1.test;lr>, <sip:p2.test;lr>"


def invite(contact: str = "<sip:hp1@192.0.2.7:5070;ob?x=y>", routes: str = LOOSE, tag: str = ";tag=theirs") -> Request:
    lines = [("Via", VIA), ("From", f'"Point 1" <sip:hp1@a.test>{tag}'), ("To", "<sip:help@a.test>"), ("Call-ID", "c1")]
    lines += [("CSeq", "10 INVITE")] + [("Contact", contact)] * bool(contact) + [("Record-Route", routes)] * bool(routes)
    return build_request("INVITE", "sip:help@a.test", lines)


def uas(**changes: str) -> Dialog:
    return Dialog.as_uas(invite(**changes), "ours")


def uac(response_contact: str = "<sip:op@192.0.2.9>", to_tag: str = "theirs", routes: str = LOOSE) -> Dialog:
    made = invite(contact="<sip:edge@192.0.2.1>", routes="", tag=";tag=ours")
    headers = [("Contact", response_contact)] * bool(response_contact) + [("Record-Route", routes)] * bool(routes)
    return Dialog.as_uac(made, response_to(made, 200, to_tag=to_tag, headers=headers))


def of_peer(dialog: Dialog, method: str, number: int, contact: str = "") -> Request:
    lines = [("Via", VIA), ("From", f"{dialog.remote};tag={dialog.remote_tag}"), ("To", f"{dialog.local};tag={dialog.local_tag}")]
    lines += [("Call-ID", dialog.call_id), ("CSeq", f"{number} {method}")] + [("Contact", contact)] * bool(contact)
    return build_request(method, "sip:edge@192.0.2.1", lines)


def test_both_sides_of_one_invite_agree() -> None:
    server = uas()
    assert (*server.key, server.local_cseq, server.remote_cseq) == ("c1", "ours", "theirs", 0, 10)
    assert (server.remote, server.local) == ('"Point 1" <sip:hp1@a.test>', "<sip:help@a.test>")
    assert server.routes == ("<sip:p1.test;lr>", "<sip:p2.test;lr>")
    client = uac()
    assert (*client.key, client.local_cseq, client.remote_cseq) == ("c1", "ours", "theirs", 10, -1)
    assert client.routes == ("<sip:p2.test;lr>", "<sip:p1.test;lr>")
    assert (client.local_uri.user, client.remote_uri.user) == ("hp1", "help")


def test_requests_go_by_the_route_set_to_the_target() -> None:
    dialog, bye = uas().next_request("BYE", VIA, headers=[("Reason", "SIP ;cause=200")])
    assert bye == parse_message(bytes(bye))
    assert (bye.method, bye.uri.raw) == ("BYE", "sip:hp1@192.0.2.7:5070;ob")
    assert bye.get_all("Route") == ["<sip:p1.test;lr>", "<sip:p2.test;lr>"]
    assert (bye.from_.tag, bye.to.tag, bye.cseq.number, bye.call_id) == ("ours", "theirs", 1, "c1")
    assert bye.get("Reason") == "SIP ;cause=200"
    assert (dialog.next_hop.host, dialog.local_cseq) == ("p1.test", 1)
    assert uas(routes="").next_hop.host == "192.0.2.7"
    assert request_key(bye) == ("c1", "theirs", "ours")


def test_a_strict_router_gets_its_own_uri() -> None:
    dialog = uas(routes="<sip:strict.test>, <sip:p2.test;lr>")
    _, bye = dialog.next_request("BYE", VIA)
    assert bye.uri.raw == "sip:strict.test"
    assert bye.get_all("Route") == ["<sip:p2.test;lr>", "<sip:hp1@192.0.2.7:5070;ob?x=y>"]
    assert dialog.next_hop.host == "strict.test"


def test_numbers_grow_by_one_and_the_ack_repeats_the_invites() -> None:
    dialog, first = uac().next_request("INVITE", VIA, contact="<sip:edge@192.0.2.1>", body=b"v=0")
    dialog, second = dialog.next_request("INFO", VIA)
    ack = dialog.ack(VIA)
    assert (first.cseq.number, second.cseq.number, ack.cseq.number) == (11, 12, 11)
    assert (ack.method, ack.cseq.method, first.body) == ("ACK", "ACK", b"v=0")
    assert first.contact is not None and second.contact is None
    assert uac().ack(VIA).cseq.number == 10
    assert dialog.ack(VIA, cseq=5).cseq.number == 5


def test_a_peers_requests_must_grow() -> None:
    dialog = uas().accept(of_peer(uas(), "BYE", 11))
    assert dialog.remote_cseq == 11
    for number in (11, 10, 0):
        with pytest.raises(SipError) as caught:
            dialog.accept(of_peer(dialog, "INFO", number))
        assert caught.value.status == 500 and caught.value.request is not None
    assert dialog == dialog.accept(of_peer(dialog, "ACK", 10))
    assert uac().accept(of_peer(uac(), "OPTIONS", 0)).remote_cseq == 0


def test_only_target_refreshes_move_the_target() -> None:
    dialog = uas()
    for method, target in (("INVITE", "sip:new@h"), ("UPDATE", "sip:new@h"), ("INFO", dialog.target), ("BYE", dialog.target)):
        assert target == dialog.accept(of_peer(dialog, method, 11, "<sip:new@h>")).target, method
    assert dialog.target == dialog.accept(of_peer(dialog, "INVITE", 11)).target
    _, again = dialog.next_request("INVITE", VIA)
    ok = response_to(again, 200, headers=[("Contact", "<sip:moved@h>")])
    refused = response_to(again, 488, headers=[("Contact", "<sip:moved@h>")])
    assert ("sip:moved@h", dialog.target) == (dialog.refreshed(ok).target, dialog.refreshed(refused).target)
    assert dialog.routes == dialog.refreshed(ok).routes


def test_a_dialog_needs_a_tag_and_a_sip_contact() -> None:
    for make in (
        lambda: uac(to_tag=""),
        lambda: uac(response_contact=""),
        lambda: uas(contact=""),
        lambda: uas(contact="<tel:1>"),
    ):
        with pytest.raises(SipError) as caught:
            make()
        assert caught.value.status == 400


def test_a_peer_without_a_tag_gets_none() -> None:
    _, bye = uas(tag="").next_request("BYE", VIA)
    assert bye.to.tag is None and bye.from_.tag == "ours"


def test_stored_and_read_again_it_is_the_same() -> None:
    dialog, _ = uas().next_request("INVITE", VIA)
    assert dialog == Dialog.from_bytes(dialog.to_bytes())
    with pytest.raises(ValueError):
        Dialog.from_bytes(b"\x00rubbish")


def test_keys_of_what_comes_match_the_dialogs() -> None:
    dialog = uas()
    assert dialog.key == request_key(of_peer(dialog, "BYE", 11))
    _, bye = dialog.next_request("BYE", VIA)
    response = response_to(bye, 200)
    assert isinstance(response, Response) and dialog.key == response_key(response)
    assert request_key(invite())[1] == ""


def test_sips_makes_it_secure() -> None:
    lines = [(header.raw_name, header.value) for header in invite().headers]
    assert Dialog.as_uas(build_request("INVITE", "sips:help@a.test", lines), "o").secure
    assert not uas().secure


def test_ack_and_cancel_are_not_made_as_requests_in_sequence() -> None:
    for method in ("ACK", "CANCEL"):
        with pytest.raises(AssertionError):
            uas().next_request(method, VIA)
