"""Checks of `doctor` about what is kept: the last backup, the site's key, when the disks are full, for how long sound stays."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from callserver.commands.findings import Finding, fault, good, warning

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from callserver.config import Config
    from callserver.sealed import SiteKey

HOUR_NS = 3_600_000_000_000
USUAL_HOURS = 48  # a backup that is older is told of, where the configuration does not say how old one may be
NEWEST = 20  # recordings that the site's key is tried on


# ---- the last backup --------------------------------------------------------------------------------------------


def backups(config: "Config") -> Iterator[Finding]:
    """The last one is young enough, was verified, and is still there; and it would be noticed if none were made."""
    from callserver.commands.store import reading
    from callserver.store.engine import store_path

    if not store_path(config.storage.data).is_file():
        yield good("backup", "there is nothing to save yet")
        return
    with reading(config) as engine:
        yield from _last_backup(engine, config.backup.alarm_after_hours or USUAL_HOURS)
    if not config.backup.alarm_after_hours:
        what_to_do = "Set [backup] alarm_after_hours to twice the interval of the timer."
        yield warning("backup", "no alarm rings when no backup is made", what_to_do)


def _last_backup(engine: "Engine", hours: int) -> Iterator[Finding]:
    from callserver.store.backups import LastBackup, newest

    last, made = LastBackup(), newest(engine)
    last.look(engine)
    age = (time.time_ns() - last.utc_ns) / HOUR_NS if last.utc_ns else 0.0
    if made is None:
        if age > hours:
            what = f"there is none of this journal, which is {_long(age)} old"
            yield fault("backup", what, "Run callserver backup DIR, DIR on another disk, and have a timer do so.")
        else:
            yield good("backup", "there is none yet, and the journal is young")
        return
    if age > hours:
        yield fault(
            "backup", f"the last one is {_long(age)} old: {made.where}", "Look why the timer does not run; callserver backup."
        )
    else:
        yield good("backup", f"{_long(age)} old, of {made.rows} rows: {made.where}")
    if not made.verified:
        yield warning("backup", "the last one was not verified when it was made", "Run callserver backup without --no-verify.")
    if not Path(made.where).exists():
        what_to_do = "Mount its disk, if it is meant to be here; or have it examined by callserver restore where it is."
        yield warning("backup", f"the last one cannot be seen from here: {made.where}", what_to_do)


def _long(hours: float) -> str:
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"


# ---- the site's key ---------------------------------------------------------------------------------------------


def site_key(config: "Config") -> Iterator[Finding]:
    """It is there where it is needed, is its owner's alone, and opens the newest recordings."""
    from callserver.config import ConfigError, next_site_key, site_keys

    storage, file = config.storage, config.storage.site_key_file
    for text in site_key_faults(config):
        yield fault("site-key", text, "Put its copy back; where there never was one: callserver key site make.")
    try:
        keys = site_keys(config)
    except ConfigError:
        return
    if keys and file and file.exists() and file.stat().st_mode & 0o077:
        what_to_do = f"chmod 600 {file}, then callserver key site rotate."
        yield fault("site-key", f"{file} can be read by others", what_to_do)
    if file and file.is_relative_to(storage.data) and not file.name.endswith(".key"):
        what = f"{file} goes into backups, beside what it opens"
        yield fault("site-key", what, "Keep it outside of [storage] data, or give it a name that ends with .key.")
    if file and next_site_key(file).exists():
        yield warning("site-key", "a change of the site's key was broken off", "Run callserver key site rotate again.")
    yield from _fits(storage.recordings, keys, storage.encrypt_recordings)


def site_key_faults(config: "Config") -> list[str]:
    """Why nothing can be encrypted where it should be, for `check` as well."""
    from callserver.config import ConfigError, site_keys

    file = config.storage.site_key_file
    try:
        if site_keys(config) or not config.storage.encrypt_recordings:
            return []
    except ConfigError as error:
        return list(error.faults)
    where = f"{file} cannot be read" if file else "neither [storage] site_key_file nor CALLSERVER_SITE_KEY gives one"
    return [f"recordings are to be encrypted, and there is no key: {where}"]


