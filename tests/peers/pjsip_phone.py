"""The process of `tests.peers.pjsip`: one pjsua2 endpoint with one account, told what to do on standard input.

Its only argument is JSON. It plays a tone to whom it talks with, writes what it hears to `heard.wav`, and says on standard
output what happens: `registered 200`, `state CONFIRMED 200`. Orders: `call URI`, `hangup`, `quit`.
"""

import json
import os
import select
import sys
import time
from typing import Any

import pjsua2 as pj

PRACK = {"off": pj.PJSUA_100REL_NOT_USED, "optional": pj.PJSUA_100REL_OPTIONAL, "mandatory": pj.PJSUA_100REL_MANDATORY}
RATE_HZ = 8_000


def say(*words: object) -> None:
    """One line of what happened."""
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


class Line(pj.Call):  # type: ignore[misc]
    """A call with its tone and its recording."""

    def __init__(self, account: "Account", call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(account, call_id)
        self.account = account

    def onCallState(self, prm: Any) -> None:  # noqa: N802 - pjsua2 calls it so
        """Its state, and its end: the last reference must go in here."""
        info = self.getInfo()
        say("state", info.stateText, info.lastStatusCode)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.account.line = None

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802 - pjsua2 calls it so
        """Sound both ways as soon as there is any."""
        info = self.getInfo()
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                audio = self.getAudioMedia(index)
                self.account.player.startTransmit(audio)
                audio.startTransmit(self.account.recorder)


class Account(pj.Account):  # type: ignore[misc]
    """The account; `line` is its call."""

    line: Line | None = None
    answers: list[tuple[float, int]] = []

    def __init__(self, settings: dict[str, Any], player: pj.AudioMediaPlayer, recorder: pj.AudioMediaRecorder) -> None:
        super().__init__()
        self.settings, self.player, self.recorder = settings, player, recorder

    def onRegState(self, prm: Any) -> None:  # noqa: N802 - pjsua2 calls it so
        """The registrar's word."""
        say("registered", prm.code)

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802 - pjsua2 calls it so
        """Rings, plays early media, answers: each a moment after the other."""
        self.line, now = Line(self, prm.callId), time.monotonic()
        self.answers = [(now, 180), (now + 0.3, 183), (now + 0.8, 200)]

    def due(self) -> None:
        """Answer what is due."""
        while self.line is not None and self.answers and self.answers[0][0] <= time.monotonic():
            order = pj.CallOpParam()
            order.statusCode = self.answers.pop(0)[1]
            self.line.answer(order)

    def order(self, text: str) -> None:
        """One line of standard input."""
        verb, _, what = text.strip().partition(" ")
        if verb == "call":
            self.line = Line(self)
            self.line.makeCall(what, pj.CallOpParam(True))
        elif verb == "hangup" and self.line is not None:
            self.line.hangup(pj.CallOpParam(True))


def account_of(settings: dict[str, Any]) -> pj.AccountConfig:
    """Who it is, and its terms."""
    config, domain = pj.AccountConfig(), settings["domain"]
    config.idUri = f"sip:{settings['user']}@{domain}"
    if settings["server"]:
        config.regConfig.registrarUri = f"sip:{domain}"
        config.regConfig.registerOnAdd = settings["register"]
        config.sipConfig.proxies.append(f"sip:{settings['server']};lr")
        config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", settings["user"], 0, settings["password"]))
    config.callConfig.prackUse = PRACK[settings["prack"]]
    config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_ALWAYS if settings["timer_s"] else pj.PJSUA_SIP_TIMER_INACTIVE
    if settings["timer_s"]:
        config.callConfig.timerSessExpiresSec, config.callConfig.timerMinSESec = settings["timer_s"], 90
    config.mediaConfig.lockCodecEnabled = False
    config.mediaConfig.transportConfig.port = settings["rtp_port"]
    config.mediaConfig.transportConfig.boundAddress = settings["host"]
    return config


def main() -> None:
    """Until `quit` or the end of standard input."""
    settings = json.loads(sys.argv[1])
    endpoint, config, transport = pj.Endpoint(), pj.EpConfig(), pj.TransportConfig()
    config.uaConfig.threadCnt, config.logConfig.level, config.logConfig.consoleLevel = 0, 5, 5
    config.medConfig.clockRate, config.medConfig.noVad, config.medConfig.ecTailLen = RATE_HZ, True, 0
    endpoint.libCreate()
    endpoint.libInit(config)
    transport.port, transport.boundAddress = settings["sip_port"], settings["host"]
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    endpoint.audDevManager().setNullDev()
    endpoint.libStart()
    for codec in endpoint.codecEnum2():
        endpoint.codecSetPriority(codec.codecId, 200 if codec.codecId.startswith("PCMA") else 0)
    player, recorder = pj.AudioMediaPlayer(), pj.AudioMediaRecorder()
    player.createPlayer(settings["tone"])
    recorder.createRecorder("heard.wav")
    account = Account(settings, player, recorder)
    account.create(account_of(settings))
    say("ready")
    orders = ""
    while "quit" not in orders.split("\n"):
        endpoint.libHandleEvents(20)
        account.due()
        if select.select([sys.stdin], [], [], 0)[0]:
            read = os.read(0, 4096).decode()
            if not read:
                break
            *lines, orders = (orders + read).split("\n")
            for line in lines:
                account.order(line)
                orders = "quit\n" if line == "quit" else orders
    os._exit(0)


if __name__ == "__main__":
    main()
