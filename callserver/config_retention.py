"""The section [retention] of callserver.toml: what is kept for how long. docs/retention.md tells how it is meant."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

MOST_DAYS = 36_500
MOST_RULES = 50
RESERVED = ("default", "texts", "register", "request")
"""What the journal calls the days for all others, those for texts and the register, and an erasure that somebody asked for."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

ClassName = Literal["emergency", "high", "normal", "information"]


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_tuple)]
Days = Annotated[int, Field(ge=0, le=MOST_DAYS)]


class RetentionRule(BaseModel):
    """One of [[retention.rules]]: calls that fit all that it says are kept for its days."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: str
    days: Days
    classes: Annotated[tuple[ClassName, ...], BeforeValidator(_tuple)] = ()
    outcomes: Words = ()
    queues: Words = ()
    silent: bool | None = None

    @field_validator("name")
    @classmethod
    def _named(cls, value: str) -> str:
        if not _NAME.fullmatch(value) or value in RESERVED:
            reserved = ", ".join(RESERVED)
            raise ValueError(f"{value!r} is no name of a rule: small letters, digits and hyphens, and none of {reserved}")
        return value


class RetentionConfig(BaseModel):
    """How long sound and texts are kept. What is older goes by itself, unless its incident is open or held."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    days: Days = Field(
        default=31, description="Days that recordings and captures are kept after their incident was closed. 0: for ever."
    )
    text_days: Days = Field(
        default=366, description="Days that notes, reasons and addresses beside the journal are kept. 0: for ever."
    )
    register_days: Days = Field(
        default=2192,
        description="Days that the register's texts are kept: recipients, subjects, why something left. 0: for ever.",
    )
    rules: Annotated[tuple[RetentionRule, ...], BeforeValidator(_tuple)] = Field(
        default=(),
        max_length=MOST_RULES,
        description="Tables [[retention.rules]]: other days for some calls; the first that fits counts.",
    )

    @field_validator("rules")
    @classmethod
    def _distinct(cls, value: tuple[RetentionRule, ...]) -> tuple[RetentionRule, ...]:
        if len({rule.name for rule in value}) < len(value):
            raise ValueError("two rules have the same name")
        return value
