"""Real SIP user agents in a process of their own, for the demo: help points that press, desks that answer.

They stand on pjsua2 as a client, register by digest where they have a password, talk as `street_talk` says (or play one file
again and again) and answer who calls them, as intercoms do. The engine holds four calls, so one process has at most four
points. The first line of standard input is their `Setup` as JSON; then come orders, a line each (`VERB USER [WHAT]`, `quit`), and
news goes as lines to standard output: `USER registered`, `ringing`, `called`, `connected`, `says TEXT`, `silent`, `hears LEVEL`,
`ended STATUS`. End of input ends the process.
"""

import contextlib
import importlib
import math
import os
import select
import time
from collections import deque
from typing import Any

from callserver.runtime import street_talk as talks
from callserver.runtime.demo_phones import MOST_CALLS, Setup
from callserver.runtime.street_talk import Act, Script, Talk

pj: Any = importlib.import_module("pjsua2")  # the package has no types

TICK_MS = 20
HEARS_EVERY_MS = 250
SILENT_DBFS = -90
_ULAW_BIAS, _ULAW_FULL = 33, 8192  # ITU-T G.711, on 14 bits
SPENT_MS = 2_000
_spent: deque[tuple[int, Any]] = deque()
"""Players that are over, until when they are kept: the engine tells a file's end a little later, of an object that must live."""

_INPUT = 0
_news = 1


def say(user: str, news: str) -> None:
    """One line of news; nobody may be there any more to read it."""
    with contextlib.suppress(BrokenPipeError):
        os.write(_news, f"{user} {news}\n".encode())


def keep_output_for_news() -> None:
    """The engine greets on standard output."""
    global _news
    _news = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def dbfs(percent: int) -> int:
    """The engine's level in dB of full scale. It comes as a u-law magnitude of 0 to 127, given in percent of 255."""
    segment, step = divmod(min(127, round(percent * 255 / 100)), 16)
    linear = ((2 * step + _ULAW_BIAS) << segment) - _ULAW_BIAS
    return round(20 * math.log10(linear / _ULAW_FULL)) if linear else SILENT_DBFS


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class PhoneCall(pj.Call):  # type: ignore[misc]
    """One call of a phone: its state as news, its sound, and the talk in it."""

    def __init__(self, phone: "Phone", call_id: int, script: Script | None, talk: Talk) -> None:
        super().__init__(phone, call_id)
        self.phone, self.script, self.talk = phone, script, talk
        self.rings = False
        self.audio: Any = None
        self.player: Any = None
        self.answer_at_ms: int | None = None
        self.quiet_at_ms = 0
        self.heard_dbfs, self.told_ms = SILENT_DBFS, 0

    def onCallState(self, prm: Any) -> None:  # noqa: N802 (pjsua2's name)
        """Tell the state; the last reference goes in the DISCONNECTED callback."""
        info, user = self.getInfo(), self.phone.user
        if info.state == pj.PJSIP_INV_STATE_EARLY and not self.rings and info.role == pj.PJSIP_ROLE_UAC:
            self.rings = True  # 180 and 183 are one piece of news
            self.talk = talks.rang(self.talk, _now_ms())
            say(user, "ringing")
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            self.talk = talks.met(self.talk, _now_ms())
            say(user, "connected")
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            say(user, f"ended {info.lastStatusCode}")
            if self.player is not None:
                _spent.append((_now_ms() + SPENT_MS, self.player))
            self.phone.over(self)

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        """Connect the sound; the null device listens too, because levels are measured only of what somebody listens to."""
        info = self.getInfo()  # holds what `media` only points at
        for number, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                self.audio = self.getAudioMedia(number)
                self.audio.startTransmit(pj.Endpoint.instance().audDevManager().getPlaybackDevMedia())
                self.phone.play_to(self.audio, self.script is None, len(self.phone.calls) == 1)

    def tick(self, now_ms: int) -> None:
        """Answer when it is time, look at what is heard, do what the talk brings."""
        if self.answer_at_ms is not None and now_ms >= self.answer_at_ms:
            self.pick_up(200)
        if self.audio is None:
            return
        level_dbfs = dbfs(self.audio.getRxLevel())
        self._tell_level(level_dbfs, now_ms)
        if self.script is not None:
            self.talk, act = talks.step(self.script, self.talk, now_ms, level_dbfs)
            if act is not None or now_ms >= self.quiet_at_ms:
                self.quiet()
            if act is not None:
                self._do(act, now_ms)

    def _tell_level(self, level_dbfs: int, now_ms: int) -> None:
        if now_ms - self.told_ms >= HEARS_EVERY_MS and level_dbfs != self.heard_dbfs:
            self.told_ms, self.heard_dbfs = now_ms, level_dbfs
            say(self.phone.user, f"hears {level_dbfs}")

    def _do(self, act: Act, now_ms: int) -> None:
        if act.hang_up:
            self.hang_up()
        elif act.keys:
            self.dialDtmf(act.keys)
        else:
            self.player = pj.AudioMediaPlayer()
            self.player.createPlayer(act.file, pj.PJMEDIA_FILE_NO_LOOP)
            self.player.startTransmit(self.audio)
            self.quiet_at_ms = now_ms + act.length_ms
            say(self.phone.user, f"says {act.text}")

    def quiet(self) -> None:
        """Stop what is being said."""
        if self.player is not None:
            self.player.stopTransmit(self.audio)
            _spent.append((_now_ms() + SPENT_MS, self.player))
            self.player = None
            say(self.phone.user, "silent")

    def walk_away(self) -> None:
        """Nobody stands here any more; the line stays open."""
        self.talk = talks.left(self.talk, _now_ms())
        self.quiet()

    def pick_up(self, status: int) -> None:
        """Answer with this status."""
        self.answer_at_ms = None
        answer = pj.CallOpParam()
        answer.statusCode = status
        self.answer(answer)

    def pick_up_by_hand(self) -> None:
        """Answer, if it rings here."""
        if self.getInfo().state in (pj.PJSIP_INV_STATE_INCOMING, pj.PJSIP_INV_STATE_EARLY):
            self.pick_up(200)

    def hang_up(self) -> None:
        """End it."""
        self.hangup(pj.CallOpParam())


