"""The configuration: one typed value, read once, checked wholly, passed down. The only place that reads the environment.

`callserver.toml` is infrastructure only: addresses, storage, pool. Routing stands in the plan, credentials in the directory.
Every key has a default; an unknown key or a contradiction is refused with its name. Relative paths are taken from the
directory of the file. `docs/configuration.md` describes every key; `describe` is the same as data.

Environment: CALLSERVER_CONFIG names the file, CALLSERVER_METRICS_TOKEN holds the secret that [web] metrics_token_file
may hold instead, NOTIFY_SOCKET is systemd's (sd_notify(3)); a seed's `password_env` names others.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

ENVIRONMENT_CONFIG = "CALLSERVER_CONFIG"
ENVIRONMENT_METRICS_TOKEN = "CALLSERVER_METRICS_TOKEN"
ENVIRONMENT_NOTIFY = "NOTIFY_SOCKET"
DEFAULT_FILE = Path("callserver.toml")

_SOCKET_PATH_LIMIT = 107  # sun_path is 108 bytes with its final zero, unix(7)
_LONGEST_SOCKET_NAME = 32  # of the sockets that we make in the run directory
_PORTS = re.compile(r"(\d{1,5})-(\d{1,5})")


class ConfigError(ValueError):
    """The configuration cannot be used; the text names file, section and key, one fault on a line."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


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
    domain: str = Field(
        default="", description="SIP domain and digest realm of our users. Empty: the same as host.", examples=["sip.example.org"]
    )
    media_host: str = Field(
        default="",
        description="Address that RTP is bound to and that our SDP names. Empty: the same as host.",
        examples=["192.0.2.10"],
    )
    rtp_ports: str = Field(default="20000-29999", description="UDP ports for RTP and RTCP, LOW-HIGH; two for each leg of a call.")

    @field_validator("rtp_ports")
    @classmethod
    def _ports(cls, value: str) -> str:
        _port_range(value)
        return value

    @field_validator("media_host")
    @classmethod
    def _media_address(cls, value: str) -> str:
        return _address(value) if value else value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        low, high = self.rtp_range
        for name in ("udp_port", "tcp_port"):
            if low <= getattr(self, name) <= high:
                raise ValueError(f"{name} lies inside rtp_ports")
        for name in ("domain", "media_host"):
            if not getattr(self, name) and self.host == "0.0.0.0":
                raise ValueError(f"{name} must be given where host is 0.0.0.0: nobody can call that address")
        if self.media_host == "0.0.0.0":
            raise ValueError("media_host cannot be 0.0.0.0: devices are told to send their sound there")
        return self

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


