"""The section [evidence] of callserver.toml; docs/evidence-chain.md and docs/evidence-pack.md tell how it is meant."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

_ANCHOR = re.compile(r"file:/[^\0]+|https?://[^\s/]+(/\S*)?|syslog:(//[A-Za-z0-9.\-]+:\d{1,5})?|mailto:[^@\s]+@[^@\s]+")


def _path(value: object) -> object:
    return Path(value) if isinstance(value, str) and value else value


FilePath = Annotated[Path, BeforeValidator(_path)]


class EvidenceConfig(BaseModel):
    """How it is shown later that the journal is what it was."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    key: FilePath | None = Field(
        default=None,
        description="The key that signs checkpoints, made at the first start. Without: checkpoint.key in [storage] data.",
        examples=["/etc/callserver/checkpoint.key"],
    )
    checkpoint_minutes: int = Field(default=10, ge=1, le=1440, description="The journal is signed as often, if it has grown.")
    anchors: tuple[str, ...] = Field(
        default=(),
        description="Where checkpoints are written outside of this machine: file:, https:, syslog: or mailto:.",
        examples=[["file:/mnt/other/callserver-anchor.txt"]],
    )
    four_eyes: bool = Field(default=False, description="What leaves the record needs a second person, who approves it.")

    @field_validator("anchors", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("anchors")
    @classmethod
    def _anchors(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for anchor in value:
            if not _ANCHOR.fullmatch(anchor):
                raise ValueError(
                    f"{anchor!r} is no anchor: write file:/PATH, https://HOST/PATH, syslog:, syslog://HOST:PORT or mailto:ADDRESS"
                )
        if len(set(value)) < len(value):
            raise ValueError("an anchor is named twice")
        return value