def _fits(recordings: Path, keys: "tuple[SiteKey, ...]", wanted: bool) -> Iterator[Finding]:
    """Whether the keys open the newest recordings; all of them are tried, since a change of the key may have come between."""
    from callserver.sealed import KeyMissing, SealBroken, is_sealed, opened

    folders = [folder for folder in recordings.iterdir() if folder.is_dir()] if recordings.is_dir() else []
    newest = sorted(folders, key=lambda folder: folder.stat().st_mtime, reverse=True)[:NEWEST]
    sealed, closed, broken = 0, 0, []
    for path in (path for folder in newest for path in sorted(folder.glob("*.flac"))):
        try:
            sealed += (encrypted := is_sealed(path))
            if encrypted:
                opened(path, keys).close()
        except KeyMissing:
            closed += 1
        except SealBroken as error:
            broken.append(str(error.strerror))
        except FileNotFoundError:
            continue  # its days were over
    for text in broken:
        yield fault("site-key", text, "Put the file back from a backup; callserver verify names all such files.")
    if closed:
        what = f"{closed} of the newest {sealed} encrypted files are under another key, or its copy is missing"
        yield fault("site-key", what, "Put back the key under which they were encrypted: without it nobody can listen.")
    elif sealed and not broken:
        yield good("site-key", f"it opens the newest recordings ({sealed} files)")
    elif wanted and keys and not broken:
        yield good("site-key", "it is there; nothing is encrypted yet")
    elif not wanted and not sealed:
        yield good("site-key", "recordings are not encrypted here")


# ---- disks and days ---------------------------------------------------------------------------------------------


def forecast(config: "Config") -> Iterator[Finding]:
    """When the disks will be full, as the archivist measured them."""
    from callserver.runtime.space import foretold

    found = foretold(config)
    if not found:
        yield good("forecast", "not known yet: the service measures its disks for an hour first")
    for names, hours, text in found:
        if text:
            what_to_do = "Make room, shorten [retention] days, or put captures and recordings on a larger disk."
            yield warning("forecast", text, what_to_do)
        else:
            when = "does not fill" if hours is None else f"is full in about {_long(hours)}"
            yield good("forecast", f"the disk of {' and '.join(names)} {when}")


def retention(config: "Config") -> Iterator[Finding]:
    """Sound goes some day, and the register outlives it; no hold waits for its review."""
    the = config.retention
    days, texts, register = (f"{count} days" if count else "for ever" for count in (the.days, the.text_days, the.register_days))
    what = f"recordings are kept {days}, texts {texts}, the register {register}, by {len(the.rules)} rules before that"
    if not the.days or not the.text_days:
        what_to_do = "Set [retention] days and text_days: personal data that is kept for ever needs a reason."
        yield warning("retention", what, what_to_do)
    else:
        yield good("retention", what)
    if the.register_days and not the.register_days > max(the.days, the.text_days):
        what_to_do = "Set [retention] register_days to the limitation period of your law."
        yield warning("retention", "the register of what left the record goes before what it is about", what_to_do)
    yield from _reviews(config)


def _reviews(config: "Config") -> Iterator[Finding]:
    from callserver.commands.store import reading
    from callserver.store.engine import store_path
    from callserver.store.retained import standing

    if not store_path(config.storage.data).is_file():
        return
    with reading(config) as engine:
        late = [hold for hold in standing(engine) if hold.review_utc_ns <= time.time_ns()]
    for hold in late:
        what_to_do = f"Look at it: callserver incidents release {hold.incident}, or place another with a later day."
        yield warning("retention", f"the hold on incident {hold.incident} was to be reviewed", what_to_do)
