"""Whether the switchboard answers: the supervisor asks it again and again over their link, and ends one that does not.

A process that hangs holds all sockets and answers nobody, and no pidfd tells of it. It is judged from its first answer on,
for a start takes as long as the journal is long. If we stood still ourselves (a suspended machine, a stopped process), the
silence is ours, and we begin anew.
"""

from collections import deque
from enum import Enum

ASK_EVERY_NS = 500_000_000
TROUBLE_NS = 2_000_000_000
KILL_NS = 5_000_000_000
STANDSTILL_NS = 1_000_000_000


class Verdict(Enum):
    """What is to be done now."""

    NOTHING = "nothing"
    ASK = "ask"
    ALARM = "alarm"  # and ask
    KILL = "kill"


class Heartbeat:
    """The questions to one switchboard; instants in nanoseconds of boottime."""

    def __init__(self) -> None:
        self.number = 0  # of the last question
        self.next_ns = 0  # 0: nobody is asked
        self._unanswered: deque[tuple[int, int]] = deque()  # questions: number, when it was put
        self._known = False  # it has answered since its start
        self._alarmed = False

    def begin(self, now_ns: int) -> None:
        """It was started."""
        self.end()
        self.next_ns = now_ns + ASK_EVERY_NS

    def end(self) -> None:
        """It died, or is to stop."""
        self.next_ns = 0
        self._unanswered.clear()
        self._known = self._alarmed = False

    def answered(self, number: int) -> None:
        """It answered a question, and so whatever was asked before; an answer to none that waits says nothing."""
        if number in {asked for asked, _ in self._unanswered}:
            self._known, self._alarmed = True, False
            while self._unanswered and self._unanswered[0][0] <= number:
                self._unanswered.popleft()

    def silent(self) -> bool:
        """Whether it has been silent for too long."""
        return self._alarmed

    def on_time(self, now_ns: int) -> Verdict:
        """What to do when `next_ns` has come; a question counts as put."""
        if not self.next_ns or now_ns < self.next_ns:
            return Verdict.NOTHING
        stood_still = now_ns - self.next_ns > STANDSTILL_NS
        self.next_ns = now_ns + ASK_EVERY_NS
        if stood_still:
            self._unanswered = deque((number, now_ns) for number, _ in self._unanswered)
        if not self._known and self._unanswered:
            return Verdict.NOTHING  # it starts; more questions would only fill the link
        silence_ns = now_ns - self._unanswered[0][1] if self._unanswered else 0
        if silence_ns >= KILL_NS:
            return Verdict.KILL
        self.number += 1
        self._unanswered.append((self.number, now_ns))
        if silence_ns >= TROUBLE_NS and not self._alarmed:
            self._alarmed = True
            return Verdict.ALARM
        return Verdict.ASK
