"""What `medonline doctor` checks of this installation: settings, keys, files, the database, the store of the limits."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile

from medonline.bootstrap.limit_stores import build_limit_store
from medonline.cli.checks.finding import Finding
from medonline.cli.known_key import fault_of_key
from medonline.cli.private_files import too_open
from medonline.cli.running import noted_in
from medonline.config.keys import has_low_variety
from medonline.config.outgoing import ca_ends
from medonline.config.settings import Config
from medonline.config.types import without_passwords
from medonline.services.clock import utc_now
from medonline.services.limits.alarms import Alarms
from medonline.services.limits.windows import LimitStoreDown
from medonline.storage.engine import Database, clock_ahead, patience
from medonline.storage.revisions import revisions, sqlite_file

MOST_SKEW = timedelta(seconds=30)  # leases and limits of several processes depend on both clocks


def settings(config: Config) -> Finding:
    """The mode, the address and the folder in force."""
    return Finding("settings", True, f"mode {config.mode}, public address {config.origin}, data in {config.data_dir}")


def demo(config: Config) -> list[Finding]:
    """Whether the stand-ins that the demo needs answer. They are part of the running portal."""
    noted = noted_in(config.data_dir) if config.demo else None
    if noted is None:
        return []
    if noted.lives:
        return [Finding("demo", True, f"process {noted.process} serves {noted.address}")]
    last = f"the one of {config.data_dir}, at {noted.address}, does not run any more"
    return [Finding("demo", False, f"{last}, and its stand-ins answer only while it does: start it with `make run`")]


def regions(config: Config) -> Finding:
    """Which regions patients choose from."""
    source = str(config.regions_file) if config.regions_file else "no MEDONLINE_REGIONS_FILE: one region without a name"
    return Finding(
        "regions", True, f"{len(config.regions)} ({', '.join(one.code for one in config.regions)}), {source}"
    )


def key(config: Config) -> Finding:
    """Whether somebody could guess the key."""
    kind = "the demo's own random key" if config.demo else "MEDONLINE_SECRET_KEY"
    if has_low_variety(config.key):  # production does not start with such a key
        return Finding(
            "key", False, f"{kind} repeats itself, so it can be guessed: `medonline keys new` makes a random one"
        )
    old = sum(map(has_low_variety, config.older_keys))
    of_before = f"; {old} of MEDONLINE_OLD_SECRET_KEYS can be guessed: run `medonline keys reseal`" if old else ""
    return Finding("key", True, f"{kind}, {len(config.key)} characters{of_before}")


def files(config: Config) -> Finding:
    """Whether the portal can write into the data folder, and only its owner can read it."""
    folder = config.data_dir.resolve()
    kept = "data_dir" in config.model_fields_set or sqlite_file(config.database) is not None
    if kept and (trouble := _trouble_with_folder(folder)):
        return Finding("files", False, f"{trouble}: name a folder of the portal's own user with MEDONLINE_DATA_DIR")
    found = too_open(config)
    if found:
        return Finding("files", False, "; ".join(map(str, found)))
    if not folder.exists():
        text = f"{folder} is not there yet, and can be made" if kept else "none: no folder is named, and none is needed"
        return Finding("files", True, text)
    return Finding("files", True, f"what is in {config.data_dir} can be read by its owner alone")


def _trouble_with_folder(folder: Path) -> str:
    """Why the portal cannot write into a folder; empty when it can. The trial uses a file without a name, so nothing is left behind."""
    try:
        nearest = next(one for one in (folder, *folder.parents) if os.path.exists(one))
        with TemporaryFile(dir=nearest):
            return ""
    except OSError as error:
        why = error.strerror or type(error).__name__
        return f"{folder} {'cannot be written to' if os.path.exists(folder) else 'is not there, and cannot be made'} ({why})"


def trusted_roots(config: Config) -> list[Finding]:
    """The trusted roots besides the public ones. The settings already refuse a file that cannot be read."""
    findings = []
    for name, path in config.ca_files.items():
        ends = ca_ends(path)
        over = [f"{whose} ended on {end:%Y-%m-%d}" for whose, end in ends.items() if end <= utc_now()]
        soonest = f"the first of {len(ends)} certificates in {path} ends on {min(ends.values()):%Y-%m-%d}"
        text = f"{name}: {'; '.join(over)}, in {path}" if over else f"{name}: {soonest}"
        findings.append(Finding("trusted roots", not over, text))
    return findings


async def database(config: Config) -> list[Finding]:
    """Whether the database answers, has the tables of this version and rows made with this key, and has the same clock time."""
    where = without_passwords(config.database)
    file = sqlite_file(config.database)
    if file is not None and not file.exists():
        return [
            Finding("database", True, f"{where} is not made yet"),
            Finding("migrations", False, "There are no tables yet: run `medonline migrate`."),
        ]
    cut = config.database_statement_timeout  # the patients' timeout, so that the report shows what patients get
    database = Database(config.database, lock_timeout=config.database_lock_timeout, statement_timeout=cut)
    try:
        await database.is_alive()
        limits = await database.read(patience)
        found = await revisions(database)
        key_fault = "" if found.fault else await fault_of_key(config, database)
        skew = await database.read(clock_ahead)
    except Exception as error:
        why = str(error).partition("\n")[0]
        return [Finding("database", False, f"{where} does not answer: {type(error).__name__}: {why}")]
    finally:
        await database.close()
    text = found.fault or f"at revision {found.has}"
    answers = f"{where} answers" + (f"; {limits}" if limits else "")
    findings = [Finding("database", True, answers), Finding("migrations", not found.fault, text)]
    if key_fault:
        findings.append(Finding("key of the rows", False, key_fault))
    if abs(skew) > MOST_SKEW:
        text = f"the clocks of {where} and of this machine differ by {abs(skew).total_seconds():.0f} s"
        findings.append(Finding("clock", False, text))
    return findings


async def limits(config: Config) -> Finding:
    """Whether the store of the limits answers."""
    store = build_limit_store(config, Alarms(utc_now))
    try:
        return Finding("limits", True, await store.check())
    except LimitStoreDown as error:
        return Finding("limits", False, str(error))
    finally:
        await store.close()
