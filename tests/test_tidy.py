"""Style that matters: sizes, names, what is caught, what is never written. Each exception stands here with its reason."""

import ast
import re
from collections.abc import Iterator, Mapping

from tests import sources

MOST_LINES_OF_A_FUNCTION = 40
MOST_LINES_OF_A_FILE = 400

LONG_FILES: Mapping[str, str] = {  # file: why it may be longer
    "callserver/store/evidence/verify_journal.py": "strangers are given one file, and read it from its head to its end",
}
LONG_FUNCTIONS: Mapping[str, str] = {}  # file:function: why it may be longer

BROAD_CATCHES: Mapping[str, str] = {
    # file:function: why it may catch everything without raising it again
    "callserver/runtime/dispatcher.py:_handle": "an event that breaks the core must not stop the others; an alarm rings",
    "callserver/runtime/dispatcher.py:_broken": "nor may a journal that cannot be read; an alarm rings",
    "callserver/runtime/dispatcher.py:_perform": "an order that breaks must not stop the others; an alarm rings, its leg ends",
    "callserver/runtime/perform.py:_abandon": "what ends a broken leg may break too; the core is told of its end all the same",
}

NOT_OUR_WORDS = frozenset(
    {"manager", "handler", "helper", "util", "utility", "utilities", "agent", "channel", "context", "session"}
)
TERMS: Mapping[str, str] = {
    # part of a name: whose word it is
    "user_agent": "RFC 3261 20.41, a header",
    "session_timer": "RFC 4028",
    "session_expires": "RFC 4028, a header",
}
NAMES_ALLOWED: Mapping[str, str] = {
    "channels": "how many voices a WAV or an SDP format has (RFC 8866 6.6), as their texts call it",
}
SIGNED_IN = ("callserver/web/", "tests/web/")  # a signed-in person's; the word is taken by the web

PRINTERS: Mapping[str, str] = {
    "callserver/cli.py": "the commands",
    "callserver/commands/": "the commands",
    "callserver/runtime/demo.py": "the body of a command",
    "callserver/runtime/supervisor.py": "loads no log library; it speaks to standard error",
}
ENVIRONMENT = frozenset({"environ", "environb", "getenv", "putenv"})

SLEEPERS = ("tests/eventually.py",)

# Put together from halves, so that this file does not hold what it looks for.
UNFINISHED = re.compile("|".join((r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"\bXX" + r"X\b", "NotImplemented" + "Error")))
ELSEWHERE = re.compile(
    "|".join(
        (
            r"(?:^|[^A-Za-z0-9_.])/(?:wo" + r"rk|ro" + r"ot|fa" + r"rm|home)/",
            r"(?i:\bclau" + r"de\b|\banthro" + r"pic\b|\blanguage mo" + r"del)",
            r"pyp" + r"i-more|\bDES" + r"IGN\b|\b(?:MEDIA|SIP|RESCUE)-NO" + r"TES\b",
            r"\bSTY" + r"LE\.md|\bMISSION-REF" + r"ERENCE",
        )
    ),
    re.MULTILINE,
)
TAKEN_OVER = ("LICENSE",)


def definitions(name: str) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    """Every function of a file with its name."""
    for node in ast.walk(sources.tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, f"{name}:{node.name}"


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How long a function is, from `def` to its last line."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_functions_are_short() -> None:
    """A function that does not fit is two functions."""
    found = [(where, lines_of(node)) for name in sources.python_files() for node, where in definitions(name)]
    assert [item for item in found if item[1] > MOST_LINES_OF_A_FUNCTION and item[0] not in LONG_FUNCTIONS] == []
    assert [where for where in LONG_FUNCTIONS if where not in dict(found)] == []


def test_files_are_short() -> None:
    """A file that does not fit has two subjects."""
    found = {name: sources.text(name).count("\n") for name in sources.python_files()}
    assert {n: count for n, count in found.items() if count > MOST_LINES_OF_A_FILE and n not in LONG_FILES} == {}
    assert [name for name in LONG_FILES if found.get(name, 0) <= MOST_LINES_OF_A_FILE] == []


def catches_everything(node: ast.ExceptHandler) -> bool:
    """Whether an except clause takes any exception and does not raise again."""
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    broad = any(kind is None or getattr(kind, "id", "") in ("Exception", "BaseException") for kind in kinds)
    return broad and not any(isinstance(inner, ast.Raise) for statement in node.body for inner in ast.walk(statement))


def test_nothing_is_swallowed() -> None:
    """What is caught is named, or raised again; a bare except never."""
    found, bare = set(), []
    for name in sources.python_files():
        bare += [
            f"{name}:{n.lineno}" for n in ast.walk(sources.tree(name)) if isinstance(n, ast.ExceptHandler) and n.type is None
        ]
        for node, where in definitions(name):
            if any(isinstance(inner, ast.ExceptHandler) and catches_everything(inner) for inner in ast.walk(node)):
                found.add(where)
    assert bare == []
    assert sorted(found - set(BROAD_CATCHES)) == []
    assert sorted(set(BROAD_CATCHES) - found) == []


def test_no_test_sleeps() -> None:
    """Tests and their peers wait by tests/eventually.py alone."""
    faults = []
    for name in sources.python_files("tests"):
        if name not in SLEEPERS:
            for node in ast.walk(sources.tree(name)):
                attribute = isinstance(node, ast.Attribute) and node.attr == "sleep"
                imported = isinstance(node, ast.ImportFrom) and any(alias.name == "sleep" for alias in node.names)
                if attribute or imported:
                    faults.append(f"{name}:{getattr(node, 'lineno', 0)}")
    assert faults == []


def words_of(name: str) -> set[str]:
    """The words of an identifier, singular: `callHandlers_x` is call, handler, x."""
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).replace("-", "_").lower().split("_")
    return {form for part in parts for form in (part, part.removesuffix("s"))}


