"""A plan that says a little of everything, and a way to change one place of it."""

import pytest

from dialplans.faults import Fault, PlanError
from dialplans.parse import parse

RICH = """\
[plan]
name = "Harbour"
time_zone = "Europe/London"
ageing = "5m"
holidays = ["2027-01-01", "2026-12-25"]

[[hours.office]]
days = ["mon-fri"]
from = "08:00"
until = "18:00"
holidays = "closed"
[[hours.office]]
from = "22:30"
until = "06:00"
holidays = "only"

[profiles.wall]
queue_limit = "20s"
auto_answer = "call-info"

[points.pier]
place = "Pier"
queue = "harbour"
profile = "wall"
language = "cy"
cameras = ["pier"]
skills = ["welsh"]
nuisance = "pranks"
[points.pier.buttons.question]
priority = "information"
user = "question"
queue = "office"
[points.pier.buttons.lift]
priority = "high"
header = "X-Button:lift"
[points.pier.buttons.alarm]
priority = "emergency"
digit = "9"

[[point_series]]
id = "quay%d"
first = 1
last = 2
place = "Quay %d"
queue = "harbour"
profile = "wall"
[point_series.buttons.question]
priority = "normal"
user = "question"

[operators.mary]
name = "Mary"
groups = ["desk", "evening"]
skills = ["welsh"]

[groups.evening]
name = "Evening shift"
hours = "office"

[queues.harbour]
groups = ["desk"]
ladder = "harbour"
strategy = "fewest-calls"
wrap_up_cut = false
auto_pause_after = 3
most_waiting = 4
longest_wait = "2m"
service_target = "20s"
preempt_after = "10s"
raise_after_presses = 2
raise_when_silent = true
reassurance = "wait"
[[queues.harbour.tiers]]
after = "10s"
groups = ["evening"]
[[queues.harbour.ladders]]
hours = "office"
ladder = "day"

[queues.office]
groups = ["evening"]
ladder = "day"

[ladders.harbour]
[[ladders.harbour.steps]]
after = "30s"
ring = "evening"
ring_for = "20s"
or_at_once_when = ["all-busy", "digits:55"]
[[ladders.harbour.steps]]
after = "40s"
call = "coastguard"
tries = 2
hours = "office"
[[ladders.harbour.steps]]
after = "50s"
say = "police"
notify = ["master", "system"]
[[ladders.harbour.steps]]
after = "60s"
call = "police"

[ladders.day]
[[ladders.day.steps]]
after = "20s"
hand_to = "harbour"
or_at_once_when = "nobody-on-duty"

[parties.police]
name = "Police"
reference = "URN 4711"
[[parties.police.routes]]
uri = "sip:police@192.0.2.7"

[parties.coastguard]
name = "Coastguard"
hours = "office"
fallback = "police"
[[parties.coastguard.routes]]
uri = "sip:coastguard@192.0.2.7"

[cameras.pier]
name = "Pier head"
url = "https://cameras.example/pier?zoom=2"

[nuisance.pranks]
outcomes = ["misuse"]
count = 3
within = "7d"
priority = "normal"

[notices.master]
mail = "master@harbour.example"
[notices.system]
webhook = "http://192.0.2.8:8080/hooks"

[texts.wait]
en = "Please wait"
cy = "Arhoswch"
[texts.police]
en = "We are calling the police"
cy = "Rydym yn galw'r heddlu"

[pauses]
break = "Break"

[outcomes]
misuse = "Misuse"

[codes]
"*8" = "ladder"
"""


def changed(old: str, new: str, text: str = RICH) -> str:
    """The text with the one place that reads `old` changed."""
    assert text.count(old) == 1, f"{old!r} must stand once in the text"
    return text.replace(old, new)


def faults_of(text: str) -> list[Fault]:
    """What is said of a text that is no plan."""
    with pytest.raises(PlanError) as caught:
        parse(text, "plan.toml")
    return caught.value.faults


def line_of(text: str, marked: str) -> int:
    """The line, from 1, that holds `marked`; with "#2" at its end the second such line."""
    words, _, which = marked.partition("#")
    return [number for number, line in enumerate(text.splitlines(), start=1) if words in line][int(which or 1) - 1]
