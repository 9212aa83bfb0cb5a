"""One service for a whole file of tests, callers that say anything on the wire, and the look for what was left behind."""

import contextlib
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.eventually import eventually
from tests.loopback.desk import Desk
from tests.loopback.phone import Phone
from tests.loopback.rtp_peer import CODECS, RtpPeer
from tests.loopback.service import Service
from tests.peers.ports import Ports
from tests.sip.edge_peer import Call, Got, Peer

HEARD = 0.03
_POINTS = {"p1": "plain", "p2": "plain", "p3": "plain", "p4": "plain", "p5": "back", "p6": "plain", "p7": "plain"}
_SHA256 = ("p7", "op7")

_PLAN = """\
[plan]
name = "Wire"
time_zone = "Europe/London"
help = ["help"]
[profiles.plain]
point_bye = "end"
[profiles.back]
point_bye = "call-back"
[ladders.desk]
[[ladders.desk.steps]]
after = "60s"
call = "police"
[parties.police]
name = "Police"
[[parties.police.routes]]
uri = "sip:police@127.0.0.1:{police}"
[outcomes]
safe = {{ name = "Caller safe", digit = "1" }}
[codes]
"*1" = "available"
"*9" = "police:police"
"""


def plan_of(police: int) -> str:
    """Points p1 to p7 (p5 is called back after its BYE), operators op1 to op7; p6 has the queue with a wrap-up."""
    lines = [_PLAN.format(police=police)]
    for queue, wrap_up in (("desk", "0s"), ("careful", "30s")):
        lines.append(f'[queues.{queue}]\ngroups = ["desk"]\nladder = "desk"\nwrap_up = "{wrap_up}"\nring_timeout = "15s"')
    for point, profile in _POINTS.items():
        queue = "careful" if point == "p6" else "desk"
        lines.append(f'[points.{point}]\nplace = "Place {point}"\nqueue = "{queue}"\nprofile = "{profile}"')
        lines.append(f'[operators.o{point}]\nname = "o{point}"\ngroups = ["desk"]')
    return "\n".join([*lines, ""])


class WireService(Service):
    """A service with some accounts of SHA-256, and what a test may not leave behind in it."""

    def __init__(self, directory: Path, ports: Ports) -> None:
        self.police = ports.take()
        super().__init__(directory, ports, plan_of(self.police), spares=3)
        seed = directory / "seed.toml"
        text = seed.read_text()
        for user in _SHA256:
            text = text.replace(f'user = "{user}"\n', f'user = "{user}"\nalgorithm = "SHA-256"\n')
        seed.write_text(text)
        self.web_client: httpx.Client | None = None

    @contextlib.contextmanager
    def serving(self) -> Iterator["WireService"]:
        """Started, with a signed-in client, and stopped."""
        try:
            self.start()
            with self.client() as self.web_client:
                yield self
        finally:
            self.stop()

    def incidents(self, state: str = "") -> list[dict[str, Any]]:
        """Open incidents, of this state."""
        assert self.web_client is not None
        items = self.web_client.get("/api/incidents?open=true").json()["items"]
        return [item for item in items if state in ("", item["state"])]

    def escape(self) -> None:
        """Close every incident that may be closed: what still rings for them stops."""
        assert self.web_client is not None
        for incident in self.incidents():
            self.web_client.post(f"/api/incidents/{incident['id']}/close", json={"outcome": "safe", "note": ""})

    def give_up(self) -> None:
        """End every call that a failed test has left, so that the next one meets a quiet service."""
        assert self.web_client is not None
        for call in {name.rpartition(".")[0] for name in self.live_legs()}:
            self.web_client.post(f"/api/calls/{call}/hangup")
        self.escape()

    # ---- what is left -----------------------------------------------------------------------------------------

    def live_legs(self) -> set[str]:
        """Legs of the journal without an end."""
        ended = {fact["leg"] for fact in self.journal("LegMoved") if fact["new"] == "ended"}
        return {fact["leg"] for fact in self.journal("LegCreated")} - ended

    def bound_ports(self) -> list[int]:
        """Ports of the RTP range that some process holds."""
        rows = Path("/proc/net/udp").read_text().splitlines()[1:]
        bound = [int(row.split()[1].rpartition(":")[2], 16) for row in rows]
        return sorted(port for port in bound if self.rtp_first <= port < self.rtp_first + 120)

    def busy_operators(self) -> dict[str, str]:
        """Operators whose last state has a call."""
        last = {fact["operator"]: fact["new"] for fact in self.journal("OperatorMoved")}
        return {operator: state for operator, state in last.items() if state in ("offered", "talking", "wrap-up")}

    def left_behind(self) -> dict[str, object]:
        """Whatever is not over."""
        found = {
            "workers": self.workers(), "legs": self.live_legs(), "RTP ports": self.bound_ports(),
            "operators": self.busy_operators(),
        }  # fmt: skip
        return {name: what for name, what in found.items() if what}

    def doubled_ends(self) -> list[str]:
        """Legs that ended more than once."""
        ended = [fact["leg"] for fact in self.journal("LegMoved") if fact["new"] == "ended"]
        return sorted({leg for leg in ended if ended.count(leg) > 1})


