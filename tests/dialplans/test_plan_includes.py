"""Plans of several files: which are read, what stands where, and whose line a fault names."""

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialplans.faults import Fault, PlanError
from dialplans.load import load, loaded
from dialplans.parse import parse
from tests.dialplans.whole import RICH, changed

CUT = RICH.index("[cameras.pier]")
MAIN = 'include = ["rest.toml"]\n\n' + RICH[:CUT]
REST = RICH[CUT:]


def faults(text: str, **files: str) -> list[Fault]:
    """What is said of a plan with these files; `night_rota` is night/rota.toml."""
    with pytest.raises(PlanError) as caught:
        parse(text, "site/plan.toml", {f"{name.replace('_', '/')}.toml": content for name, content in files.items()})
    return caught.value.faults


def test_a_plan_in_two_files_is_the_plan_in_one() -> None:
    assert parse(MAIN, "plan.toml", {"rest.toml": REST}) == parse(RICH, "plan.toml")


@given(st.sets(st.sampled_from([at for at in range(1, len(RICH)) if RICH.startswith("\n\n[", at)]), max_size=8))
def test_wherever_a_plan_is_cut_it_stays_the_same_plan(cuts: set[int]) -> None:
    bounds = [0, *sorted(cuts), len(RICH)]
    pieces = {f"{number}.toml": RICH[a:b] for number, (a, b) in enumerate(pairwise(bounds))}
    first = pieces.pop("0.toml")
    text = f"include = {sorted(pieces)}\n{first}"
    assert parse(text, "plan.toml", pieces) == parse(RICH, "plan.toml")


def test_a_fault_in_an_included_file_names_that_file_and_its_line() -> None:
    found = faults(MAIN, rest=REST.replace('name = "Pier head"', 'nme = "Pier head"'))
    assert [(fault.file, fault.line) for fault in found] == [("site/rest.toml", 1), ("site/rest.toml", 2)]


def test_faults_are_told_file_by_file_in_the_order_in_which_they_are_read() -> None:
    found = faults(MAIN.replace('ageing = "5m"', "ageing = 5"), rest=REST.replace("count = 3", 'count = "x"'))
    assert [fault.file for fault in found] == ["site/plan.toml", "site/rest.toml"]


def test_arrays_of_tables_follow_each_other_and_keep_their_lines() -> None:
    series = '[[point_series]]\nid = "{}%d"\nfirst = 1\nlast = 2\nplace = "P"\nqueue = "{}"\nprofile = "wall"\n'
    more = REST + series.format("shed", "harbour") + series.format("yard", "nowhere")
    plan = parse(MAIN, "plan.toml", {"rest.toml": more.replace("nowhere", "office")})
    assert list(plan.points) == ["pier", "quay1", "quay2", "shed1", "shed2", "yard1", "yard2"]
    (fault,) = faults(MAIN, rest=more)
    assert (fault.file, fault.line) == ("site/rest.toml", more[: more.index("nowhere")].count("\n") + 1)


def test_a_table_stands_in_one_file_only() -> None:
    (fault,) = faults(MAIN, rest=REST + "[profiles.wall]\n")
    assert (fault.file, fault.line) == ("site/rest.toml", REST.count("\n") + 1)
    first = MAIN[: MAIN.index("[profiles.wall]")].count("\n") + 1
    assert fault.what == f"'profiles.wall' stands in site/plan.toml already, line {first}"


def test_the_plans_own_table_is_in_one_file_as_a_whole() -> None:
    (fault,) = faults(MAIN, rest=REST + '[plan]\nhelp = ["sos"]\n')
    assert "'plan' stands in site/plan.toml already" in fault.what


def test_lines_of_one_table_may_stand_in_two_files_but_not_twice() -> None:
    assert len(parse(MAIN + '[codes]\n"*1" = "available"\n', "plan.toml", {"rest.toml": REST}).codes) == 2
    (fault,) = faults(MAIN + '[codes]\n"*8" = "pause"\n', rest=REST)
    assert (fault.file, fault.what.split(" already")[0]) == ("site/rest.toml", "'codes.*8' stands in site/plan.toml")


def test_an_included_file_may_include_by_paths_from_itself() -> None:
    head, tail = REST.split("[nuisance.pranks]")
    files = {"rota/night.toml": 'include = ["deep/tail.toml"]\n' + head, "rota/deep/tail.toml": "[nuisance.pranks]" + tail}
    text = MAIN.replace("rest.toml", "rota/night.toml")
    assert parse(text, "site/plan.toml", files) == parse(RICH, "plan.toml")
    files["rota/deep/tail.toml"] += "[cameras.pier]\n"
    with pytest.raises(
        PlanError, match=r"^site/rota/deep/tail\.toml:\d+: 'cameras\.pier' stands in site/rota/night\.toml already"
    ):
        parse(text, "site/plan.toml", files)


