"""Who may ask what: digest, trusted sources, roles, domains, registration, limits."""

import re
import secrets

import pytest

from tests.eventually import eventually
from tests.sip.edge_bench import SECRET, Bench
from tests.sip.edge_peer import Got, Peer, sdp
from tests.sip.test_edge_calls import pressed


def plain(peer: Peer, method: str, uri: str, user: str = "", lines: tuple[str, ...] = (), body: str = "") -> str:
    """One request outside dialogs without credentials, as text."""
    who = user or peer.user
    to = f"<sip:{who}@help.test>" if method == "REGISTER" else f"<{uri}>"
    return peer.build(method, uri, [
        f"Via: {peer.via()}", f"From: <sip:{who}@help.test>;tag={secrets.token_hex(4)}", f"To: {to}",
        f"Call-ID: {secrets.token_hex(8)}", f"CSeq: 1 {method}", f"Contact: {peer.contact}", *lines,
    ], body)  # fmt: skip


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize("sha256", [False, True], ids=["md5", "sha256"])
async def test_registration_by_digest_is_stored_before_its_200(tcp: bool, sha256: bool) -> None:
    async with Bench() as bench:
        if sha256:
            bench.directory.sha256.add("op1")
        peer = await bench.peer("op1", tcp)
        ok = await peer.register()
        assert ok.status == 200
        assert re.search(r"expires=1(19|20)", ok.one("Contact"))
        assert bench.shelf.bindings["op1"]
        assert bench.edge.bindings_of("op1") == [peer.contact.strip("<>")]
        assert bench.ears.of("bound") == [("bound", "op1")]
        assert (await peer.register(expires=0)).status == 200
        assert bench.ears.of("unbound") == [("unbound", "op1")]
        assert bench.shelf.bindings["op1"] == b""


async def test_a_binding_ends_with_its_time() -> None:
    async with Bench() as bench:
        await bench.peer("op1", register=True)
        bench.skip(119)
        assert bench.edge.bindings_of("op1")
        bench.skip(3)
        assert bench.edge.bindings_of("op1") == []
        assert bench.ears.of("unbound") == [("unbound", "op1")]


async def test_too_short_a_time_is_423_with_the_least() -> None:
    async with Bench() as bench:
        peer = await bench.peer("op1")
        answer = await peer.register(expires=5)
        assert (answer.status, answer.one("Min-Expires")) == (423, "30")


async def test_a_contact_that_is_this_server_is_refused() -> None:
    async with Bench() as bench:
        peer = await bench.peer("op1")
        answer = await peer.register(contact=f"<sip:op1@127.0.0.1:{bench.udp.getsockname()[1]}>")
        assert answer.status == 403
        assert bench.ears.of("bound") == []


