"""pjsua2 and its thread: the only thread that touches it. Others submit orders; answers go back by callables.

Rules that this library asks for: a foreign thread's call aborts the process; the last reference to a `Call` dies inside
its DISCONNECTED callback, else it hangs up the next call with the same number; no `Call` is kept in a name while the
library works. Its process is disposable: nothing here cleans up behind a failed library call.
"""

import gc
from collections import deque
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pjsua2 as pj

from callserver.media.call_worker.bridge import Bridge
from callserver.media.call_worker.clock import boottime_ns
from callserver.media.call_worker.playback import Playback
from callserver.media.call_worker.sip_leg import InnerCaller, InnerRefused, lock_source
from callserver.media.protocol import Codec, Open, ShapeOrder
from callserver.media.urgency import prefer_native_threads

POLL_MS = 20
FRAME_MS = 20
COLLECT_EVERY_NS = 60_000_000_000
_PRIORITIES = {"PCMU/8000/1": 251, "PCMA/8000/1": 250, "G722/16000/1": 252}  # all else off: iLBC can abort the process
_ANSWER = 200


class _InnerCall(pj.Call):
    """pjsua2's side of an inner leg, kept in `calls` by Call-ID and nowhere else."""

    def __init__(self, account: pj.Account, number: int, calls: dict[str, "_InnerCall"]) -> None:
        super().__init__(account, number)
        self._calls = calls

    def onCallState(self, prm: pj.OnCallStateParam) -> None:  # noqa: N802 - the library's name
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self._calls.pop(info.callIdString, None)  # the last reference dies here


class _Account(pj.Account):
    """Answers each INVITE at once; only our own caller can reach it."""

    def __init__(self, calls: dict[str, _InnerCall]) -> None:
        super().__init__()
        self._calls = calls

    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:  # noqa: N802 - the library's name
        call = _InnerCall(self, prm.callId, self._calls)
        info = call.getInfo()
        self._calls[info.callIdString] = call
        answer = pj.CallOpParam()
        answer.statusCode = _ANSWER
        call.answer(answer)