@pytest.mark.parametrize(
    ("include", "files", "file", "what"),
    [
        ('["rest.toml", "rest.toml"]', {"rest": REST}, "site/plan.toml", "'rest.toml' is included already"),
        ('["plan.toml"]', {}, "site/plan.toml", "'plan.toml' is included already"),
        ('["rest.toml"]', {"rest": 'include = ["plan.toml"]\n' + REST}, "site/rest.toml", "'plan.toml' is included already"),
        ('["rest.toml"]', {"rest": 'include = ["./rest.toml"]\n' + REST}, "site/rest.toml", "'./rest.toml' is included already"),
        ('["rest.toml"]', {}, "site/plan.toml", "'rest.toml' is not here"),
        ('["/etc/rest.toml"]', {}, "site/plan.toml", "'/etc/rest.toml' is no file beside this one"),
        ('["rest.txt"]', {}, "site/plan.toml", "'rest.txt' is no file beside this one"),
        ('"rest.toml"', {"rest": REST}, "site/plan.toml", "'include' is no list of files"),
        ("[7]", {}, "site/plan.toml", "7 is no text"),
        ('["rest.toml"]', {"rest": "x ="}, "site/rest.toml", "This is no TOML"),
    ],
)
def test_an_include_that_cannot_be_followed_is_a_fault(include: str, files: dict[str, str], file: str, what: str) -> None:
    (fault,) = faults(MAIN.replace('["rest.toml"]', include), **files)
    assert (fault.file, what in fault.what) == (file, True), fault
    assert fault.line == 1


def test_all_files_that_are_no_toml_are_told_at_once() -> None:
    found = faults(MAIN.replace('"rest.toml"', '"a.toml", "b.toml"'), a="x =", b="\n\ny =")
    assert [(fault.file, fault.line) for fault in found] == [("site/a.toml", 1), ("site/b.toml", 3)]


def test_a_plan_has_at_most_thirty_two_files() -> None:
    names = [f"n{number}" for number in range(32)]
    text = MAIN.replace('["rest.toml"]', str([f"{name}.toml" for name in names]))
    (fault,) = faults(text, **dict.fromkeys(names, ""))
    assert fault.what == "the plan has more than 32 files"
    fewer = MAIN.replace('["rest.toml"]', str([f"{name}.toml" for name in names[:31]]))
    assert parse(fewer, "plan.toml", {f"{name}.toml": "" for name in names} | {"n3.toml": REST}).points


def test_include_within_a_table_is_an_unknown_key() -> None:
    (fault,) = faults(changed('ageing = "5m"\n', 'ageing = "5m"\ninclude = ["x.toml"]\n'))
    assert "unknown key 'include' in plan" in fault.what


def test_loading_reads_what_is_included_and_sums_over_all(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(MAIN)
    (tmp_path / "rest.toml").write_text(REST)
    found = loaded(tmp_path / "plan.toml")
    assert found.plan == load(tmp_path / "plan.toml") == parse(RICH, "plan.toml")
    assert found.files == ((str(tmp_path / "plan.toml"), MAIN), (str(tmp_path / "rest.toml"), REST))
    (tmp_path / "rest.toml").write_text(REST + "# later\n")
    assert loaded(tmp_path / "plan.toml").digest != found.digest


def test_the_sum_of_one_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(RICH)
    assert loaded(tmp_path / "plan.toml").digest == hashlib.sha256(RICH.encode()).hexdigest()


def test_what_moves_from_one_file_to_the_other_changes_the_sum(tmp_path: Path) -> None:
    """The same characters in the same order, cut elsewhere."""
    sums = set()
    for extra, rest in (("", "# a\n" + REST), ("# a\n", REST)):
        (tmp_path / "plan.toml").write_text(MAIN + extra)
        (tmp_path / "rest.toml").write_text(rest)
        sums.add(loaded(tmp_path / "plan.toml").digest)
    assert len(sums) == 2


def test_an_included_file_that_is_not_there_or_not_utf8_is_a_fault_of_the_include(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(MAIN.replace('"rest.toml"', '"gone.toml", "latin.toml"'))
    (tmp_path / "latin.toml").write_bytes(b"# one\n# caf\xe9\n")
    with pytest.raises(PlanError) as caught:
        load(tmp_path / "plan.toml")
    told = [(fault.line, fault.what) for fault in caught.value.faults]
    assert told == [
        (1, "'gone.toml' cannot be read: No such file or directory"),
        (1, "line 2 of 'latin.toml' is not in UTF-8"),
    ]


def test_a_mark_of_byte_order_is_no_fault(tmp_path: Path) -> None:
    """As some editors of Windows write it."""
    (tmp_path / "plan.toml").write_bytes(b"\xef\xbb\xbf" + RICH.replace("\n", "\r\n").encode())
    assert load(tmp_path / "plan.toml") == parse(RICH, "plan.toml")