class StorageConfig(_Section):
    """Where things are kept. Directories are made at the start, readable by the service alone."""

    data: FilePath = Field(default=Path("var/data"), description="The store, captures and recordings: what must not be lost.")
    run: FilePath = Field(
        default=Path("var/run"), description="Sockets and process numbers; short, a Unix socket's path has 107 bytes."
    )
    spool: FilePath = Field(
        default=Path("var/spool"), description="Facts wait here while the store's disk is full; best another disk."
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
    def processes(self) -> Path:
        """Who is who, written by the supervisor."""
        return self.run / "processes.json"


class PoolConfig(_Section):
    """Processes that carry the sound of one call each."""

    spares: int = Field(default=4, ge=1, le=64, description="Warm call workers that wait for a press; each takes about 11 MB.")


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
    plan: PlanConfig = Field(default_factory=PlanConfig)
    directory: DirectoryConfig = Field(default_factory=DirectoryConfig)
    log: LogConfig = Field(default_factory=LogConfig)

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.sip.tcp_port and self.sip.tcp_port == self.web.port and self.sip.host == self.web.host:
            raise ValueError("[sip] tcp_port and [web] port are the same")
        return self


_WORDS: Mapping[str, Callable[[dict[str, Any]], str]] = {
    "extra_forbidden": lambda _: "is unknown here; docs/configuration.md has every key",
    "int_type": lambda _: "must be a whole number",
    "string_type": lambda _: "must be a text in quotes",
    "model_type": lambda _: "must be a section with keys",
    "model_attributes_type": lambda _: "must be a section with keys",
    "is_instance_of": lambda _: "must be a path in quotes",
    "tuple_type": lambda _: "must be a list",
    "greater_than_equal": lambda limits: f"must be at least {limits['ge']}",
    "less_than_equal": lambda limits: f"must be at most {limits['le']}",
    "literal_error": lambda limits: f"must be {limits['expected']}",
    "value_error": lambda found: str(found["error"]),
}


def load(path: Path | None = None, overrides: Mapping[str, object] | None = None) -> Config:
    """The configuration of a file (default: CALLSERVER_CONFIG, else ./callserver.toml if there is one, else all defaults).

    `overrides` are dotted keys, `{"sip.udp_port": 15060}`, stronger than the file; their relative paths are taken
    from the working directory. Raises `ConfigError`.
    """
    file = path or _default_file()
    table = _read(file) if file is not None else {}
    base = file.resolve().parent if file is not None else Path.cwd()
    for key, value in (overrides or {}).items():
        section, _, name = key.partition(".")
        if not name:
            raise ConfigError((f"{key}: an override is named SECTION.KEY",))
        inner = table.setdefault(section, {})
        if isinstance(inner, dict):
            inner[name] = str(Path.cwd() / value) if isinstance(value, Path) else value
    return _checked(table, str(file) if file is not None else "defaults", base)


def dump_json(config: Config) -> str:
    """The configuration for a child process: JSON with absolute paths, and systemd's socket as `notify_socket`."""
    table = config.model_dump(mode="json")
    table["notify_socket"] = os.environ.get(ENVIRONMENT_NOTIFY, "")
    return msgspec.json.encode(table).decode()


def load_json(text: str | bytes) -> Config:
    """What `dump_json` wrote. Raises `ConfigError`."""
    try:
        table = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ConfigError((f"the handed-over configuration is no JSON: {error}",)) from error
    table.pop("notify_socket", None)
    return _checked(table, "handed over", Path("/"))


def metrics_token(config: Config) -> str:
    """The secret that /metrics asks for, or "". Raises `ConfigError` when its file cannot be read or is empty."""
    file = config.web.metrics_token_file
    if file is None:
        return os.environ.get(ENVIRONMENT_METRICS_TOKEN, "")
    try:
        token = file.read_text().strip()
    except OSError as error:
        raise ConfigError((f"[web] metrics_token_file: {file}: {error.strerror}",)) from error
    if not token:
        raise ConfigError((f"[web] metrics_token_file: {file} is empty",))
    return token


def environment() -> Mapping[str, str]:
    """The environment, for the seed's `password_env`."""
    return dict(os.environ)


@dataclass(frozen=True, slots=True)
class Key:
    """One key as documentation: `default` and `example` as they are written in TOML."""

    section: str
    name: str
    default: str
    example: str
    description: str


def describe() -> tuple[Key, ...]:
    """Every key in the order of the sections."""
    keys = []
    for section, outer in Config.model_fields.items():
        model = outer.annotation
        assert isinstance(model, type) and issubclass(model, BaseModel)
        for name, field in model.model_fields.items():
            example = field.examples[0] if field.examples else field.default
            keys.append(Key(section, name, _toml(field.default), _toml(example), field.description or ""))
    return tuple(keys)


def _toml(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value) if isinstance(value, int) else f'"{value}"'


def _default_file() -> Path | None:
    named = os.environ.get(ENVIRONMENT_CONFIG)
    if named:
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError((f"{file}: {error.strerror}",)) from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        raise ConfigError((f"{file}: no TOML: {error}",)) from error


def _checked(table: Mapping[str, Any], source: str, base: Path) -> Config:
    try:
        config = Config.model_validate(table)
    except ValidationError as error:
        raise ConfigError(tuple(_fault(source, dict(one)) for one in error.errors(include_url=False))) from error
    config = _resolved(config, base)
    limit = _SOCKET_PATH_LIMIT - _LONGEST_SOCKET_NAME - 1
    length = len(os.fsencode(config.storage.run))
    if length > limit:
        raise ConfigError((f"{source}: [storage] run: {config.storage.run} has {length} bytes, at most {limit} leave room",))
    return config


def _resolved(config: Config, base: Path) -> Config:
    sections = {}
    for section in type(config).model_fields:
        model = getattr(config, section)
        paths = {name: value for name in type(model).model_fields if isinstance(value := getattr(model, name), Path)}
        sections[section] = model.model_copy(update={name: Path(os.path.normpath(base / path)) for name, path in paths.items()})
    host = config.sip.host
    sections["sip"] = config.sip.model_copy(
        update={"domain": config.sip.domain or host, "media_host": config.sip.media_host or host}
    )
    return config.model_copy(update=sections)


def _fault(source: str, error: dict[str, Any]) -> str:
    location = [str(part) for part in error["loc"] if not str(part).startswith("literal[") and "function" not in str(part)]
    where = f"[{location[0]}]" + "".join(f" {part}" for part in location[1:]) if location else "the whole"
    words = _WORDS.get(error["type"])
    return f"{source}: {where}: {words(error.get('ctx', {})) if words else error['msg']}"