class Phone(pj.Account):  # type: ignore[misc]
    """One address-of-record with its calls."""

    def __init__(self, user: str, setup: Setup, silence: Any) -> None:
        super().__init__()
        self.user, self.setup, self.silence = user, setup, silence
        self.most_calls = MOST_CALLS // len(setup.passwords)
        self.answer_ms = setup.answer_ms
        self.calls: list[PhoneCall] = []
        self.registered = False
        self.begun, self.talk = 0, Talk()
        self.player: Any = None
        if setup.play:
            self.player = pj.AudioMediaPlayer()
            self.player.createPlayer(setup.play)
        self.create(self._config(setup, setup.passwords[user]))

    def _config(self, setup: Setup, password: str) -> Any:
        config = pj.AccountConfig()
        config.idUri = f"sip:{self.user}@{setup.domain}"
        config.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
        config.mediaConfig.lockCodecEnabled = False
        if password:
            config.regConfig.registrarUri = f"sip:{setup.domain}" if setup.registers else ""
            config.regConfig.timeoutSec = 60
            config.sipConfig.proxies.append(f"sip:{setup.server};lr")
            config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", self.user, 0, password))
        return config

    def onRegState(self, prm: Any) -> None:  # noqa: N802
        """Tell how the registration went, where that is news."""
        registered = prm.code == 200 and prm.expiration > 0
        if registered != self.registered:
            say(self.user, "registered" if registered else f"not registered: {prm.code}")
        self.registered = registered

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        """Ring, then answer while there is a line, else busy."""
        call = self._call(prm.callId, anew=self.setup.desk)
        if len(self.calls) > self.most_calls:
            call.pick_up(486)
            return
        say(self.user, "called")
        call.pick_up(180)
        if self.answer_ms is not None:
            call.answer_at_ms = _now_ms() + self.answer_ms

    def _call(self, call_id: int, anew: bool) -> PhoneCall:
        scripts = self.setup.scripts.get(self.user, ())
        if anew:
            self.begun, self.talk = self.begun + 1, Talk()
        script = scripts[(max(self.begun, 1) - 1) % len(scripts)] if scripts else None
        call = PhoneCall(self, call_id, script, self.talk)
        self.calls.append(call)
        return call

    def over(self, call: PhoneCall) -> None:
        """A call is over; its talk is taken up in the next one."""
        self.talk = talks.lost(call.talk)
        if call in self.calls:
            self.calls.remove(call)

    def play_to(self, audio: Any, loops: bool, alone: bool) -> None:
        """Let a call hear silence and, where there is no script, the file, from its beginning where nobody else listens to it."""
        self.silence.startTransmit(audio)
        if loops and self.player is not None:
            if alone:
                self.player.setPos(0)
            self.player.startTransmit(audio)

    def press(self) -> None:
        """Call for help, unless a call is there already."""
        if not self.calls:
            self._call(pj.PJSUA_INVALID_ID, anew=True).makeCall(self.setup.help, pj.CallOpParam(True))

    def dial(self, number: str) -> None:
        """Call a number of the service that needs no talk."""
        if not self.calls:
            call = PhoneCall(self, pj.PJSUA_INVALID_ID, None, Talk())
            self.calls.append(call)
            call.makeCall(f"sip:{number}@{self.setup.server}", pj.CallOpParam(True))

    def obey(self, verb: str, what: str) -> None:
        """Carry out one order; what is not understood is not done."""
        if verb == "press":
            self.press()
        elif verb == "dial":
            self.dial(what)
        elif verb in ("automatic", "by-hand"):
            self.answer_ms = (self.setup.answer_ms or 0) if verb == "automatic" else None
        elif verb == "leave":
            self.setRegistration(False)
        for call in list(self.calls):
            if verb == "hangup":
                call.hang_up()
            elif verb == "walk":
                call.walk_away()
            elif verb == "keys":
                call.dialDtmf(what)
            elif verb == "answer":
                call.pick_up_by_hand()


