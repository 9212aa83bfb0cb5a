"""The configuration: one typed value, read once, checked wholly, passed down. The only place that reads the environment.

`callserver.toml` is infrastructure only: addresses, storage, pool. Routing stands in the plan, credentials in the directory.
Every key has a default; an unknown key or a contradiction is refused with its name. Relative paths are taken from the
directory of the file. `docs/configuration.md` describes every key; `describe` is the same as data.

Environment: CALLSERVER_CONFIG names the file; CALLSERVER_METRICS_TOKEN, CALLSERVER_MAIL_PASSWORD and CALLSERVER_SITE_KEY hold the
secrets that [web] metrics_token_file, [mail] password_file and [storage] site_key_file may hold instead; NOTIFY_SOCKET
is systemd's (sd_notify(3)); a seed's `password_env` names others.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import BaseModel, ValidationError

from callserver.config_sections import ENVIRONMENT_MAIL_PASSWORD as ENVIRONMENT_MAIL_PASSWORD
from callserver.config_sections import ENVIRONMENT_METRICS_TOKEN as ENVIRONMENT_METRICS_TOKEN
from callserver.config_sections import ENVIRONMENT_SITE_KEY as ENVIRONMENT_SITE_KEY
from callserver.config_sections import Config as Config

if TYPE_CHECKING:
    from callserver.sealed import SiteKey

ENVIRONMENT_CONFIG = "CALLSERVER_CONFIG"
ENVIRONMENT_NOTIFY = "NOTIFY_SOCKET"
DEFAULT_FILE = Path("callserver.toml")

_SOCKET_PATH_LIMIT = 107  # sun_path is 108 bytes with its final zero, unix(7)
_LONGEST_SOCKET_NAME = 32  # of the sockets that we make in the run directory


class ConfigError(ValueError):
    """The configuration cannot be used; the text names file, section and key, one fault on a line."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


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
    file = file_of(path)
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


def file_of(path: Path | None) -> Path | None:
    """The file that `load` reads, where it is given this one or none; None: there is none, and all keys have their defaults."""
    return path or _default_file()


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
    return _secret("[web] metrics_token_file", config.web.metrics_token_file, ENVIRONMENT_METRICS_TOKEN)


def mail_password(config: Config) -> str:
    """The password for the mail server, or "". Raises `ConfigError` when its file cannot be read or is empty."""
    return _secret("[mail] password_file", config.mail.password_file, ENVIRONMENT_MAIL_PASSWORD)


def _secret(key: str, file: Path | None, variable: str) -> str:
    if file is None:
        return os.environ.get(variable, "")
    try:
        secret = file.read_text().strip()
    except OSError as error:
        raise ConfigError((f"{key}: {file}: {error.strerror}",)) from error
    if not secret:
        raise ConfigError((f"{key}: {file} is empty",))
    return secret


def next_site_key(file: Path) -> Path:
    """Where a site key's successor waits while files are wrapped anew."""
    return file.with_name(f"{file.name}.next")


def site_keys(config: Config) -> "tuple[SiteKey, ...]":
    """The site's key, before it its successor where there is one; () without a key. Raises `ConfigError` for a bad one."""
    from callserver.sealed import SiteKey  # its library is loaded by those alone who need it

    file = config.storage.site_key_file
    if file is None:
        texts = {ENVIRONMENT_SITE_KEY: text} if (text := os.environ.get(ENVIRONMENT_SITE_KEY, "")) else {}
    else:
        texts = {str(path): found for path in (next_site_key(file), file) if (found := _text(path)) is not None}
    keys = []
    for where, text in texts.items():
        try:
            keys.append(SiteKey(bytes.fromhex(text.strip())))
        except ValueError:
            raise ConfigError((f"[storage] site_key_file: {where} holds no key: 64 digits in hex",)) from None
    return tuple(keys)


def _text(path: Path) -> str | None:
    """None where it cannot be read: not there, or gone meanwhile, as a successor that took its place."""
    try:
        return path.read_text()
    except OSError:
        return None


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