@pytest.mark.parametrize("method", ["INVITE", "REGISTER", "OPTIONS", "MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "BYE", "DANCE"])
async def test_nothing_outside_a_dialog_is_served_without_credentials(method: str) -> None:
    async with Bench() as bench:
        peer = await bench.peer("hp1")
        peer.send(plain(peer, method, "sip:help.test" if method == "REGISTER" else "sip:help@help.test"))
        answer = await peer.final(method)
        assert answer.status == 401
        assert 'qop="auth"' in answer.one("WWW-Authenticate")
        assert bench.ears.heard == []


@pytest.mark.parametrize(
    ("method", "status"),
    [("OPTIONS", 200), ("MESSAGE", 405), ("PUBLISH", 405), ("SUBSCRIBE", 489), ("REFER", 603), ("BYE", 481), ("DANCE", 501)],
)
async def test_an_authenticated_request_gets_the_answer_of_its_method(method: str, status: int) -> None:
    async with Bench() as bench:
        bench.directory.trusted_pairs.add(("hp1", "127.0.0.1"))
        peer = await bench.peer("hp1")
        peer.send(plain(peer, method, "sip:help@help.test"))
        assert (await peer.final(method)).status == status


async def test_a_trusted_source_presses_without_credentials_and_another_address_does_not() -> None:
    async with Bench() as bench:
        bench.directory.trusted_pairs.add(("hp1", "127.0.0.1"))
        point = await bench.peer("hp1")
        await pressed(bench, point, authorize=False)
        elsewhere = await bench.peer("hp1", host="127.0.0.2")
        await elsewhere.invite(authorize=False)
        assert (await elsewhere.final("INVITE")).status == 401
        assert len(bench.ears.of("pressed")) == 1


async def test_a_wrong_password_and_an_unknown_user_look_the_same() -> None:
    async with Bench() as bench:
        answers = []
        for user in ("op1", "nobody"):
            peer = await bench.peer(user)
            peer.password = "wrong"
            answer = await peer.register()
            answers.append(re.sub(r'nonce="[^"]*"|tag=\w+|branch=\w+|Call-ID: \w+|:\d{4,5}|rport=\d+', "", answer.text))
        first, second = (text.replace("op1", "U").replace("nobody", "U") for text in answers)
        assert first.replace("SHA-256", "MD5") == second.replace("SHA-256", "MD5")
        assert first.startswith("SIP/2.0 401")


@pytest.mark.parametrize(
    ("user", "called", "status"),
    [("hp1", "op1", 403), ("hp1", "nobody", 403), ("op1", "hp1", 403), ("op1", "help", 403)],
)
async def test_calls_that_nobody_may_place_are_refused(user: str, called: str, status: int) -> None:
    async with Bench() as bench:
        peer = await bench.peer(user)
        await peer.invite(to=called)
        assert (await peer.final("INVITE")).status == status
        assert bench.ears.heard == []


async def test_an_operator_dials_a_service_code() -> None:
    async with Bench() as bench:
        operator = await bench.peer("op1")
        await operator.invite(to="*21")
        dialog = await bench.dialog("code")
        assert bench.ears.heard == [("code", dialog, "op1", "*21")]
        bench.edge.refuse(dialog, 486, "Busy Here")
        assert (await operator.final("INVITE")).status == 486


async def test_there_is_no_relay() -> None:
    async with Bench() as bench:
        bench.directory.trusted_pairs.add(("hp1", "127.0.0.1"))
        peer = await bench.peer("hp1")
        for uri in ("sip:help@elsewhere.test", "sip:op1@127.0.0.1:9", "tel:+123"):
            peer.send(
                plain(peer, "INVITE", uri, body=sdp(), lines=("Content-Type: application/sdp",)).replace(
                    "Content-Type: application/sdp\r\nMax", "Max", 1
                )
            )
            assert (await peer.final("INVITE")).status in (404, 416)
        assert bench.ears.heard == []


async def test_nobody_registers_or_speaks_for_another() -> None:
    async with Bench() as bench:
        thief = await bench.peer("op1")
        thief.send(plain(thief, "REGISTER", "sip:help.test").replace("To: <sip:op1@", "To: <sip:op2@"))
        assert (await thief.final("REGISTER")).status == 403
        call_id = secrets.token_hex(8)

        def lines(cseq: int) -> list[str]:
            return [
                f"Via: {thief.via()}", "From: <sip:op2@help.test>;tag=x", "To: <sip:op2@help.test>", f"Call-ID: {call_id}",
                f"CSeq: {cseq} REGISTER", f"Contact: {thief.contact}",
            ]  # fmt: skip

        await thief.authorized("REGISTER", "sip:help.test", lines)  # its own credentials under the other's name
        assert (await thief.final("REGISTER")).status == 401
        assert bench.edge.bindings_of("op2") == []


async def test_credentials_are_not_taken_twice() -> None:
    async with Bench() as bench:
        peer = await bench.peer("op1")
        uri = "sip:help.test"
        peer.send(plain(peer, "REGISTER", uri))
        challenge = await peer.response(401)
        line = peer.authorization(challenge, "REGISTER", uri)
        peer.send(plain(peer, "REGISTER", uri, lines=(line,)))
        await peer.response(200)
        peer.send(plain(peer, "REGISTER", uri, lines=(line,)))
        assert "stale=true" in (await peer.response(401)).one("WWW-Authenticate")
        peer.send(plain(peer, "REGISTER", uri, lines=(peer.authorization(challenge, "REGISTER", uri, nc=2),)))
        await peer.response(200)


async def test_guessing_locks_the_pair_and_not_the_owner() -> None:
    async with Bench() as bench:
        guesser = await bench.peer("op1", host="127.0.0.5")
        guesser.password = "guess"
        for _ in range(12):
            assert (await guesser.register()).status == 401
        guesser.password = SECRET + "op1"
        assert (await guesser.register()).status == 401, "locked: not even looked at"
        owner = await bench.peer("op1")
        assert (await owner.register()).status == 200


async def test_a_flood_from_the_points_own_address_does_not_stop_its_press() -> None:
    """1500 requests of a stranger and broken ones; the point behind the same address is served all the time."""
    async with Bench() as bench:
        point = await bench.peer("hp1", register=True)
        flooder = await bench.peer("nobody")
        for _ in range(30):
            for number in range(50):
                broken = plain(flooder, "OPTIONS", "sip:help@help.test").replace("CSeq: 1", "CSeq: x")
                flooder.send(plain(flooder, "REGISTER", "sip:help.test") if number % 2 else broken)
            point.send(plain(point, "OPTIONS", "sip:help@help.test"))
            assert (await point.final("OPTIONS")).status == 401
        await eventually(lambda: len(flooder.inbox) > 100, 3.0)
        flooder.send(plain(flooder, "INVITE", "sip:help@help.test", user="hp2"))
        await pressed(bench, point)
        assert len(flooder.inbox) < 450, "its answers end with its tokens"
        assert {got.status for got in flooder.inbox} == {401}


async def test_malformed_requests_are_answered_400_and_disturb_nobody() -> None:
    async with Bench() as bench:
        peer = await bench.peer("hp1")
        good = plain(peer, "OPTIONS", "sip:help@help.test")
        peer.send(good.replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE"))
        assert (await peer.final("INVITE")).status == 400
        peer.send(good.replace("Max-Forwards: 70", "Max-Forwards: 0"))
        assert (await peer.final("OPTIONS")).status == 483
        peer.send("OPTIONS sip:x SIP/2.0\r\nVia: \0\r\n\r\n")
        peer.send("\r\n\r\n")
        await pressed(bench, peer)


async def test_answers_go_to_the_source_whatever_via_says() -> None:
    async with Bench() as bench:
        peer = await bench.peer("hp1")
        text = plain(peer, "OPTIONS", "sip:help@help.test")
        peer.send(re.sub(r"UDP 127\.0\.0\.1:\d+;rport", "UDP 203.0.113.9:9;received=203.0.113.8;rport=7", text))
        answer = await peer.final("OPTIONS")
        assert f"received=127.0.0.1;rport={peer.port}" in answer.one("Via")


async def test_stray_responses_are_dropped() -> None:
    async with Bench() as bench:
        peer = await bench.peer("hp1")
        peer.send(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n"
            "Call-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:x@127.0.0.1>\r\nContent-Length: 0\r\n\r\n"
        )
        await pressed(bench, peer)
        assert all(isinstance(got, Got) and not got.method for got in peer.inbox)


async def test_a_merged_request_is_482() -> None:
    async with Bench() as bench:
        bench.directory.trusted_pairs.add(("hp1", "127.0.0.1"))
        peer = await bench.peer("hp1")
        text = plain(peer, "INVITE", "sip:help@help.test", body=sdp())
        peer.send(text)
        await bench.dialog()
        peer.send(re.sub(r"z9hG4bK\w+", "z9hG4bKother", text))
        assert (await peer.final("INVITE")).status == 482
        assert len(bench.ears.of("pressed")) == 1


async def test_srtp_only_is_488() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        await point.invite(body=sdp().replace("RTP/AVP", "RTP/SAVP"))
        assert (await point.final("INVITE")).status == 488


async def test_a_point_that_has_used_up_its_own_budget_still_presses() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1", register=True)
        for _ in range(70):
            point.send(plain(point, "OPTIONS", "sip:help@help.test"))
            answer = await point.final("OPTIONS")
        assert (answer.status, answer.one("Retry-After")) == (503, "5")
        await pressed(bench, point)
