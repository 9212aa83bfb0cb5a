"""A web service to test: a real store and journal, a real command socket, a switchboard that notes what it is asked."""

import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
from fastapi import FastAPI

from audio.peaks import pack, peaks_of
from callserver.config import Config, load
from callserver.control import AlarmStatus, CommandClient, CommandRefused, CommandServer, DiskStatus, Status, Verb
from callserver.control_handover import Handover
from callserver.core import facts as f
from callserver.core.desk import DeskFact
from callserver.core.ids import CallId, IncidentId, LegId, OfferId, OperatorId, PointId
from callserver.core.termination import By, Class, Termination
from callserver.store.commit import commit
from callserver.store.directory import set_web
from callserver.store.engine import open_store, read_only
from callserver.store.journal import Entry, JournalWriter
from callserver.store.ops import append_op
from callserver.store.register import id_of
from callserver.store.upgrade import upgrade
from callserver.web.app import create_app
from dialplans.load import shipped

ROLES = ("operator", "supervisor", "auditor", "administrator")
BASE = "http://help.test"
INCIDENT = "260301-120000-aaaaaa"
CALL = f"{INCIDENT}.1"
START_NS = 1_772_366_400_000_000_000  # 2026-03-01T12:00:00Z
SECOND = 1_000_000_000
FLAC = bytes(range(256)) * 40
FLAC_SUM = hashlib.sha256(FLAC).hexdigest()
PLAN = shipped("darlington")
POINT = next(iter(PLAN.points))
OPERATOR = next(iter(PLAN.operators))


def story() -> Sequence[f.Fact]:
    """A press at noon, answered, talked, recorded; its incident is in wrap-up. One fact a second."""
    incident, call = IncidentId(INCIDENT), CallId(CALL)
    point, operator = LegId(f"{CALL}.1"), LegId(f"{CALL}.2")
    return (
        f.PlanAdopted(1, "d" * 64, PLAN, "start"),
        f.PointChanged(PointId(POINT), True, "registered"),
        f.SeatChanged(OperatorId(OPERATOR), True, "registered"),
        f.OperatorMoved(OperatorId(OPERATOR), "off", "available", "registered"),
        f.IncidentOpened(incident, PointId(POINT), next(iter(PLAN.queues)), 0, 1),
        f.CallOpened(call, incident, PointId(POINT)),
        f.LegCreated(point, call, "point", POINT, True),
        f.LegCreated(operator, call, "operator", OPERATOR, False),
        f.LegMoved(operator, "ringing", "up", "answered"),
        f.LegMoved(point, "ringing", "up", "a person is there"),
        f.OfferEnded(OfferId(f"{CALL}.o1"), "accepted", "answered", OperatorId(OPERATOR)),
        f.CallMoved(call, "waiting", "talking", "answered"),
        f.IncidentMoved(incident, "waiting", "attended", "answered", OperatorId(OPERATOR)),
        f.LegMoved(point, "up", "ended", "hung up", Termination(Class.NORMAL, By.PARTY, "hung up")),
        f.LegMoved(operator, "up", "ended", "hung up", Termination(Class.NORMAL, By.US, "the point hung up")),
        f.CallMoved(call, "talking", "ending", "hung up"),
        f.CallMoved(call, "ending", "ended", "every leg is over"),
        f.IncidentMoved(incident, "attended", "wrap-up", "the conversation is over", OperatorId(OPERATOR)),
        f.RecordingMade(call, {f"{CALL}/{point}.flac": "b" * 64, f"{CALL}/call.flac": FLAC_SUM}, {}, 4000, 0),
        f.AlarmRaised("disk", "the disk is nearly full"),
    )


