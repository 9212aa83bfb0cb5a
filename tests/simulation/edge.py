"""The simulated world outside the core: dialogs, workers, telephones, points, parties. It performs effects and lives by chance.

The edge keeps what really exists: `dialogs` are the legs that are alive, with the truth of each; workers likewise. A device
acts on a dialog only while that exists, so whatever the core does, every dialog ends exactly once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from callserver.core import effects as fx
from callserver.core import events as ev
from callserver.core.ids import CallId, LegId, PointId, call_of_leg
from callserver.core.shape import Shape
from callserver.core.termination import By, Class, Termination, from_status

BYE = Termination(Class.NORMAL, By.PARTY, "BYE")
LOST = Termination(Class.LOST, By.PARTY, "no RTP, no reply")
CANCELLED = Termination(Class.CANCELLED, By.PARTY, "caller gave up", 487)
ENDED_BY_US = Termination(Class.NORMAL, By.US, "ended")
BUSY = from_status(486, "busy")
GONE = from_status(480, "unreachable")
DECLINED = from_status(603, "declined")

After = Callable[[int, Callable[[], None]], None]  # (milliseconds, action)
Send = Callable[[ev.Event], None]


@dataclass
class Dialog:
    """A dialog that exists: who is at its far end and whether it was answered."""

    leg: LegId
    role: str
    party: str
    up: bool = False
    inbound: bool = False
    ending: bool = False


class Edge:
    """Performs effects with chance and latency."""

    def __init__(self, chance: Random, after: After, send: Send) -> None:
        self.chance, self.after, self.send = chance, after, send
        self.dialogs: dict[LegId, Dialog] = {}
        self.presses: dict[str, PointId] = {}  # inbound dialogs without a leg
        self.workers: set[CallId] = set()
        self.shapes: dict[CallId, Shape] = {}
        self.codes: set[str] = set()
        self.refused: list[str] = []
        self.notices: dict[str, int] = {}  # on their way, and how often each was ordered
        self.police_fails = 0.5

    def perform(self, effect: fx.Effect) -> None:
        """One order of the core."""
        getattr(self, "_" + type(effect).__name__)(effect)

    # ---- orders ---------------------------------------------------------------------------------------------

    def _AdoptPress(self, order: fx.AdoptPress) -> None:  # noqa: N802
        point = self.presses.pop(order.dialog, None)
        if point is not None:
            self.dialogs[order.leg] = Dialog(order.leg, "point", point, inbound=True)
            if self.chance.random() < 0.25:
                self.device(order.leg, self.chance.randrange(500, 60_000), self.hang_up_unanswered)
            if self.chance.random() < 0.3:
                self.device(order.leg, self.chance.randrange(500, 40_000), self.press_keys)

    def _RefusePress(self, order: fx.RefusePress) -> None:  # noqa: N802
        self.refused.append(self.presses.pop(order.dialog, ""))

    def _StartMedia(self, order: fx.StartMedia) -> None:  # noqa: N802
        if order.leg in self.dialogs:
            self.workers.add(call_of_leg(order.leg))

    def _AnswerLeg(self, order: fx.AnswerLeg) -> None:  # noqa: N802
        dialog = self.dialogs.get(order.leg)
        if dialog is not None and not dialog.up:
            assert dialog.inbound, "AnswerLeg is for inbound legs"
            self._up(dialog)

    def _DialOperator(self, order: fx.DialOperator) -> None:  # noqa: N802
        others = [one for one in self.dialogs.values() if one.party == order.operator]
        assert not others, f"{order.operator} is dialled while {others} exists"
        self._dial(Dialog(order.leg, "operator", order.operator))
        fate = self.chance.random()
        if fate < 0.45:
            self.device(order.leg, self.chance.randrange(300, 12_000), self.answer)
        elif fate < 0.55:
            self.device(
                order.leg, self.chance.randrange(20, 3_000), lambda dialog: self.end(dialog, self.chance.choice((BUSY, DECLINED)))
            )
        elif fate < 0.6:
            self.device(order.leg, self.chance.randrange(5, 100), lambda dialog: self.end(dialog, GONE))

    def _DialPoint(self, order: fx.DialPoint) -> None:  # noqa: N802
        self._dial(Dialog(order.leg, "point", order.point))
        fate = self.chance.random()
        if fate < 0.5:
            self.device(order.leg, self.chance.randrange(100, 4_000), self.answer)
        elif fate < 0.8:
            self.device(
                order.leg, self.chance.randrange(5, 500), lambda dialog: self.end(dialog, self.chance.choice((BUSY, GONE)))
            )

    def _DialParty(self, order: fx.DialParty) -> None:  # noqa: N802
        self._dial(Dialog(order.leg, "outside", order.party))
        if self.chance.random() > self.police_fails:
            self.device(order.leg, self.chance.randrange(500, 15_000), self.answer)
        elif self.chance.random() < 0.6:
            self.device(
                order.leg, self.chance.randrange(5, 5_000), lambda dialog: self.end(dialog, self.chance.choice((BUSY, GONE)))
            )

    def _RenewMedia(self, order: fx.RenewMedia) -> None:  # noqa: N802
        dialog = self.dialogs.get(order.leg)
        assert dialog is None or dialog.up, "only in an answered dialog can anything be asked"

    def _EndLeg(self, order: fx.EndLeg) -> None:  # noqa: N802
        dialog = self.dialogs.get(order.leg)
        if dialog is not None:
            dialog.ending = True
            slow = self.chance.random() < 0.03
            self.device(order.leg, self.chance.randrange(32_000) if slow else self.chance.randrange(2, 60), self._end_for_us)

    def _SendDigits(self, order: fx.SendDigits) -> None:  # noqa: N802
        dialog, fate = self.dialogs.get(order.leg), self.chance.random()
        if dialog is not None and fate < 0.95:
            why = "" if fate < 0.85 else "the device refused them"
            done = ev.DigitsDone(order.leg, order.keys.digits, why)
            self.device(order.leg, 200 * len(order.keys.digits), lambda _: self.send(done))

    def _ShapeCall(self, order: fx.ShapeCall) -> None:  # noqa: N802
        self.shapes[order.call] = order.shape

    def _ReviveCall(self, order: fx.ReviveCall) -> None:  # noqa: N802
        self.workers.add(order.call)
        self.shapes[order.call] = order.shape

    def _CloseCall(self, order: fx.CloseCall) -> None:  # noqa: N802
        left = [leg for leg in self.dialogs if call_of_leg(leg) == order.call]
        assert not left, f"{order.call} was closed with {left}"
        self.workers.discard(order.call)
        self.shapes.pop(order.call, None)

    def _Notify(self, order: fx.Notify) -> None:  # noqa: N802
        self.notices[order.id] = self.notices.get(order.id, 0) + 1
        if self.notices[order.id] == 1:
            self.after(self.chance.randrange(20, 30_000), lambda: self._deliver(order.id))

    def _deliver(self, notice: str) -> None:
        if self.notices.pop(notice, 0):
            delivered = self.chance.random() < 0.8
            self.send(ev.NoticeDone(notice, delivered, "delivered" if delivered else "refused three times"))

    def _AnswerCode(self, order: fx.AnswerCode) -> None:  # noqa: N802
        self.codes.discard(order.dialog)

    # ---- devices --------------------------------------------------------------------------------------------

    def device(self, leg: LegId, ms: int, act: Callable[[Dialog], None]) -> None:
        """Lets a device act on its dialog some time later, if that still exists then."""

        def then() -> None:
            dialog = self.dialogs.get(leg)
            if dialog is not None:
                act(dialog)

        self.after(ms, then)

    def _dial(self, dialog: Dialog) -> None:
        self.dialogs[dialog.leg] = dialog
        if self.chance.random() < 0.9:
            self.device(dialog.leg, self.chance.randrange(2, 80), self._ring)

    def _ring(self, dialog: Dialog) -> None:
        if not dialog.up and not dialog.ending:
            self.send(ev.LegRang(dialog.leg))

    def answer(self, dialog: Dialog) -> None:
        """The far device answers a call of ours; the 200 may cross our CANCEL."""
        if not dialog.up:
            self._up(dialog)
            self.send(ev.LegAnswered(dialog.leg))

    def _up(self, dialog: Dialog) -> None:
        dialog.up = True
        self.workers.add(call_of_leg(dialog.leg))
        fate = self.chance.random()
        if fate < 0.55:
            end = LOST if fate < 0.06 else BYE
            self.device(dialog.leg, self.chance.randrange(200, 240_000), lambda gone: self.end(gone, end))
        if dialog.role == "outside":
            self.device(dialog.leg, self.chance.randrange(1_000, 24_000), self.press_key)
        if dialog.role == "operator":
            for _ in range(self.chance.randrange(4)):
                self.device(dialog.leg, self.chance.randrange(1_000, 90_000), self.type)

    def type(self, dialog: Dialog) -> None:
        """DTMF: a digit, or a code."""
        for digit in self.chance.choice(("1", "2", "7", "*51", "*9", "*", "*4", "*6", "*8")):
            if dialog.leg in self.dialogs:
                self.send(ev.DigitPressed(dialog.leg, digit))

    def press_key(self, dialog: Dialog) -> None:
        """A party's key: the one that accepts, or another."""
        self.send(ev.DigitPressed(dialog.leg, "1" if self.chance.random() < 0.8 else "3"))

    def press_keys(self, dialog: Dialog) -> None:
        """A caller's keys, while waiting or later: those of a ladder's step, a button's, or any."""
        for digit in self.chance.choice(("5", "55", "9", "*5", "#")):
            if dialog.leg in self.dialogs:
                self.send(ev.DigitPressed(dialog.leg, digit))

    def hang_up_unanswered(self, dialog: Dialog) -> None:
        """A caller gives up before the 200."""
        if not dialog.up:
            self.end(dialog, CANCELLED)

    def _end_for_us(self, dialog: Dialog) -> None:
        self.end(dialog, ENDED_BY_US)

    def end(self, dialog: Dialog, termination: Termination) -> None:
        """The dialog is over, exactly once."""
        if self.dialogs.pop(dialog.leg, None) is not None:
            self.send(ev.LegEnded(dialog.leg, termination))

    def crash(self) -> None:
        """The switchboard died: unanswered dialogs that it dialled and presses without a leg are gone without a word."""
        for dialog in list(self.dialogs.values()):
            if not dialog.up and (not dialog.inbound or self.chance.random() < 0.5):
                del self.dialogs[dialog.leg]
        self.presses.clear()
        self.notices.clear()

    def kill_worker(self) -> CallId | None:
        """One call's process dies; its number, where there was one."""
        if not self.workers:
            return None
        call = self.chance.choice(sorted(self.workers))
        self.workers.discard(call)
        self.shapes.pop(call, None)
        return call
