"""The command socket's verbs, turned into events of the core; see callserver.control.Verb.

A verb is refused here only when what it names does not exist; whether it fits the state is the core's to say, so after posting
the answer looks at what the core recorded: a `Refused` fact becomes `CommandRefused`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from callserver.control import CommandRefused, Verb
from callserver.core import events, events_control
from callserver.core.facts import KINDS, Fact, Refused
from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PartyId, PointId
from callserver.runtime.plans import PlanRefused, Reloaded

Args = dict[str, Any]
Answer = Awaitable[dict[str, Any]]


class Commands:
    """`dispatch` is what `control.CommandServer` calls."""

    def __init__(
        self,
        ask: Callable[[events.Event], Awaitable[list[Fact]]],
        status: Callable[[], dict[str, Any]],
        trace: Callable[[str], list[str]],
        reload_accounts: Callable[[], None],
        reload_plan: Callable[[str], Awaitable[Reloaded]],
        stop: Callable[[bool], None],
        fresh_incident: Callable[[], IncidentId],
        levels: Callable[[Mapping[str, Any]], dict[str, Any]] = lambda told: {},
        disks: Callable[[Sequence[Any]], dict[str, Any]] = lambda told: {},
        handover: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        self.handover = handover
        self.levels, self.disks = levels, disks
        self.ask, self.status, self.trace, self.fresh_incident = ask, status, trace, fresh_incident
        self.reload_accounts, self.reload_plan, self.stop = reload_accounts, reload_plan, stop
        self._verbs: Mapping[str, Callable[[Args], Answer]] = {
            Verb.NOTE_FACT: self._note_fact,
            Verb.GIVE_OUTCOME: self._give_outcome,
            Verb.HANG_UP: self._hang_up,
            Verb.ESCALATE: self._escalate,
            Verb.HOLD: self._hold,
            Verb.CLASSIFY: self._classify,
            Verb.CLIMB: self._climb,
            **self._live_control(),
            **self._call_back_list(),
            Verb.MAKE_AVAILABLE: self._make_available,
            Verb.PAUSE: self._pause,
            Verb.STATUS: self._status,
            Verb.TRACE: self._trace,
            Verb.RELOAD_ACCOUNTS: self._reload_accounts,
            Verb.RELOAD_PLAN: self._reload_plan,
            **self._of_processes(),
            Verb.DRAIN: self._drain,
            Verb.STOP: self._stop,
        }

    def _of_processes(self) -> Mapping[str, Callable[[Args], Answer]]:
        """What watch and archivist tell."""
        return {
            Verb.RAISE_ALARM: self._raise_alarm,
            Verb.CLEAR_ALARM: self._clear_alarm,
            Verb.LAST_RESORT: self._last_resort,
            Verb.LEVELS: self._levels,
            Verb.DISKS: self._disks,
        }

    def _live_control(self) -> Mapping[str, Callable[[Args], Answer]]:
        """What people ask of a live call; see core.events_control."""
        return {
            Verb.MUTE: self._mute,
            Verb.DROP: self._drop,
            Verb.BRING: self._bring,
            Verb.SET_MODE: self._set_mode,
            Verb.TAKE_OVER: self._take_over,
            Verb.TRANSFER: self._transfer,
            Verb.PARK: self._park,
            Verb.RENEW: self._renew,
            Verb.TAKE: self._take,
            Verb.CALL_OUT: self._call_out,
            Verb.CALL_GROUP: self._call_group,
            Verb.BRING_POINT: self._bring_point,
            Verb.SEND_CONTROL: self._send_control,
        }

    def _call_back_list(self) -> Mapping[str, Callable[[Args], Answer]]:
        """What people ask of what nobody has; see core.events_owner."""
        return {
            Verb.GIVE_OWNER: self._give_owner,
            Verb.ACKNOWLEDGE: self._acknowledge,
            Verb.CALL_BACK: self._call_back,
            Verb.HANDOVER: self._handover,
        }

    async def dispatch(self, verb: str, args: Args) -> dict[str, Any]:
        """Carry out one verb."""
        serve = self._verbs.get(verb)
        if serve is None:
            raise CommandRefused("unknown-verb", f"there is no verb {verb!r}")
        try:
            return await serve(args)
        except KeyError as error:
            raise CommandRefused("missing-argument", f"{verb} needs {error}") from error

    async def _put(self, event: events.Event) -> dict[str, Any]:
        facts = await self.ask(event)
        refused = next((fact for fact in facts if isinstance(fact, Refused)), None)
        if refused is not None:
            raise CommandRefused("refused", refused.why)
        return {}

    async def _note_fact(self, args: Args) -> dict[str, Any]:
        kind = KINDS.get(args["kind"])
        if kind is None:
            raise CommandRefused("bad-fact", f"there is no kind of fact {args['kind']!r}")
        try:
            fact: Fact = msgspec.convert(args["body"], kind)
        except msgspec.ValidationError as error:
            raise CommandRefused("bad-fact", str(error)) from error
        return await self._put(events.Noted(fact, args["id"]))

    async def _give_outcome(self, args: Args) -> dict[str, Any]:
        incident = IncidentId(args["incident"])
        return await self._put(events.GiveOutcome(incident, args["outcome"], args["by"], args.get("note", "")))

    async def _hang_up(self, args: Args) -> dict[str, Any]:
        return await self._put(events.HangUp(CallId(args["call"]), args["by"]))

    async def _hold(self, args: Args) -> dict[str, Any]:
        return await self._put(events.Hold(CallId(args["call"]), bool(args["on"]), args["by"]))

    async def _escalate(self, args: Args) -> dict[str, Any]:
        return await self._put(events.Escalate(CallId(args["call"]), PartyId(args["party"]), args["by"]))

    async def _classify(self, args: Args) -> dict[str, Any]:
        return await self._put(events.Reclassify(IncidentId(args["incident"]), int(args["priority"]), args["by"]))

    async def _climb(self, args: Args) -> dict[str, Any]:
        return await self._put(events.ClimbLadder(IncidentId(args["incident"]), args["by"]))

    async def _mute(self, args: Args) -> dict[str, Any]:
        return await self._put(events_control.Mute(CallId(args["call"]), LegId(args["leg"]), bool(args["on"]), args["by"]))

    async def _drop(self, args: Args) -> dict[str, Any]:
        return await self._put(events_control.Drop(CallId(args["call"]), LegId(args["leg"]), args["by"]))

    async def _bring(self, args: Args) -> dict[str, Any]:
        return await self._put(events_control.Bring(CallId(args["call"]), OperatorId(args["operator"]), args["mode"], args["by"]))

    async def _set_mode(self, args: Args) -> dict[str, Any]:
        return await self._put(events_control.SetMode(CallId(args["call"]), LegId(args["leg"]), args["mode"], args["by"]))

    async def _take_over(self, args: Args) -> dict[str, Any]:
        return await self._put(events_control.TakeOver(CallId(args["call"]), OperatorId(args["operator"]), args["by"]))

    async def _transfer(self, args: Args) -> dict[str, Any]:
        return await self._put(events_control.Transfer(CallId(args["call"]), args["to"], args["by"]))

    async def _park(self, args: Args) -> dict[str, Any]:
        return await self._put(events_control.ParkCall(CallId(args["call"]), args["by"]))

    async def _renew(self, args: Args) -> dict[str, Any]:
        return await self._put(events_control.Renew(CallId(args["call"]), args["by"]))

    async def _take(self, args: Args) -> dict[str, Any]:
        return await self._put(events_control.Take(IncidentId(args["incident"]), OperatorId(args["operator"]), args["by"]))

    async def _call_out(self, args: Args) -> dict[str, Any]:
        point, operator = PointId(args["point"]), OperatorId(args["operator"])
        return await self._put(events_control.CallOut(point, operator, args["by"], self.fresh_incident()))

    async def _call_group(self, args: Args) -> dict[str, Any]:
        operator = OperatorId(args["operator"])
        return await self._put(events_control.CallGroup(args["group"], operator, args["by"], self.fresh_incident()))

    async def _bring_point(self, args: Args) -> dict[str, Any]:
        return await self._put(events_control.BringPoint(CallId(args["call"]), PointId(args["point"]), args["by"]))

    async def _send_control(self, args: Args) -> dict[str, Any]:
        leg = LegId(args["leg"]) if args.get("leg") else None
        return await self._put(events_control.SendControl(CallId(args["call"]), args["control"], args["by"], leg))

    async def _make_available(self, args: Args) -> dict[str, Any]:
        return await self._put(events.MakeAvailable(OperatorId(args["operator"]), args["by"]))

    async def _pause(self, args: Args) -> dict[str, Any]:
        operator, reason, to = OperatorId(args["operator"]), args.get("reason", ""), args.get("to", "")
        return await self._put(events.Pause(operator, reason, args["by"], to))

    async def _give_owner(self, args: Args) -> dict[str, Any]:
        return await self._put(events.GiveOwner(IncidentId(args["incident"]), args["to"], args["by"]))

    async def _acknowledge(self, args: Args) -> dict[str, Any]:
        incident = IncidentId(args["incident"]) if args["incident"] else None
        return await self._put(events.Acknowledge(OperatorId(args["operator"]), incident, args["by"]))

    async def _call_back(self, args: Args) -> dict[str, Any]:
        return await self._put(events.CallBack(IncidentId(args["incident"]), OperatorId(args["operator"]), args["by"]))

    async def _handover(self, args: Args) -> dict[str, Any]:
        return self.handover()

    async def _status(self, args: Args) -> dict[str, Any]:
        return self.status()

    async def _trace(self, args: Args) -> dict[str, Any]:
        return {"lines": self.trace(args["of"])}

    async def _reload_accounts(self, args: Args) -> dict[str, Any]:
        self.reload_accounts()
        return {}

    async def _reload_plan(self, args: Args) -> dict[str, Any]:
        try:
            done = await self.reload_plan(args["by"])
        except PlanRefused as refusal:
            raise CommandRefused("plan-refused", str(refusal)) from refusal
        return {"version": done.version, "name": done.name, "changed": done.changed, "warnings": list(done.warnings)}

    async def _raise_alarm(self, args: Args) -> dict[str, Any]:
        return await self._put(events.ConditionRaised(args["key"], args["text"]))

    async def _clear_alarm(self, args: Args) -> dict[str, Any]:
        return await self._put(events.ConditionCleared(args["key"]))

    async def _levels(self, args: Args) -> dict[str, Any]:
        return _taken(self.levels, args["legs"])

    async def _disks(self, args: Args) -> dict[str, Any]:
        return _taken(self.disks, args["disks"])

    async def _last_resort(self, args: Args) -> dict[str, Any]:
        return await self._put(events.LastResort(IncidentId(args["incident"]), args["why"]))

    async def _drain(self, args: Args) -> dict[str, Any]:
        self.stop(False)
        return {}

    async def _stop(self, args: Args) -> dict[str, Any]:
        self.stop(True)
        return {}


def _taken(take: Callable[[Any], dict[str, Any]], told: Any) -> dict[str, Any]:
    try:
        return take(told)
    except msgspec.ValidationError as error:
        raise CommandRefused("bad-report", str(error)) from error
