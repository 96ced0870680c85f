"""What the demo in this folder uses: `serve` writes it down, and other commands find it without any setting.

Production writes nothing: its settings come from the place where the operator keeps them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from medonline import frontend
from medonline.config.settings import Config, ConfigurationError, Mode, load_config

NAME = "portal.json"
_PREFIX = "MEDONLINE_"
# Settings that say where a portal's data is, but not what kind of portal it is.
_BESIDE = frozenset({"DATA_DIR", "LOG_LEVEL", "LOG_FORMAT", "HOST", "PORT"})


@dataclass(frozen=True, slots=True)
class Running:
    """A demo that is running with this data folder, or the last one that ran.

    Attributes:
        database: SQLAlchemy address. It may contain a password, so only the owner may read the file.
        address: where browsers reach the demo.
        process: the process id of the command `serve`.
    """

    mode: str
    data_dir: str
    database: str
    address: str
    host: str
    port: int
    process: int

    @property
    def lives(self) -> bool:
        """Whether its process still exists."""
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def write_down(config: Config) -> None:
    """Write down what this process serves, for a demo only. Replaces the whole note of an earlier process."""
    if not config.demo:
        return
    folder = config.data_dir.resolve()
    noted = Running(
        str(config.mode), str(folder), config.database, config.origin, config.host, config.port, os.getpid()
    )
    fresh = folder / f"{NAME}-{os.getpid()}"
    fresh.touch(mode=0o600)
    fresh.chmod(0o600)
    fresh.write_text(json.dumps(asdict(noted), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    fresh.replace(folder / NAME)


def noted_in(folder: Path) -> Running | None:
    """What the demo of a data folder noted. None if none ran or the note cannot be read."""
    try:
        return Running(**json.loads((folder / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def found(environment: Mapping[str, str]) -> Running | None:
    """The demo that a command in this folder works on. None if none ran. If a data folder is set explicitly, only that one is searched."""
    named = environment.get(f"{_PREFIX}DATA_DIR")
    folders = [Path(named)] if named else [Path("var"), frontend.ROOT / "var"]
    return next((one for one in map(noted_in, folders) if one is not None), None)


def settings_beside(look_first: Callable[[], None] | None = None) -> Config:
    """The settings of a command: from the environment or, if it names no portal, from the demo of this folder.

    look_first: called when the environment is complete and before anything is created.

    Raises:
        ConfigurationError: no portal is named and no demo was started here; or as `load_config`.
    """
    mode = os.environ.get(f"{_PREFIX}MODE")
    named = {name.removeprefix(_PREFIX) for name in os.environ if name.startswith(_PREFIX)}
    if mode in (Mode.PRODUCTION, Mode.STAGING) or (mode is None and named - _BESIDE):
        return load_config()
    demo = found(os.environ)
    if demo is None and mode is None:
        msg = (
            f"No setting names a portal, and no demo was started in {Path('var').resolve()}: start one with `make run`, name its "
            "folder with MEDONLINE_DATA_DIR, or set what production needs (docs/operations.md)."
        )
        raise ConfigurationError(msg)
    if demo is not None:
        values = {"MODE": demo.mode, "DATA_DIR": demo.data_dir, "HOST": demo.host, "PORT": str(demo.port)}
        if demo.database != f"sqlite:///{Path(demo.data_dir) / 'medonline.sqlite3'}":
            values["DATABASE_URL"] = demo.database
        for name, value in values.items():
            os.environ.setdefault(f"{_PREFIX}{name}", value)
    if look_first is not None:
        look_first()
    return load_config()
