"""The real peers themselves: proven against each other before they judge the server."""

import socket
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Peers
from tests.eventually import eventually
from tests.peers.ports import SIZE, Ports
from tests.peers.tones import heard, longest_absence_s, make_tone, strength, tone_strength

pytestmark = pytest.mark.real


@pytest.mark.parametrize(("transport", "codec"), [("udp", "pcma/8000/1"), ("tcp", "pcmu/8000/1"), ("udp", "g722/16000/1")])
async def test_two_baresips_hear_each_other(peers: Peers, transport: str, codec: str) -> None:
    """Each finds the other's tone in what it heard, and not its own."""
    caller = peers.baresip("hp1", hz=440, transport=transport, codec=codec).start()
    callee = peers.baresip("op1", hz=1000, transport=transport, codec=codec).start()
    caller.dial(f"{callee.uri};transport={transport}")
    await eventually(lambda: callee.seen("CALL_INCOMING"), 5)
    await eventually(lambda: caller.seen("CALL_RINGING"), 5)
    assert caller.seen("CALL_ESTABLISHED") is None
    callee.answer()
    await eventually(lambda: caller.seen("CALL_ESTABLISHED") and callee.seen("CALL_ESTABLISHED"), 5)
    await eventually(lambda: heard(caller.received_wav(), 1000), 10)
    await eventually(lambda: heard(callee.received_wav(), 440), 10)
    assert caller.in_call() and not caller.idle()
    assert tone_strength(caller.received_wav(), 440, -0.5) < 0.01
    caller.hangup()
    await eventually(lambda: caller.seen("CALL_CLOSED") and callee.seen("CALL_CLOSED"), 5)
    assert callee.idle()


async def test_linphone_answers_a_baresip(peers: Peers) -> None:
    """Both hear each other; linphone's own record of it grows while they talk; its digits and baresip's arrive."""
    caller, callee = peers.baresip("hp1", hz=440).start(), peers.linphone("op1", hz=1000).start()
    caller.dial(callee.uri)
    await eventually(callee.ringing, 5)
    callee.answer()
    await eventually(callee.established, 5)
    await eventually(lambda: heard(caller.received_wav(), 1000), 10)
    await eventually(lambda: heard(callee.received_wav(), 440), 10)
    callee.digits("4")
    caller.digits("5")
    await eventually(lambda: (caller.seen("CALL_DTMF_START") or caller.events[0]).param == "4", 5)
    await eventually(lambda: "Receiving tone 5" in callee.log_text(), 5)
    callee.hangup()
    await eventually(lambda: caller.seen("CALL_CLOSED"), 5)
    await eventually(callee.ended, 5)


async def test_linphone_calls_and_is_refused(peers: Peers) -> None:
    """A baresip that hangs up while it rings refuses the call."""
    callee, caller = peers.baresip("op1").start(), peers.linphone("hp1").start()
    caller.dial(callee.uri)
    await eventually(lambda: callee.seen("CALL_INCOMING"), 5)
    callee.hangup()
    await eventually(callee.idle, 5)
    await eventually(caller.ended, 5)
    assert caller.calls() == 1 and not caller.established()


ANSWERING = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="answers OPTIONS">
  <recv request="OPTIONS"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""

