"""The sections of callserver.toml as types: every key with its default, its limits and its description.

What it is read from and how it is passed on is callserver.config's; docs/configuration.md has the same keys for people.
"""

import re
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from callserver.config_evidence import EvidenceConfig
from callserver.config_quality import QualityConfig
from callserver.config_retention import RetentionConfig

ENVIRONMENT_METRICS_TOKEN = "CALLSERVER_METRICS_TOKEN"
ENVIRONMENT_MAIL_PASSWORD = "CALLSERVER_MAIL_PASSWORD"
ENVIRONMENT_SITE_KEY = "CALLSERVER_SITE_KEY"

_PORTS = re.compile(r"(\d{1,5})-(\d{1,5})")


def _port_range(text: str) -> tuple[int, int]:
    """`"20000-29999"` as two numbers."""
    match = _PORTS.fullmatch(text)
    if match is None:
        raise ValueError("write it as LOW-HIGH, such as 20000-29999")
    low, high = int(match[1]), int(match[2])
    if low % 2 or not 1024 <= low < high <= 65535:
        raise ValueError("LOW is even and at least 1024, HIGH is greater and at most 65535")
    return low, high


def _address(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise ValueError("write an IPv4 address in digits, such as 127.0.0.1") from None


def _path(value: object) -> object:
    return Path(value) if isinstance(value, str) and value else value


Port = Annotated[int, Field(ge=0, le=65535)]
Address = Annotated[str, BeforeValidator(lambda value: _address(value) if isinstance(value, str) else value)]
FilePath = Annotated[Path, BeforeValidator(_path)]


class _Section(BaseModel):
    """Strict: no unknown keys, no silent conversions; frozen once made."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class SipConfig(_Section):
    """Where points, softphones and trunks reach us, and where sound flows."""

    host: Address = Field(default="127.0.0.1", description="Address of the SIP listeners; 0.0.0.0 for every interface.")
    udp_port: Port = Field(default=5060, description="SIP over UDP. 0 takes any free port.")
    tcp_port: Port = Field(default=5060, description="SIP over TCP. 0 takes any free port.")
    tls_cert: FilePath | None = Field(
        default=None,
        description="Certificate with its chain (PEM) for SIP over TLS; with tls_key. Without: no TLS.",
        examples=["/etc/callserver/tls/server.pem"],
    )
    tls_key: FilePath | None = Field(
        default=None,
        description="Its private key (PEM, without a passphrase).",
        examples=["/etc/callserver/tls/server.key"],
    )
    tls_port: Port = Field(default=5061, description="SIP over TLS, where there is a certificate. 0 takes any free port.")
    tls_client_ca: FilePath | None = Field(
        default=None,
        description="Authorities (PEM) of certificates that devices may show instead of a password. Without: none is asked for.",
        examples=["/etc/callserver/tls/devices-ca.pem"],
    )
    domain: str = Field(
        default="", description="SIP domain and digest realm of our users. Empty: the same as host.", examples=["sip.example.org"]
    )
    media_host: str = Field(
        default="",
        description="Address that RTP is bound to and that our SDP names. Empty: the same as host.",
        examples=["192.0.2.10"],
    )
    rtp_ports: str = Field(default="20000-29999", description="UDP ports for RTP and RTCP, LOW-HIGH; two for each leg of a call.")
    session_expires_s: int = Field(
        default=1800,
        ge=0,
        le=86_400,
        description="Seconds within which a call through a trunk is refreshed (RFC 4028), at least 90; 0: trunks are not asked.",
    )

    @field_validator("rtp_ports")
    @classmethod
    def _ports(cls, value: str) -> str:
        _port_range(value)
        return value

    @field_validator("session_expires_s")
    @classmethod
    def _long_enough(cls, value: int) -> int:
        if 0 < value < 90:
            raise ValueError("RFC 4028 has no shorter interval than 90 seconds; 0 is off")
        return value

    @field_validator("media_host")
    @classmethod
    def _media_address(cls, value: str) -> str:
        return _address(value) if value else value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        low, high = self.rtp_range
        for name in ("udp_port", "tcp_port", *(["tls_port"] * self.tls)):
            if low <= getattr(self, name) <= high:
                raise ValueError(f"{name} lies inside rtp_ports")
        for name in ("domain", "media_host"):
            if not getattr(self, name) and self.host == "0.0.0.0":
                raise ValueError(f"{name} must be given where host is 0.0.0.0: nobody can call that address")
        if self.media_host == "0.0.0.0":
            raise ValueError("media_host cannot be 0.0.0.0: devices are told to send their sound there")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together: name both or neither")
        if self.tls_client_ca is not None and not self.tls:
            raise ValueError("tls_client_ca is for SIP over TLS: name tls_cert and tls_key too")
        if self.tls and self.tls_port and self.tls_port == self.tcp_port:
            raise ValueError("tcp_port and tls_port are the same")
        return self

    @property
    def tls(self) -> bool:
        """Whether there is a TLS listener."""
        return self.tls_cert is not None

    @property
    def rtp_range(self) -> tuple[int, int]:
        """Lowest and highest RTP port."""
        return _port_range(self.rtp_ports)


class WebConfig(_Section):
    """The web service: API, health, figures."""

    host: Address = Field(default="127.0.0.1", description="Address of the web listener.")
    port: Port = Field(default=8080, description="Port of the web listener. 0 takes any free port.")
    origins: tuple[str, ...] = Field(
        default=(),
        description="Origins besides our own whose pages may send commands, for a proxy that changes the Host header.",
        examples=[["https://help.example.org"]],
    )
    tls_cert: FilePath | None = Field(
        default=None,
        description="Certificate with its chain (PEM) for HTTPS; with tls_key. `callserver certificate` makes one.",
        examples=["/etc/callserver/tls/server.pem"],
    )
    tls_key: FilePath | None = Field(
        default=None,
        description="Its private key (PEM, without a passphrase).",
        examples=["/etc/callserver/tls/server.key"],
    )
    https_host: str = Field(
        default="",
        description="Address of the HTTPS listener, where there is a certificate. Empty: the same as host.",
        examples=["0.0.0.0"],
    )
    https_port: Port = Field(default=8443, description="Port of the HTTPS listener. 0 takes any free port.")
    sign_in_hours: int = Field(default=12, ge=1, le=168, description="After so many hours a person signs in again.")
    metrics_token_file: FilePath | None = Field(
        default=None,
        description=f"File with the bearer token that /metrics wants. {ENVIRONMENT_METRICS_TOKEN} does the same. Without: open.",
        examples=["/etc/callserver/metrics.token"],
    )

    @field_validator("origins", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"https?://[a-z0-9.\-]+(:\d{1,5})?", origin):
                raise ValueError(f"{origin!r} is no origin: write scheme, host and port alone, in small letters")
        return value

    @field_validator("https_host")
    @classmethod
    def _https_address(cls, value: str) -> str:
        return _address(value) if value else value

    @model_validator(mode="after")
    def _tls(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together: name both or neither")
        if self.tls and self.port and self.port == self.https_port:
            raise ValueError("port and https_port are the same")
        return self

    @property
    def tls(self) -> bool:
        """Whether there is an HTTPS listener."""
        return self.tls_cert is not None


class StorageConfig(_Section):
    """Where things are kept. Directories are made at the start, readable by the service alone."""

    data: FilePath = Field(default=Path("var/data"), description="The store, captures and recordings: what must not be lost.")
    run: FilePath = Field(
        default=Path("var/run"), description="Sockets and process numbers; short, a Unix socket's path has 107 bytes."
    )
    spool: FilePath = Field(
        default=Path("var/spool"), description="Facts wait here while the store's disk is full; best another disk."
    )
    alarm_hours: int = Field(
        default=72, ge=1, le=8760, description="An alarm rings when a disk will be full in fewer hours, as it filled lately."
    )
    alarm_percent: int = Field(default=10, ge=1, le=90, description="An alarm rings when less of a disk is free, in per cent.")
    encrypt_recordings: bool = Field(
        default=False, description="Recordings, and captures once a recording was made of them, are encrypted on the disk."
    )
    site_key_file: FilePath | None = Field(
        default=None,
        description=f"File with the site's key, by `callserver key site make`. {ENVIRONMENT_SITE_KEY} does the same.",
        examples=["/etc/callserver/site.key"],
    )

    @property
    def captures(self) -> Path:
        """What arrived, packet by packet."""
        return self.data / "captures"

    @property
    def recordings(self) -> Path:
        """What the archivist made of the captures."""
        return self.data / "recordings"

    @property
    def prompts(self) -> Path:
        """Spoken phrases, made at plan load."""
        return self.data / "prompts"

    @property
    def control_socket(self) -> Path:
        """Where the switchboard takes commands; see callserver.control."""
        return self.run / "control.sock"

    @property
    def feed_socket(self) -> Path:
        """Where the switchboard tells what is live; see callserver.feed."""
        return self.run / "feed.sock"

    @property
    def processes(self) -> Path:
        """Who is who, written by the supervisor."""
        return self.run / "processes.json"


class PoolConfig(_Section):
    """Processes that carry the sound of one call each."""

    spares: int = Field(default=4, ge=1, le=64, description="Warm call workers that wait for a press; each takes about 11 MB.")
    seats: int = Field(default=1, ge=1, le=16, description="Warm seat workers that wait for an operator's browser.")


class SeatsConfig(_Section):
    """Where browsers of operators send their sound."""

    addresses: tuple[str, ...] = Field(
        default=(),
        description="Addresses of this machine that browsers are told to use. Empty: every IPv4 address that it has.",
        examples=[["192.0.2.10"]],
    )
    ports: str = Field(
        default="30000-30499", description="UDP ports for browsers' sound, LOW-HIGH; one for each seat and address."
    )

    @field_validator("addresses", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("addresses")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_address(one) for one in value)

    @field_validator("ports")
    @classmethod
    def _ports(cls, value: str) -> str:
        _port_range(value)
        return value


class PlanConfig(_Section):
    """The dialling plan."""

    file: FilePath | None = Field(
        default=None,
        description="The plan to put in force at start. Without one the last adopted plan stays.",
        examples=["plan.toml"],
    )


class DirectoryConfig(_Section):
    """Accounts and credentials."""

    seed: FilePath | None = Field(
        default=None,
        description="Accounts to add at start where they are missing; for demo, bench and tests.",
        examples=["seed.toml"],
    )


class MailConfig(_Section):
    """The mail server by which the plan's notices go."""

    host: str = Field(default="", description="Its name or address. Empty: no mail can be sent.", examples=["mail.example.org"])
    port: Port = Field(default=587, description="Its port.")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the way there is kept: by STARTTLS, by TLS from the start, or not at all."
    )
    sender: str = Field(default="", description="From whom mails come.", examples=["callserver@help.example.org"])
    user: str = Field(default="", description="The account there. Empty: none is asked for.", examples=["callserver"])
    password_file: FilePath | None = Field(
        default=None,
        description=f"File with its password. {ENVIRONMENT_MAIL_PASSWORD} does the same.",
        examples=["/etc/callserver/mail.password"],
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.host and not re.fullmatch(r"[^@\s]+@[^@\s]+", self.sender):
            raise ValueError("sender must be a mail address where there is a host")
        return self


class BackupConfig(_Section):
    """Backups are made by `callserver backup`, from a timer of the system; this is how it is noticed that none was."""

    alarm_after_hours: int = Field(
        default=0, ge=0, le=8760, description="An alarm rings when the last backup is older than so many hours. 0: none rings."
    )


class LogConfig(_Section):
    """What the processes say of themselves on standard error. The journal is another thing."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least grave line that is written."
    )
    format: Literal["text", "json"] = Field(default="text", description="Lines for people or for a log store.")


class Config(_Section):
    """Everything from callserver.toml. `load` makes paths absolute and fills in domain and media_host."""

    sip: SipConfig = Field(default_factory=SipConfig)
    web: WebConfig = Field(default_factory=WebConfig)
    storage: StorageConfig = Field(default_factory=StorageConfig)
    pool: PoolConfig = Field(default_factory=PoolConfig)
    seats: SeatsConfig = Field(default_factory=SeatsConfig)
    plan: PlanConfig = Field(default_factory=PlanConfig)
    directory: DirectoryConfig = Field(default_factory=DirectoryConfig)
    mail: MailConfig = Field(default_factory=MailConfig)
    evidence: EvidenceConfig = Field(default_factory=EvidenceConfig)
    backup: BackupConfig = Field(default_factory=BackupConfig)
    retention: RetentionConfig = Field(default_factory=RetentionConfig)
    quality: QualityConfig = Field(default_factory=QualityConfig)
    log: LogConfig = Field(default_factory=LogConfig)

    @model_validator(mode="after")
    def _mail_for_anchors(self) -> Self:
        if not self.mail.host and any(anchor.startswith("mailto:") for anchor in self.evidence.anchors):
            raise ValueError("[evidence] anchors has a mailto: and [mail] has no host")
        return self

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.sip.tcp_port and self.sip.tcp_port == self.web.port and self.sip.host == self.web.host:
            raise ValueError("[sip] tcp_port and [web] port are the same")
        if self.sip.tls and self.sip.tls_port == self.web.port and self.sip.tls_port and self.sip.host == self.web.host:
            raise ValueError("[sip] tls_port and [web] port are the same")
        https = (self.web.https_host or self.web.host, self.web.https_port)
        if self.web.tls and self.sip.tcp_port and https == (self.sip.host, self.sip.tcp_port):
            raise ValueError("[sip] tcp_port and [web] https_port are the same")
        return self
