"""Whether what one table names is in another."""

from dialplans.lines import Path
from dialplans.reading import Draft, Reading

_SHOWN = 8


def named(reading: Reading, draft: Draft, path: Path, section: str, name: str) -> None:
    """Note a fault at `path` unless `name` is written in `section`; the empty name names nothing."""
    if name and not draft.knows(section, name):
        known = ", ".join(sorted(each for where, each in draft.where if where == section)[:_SHOWN]) or "none yet"
        reading.fault(path, f"'{name}' is not in {section}", f"Write one of those in {section} ({known}), or add it there")


def among(reading: Reading, draft: Draft, path: Path, sections: tuple[str, ...], name: str) -> None:
    """Note a fault at `path` unless `name` is written in one of these; a group is where operators are in it."""
    grouped = {group for operator in draft.operators.values() for group in operator.groups}
    found = any(draft.knows(section, name) for section in sections) or ("groups" in sections and name in grouped)
    if not found and not ("groups" in sections and _unread(draft)):
        what = f"'{name}' is in none of {', '.join(sections)}" if len(sections) > 1 else f"'{name}' is not in {sections[0]}"
        known = sorted({each for where, each in draft.where if where in sections} | (grouped if "groups" in sections else set()))
        reading.fault(path, what, f"Write one of those ({', '.join(known[:_SHOWN]) or 'none yet'}), or add it")


def staffed(reading: Reading, draft: Draft, path: Path, group: str) -> None:
    """A group without an operator could never ring."""
    built = {group for operator in draft.operators.values() for group in operator.groups}
    if group not in built and not _unread(draft):
        known = ", ".join(sorted(built)) or "none yet"
        reading.fault(path, f"no operator is in group '{group}'", f"Write a group that has operators ({known}), or add one to it")


def skilled(reading: Reading, draft: Draft, path: Path, skill: str) -> None:
    """A skill that no operator has could never be found."""
    built = {skill for operator in draft.operators.values() for skill in operator.skills}
    if skill not in built and not _unread(draft):
        known = ", ".join(sorted(built)) or "none yet"
        reading.fault(path, f"no operator has the skill '{skill}'", f"Write one that operators have ({known}), or add it to one")


def _unread(draft: Draft) -> bool:
    """Operators that could not be read are given the benefit of the doubt."""
    return any(where == "operators" and name not in draft.operators for where, name in draft.where)
