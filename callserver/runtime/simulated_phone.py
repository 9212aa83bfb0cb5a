"""Real SIP user agents in a process of their own, for the demo: help points that press, or a police desk that answers.

They stand on pjsua2 as a client, register by digest where they have a password, play a WAV file and answer who calls them, as
intercoms do. The engine holds four calls, so one process has at most four points. The first line of standard input is
their `Setup` as JSON; then come orders, a line each (`press USER`, `hangup USER`, `quit`), and news goes as lines to
standard output (`USER registered`, `USER ringing`, `USER connected`, `USER ended 200`). End of input ends the process.
"""

import contextlib
import importlib
import json
import os
import select
from typing import Any

from callserver.runtime.demo_phones import MOST_CALLS, Setup

pj: Any = importlib.import_module("pjsua2")  # the package has no types

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


class PhoneCall(pj.Call):  # type: ignore[misc]
    """One call of a phone; plays its file to the far end once media runs."""

    def __init__(self, phone: "Phone", call_id: int) -> None:
        super().__init__(phone, call_id)
        self.phone = phone
        self.rings = False

    def onCallState(self, prm: Any) -> None:  # noqa: N802 (pjsua2's name)
        """Tell the state; the last reference goes in the DISCONNECTED callback."""
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_EARLY and not self.rings:
            self.rings = True  # 180 and 183 are one piece of news
            say(self.phone.user, "ringing")
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            say(self.phone.user, "connected")
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            say(self.phone.user, f"ended {info.lastStatusCode}")
            self.phone.calls.remove(self)

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        """Connect the file to the call, from its beginning where nobody else listens to it."""
        info = self.getInfo()  # holds what `media` only points at
        for number, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                self.phone.play_to(self.getAudioMedia(number))


class Phone(pj.Account):  # type: ignore[misc]
    """One address-of-record with its calls."""

    def __init__(self, user: str, setup: Setup) -> None:
        super().__init__()
        self.user, self.setup = user, setup
        self.most_calls = MOST_CALLS // len(setup.passwords)
        self.calls: list[PhoneCall] = []
        self.registered = False
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
            config.regConfig.registrarUri = f"sip:{setup.domain}"
            config.regConfig.timeoutSec = 60
            config.sipConfig.proxies.append(f"sip:{setup.server};lr")
            config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", self.user, 0, password))
        return config

    def onRegState(self, prm: Any) -> None:  # noqa: N802
        """Tell how the registration went, where that is news."""
        registered = prm.code == 200
        if registered != self.registered:
            say(self.user, "registered" if registered else f"not registered: {prm.code}")
        self.registered = registered

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        """Answer while there is a line, else busy."""
        call = PhoneCall(self, prm.callId)
        self.calls.append(call)
        answer = pj.CallOpParam()
        answer.statusCode = 200 if len(self.calls) <= self.most_calls else 486
        call.answer(answer)

    def play_to(self, audio: Any) -> None:
        """Let one more call hear what this phone says."""
        if self.player is not None:
            if len(self.calls) == 1:
                self.player.setPos(0)
            self.player.startTransmit(audio)

    def press(self) -> None:
        """Call for help, unless a call is there already."""
        if not self.calls:
            call = PhoneCall(self, pj.PJSUA_INVALID_ID)
            self.calls.append(call)
            call.makeCall(self.setup.help, pj.CallOpParam(True))

    def hang_up(self) -> None:
        """End every call."""
        for call in list(self.calls):
            call.hangup(pj.CallOpParam())


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
    order, _, user = line.partition(" ")
    phone = phones.get(user)
    if phone is not None and order == "press":
        phone.press()
    elif phone is not None and order == "hangup":
        phone.hang_up()
    return order != "quit"


def serve(endpoint: Any, phones: dict[str, Phone], waiting: bytes) -> None:
    """Serve until `quit` or the end of input. `waiting`: what came after the setup's line already."""
    while True:
        *lines, waiting = waiting.split(b"\n")
        if not all(obey(phones, line.decode("utf-8", "replace").strip()) for line in lines):
            return
        endpoint.libHandleEvents(20)
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
        came = os.read(_INPUT, 4096)
        if not came:
            return
        received += came
    first, _, waiting = received.partition(b"\n")
    setup = Setup(**json.loads(first))
    endpoint = engine(setup.port)
    phones = {user: Phone(user, setup) for user in setup.passwords}
    with contextlib.suppress(KeyboardInterrupt):
        serve(endpoint, phones, waiting)
    os._exit(0)  # an engine with live objects must not be destroyed in order


if __name__ == "__main__":
    main()