def without_terms(name: str) -> str:
    """An identifier without the terms of the standards in it."""
    for term in TERMS:
        name = name.replace(term, "")
    return name


def defined_names(name: str) -> Iterator[tuple[str, int]]:
    """Every name that a file gives to something: modules, classes, functions, arguments, variables, attributes, aliases."""
    for part in name.removesuffix(".py").split("/"):
        yield part, 0
    for node in ast.walk(sources.tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, 0


def test_words_are_of_the_field() -> None:
    """No name of ours says nothing: see GLOSSARY.md for the words we use."""
    faults = []
    for name in sources.python_files(*sources.PACKAGES, "tests"):
        for given, line in defined_names(name):
            banned = words_of(without_terms(given)) & NOT_OUR_WORDS
            if name.startswith(SIGNED_IN):
                banned -= {"session"}
            if banned and given not in NAMES_ALLOWED:
                faults.append(f"{name}:{line}: {given}")
    assert faults == []


def test_words_are_split_as_they_are_read() -> None:
    """The name test sees through cases and plurals, and leaves longer words alone."""
    assert {"call", "handler"} <= words_of("callHandlers")
    assert {"ssl", "context"} <= words_of("ssl_context")
    assert not words_of("contextlib") & NOT_OUR_WORDS
    assert not words_of("manage") & NOT_OUR_WORDS
    assert not words_of(without_terms("the_session_timer")) & NOT_OUR_WORDS
    assert words_of(without_terms("user_agent_session")) & NOT_OUR_WORDS == {"session"}


def test_only_the_configuration_reads_the_environment() -> None:
    """One place, where every key is described."""
    faults = []
    for name in sources.python_files(*sources.PACKAGES):
        for node in ast.walk(sources.tree(name)):
            read = isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "os" and node.attr in ENVIRONMENT
            imported = isinstance(node, ast.ImportFrom) and node.module == "os" and {a.name for a in node.names} & ENVIRONMENT
            if (read or imported) and name != "callserver/config.py":
                faults.append(f"{name}:{getattr(node, 'lineno', 0)}")
    assert faults == []


def test_only_commands_print() -> None:
    """Processes log; commands print."""
    faults = []
    for name in sources.python_files(*sources.PACKAGES):
        for node in ast.walk(sources.tree(name)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                faults.append(f"{name}:{node.lineno}")
    assert [fault for fault in faults if not fault.startswith(tuple(PRINTERS))] == []


def test_nothing_is_unfinished() -> None:
    """What is not done is an issue, not a mark in the text."""
    assert matches(UNFINISHED, sources.files()) == []


def test_nothing_belongs_to_another_machine() -> None:
    """No path of somebody's machine and no document that is not here."""
    assert matches(ELSEWHERE, sources.files()) == []


def matches(pattern: re.Pattern[str], names: tuple[str, ...]) -> list[str]:
    """Where a pattern occurs, as file:line: text."""
    faults = []
    for name in names:
        if name not in TAKEN_OVER and not name.startswith(sources.FOREIGN):
            for number, line in enumerate(sources.text(name).splitlines(), 1):
                found = pattern.search(line)
                if found:
                    faults.append(f"{name}:{number}: {found.group()}")
    return faults


def test_every_public_thing_says_what_it_promises() -> None:
    """Modules, classes and functions of the packages that others may use have a docstring."""
    faults = []
    for name in sources.python_files(*sources.PACKAGES):
        tree = sources.tree(name)
        if tree.body and not ast.get_docstring(tree):
            faults.append(name)
        faults += [f"{name}:{node.lineno}: {node.name}" for node in public_definitions(tree) if not ast.get_docstring(node)]
    assert sorted(faults) == []


def public_definitions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Classes, functions and methods whose name has no underscore in front; what repeats another's promise is left out."""
    for outer in ast.walk(tree):
        if isinstance(outer, ast.Module | ast.ClassDef) and not getattr(outer, "name", "").startswith("_"):
            for node in outer.body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                    marks = {getattr(mark, "id", getattr(mark, "attr", "")) for mark in node.decorator_list}
                    if not marks & {"overload", "override", "setter"}:
                        yield node