@dataclass
class Switchboard:
    """Notes every command; answers STATUS and HANDOVER; refuses what `refuse` names."""

    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    ready: bool = True
    alarms: tuple[AlarmStatus, ...] = ()
    disks: tuple[DiskStatus, ...] = ()
    sheet: Handover = field(default_factory=lambda: Handover(made_utc_ns=1))

    async def dispatch(self, verb: str, args: dict[str, Any]) -> dict[str, Any]:
        """See callserver.control."""
        if verb == Verb.STATUS:
            reasons = () if self.ready else ("no plan is in force",)
            told: dict[str, Any] = msgspec.to_builtins(
                Status(self.ready, reasons, facts=20, figures={"workers": 5.0}, alarms=self.alarms, disks=self.disks)
            )
            return told
        if verb == Verb.HANDOVER:
            sheet: dict[str, Any] = msgspec.to_builtins(self.sheet)
            return sheet
        self.asked.append((verb, args))
        if verb in self.refuse:
            raise CommandRefused("plan-refused" if verb == Verb.RELOAD_PLAN else "refused", self.refuse[verb])
        if verb == Verb.RELOAD_PLAN:
            return {"version": 2, "name": "Another", "changed": True, "warnings": ["the bench has no camera"]}
        return {}

    def noted(self, kind: str) -> list[dict[str, Any]]:
        """The bodies of the facts of a kind that it was told."""
        return [args["body"] for verb, args in self.asked if verb == Verb.NOTE_FACT and args["kind"] == kind]


@dataclass
class Desk:
    """All of it, and a clock that stands."""

    config: Config
    app: FastAPI
    switchboard: Switchboard
    server: CommandServer
    now_s: float = 1_772_370_000.0

    def client(self, **more: Any) -> httpx.AsyncClient:
        """A browser or script without a session."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(more.pop("source", "192.0.2.7"), 4711))
        return httpx.AsyncClient(transport=transport, base_url=BASE, **more)

    @asynccontextmanager
    async def signed_in(self, role: str, **more: Any) -> AsyncIterator[httpx.AsyncClient]:
        """One with a session; the operator is one of the plan's."""
        async with self.client(**more) as client:
            answer = await client.post("/api/session", json={"user": user_of(role), "password": password_of(role)})
            assert answer.status_code == 200, answer.text
            yield client


def user_of(role: str) -> str:
    """The user that has this role."""
    return OPERATOR if role == "operator" else f"the-{role}"


def password_of(role: str) -> str:
    """Their password."""
    return f"secret of {role}"


def fill(config: Config) -> None:
    """The store with the story in it, and an account for every role."""
    engine = open_store(config.storage.data)
    upgrade(engine)
    for role in ROLES:
        set_web(engine, user_of(role), role, password_of(role))
    engine.dispose()
    writer = JournalWriter(config.storage.data, spool=config.storage.spool / "journal.spool")
    writer.start()
    entries = [Entry(f"t-{n}", fact, n * SECOND, START_NS + n * SECOND, 1) for n, fact in enumerate(story())]
    writer.append(entries).result(10)
    writer.close()
    (config.storage.recordings / CALL).mkdir(parents=True)
    (config.storage.recordings / CALL / "call.flac").write_bytes(FLAC)
    (config.storage.recordings / CALL / "call.peaks").write_bytes(pack(peaks_of([np.zeros(32_000, np.int16)] * 2, 8000)))
    (config.storage.recordings / CALL / f"{CALL}.1.flac").write_bytes(FLAC[:100])


def keep(desk: Desk, *facts: DeskFact, at_s: float | None = None) -> None:
    """Facts of the auditor's desk in the journal, at the desk's time."""
    engine = open_store(desk.config.storage.data)
    utc_ns = round((desk.now_s if at_s is None else at_s) * SECOND)
    for fact in facts:
        commit(engine, [append_op(id_of(fact, uuid.uuid4().hex), fact, 0, utc_ns, 1)])
    engine.dispose()


def config_in(directory: Path, **more: object) -> Config:
    """A configuration whose every file lies below a directory."""
    paths: dict[str, object] = {f"storage.{name}": directory / name for name in ("data", "run", "spool")}
    for name in ("run", "spool"):
        (directory / name).mkdir()
    return load(_empty(directory), paths | more)


def _empty(directory: Path) -> Path:
    file = directory / "callserver.toml"
    file.write_text("")
    return file


@asynccontextmanager
async def opened(config: Config, metrics_token: str = "", switchboard: Switchboard | None = None) -> AsyncIterator[Desk]:
    """The service running in this event loop."""
    board = switchboard or Switchboard()
    server = CommandServer(config.storage.control_socket, board.dispatch)
    await server.start()
    engine = read_only(config.storage.data)
    desk = Desk(config, FastAPI(), board, server)
    commands = CommandClient(config.storage.control_socket)
    desk.app = create_app(config, engine, commands, metrics_token=metrics_token, now_s=lambda: desk.now_s)
    async with desk.app.router.lifespan_context(desk.app):
        yield desk
    await server.stop()
    engine.dispose()
