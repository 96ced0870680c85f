"""Files that only the portal's own user may read: the database, the stand-ins' store, the demo's keys, and their folder.

They hold names, phones and sealed numbers. The process's umask makes new files private. Older files are made private at the start, if the
portal owns them.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from medonline.config.settings import Config

_OTHERS = 0o077
# All files that the portal puts into its folder. A folder with anything else may be shared: closing it could lock others out.
_OWN = ("medonline.sqlite3", "sandbox.sqlite3", "demo.key", "demo-keys", "portal.json")
_OF_SQLITE = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class TooOpen:
    """A file or folder that somebody besides its owner may read or write."""

    path: Path
    mode: int

    def __str__(self) -> str:
        wanted = 700 if self.path.is_dir() else 600
        return f"{self.path} can be read by other users ({self.mode:04o}): run `chmod {wanted} {self.path}`"


def too_open(config: Config) -> list[TooOpen]:
    """The portal's files that others may read or write. Empty when all data is private."""
    found = []
    for path in _kept(config):
        try:
            facts = path.stat()
        except OSError:
            continue
        mode = stat.S_IMODE(facts.st_mode)
        if mode & _OTHERS:
            found.append(TooOpen(path, mode))
    return found


def make_private(config: Config) -> list[TooOpen]:
    """Remove the rights of others on the portal's data. Returns the files that the portal may not change."""
    for open_ in too_open(config):
        if not (open_.path == _folder(config) and not _is_own(open_.path)):
            try:
                open_.path.chmod(open_.mode & ~_OTHERS)
            except PermissionError:
                continue  # it belongs to another user, so it is reported
    return too_open(config)


def _kept(config: Config) -> list[Path]:
    folder = _folder(config)
    own = [found for found in sorted(folder.iterdir()) if _is_ours(found)] if folder.is_dir() else []
    inside = [path for one in own if one.is_dir() for path in sorted(one.iterdir())]
    return list(dict.fromkeys([folder, *own, *inside, *_database_files(config)]))


def _database_files(config: Config) -> list[Path]:
    url = make_url(config.database)
    if url.get_backend_name() != "sqlite" or not url.database:
        return []
    return [Path(f"{url.database}{end}") for end in _OF_SQLITE]


def _folder(config: Config) -> Path:
    return config.data_dir.resolve()


def _is_own(folder: Path) -> bool:
    """Whether a folder belongs to the portal alone: its user owns it, and the portal made everything in it."""
    return folder.stat().st_uid == os.geteuid() and all(map(_is_ours, folder.iterdir()))


def _is_ours(path: Path) -> bool:
    return any(path.name == name or path.name.startswith(f"{name}-") for name in _OWN)