class Engine:
    """`missing` is told of prompts without file. `submit` may be called from any thread, `run` is the engine's own."""

    def __init__(self, missing: Callable[[str], None]) -> None:
        self._missing = missing
        self._orders: deque[Callable[[], None]] = deque()
        self._bell = Event()
        self._calls: dict[str, _InnerCall] = {}
        self._legs: dict[str, str] = {}  # leg -> Call-ID
        self._clock_runs = False
        self.turned_ns = 0  # when its thread last came round; 0 before it is started
        self._caller: InnerCaller | None = None
        self._library: pj.Endpoint | None = None

    # ---- any thread ------------------------------------------------------------------------------------------

    def submit(self, order: Callable[[], None]) -> None:
        """Have something done on the engine's thread, in order, within a millisecond or so."""
        self._orders.append(order)
        self._bell.set()
        caller = self._caller
        if caller is not None:
            caller.wake()

    # ---- the engine's thread ---------------------------------------------------------------------------------

    def run(self) -> None:
        """For ever."""
        collected_ns = boottime_ns()
        while True:
            while self._orders:
                self._orders.popleft()()
            if self._library is None or self._caller is None:
                self._bell.wait()
                self._bell.clear()
                continue
            self._pump(POLL_MS)
            self._caller.drain()
            self._bridge.tick(boottime_ns())
            if boottime_ns() - collected_ns > COLLECT_EVERY_NS:
                collected_ns = boottime_ns()
                gc.collect()  # here, for a collected port must not be freed by another thread

    def start(self, order: Open) -> None:
        """Start the library, at the call's rate. `pj.Error` when it will not."""
        self._library = library = pj.Endpoint()
        library.libCreate()
        library.libInit(_configuration(order.rate_hz))
        transport = pj.TransportConfig()
        transport.port, transport.boundAddress = 0, "127.0.0.1"
        sip = library.transportGetInfo(library.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport))
        library.libStart()
        for codec in library.codecEnum2():
            library.codecSetPriority(codec.codecId, _PRIORITIES.get(codec.codecId, 0))
        self._account = _Account(self._calls)
        self._account.create(_account_configuration())
        playback = Playback(Path(order.prompts_dir) / order.language, order.rate_hz, self._missing)
        self._bridge = Bridge(playback, self._media_of, library.audDevManager().getPlaybackDevMedia)
        self._caller = InnerCaller(_address(sip.localName), self._pump)

    def place(self, leg: str, codec: Codec, inner_port: int) -> tuple[str, int]:
        """An inner leg whose RTP goes to and from `inner_port`: pjsua2's RTP address. Replaces the leg's former one.

        `InnerRefused` or `pj.Error` when the library will not.
        """
        assert self._library is not None and self._caller is not None, "the engine is started before legs are placed"
        self.remove(leg)
        if not self._clock_runs:
            self._library.audDevManager().setNullDev()
            self._clock_runs = True
            prefer_native_threads()
        call_id = self._caller.invite(codec, inner_port)
        self._legs[leg] = call_id
        self._until_confirmed(call_id)
        ports = self._calls[call_id].getMedTransportInfo(0)
        rtp, rtcp = _address(ports.localRtpName), _address(ports.localRtcpName)
        front = ("127.0.0.1", inner_port)
        lock_source(rtp[1], front)
        if rtcp != rtp:
            lock_source(rtcp[1], front)
        self._bridge.placed(leg, boottime_ns())
        return rtp

    def remove(self, leg: str) -> None:
        """End the leg's inner dialog, if it has one."""
        call_id = self._legs.pop(leg, None)
        if call_id is None or self._caller is None:
            return
        self._bridge.gone(leg)
        self._caller.bye(call_id)
        self._pump(POLL_MS)

    def shape(self, order: ShapeOrder) -> None:
        """Sound like this."""
        self._bridge.wish(order, boottime_ns())

    def _until_confirmed(self, call_id: str) -> None:
        for _ in range(100):
            if call_id not in self._calls:
                raise InnerRefused("the engine gave the leg up")
            if self._calls[call_id].getInfo().state == pj.PJSIP_INV_STATE_CONFIRMED:
                return
            self._pump(5)
        raise InnerRefused("the engine did not confirm the leg")

    def _media_of(self, leg: str) -> pj.AudioMedia:
        call = self._calls.get(self._legs.get(leg, ""))
        if call is None:
            raise InnerRefused(f"the engine has lost leg {leg}")
        return call.getAudioMedia(-1)

    def _pump(self, ms: int) -> None:
        assert self._library is not None
        self._library.libHandleEvents(ms)
        self.turned_ns = boottime_ns()


def _configuration(rate_hz: int) -> pj.EpConfig:
    configuration = pj.EpConfig()
    configuration.uaConfig.threadCnt = 0  # the engine's thread polls
    configuration.uaConfig.maxCalls = 4
    configuration.logConfig.level = configuration.logConfig.consoleLevel = 0
    media = configuration.medConfig
    media.clockRate, media.audioFramePtime, media.noVad = rate_hz, FRAME_MS, True
    media.ecTailLen, media.sndAutoCloseTime = 0, -1
    media.quality = 3  # at the default the resamplers of a 16 kHz bridge cost 8 ms and a third of the CPU
    media.jbInit, media.jbMinPre, media.jbMaxPre, media.jbMax = 20, 20, 20, 60  # ms; capped: what a stall adds is soon gone
    return configuration


def _account_configuration() -> pj.AccountConfig:
    account = pj.AccountConfig()
    account.idUri = "sip:engine@127.0.0.1"
    account.callConfig.timerUse = pj.PJSUA_SIP_TIMER_INACTIVE
    account.mediaConfig.lockCodecEnabled = False  # no re-INVITE of its own
    transport = account.mediaConfig.transportConfig
    transport.port, transport.portRange, transport.boundAddress = 0, 0, "127.0.0.1"  # the kernel chooses: workers never collide
    return account


def why_of(fault: Exception) -> str:
    """A library's refusal in one line."""
    return f"{fault.reason} ({fault.status})" if isinstance(fault, pj.Error) else str(fault)


def _address(name: str) -> tuple[str, int]:
    host, _, port = name.rpartition(":")
    return host, int(port)
