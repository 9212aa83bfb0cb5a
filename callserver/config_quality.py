"""The section [quality] of callserver.toml: how many calls are looked at again, and by what; see docs/quality.md."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

MOST_CALLS = 50
MOST_CRITERIA = 20
MOST_POINTS = 10
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class QualityCriterion(BaseModel):
    """One of [[quality.criteria]]: what is judged, and the most points that it can have."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    id: str
    text: str = Field(min_length=1, max_length=200)
    max: int = Field(default=2, ge=1, le=MOST_POINTS)

    @field_validator("id")
    @classmethod
    def _named(cls, value: str) -> str:
        if not _ID.fullmatch(value):
            raise ValueError(f"{value!r} is no name of a criterion: small letters, digits and hyphens")
        return value


USUAL = (
    QualityCriterion(id="place", text="Greeted, and made sure where the caller is"),
    QualityCriterion(id="listened", text="Listened, and asked what was needed"),
    QualityCriterion(id="escalation", text="Called the right help, and soon enough"),
    QualityCriterion(id="calm", text="Stayed calm and clear, and did not leave the caller alone"),
    QualityCriterion(id="record", text="Outcome and note say what happened"),
)
"""What is judged where the configuration names nothing."""


class QualityConfig(BaseModel):
    """How many calls of each operator are drawn each month, to be listened to again."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    calls_per_operator: int = Field(
        default=2, ge=0, le=MOST_CALLS, description="Answered calls of each operator that are drawn each month. 0: none are."
    )
    criteria: Annotated[tuple[QualityCriterion, ...], BeforeValidator(_tuple)] = Field(
        default=(),
        max_length=MOST_CRITERIA,
        description="Tables [[quality.criteria]]: what is judged, and the most points of each. Without: five usual ones.",
    )

    @field_validator("criteria")
    @classmethod
    def _distinct(cls, value: tuple[QualityCriterion, ...]) -> tuple[QualityCriterion, ...]:
        if len({one.id for one in value}) < len(value):
            raise ValueError("two criteria have the same id")
        return value

    @property
    def judged(self) -> tuple[QualityCriterion, ...]:
        """The criteria that count."""
        return self.criteria or USUAL
