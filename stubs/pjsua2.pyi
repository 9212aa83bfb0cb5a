# ruff: noqa: N802, N815
"""The part of pjsua2 that callserver uses. The library itself has no types."""

PJSIP_TRANSPORT_UDP: int
PJSIP_INV_STATE_CONFIRMED: int
PJSIP_INV_STATE_DISCONNECTED: int
PJSUA_SIP_TIMER_INACTIVE: int
PJMEDIA_FILE_NO_LOOP: int

class Error(Exception):
    status: int
    reason: str
    def info(self, multi_line: bool = ...) -> str: ...

class UaConfig:
    threadCnt: int
    maxCalls: int
    userAgent: str

class MediaConfig:
    clockRate: int
    audioFramePtime: int
    noVad: bool
    ecTailLen: int
    sndAutoCloseTime: int
    quality: int
    jbInit: int
    jbMinPre: int
    jbMaxPre: int
    jbMax: int

class LogConfig:
    level: int
    consoleLevel: int
    msgLogging: int

class EpConfig:
    uaConfig: UaConfig
    medConfig: MediaConfig
    logConfig: LogConfig

class TransportConfig:
    port: int
    portRange: int
    boundAddress: str

class TransportInfo:
    localName: str

class CodecInfo:
    codecId: str

class AudDevManager:
    def setNullDev(self) -> None: ...
    def getPlaybackDevMedia(self) -> AudioMedia: ...

class Endpoint:
    def libCreate(self) -> None: ...
    def libInit(self, config: EpConfig) -> None: ...
    def libStart(self) -> None: ...
    def libHandleEvents(self, msec_timeout: int) -> int: ...
    def transportCreate(self, kind: int, config: TransportConfig) -> int: ...
    def transportGetInfo(self, transport: int) -> TransportInfo: ...
    def codecEnum2(self) -> list[CodecInfo]: ...
    def codecSetPriority(self, codec: str, priority: int) -> None: ...
    def audDevManager(self) -> AudDevManager: ...

class AccountMediaConfig:
    lockCodecEnabled: bool
    transportConfig: TransportConfig

class AccountCallConfig:
    timerUse: int

class AccountConfig:
    idUri: str
    mediaConfig: AccountMediaConfig
    callConfig: AccountCallConfig

class OnIncomingCallParam:
    callId: int

class OnCallStateParam: ...

class CallOpParam:
    statusCode: int

class CallInfo:
    id: int
    state: int
    callIdString: str

class MediaTransportInfo:
    localRtpName: str
    localRtcpName: str

class Account:
    def __init__(self) -> None: ...
    def create(self, config: AccountConfig) -> None: ...
    def onIncomingCall(self, prm: OnIncomingCallParam) -> None: ...

class AudioMedia:
    def startTransmit(self, sink: AudioMedia) -> None: ...
    def stopTransmit(self, sink: AudioMedia) -> None: ...

class Call:
    def __init__(self, account: Account, call_id: int = ...) -> None: ...
    def getInfo(self) -> CallInfo: ...
    def answer(self, prm: CallOpParam) -> None: ...
    def getAudioMedia(self, index: int) -> AudioMedia: ...
    def getMedTransportInfo(self, index: int) -> MediaTransportInfo: ...
    def onCallState(self, prm: OnCallStateParam) -> None: ...

class AudioMediaPlayerInfo:
    payloadBitsPerSample: int
    sizeBytes: int
    sizeSamples: int

class AudioMediaPlayer(AudioMedia):
    def createPlayer(self, file: str, options: int = ...) -> None: ...
    def getInfo(self) -> AudioMediaPlayerInfo: ...
    def setPos(self, samples: int) -> None: ...

class ToneDesc:
    freq1: int
    freq2: int
    on_msec: int
    off_msec: int
    volume: int

class ToneDescVector:
    def append(self, tone: ToneDesc) -> None: ...

class ToneGenerator(AudioMedia):
    def createToneGenerator(self, clock_rate: int = ..., channel_count: int = ...) -> None: ...
    def play(self, tones: ToneDescVector, loop: bool = ...) -> None: ...
    def stop(self) -> None: ...
    def isBusy(self) -> bool: ...
