"""What a wheel holds beside the code: the migrations, the built pages, the lock. An editable install reads them in the checkout."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
INSTALLED = runpy.run_path(str(HERE / "medonline" / "installed.py"))
RUNTIME_LOCK = runpy.run_path(str(HERE / "tools" / "runtime_lock.py"))
FILES = ("alembic.ini", "rxconfig.py")
FOLDERS = ("alembic", "assets", str(INSTALLED["BUILT"]), str(INSTALLED["BACKEND"]))


class BuildWithPages(build_py):
    """The code, and in its folder `packaged` what it needs beside itself (medonline/installed.py)."""

    def run(self) -> None:
        """Build for a wheel; nothing more than usual for an editable install."""
        if self.editable_mode:
            super().run()
            return
        if not INSTALLED["is_fresh"](HERE):
            raise SystemExit(
                "The pages are not built from these sources: run `make wheel`, or `medonline build` first."
            )
        shutil.rmtree(self.build_lib, ignore_errors=True)  # what an earlier build left there would be packed as well
        super().run()
        pack(Path(self.build_lib) / "medonline" / INSTALLED["IN_WHEEL"].name)


def pack(into: Path) -> None:
    """Copy the files beside the code, in the same shape."""
    for folder in FOLDERS:
        shutil.copytree(HERE / folder, into / folder, ignore=shutil.ignore_patterns("__pycache__", "external"))
    for file in FILES:
        shutil.copyfile(HERE / file, into / file)
    lock = (HERE / "requirements.lock").read_text(encoding="utf-8")
    (into / "requirements.lock").write_text(RUNTIME_LOCK["without_build_tools"](lock), encoding="utf-8")


setup(cmdclass={"build_py": BuildWithPages})