def engine(port: int) -> Any:
    """The running library: loopback only, no sound card, G.711 alone, served by the caller's thread."""
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.logConfig.level = config.logConfig.consoleLevel = 0
    config.uaConfig.threadCnt = 0
    config.medConfig.clockRate, config.medConfig.noVad, config.medConfig.ecTailLen = 8000, True, 0
    endpoint.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress, transport.port = "127.0.0.1", port
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    for codec in endpoint.codecEnum2():
        endpoint.codecSetPriority(codec.codecId, 250 if codec.codecId.startswith("PCM") else 0)
    return endpoint


def obey(phones: dict[str, Phone], line: str) -> bool:
    """Carry out one order; False for `quit`."""
    order, _, rest = line.partition(" ")
    user, _, what = rest.partition(" ")
    phone = phones.get(user)
    if phone is not None:
        with contextlib.suppress(pj.Error):  # a call that ends at the same moment
            phone.obey(order, what)
    return order != "quit"


def serve(endpoint: Any, phones: dict[str, Phone], waiting: bytes) -> None:
    """Serve until `quit` or the end of input. `waiting`: what came after the setup's line already."""
    while True:
        *lines, waiting = waiting.split(b"\n")
        if not all(obey(phones, line.decode("utf-8", "replace").strip()) for line in lines):
            return
        endpoint.libHandleEvents(TICK_MS)
        while _spent and _spent[0][0] <= _now_ms():
            _spent.popleft()
        for phone in phones.values():
            for call in list(phone.calls):
                with contextlib.suppress(pj.Error):
                    call.tick(_now_ms())
        if select.select([_INPUT], [], [], 0)[0]:
            came = os.read(_INPUT, 4096)
            if not came:
                return
            waiting += came


def main() -> None:
    """Entry point."""
    keep_output_for_news()
    received = b""
    while b"\n" not in received:
        came = os.read(_INPUT, 65_536)
        if not came:
            return
        received += came
    first, _, waiting = received.partition(b"\n")
    setup = Setup.of(first)
    endpoint = engine(setup.port)
    silence = pj.AudioMediaPlayer()
    silence.createPlayer(setup.silence)
    phones = {user: Phone(user, setup, silence) for user in setup.passwords}
    with contextlib.suppress(KeyboardInterrupt):
        serve(endpoint, phones, waiting)
    os._exit(0)  # an engine with live objects must not be destroyed in order


if __name__ == "__main__":
    main()
