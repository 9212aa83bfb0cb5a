"""Checks of `doctor` about the journal's key and its outside anchors; docs/evidence-chain.md tells what they are for."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from callserver.commands.findings import Finding, fault, good, warning

if TYPE_CHECKING:
    from callserver.config import Config


def evidence(config: "Config") -> Iterator[Finding]:
    """The key can be read by its owner alone, and something outside can be told of the journal."""
    from callserver.store.evidence.anchors import unreached

    yield from _key(config)
    if not config.evidence.anchors:
        what_to_do = "Set [evidence] anchors: a file on another disk, a webhook, syslog or mail."
        yield warning("anchors", "there is none, so a journal that was cut short would not show", what_to_do)
    for name in config.evidence.anchors:
        if why := unreached(config, name):
            what_to_do = "Until it is reached nothing outside knows of the journal's newest rows: look at it, or name another."
            yield fault("anchors", f"{name} cannot be reached: {why}", what_to_do)
        elif _on_the_same_disk(config, name):
            yield warning("anchors", f"{name} lies on the journal's own disk", "Whoever has that disk has both: use another.")
        else:
            yield good("anchors", f"{name} is in reach")


def _key(config: "Config") -> Iterator[Finding]:
    from callserver.store.evidence.keys import KeyUnusable, read_key
    from callserver.store.evidence.notary import key_path

    path = key_path(config)
    try:
        if not path.exists():
            yield good("key", f"{path} is made at the first start")
        elif path.stat().st_mode & 0o077:
            yield fault("key", f"{path} can be read by others", f"chmod 600 {path}, then callserver key rotate.")
        else:
            yield good("key", f"{path}, fingerprint {read_key(path).name}")
    except (KeyUnusable, OSError) as error:
        yield fault("key", f"the journal cannot be signed: {error}", "Put the key back from its copy, or callserver key rotate.")


def _on_the_same_disk(config: "Config", name: str) -> bool:
    scheme, _, path = name.partition(":")
    try:
        return scheme == "file" and Path(path).parent.stat().st_dev == config.storage.data.stat().st_dev
    except OSError:
        return False  # not there: the running service tells by an alarm