@dataclass
class Caller(Peer):
    """A SIP end that sends what a test wants to, with a tone at its RTP port. Its offers have one codec."""

    hz: float = 440.0
    codec: str = "PCMA"
    sound: RtpPeer = field(init=False)
    sent: list[str] = field(default_factory=list)

    def send(self, text: str) -> None:
        """Send, and keep what was sent."""
        self.sent.append(text)
        super().send(text)

    async def open(self) -> "Caller":
        """Take ports."""
        self.sound = RtpPeer(self.hz, self.codec)
        await super().open()
        return self

    async def close(self) -> None:
        """Give them back."""
        self.sound.close()
        await super().close()

    def sdp(self, direction: str = "sendrecv", version: int = 1, port: int = 0) -> str:
        """Our offer or answer."""
        kind = self.sound.payload_type
        return (
            f"v=0\r\no=- 7 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port or self.sound.port} RTP/AVP {kind} 101\r\na=rtpmap:{kind} {self.codec}/8000\r\n"
            f"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na={direction}\r\n"
        )

    def hear(self, answer: Got) -> None:
        """Send the tone where an SDP of the service says."""
        media = re.search(r"m=audio (\d+)", answer.body)
        assert media is not None, answer.text
        self.sound.start(("127.0.0.1", int(media[1])))

    def hears(self, hz: float) -> bool:
        """Whether a tone is in what came last, in fresh packets."""
        heard = self.sound.heard
        return bool(heard) and time.time() - heard[-1].at_s < 0.2 and self.sound.hears(hz) > HEARD

    def deaf_for(self) -> float:
        """Seconds since the last packet came."""
        return time.time() - self.sound.heard[-1].at_s if self.sound.heard else 1e9

    async def press(self) -> Call:
        """INVITE; returns with the 183, its audio running."""
        call = await self.invite(body=self.sdp())
        await self.begun(call, 183)
        return call

    async def begun(self, call: Call, status: int, within: float = 5.0) -> Got:
        """Await this answer to the INVITE and follow it."""
        answer = await self.response(status, "INVITE", within)
        self.learn(call, answer)
        if answer.body:
            self.hear(answer)
        return answer

    async def talk(self) -> Call:
        """Press, be answered, acknowledge."""
        call = await self.press()
        await self.begun(call, 200)
        self.in_dialog(call, "ACK")
        return call

    async def offers(self, call: Call, method: str, direction: str = "sendrecv") -> Got:
        """re-INVITE or UPDATE with our SDP; its 200 (acknowledged)."""
        self.in_dialog(call, method, self.sdp(direction, version=call.cseq + 1))
        answer = await self.response(200, method)
        if method == "INVITE":
            self.in_dialog(call, "ACK")
        return answer

    async def bye(self, call: Call) -> int:
        """BYE; the status of its answer."""
        self.in_dialog(call, "BYE")
        return (await self.final("BYE")).status

    def count(self, start: str) -> int:
        """How many messages that begin so came in."""
        return sum(got.start.startswith(start) for got in self.inbox)

    def oks(self, call: Call) -> int:
        """How often the 200 of the last INVITE came."""
        wanted = f"{call.cseq} INVITE"
        return sum(got.status == 200 and got.one("CSeq") == wanted for got in self.inbox)


@dataclass
class Wire(Desk):
    """Phones and callers of one test."""

    service: WireService
    callers: list[Caller] = field(default_factory=list)

    async def caller(self, user: str, hz: float = 440.0, **options: object) -> Caller:
        """A scripted end of this user."""
        settings = {"domain": "127.0.0.1", **options}
        caller = Caller(user, f"secret-{user}", self.service.server, hz=hz, **settings)  # type: ignore[arg-type]
        self.callers.append(await caller.open())
        return caller

    async def operator(self, number: int, hz: float = 1000.0, **options: object) -> Any:
        """A registered phone on duty, known to the service."""
        before = len(self.service.journal("SeatChanged"))
        phone = await self.phone(f"op{number}", hz, **options)
        await eventually(lambda: self.seated(phone.user, before), 5)
        return phone

    def seated(self, user: str, before: int) -> bool:
        """Whether a seat became reachable after so many facts."""
        return any(fact["operator"] == user and fact["reachable"] for fact in self.service.journal("SeatChanged")[before:])


@contextlib.asynccontextmanager
async def wire(service: WireService) -> AsyncIterator[Wire]:
    """Phones and callers of a test. At its good end nothing may be left of its calls within five seconds."""
    made = Wire(service)
    try:
        yield made
        service.escape()
        with contextlib.suppress(AssertionError):
            await eventually(lambda: not service.left_behind(), 5, 0.1)
        assert not service.left_behind()
        assert not service.doubled_ends()
    finally:
        service.give_up()
        for phone in made.phones:
            with contextlib.suppress(OSError, AssertionError):
                await phone.register(0) if phone.user.startswith("op") else None
            phone.close()
        for caller in made.callers:
            await caller.close()


def rate_of(codec: str) -> int:
    """Sampling rate of a codec's sound in Hz."""
    return CODECS[codec][0]


async def both_hear(point: Caller, operator: Phone) -> None:
    """Until each hears the other's tone."""
    await eventually(lambda: point.hears(operator.hz) and operator.hears(point.hz), 5)
