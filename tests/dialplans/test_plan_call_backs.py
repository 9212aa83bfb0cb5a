"""What a queue says of its call-back list: times, and who is told."""

from dialplans.model import Queue
from dialplans.parse import examine, parse
from dialplans.sources import gather
from tests.dialplans.whole import RICH, faults_of

NOTICE = '\n[notices.chief]\nmail = "chief@example.org"\n'
HEAD = "[queues.office]\n"
SAID = f'{HEAD}call_back_within = "2m"\nreview_within = "1h"\nacknowledge_within = "30s"\noverdue_notify = ["chief"]\n'


def with_said(said: str) -> str:
    assert RICH.count(HEAD) == 1
    return RICH.replace(HEAD, said) + NOTICE


def test_a_queues_times_and_notices_are_read() -> None:
    queue = parse(with_said(SAID), "plan.toml").queues["office"]
    assert (queue.call_back_within_ms, queue.review_within_ms, queue.acknowledge_within_ms) == (120_000, 3_600_000, 30_000)
    assert queue.overdue_notify == ("chief",)


def test_without_a_word_there_are_five_minutes_half_an_hour_and_two_minutes() -> None:
    queue = Queue("q", ("g",), "l")
    assert (queue.call_back_within_ms, queue.review_within_ms, queue.acknowledge_within_ms) == (300_000, 1_800_000, 120_000)
    assert queue.overdue_notify == ()


def test_a_notice_that_is_not_there_is_a_fault_and_one_that_a_queue_names_is_used() -> None:
    (fault,) = faults_of(with_said(SAID.replace("chief", "nobody")))
    assert "'nobody' is not in notices" in str(fault)
    warnings = [str(one) for one in examine(gather("plan.toml", with_said(SAID), lambda path: ""))[1]]
    assert not [one for one in warnings if "chief" in one]
    warnings = [str(one) for one in examine(gather("plan.toml", with_said(HEAD), lambda path: ""))[1]]
    assert [one for one in warnings if "nobody uses 'chief' of notices" in one]
