"""What the replay page needs besides the lists: the shape of a call's sound, and what a plan calls its things.

The shape is for those who may listen, but no reason is asked for it and nobody journals it: it tells that somebody spoke and
when, hardly more than the timeline, and an auditor looks at it to decide whether listening is needed at all.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from audio.peaks import Peaks
from callserver.config import ConfigError, site_keys
from callserver.sealed import KeyMissing
from callserver.store import queries
from callserver.web.api.incidents import Id
from callserver.web.api.recording import file_of, without_key
from callserver.web.errors import ApiError, ErrorAnswer, not_found
from callserver.web.service import service
from callserver.web.shelf import shelf
from callserver.web.times import rfc3339
from dialplans.model import Priority

SIDES = ("point", "heard")
ALONE = ("said",)
MOST_BUCKETS = 4_000
MOST_MS = 14 * 86_400_000

router = APIRouter()


class SideAnswer(BaseModel):
    """One side: `point` is what the point said, `heard` what it heard, `said` one leg's own.

    Each peak is (lowest, highest), -127 to 127.
    """

    name: str
    peaks: list[tuple[int, int]]


class PeaksAnswer(BaseModel):
    """The shape of a stretch of a recording in buckets of equal length. `began`: when its first sample was heard, where known.

    `losses_ms` is what never arrived, `report` says in words what else the archivist met.
    """

    duration_ms: int
    began: str | None
    from_ms: float
    to_ms: float
    losses_ms: int
    report: str
    sides: list[SideAnswer]


class NamesAnswer(BaseModel):
    """What a plan calls itself and its things: id to name; `points` are places, `classes` those of a press by priority."""

    plan: str
    plan_version: int
    time_zone: str
    points: Mapping[str, str]
    operators: Mapping[str, str]
    parties: Mapping[str, str]
    outcomes: Mapping[str, str]
    classes: Mapping[int, str]


_ANSWERS: dict[int | str, dict[str, object]] = {
    200: {"model": PeaksAnswer, "description": "The shape of both sides."},
    404: {"model": ErrorAnswer, "description": "No such call, or no recording yet."},
    410: {"model": ErrorAnswer, "description": "The recording was deleted; the words say when and by which rule."},
    422: {"model": ErrorAnswer, "description": "The stretch is empty or begins past the end."},
}


@router.get("/api/calls/{id}/peaks", response_class=Response, responses=_ANSWERS)
async def peaks(
    request: Request,
    id: Id,
    width: Annotated[int, Query(ge=1, le=MOST_BUCKETS, description="How many buckets for each side.")] = 1_000,
    from_ms: Annotated[float, Query(ge=0, le=MOST_MS, allow_inf_nan=False)] = 0,
    to_ms: Annotated[float | None, Query(gt=0, le=MOST_MS, allow_inf_nan=False, description="Default: the end.")] = None,
    leg: Annotated[str, Query(max_length=128, description="One leg alone: one side, `said`. Default: both sides.")] = "",
) -> Response:
    """The shape of a call's recording, or of one leg's, for drawing."""
    the = service(request)
    path = await file_of(the, id, leg)
    try:
        shape = await shelf(request).shape(path, site_keys(the.config))
    except (KeyMissing, ConfigError) as error:
        raise without_key() from error
    except (OSError, ValueError) as error:
        what_to_do = "Run callserver verify --files, and look for the disk."
        raise ApiError(503, "recording-unreadable", "The recording cannot be read.", what_to_do) from error
    end_ms = shape.duration_ms if to_ms is None else min(to_ms, shape.duration_ms)
    if from_ms >= end_ms:
        message = f"The recording has {shape.duration_ms} ms; the stretch wanted is empty or past its end."
        raise ApiError(422, "no-such-stretch", message, "Ask for a from_ms below to_ms, within the recording.")
    made = await the.read(queries.recording, id)
    content = await asyncio.to_thread(_encoded, shape, ALONE if leg else SIDES, made, width, from_ms, end_ms)
    return Response(content, media_type="application/json")


def _encoded(
    shape: Peaks, names: Sequence[str], made: queries.RecordingRow | None, width: int, from_ms: float, to_ms: float
) -> bytes:
    """Past pydantic: thousands of pairs of numbers, each known to be one."""
    view = shape.view(width, from_ms, to_ms)
    body = {
        "duration_ms": shape.duration_ms,
        "began": rfc3339(shape.began_utc_ns or None),
        "from_ms": from_ms,
        "to_ms": to_ms,
        "losses_ms": made.losses_ms if made else 0,
        "report": made.report if made else "",
        "sides": [{"name": name, "peaks": side} for name, side in zip(names, view, strict=False)],
    }
    return msgspec.json.encode(body)


@router.get("/api/names")
async def names(
    request: Request,
    version: Annotated[int | None, Query(ge=0, le=2**53, description="The plan's version. Default: the newest.")] = None,
) -> NamesAnswer:
    """What a plan calls points, operators, parties and outcomes."""
    found = await shelf(request).names(service(request), version)
    if found is None:
        raise not_found("plan of version", "any" if version is None else str(version))
    return NamesAnswer(
        plan=found.plan,
        plan_version=found.version,
        time_zone=found.time_zone,
        points=found.points,
        operators=found.operators,
        parties=found.parties,
        outcomes=found.outcomes,
        classes={int(one): one.name.lower() for one in Priority},
    )
