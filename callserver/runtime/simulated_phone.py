"""A real SIP user agent in a process of its own, for the demo: a help point that presses, or a police desk that answers.

It stands on pjsua2 as a client, registers by digest where it has a password, plays a WAV file and hears what is said to it.
Orders come as lines on standard input (`press`, `hangup`, `quit`), news goes as lines to standard output
(`registered`, `ringing`, `connected`, `ended <status>`). End of input ends it.
"""

import argparse
import contextlib
import importlib
import os
import select
import sys
from typing import Any

pj: Any = importlib.import_module("pjsua2")  # the package has no types


def say(line: str) -> None:
    """One line of news."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class PhoneCall(pj.Call):  # type: ignore[misc]
    """One call; plays the phone's file to the far end once media runs."""

    def __init__(self, phone: "Phone", call_id: int) -> None:
        super().__init__(phone.account, call_id)
        self.phone = phone

    def onCallState(self, prm: Any) -> None:  # noqa: N802 (pjsua2's name)
        """Tell the state; the last reference dies inside the DISCONNECTED callback."""
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_EARLY:
            say("ringing")
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            say("connected")
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            say(f"ended {info.lastStatusCode}")
            self.phone.call = None

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        """Connect the file to the call."""
        info = self.getInfo()
        for number, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                audio = self.getAudioMedia(number)
                if self.phone.player is not None:
                    self.phone.player.startTransmit(audio)


class PhoneAccount(pj.Account):  # type: ignore[misc]
    """The phone's address-of-record."""

    phone: "Phone"

    def onRegState(self, prm: Any) -> None:  # noqa: N802
        """Tell how the registration went."""
        say("registered" if prm.code == 200 else f"not-registered {prm.code}")

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        """Answer where the phone answers by itself, else busy."""
        call = PhoneCall(self.phone, prm.callId)
        answer = pj.CallOpParam()
        if self.phone.options.auto_answer and self.phone.call is None:
            self.phone.call = call
            answer.statusCode = 200
        else:
            answer.statusCode = 486
        call.answer(answer)


class Phone:
    """The user agent."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.call: PhoneCall | None = None
        self.player: Any = None
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        config = pj.EpConfig()
        config.logConfig.level = config.logConfig.consoleLevel = 0
        config.uaConfig.threadCnt = 0
        config.medConfig.clockRate, config.medConfig.noVad, config.medConfig.ecTailLen = 8000, True, 0
        self.endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.boundAddress, transport.port = "127.0.0.1", options.port
        kind = pj.PJSIP_TRANSPORT_UDP
        self.endpoint.transportCreate(kind, transport)
        self.endpoint.libStart()
        self.endpoint.audDevManager().setNullDev()
        for codec in self.endpoint.codecEnum2():
            self.endpoint.codecSetPriority(codec.codecId, 250 if codec.codecId.startswith("PCM") else 0)
        self.account = self._account()
        if options.play:
            self.player = pj.AudioMediaPlayer()
            self.player.createPlayer(options.play)

    def _account(self) -> PhoneAccount:
        options = self.options
        config = pj.AccountConfig()
        config.idUri = f"sip:{options.user}@{options.domain}"
        config.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
        config.mediaConfig.lockCodecEnabled = False
        if options.password:
            config.regConfig.registrarUri = f"sip:{options.domain}"
            config.regConfig.timeoutSec = 60
            config.sipConfig.proxies.append(f"sip:{options.server};lr")
            config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", options.user, 0, options.password))
        account = PhoneAccount()
        account.phone = self
        account.create(config)
        return account

    def obey(self, line: str) -> bool:
        """Carry out one order; False for `quit`."""
        if line == "press" and self.call is None:
            call = PhoneCall(self, pj.PJSUA_INVALID_ID)
            self.call = call
            call.makeCall(self.options.help, pj.CallOpParam(True))
        elif line == "hangup" and self.call is not None:
            self.call.hangup(pj.CallOpParam())
        return line != "quit"

    def run(self) -> None:
        """Serve until `quit` or the end of input."""
        while True:
            self.endpoint.libHandleEvents(20)
            if select.select([sys.stdin], [], [], 0)[0]:
                line = sys.stdin.readline()
                if not line or not self.obey(line.strip()):
                    return


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", default="")
    parser.add_argument("--server", default="127.0.0.1:5060")
    parser.add_argument("--domain", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--help-uri", dest="help", default="sip:help@127.0.0.1")
    parser.add_argument("--play", default="")
    parser.add_argument("--auto-answer", action="store_true")
    phone = Phone(parser.parse_args())
    with contextlib.suppress(KeyboardInterrupt):
        phone.run()
    os._exit(0)  # an engine with live objects must not be destroyed in order


if __name__ == "__main__":
    main()