ASKING = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="asks">
  <send retrans="500"><![CDATA[
OPTIONS sip:help@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:a@[local_ip]>;tag=[call_number]
To: <sip:help@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 OPTIONS
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="STATUS"/>
</scenario>
"""


REGISTRAR = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="a registrar of one account">
  <recv request="REGISTER"/>
  <send><![CDATA[
SIP/2.0 401 Unauthorized
[last_Via:]
[last_From:]
[last_To:];tag=1[call_number]
[last_Call-ID:]
[last_CSeq:]
WWW-Authenticate: Digest realm="help.test", nonce="4f1c", qop="auth", algorithm=MD5
Content-Length: 0

]]></send>
  <recv request="REGISTER"><action>
    <ereg regexp="username=.op1., realm=.help.test." search_in="hdr" header="Authorization:" check_it="true" assign_to="1"/>
  </action></recv>
  <Reference variables="1"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=1[call_number]
[last_Call-ID:]
[last_CSeq:]
[last_Contact:]
Expires: 120
Content-Length: 0

]]></send>
</scenario>
"""


@pytest.mark.parametrize("kind", ["baresip", "linphone"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_peers_register_by_digest(peers: Peers, kind: str, transport: str) -> None:
    """A peer knows that it is registered only after the registrar took its credentials."""
    registrar = peers.sipp("registrar", REGISTRAR, ("127.0.0.1", 9), transport=transport).start()
    await eventually(lambda: is_listening(registrar.sip_port, transport), 5)
    make = peers.baresip if kind == "baresip" else peers.linphone
    server = ("127.0.0.1", registrar.sip_port)
    peer = make("op1", password="secret", server=server, domain="help.test", transport=transport).start()
    try:
        await eventually(peer.registered, 10)
    except AssertionError:
        pytest.fail(f"{peer.log_text()}\n{registrar.messages()}")
    assert registrar.messages().count("REGISTER sip:") == 2


async def test_a_peer_without_a_registrar_is_not_registered(peers: Peers) -> None:
    """Nobody answers: not registered, and it says so."""
    peer = peers.baresip("op1", password="secret", server=("127.0.0.1", peers.ports.take())).start()
    await eventually(lambda: "zzz" in peer.command("reginfo"), 10)
    assert not peer.registered()


def is_listening(port: int, transport: str) -> bool:
    """Whether a socket of this kind is bound to the loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


async def test_sipp_runs_a_scenario(peers: Peers) -> None:
    """What was sent and received stands in its trace."""
    answering = peers.sipp("uas", ANSWERING, ("127.0.0.1", 9)).start()
    asking = peers.sipp("uac", ASKING.replace("STATUS", "200"), ("127.0.0.1", answering.sip_port))
    messages = await asking.run()
    assert "SIP/2.0 200 OK" in messages
    await eventually(answering.done, 5)


async def test_a_sipp_scenario_that_fails_is_an_error(peers: Peers) -> None:
    """Another status than the scenario wants fails the run, with SIPp's own words."""
    answering = peers.sipp("uas", ANSWERING, ("127.0.0.1", 9)).start()
    asking = peers.sipp("uac", ASKING.replace("STATUS", "404"), ("127.0.0.1", answering.sip_port))
    with pytest.raises(AssertionError, match="200 OK"):
        await asking.run()


def test_peers_are_ended_and_silent_ones_killed(peers: Peers) -> None:
    """`stop` ends a peer that is frozen too; a second `stop` does no harm."""
    peer = peers.baresip("hp1").start()
    peer.freeze()
    peer.stop()
    assert not peer.running
    peer.stop()


def test_ports_of_two_blocks_differ_and_taken_ones_are_passed_over() -> None:
    """Two blocks never overlap; a port in use is not handed out; RTP ports are even where asked."""
    first, second = Ports(), Ports()
    try:
        port = first.take()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", port + 1))
            assert first.take() == port + 2
        assert second.take(4, even=True) % 2 == 0
        assert abs(port - second.take()) >= 40
        with pytest.raises(RuntimeError, match="left in this block"):
            second.take(SIZE)
    finally:
        first.close()
        second.close()


def test_the_tone_measure_itself(tmp_path: Path) -> None:
    """A tone has its own strength, another has none, and a hole in it is found and measured."""
    tone = make_tone(tmp_path / "tone.wav", 440, seconds=2)
    assert tone_strength(tone, 440) == pytest.approx(0.3, abs=0.01)
    assert tone_strength(tone, 1000) < 0.005
    assert strength(np.zeros(0), 440, 8000) == 0.0
    assert heard(tone, 440) and not heard(tone, 1000)
    assert longest_absence_s(tone, 440) == 0.0
    raw = bytearray(tone.read_bytes())
    raw[44 + 16000 : 44 + 16000 + 1600] = bytes(1600)  # 100 ms of silence from the first second on
    holed = tmp_path / "holed.wav"
    holed.write_bytes(raw)
    assert longest_absence_s(holed, 440) == pytest.approx(0.1, abs=0.021)
