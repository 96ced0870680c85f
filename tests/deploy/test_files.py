"""The files of deploy/ are what their programs take, and agree with the code: settings, addresses, ports, limits, times."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from medonline import routes
from medonline.cli.main import medonline
from medonline.cli.server import FINISH_WITHIN, SPARE_CONNECTIONS, SPARE_FILES
from medonline.config.settings import Config, ConfigurationError, load_config
from medonline.framework.sockets import NAMESPACE
from medonline.state.socket_server import sockets
from medonline.web.edge.body import MAX_BODY
from medonline.web.wire.http import HEAD_WITHIN, MAX_HEAD
from tests.deploy import nginx_files

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
INSTALL = (ROOT / "docs/install.md").read_text(encoding="utf-8")
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SERVED = DEPLOY / "systemd" / "medonline@.service"
PORTALS = ("portal-1", "portal-2")
DEFAULTS = {name: field.default for name, field in Config.model_fields.items()}
OPEN_FILES = DEFAULTS["sockets_in_all"] + SPARE_CONNECTIONS + SPARE_FILES
TO_STOP = DEFAULTS["drain"] + timedelta(seconds=20)  # docs/operations.md#stopping
HARDENED = {
    *("NoNewPrivileges", "CapabilityBoundingSet", "ProtectSystem", "ProtectHome", "ProtectProc", "ProtectClock"),
    *("ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "ProtectControlGroups"),
    *("PrivateTmp", "PrivateDevices", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime"),
    *("RestrictSUIDSGID", "LockPersonality", "SystemCallArchitectures", "SystemCallFilter", "UMask"),
}


def example() -> dict[str, str]:
    """The settings of medonline.env.example, as the services get them."""
    lines = (DEPLOY / "medonline.env.example").read_text(encoding="utf-8").splitlines()
    named = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value.strip("'") for name, _, value in named}


FILLED_IN = {
    "MEDONLINE_SECRET_KEY": "2b7e151628aed2a6abf7158809cf4f3c",
    "MEDONLINE_TELEGRAM_TOKEN": "token",
    "MEDONLINE_UCALLER_KEY": "key",
    "MEDONLINE_UCALLER_SERVICE_ID": "100001",
}


def settings_of(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Config:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_config()


def unit(path: Path) -> dict[str, dict[str, list[str]]]:
    """A unit's sections; a key may come more than once."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            name, sign, value = line.partition("=")
            assert sign, line
            section.setdefault(name, []).append(value)
    return sections


def command_of(words: list[str]) -> click.Command:
    """The command that a line runs; its options are taken as click takes them.

    Raises:
        click.UsageError: there is no such command or option.
    """
    command: click.Command = medonline
    context = click.Context(medonline)
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None, name
        command = found
    command.make_parser(context).parse_args(list(words))
    return command


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MEDONLINE_")]:
        monkeypatch.delenv(name)


def test_every_setting_that_is_named_exists() -> None:
    texts = [path for path in DEPLOY.rglob("*") if path.is_file()] + [ROOT / "docs/install.md"]
    named = {
        (path.name, name)
        for path in texts
        for name in re.findall(r"MEDONLINE_([A-Z][A-Z0-9_]+)", path.read_text(encoding="utf-8"))
    }

    assert len(named) > 20
    assert {one for one in named if one[1].lower() not in Config.model_fields} == set()


# docs/install.md


@pytest.mark.parametrize("line", re.findall(r"^[#$] (?:docker compose exec portal-1 )?medonline (.+)$", INSTALL, re.M))
def test_a_command_of_the_page_exists(line: str) -> None:
    command_of(shlex.split(line, comments=True))


def test_files_and_services_of_the_page_are_there() -> None:
    files = {name.rstrip("/.") for name in re.findall(r"(?<![\w/])(?:\.\./)?deploy/([\w./@-]*)", INSTALL)}
    services = set(re.findall(r"\b(medonline[@-](?:8001|8002|migrate|verify\.timer))", INSTALL))

    assert {"bin/medonline", "nginx/portal.conf", "medonline.env.example", "compose.yml"} <= files
    assert [name for name in files if not (DEPLOY / name).exists()] == []
    assert {re.sub(r"@\d+", "@", name).removesuffix(".timer") for name in services} == {path.stem for path in UNITS}


def test_the_page_does_in_order_what_production_needs() -> None:
    steps = [
        INSTALL.index(f"\n# {step}")
        for step in ("medonline migrate", "medonline doctor", "systemctl enable --now", "nginx -t")
    ]

    assert steps == sorted(steps)


# Settings


def test_the_example_is_whole_when_what_is_empty_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings_of(monkeypatch, example() | FILLED_IN)

    assert {name for name, value in example().items() if not value} == set(FILLED_IN)
    assert config.trusted_proxy_hops == 1
    assert config.doubts == []
    assert not config.demo


@pytest.mark.parametrize("name", sorted(FILLED_IN))
def test_what_is_empty_in_the_example_is_asked_for_by_its_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=name):
        settings_of(monkeypatch, example() | FILLED_IN | {name: ""})


@pytest.mark.parametrize("name", ["migrate", *PORTALS])
def test_the_containers_settings_are_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = COMPOSE["services"][name]
    environment = {
        key: re.sub(r"\$\{(DATABASE|REDIS)_PASSWORD:\?\}", "secret", value)
        for key, value in service["environment"].items()
    }

    config = settings_of(monkeypatch, example() | FILLED_IN | environment)

    assert service["env_file"] == ["medonline.env"]
    assert (config.host, config.port, config.trusted_proxy_hops) == ("0.0.0.0", 8000, 1)  # noqa: S104
    assert config.database == "postgresql+psycopg://medonline:secret@postgres:5432/medonline"
    assert not any("$" in value for value in environment.values())


# Containers


def test_the_image_runs_as_its_own_user_and_asks_whether_it_is_ready() -> None:
    last = CONTAINERFILE.split("\nFROM ")[-1]

    assert CONTAINERFILE.count("\nFROM ") == 3
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert f"http://127.0.0.1:8000{routes.HEALTH_READY}" in last
    assert re.search(r"^EXPOSE 8000$", last, re.MULTILINE)
    assert "MEDONLINE_PORT=8000" in last
    assert re.findall(r"^COPY (.*)$", last, re.MULTILINE) == ["--from=install /opt/medonline /opt/medonline"]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    assert {f">={found}" for found in re.findall(r"^FROM python:(\d+\.\d+)-", CONTAINERFILE, re.M)} == {version}


@pytest.mark.parametrize("words", re.findall(r"^CMD (\[.*\])$", CONTAINERFILE, re.MULTILINE))
def test_the_image_starts_a_command_that_exists(words: str) -> None:
    name, *rest = yaml.safe_load(words)

    assert name == "medonline"
    assert command_of(rest).name == "serve"


@pytest.mark.parametrize("name", PORTALS)
def test_a_portal_of_the_containers_is_closed_and_has_time_to_stop(name: str) -> None:
    service = COMPOSE["services"][name]

    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["user"] == "10001:10001"
    assert service["ulimits"]["nofile"] >= OPEN_FILES
    assert timedelta(seconds=int(service["stop_grace_period"].removesuffix("s"))) >= TO_STOP
    assert routes.HEALTH_READY in service["healthcheck"]["test"][-1]
    assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert command_of(service["command"][1:]).name == "serve"
    assert "ports" not in service


def test_only_nginx_is_reached_from_outside_and_databases_reach_nothing() -> None:
    services, networks = COMPOSE["services"], COMPOSE["networks"]

    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]
    assert networks["inside"]["internal"]
    assert {name for name, service in services.items() if list(service["networks"]) == ["inside"]} == {
        *("postgres", "redis", "migrate")
    }
    assert command_of(services["migrate"]["command"][1:]).name == "migrate"


def test_the_files_that_nginx_is_given_are_there() -> None:
    for volume in COMPOSE["services"]["nginx"]["volumes"]:
        source = volume.partition(":")[0]
        assert source == "./tls" or (DEPLOY / source).is_file(), source


# systemd


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_service_is_hardened_and_starts_a_command_that_exists(path: Path) -> None:
    service = unit(path)["Service"]

    assert set(service) >= HARDENED
    assert service["User"] == ["medonline"]
    assert service["ProtectSystem"] == ["strict"]
    assert service["EnvironmentFile"] == ["/etc/medonline/medonline.env"]
    for line in service["ExecStart"]:
        program, *words = shlex.split(line.replace("%i", "8001"))
        assert program == "/opt/medonline/bin/medonline"
        command_of(words)


def test_the_served_process_has_time_to_stop_and_files_for_its_tabs() -> None:
    service = unit(SERVED)["Service"]

    assert timedelta(seconds=int(service["TimeoutStopSec"][0])) >= TO_STOP
    assert FINISH_WITHIN < 20
    assert int(service["LimitNOFILE"][0]) >= OPEN_FILES
    assert service["StateDirectory"] == ["medonline"]
    assert example()["MEDONLINE_DATA_DIR"] == service["WorkingDirectory"][0] == "/var/lib/medonline"


def test_every_timer_has_its_service() -> None:
    timers = {path.stem for path in (DEPLOY / "systemd").glob("*.timer")}

    assert timers
    assert timers <= {path.stem for path in UNITS}


def verified(folder: Path, texts: dict[str, str]) -> tuple[int, list[str]]:
    """What systemd says of units: its exit code, and the lines about them."""
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", *(str(folder / name) for name in texts)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return said.returncode, [line for line in said.stderr.splitlines() if str(folder) in line]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    if verified(tmp_path, {"simple.service": "[Service]\nExecStart=/bin/true\n"})[0]:
        pytest.skip("systemd-analyze does not work on this machine")
    texts = {
        path.name.replace("@.", "@8001."): path.read_text(encoding="utf-8").replace(
            "/opt/medonline/bin/medonline", "/bin/true"
        )
        for path in (DEPLOY / "systemd").iterdir()
    }

    assert verified(tmp_path, texts) == (0, [])


def test_the_operators_command_is_a_script_that_sh_takes() -> None:
    script = DEPLOY / "bin" / "medonline"

    assert script.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", str(script)], check=True)


# nginx

SITE = nginx_files.read("portal.conf")
PORTAL = SITE.all("server")[-1]


def bytes_of(text: str) -> int:
    return int(text.removesuffix("k")) * 1024


def seconds_of(text: str) -> int:
    return int(text.removesuffix("s"))


def test_the_socket_is_upgraded_where_the_pages_open_it() -> None:
    socket = PORTAL.one("location", NAMESPACE)
    headers = {one.values[0]: one.values[1] for one in socket.all("proxy_set_header")}

    assert headers["Upgrade"] == "$http_upgrade"
    assert headers["Connection"] == "upgrade"
    assert seconds_of(socket.value("proxy_read_timeout")) > sockets.eio.ping_interval + sockets.eio.ping_timeout


def test_what_is_passed_on_says_who_asks_in_one_hop() -> None:
    """A location that sets a header of its own has none of the server's."""
    passing = [one for one in PORTAL.all("location") if one.all("proxy_pass")]

    assert len(passing) == 3
    for location in passing:
        setting = location if location.all("proxy_set_header") else PORTAL
        headers = {one.values[0]: one.values[1] for one in setting.all("proxy_set_header")}
        assert (headers["X-Forwarded-For"], headers["Host"]) == ("$remote_addr", "$host"), location.values
    assert example()["MEDONLINE_TRUSTED_PROXY_HOPS"] == "1"


def test_bodies_and_heads_are_bounded_as_the_portal_bounds_them() -> None:
    """Not lower: the portal's own refusal is in Russian."""
    assert MAX_BODY < bytes_of(PORTAL.value("client_max_body_size")) <= 2 * MAX_BODY
    assert PORTAL.value("client_body_buffer_size") == PORTAL.value("client_max_body_size")
    _, size = PORTAL.one("large_client_header_buffers").values
    assert bytes_of(size) <= MAX_HEAD
    assert PORTAL.value("proxy_max_temp_file_size") == "0"


def test_an_address_is_not_turned_away_before_the_portal_would_turn_it_away() -> None:
    (connections,) = (int(one.values[1]) for one in PORTAL.all("limit_conn"))

    assert connections > 2 * DEFAULTS["sockets_per_ip"]
    assert {one.values[0] for location in PORTAL.all("location") for one in location.all("limit_req")} == {
        "zone=medonline_requests"
    }


def test_it_speaks_http_2_over_tls_and_sends_everybody_there() -> None:
    assert [one.values for one in PORTAL.all("listen")] == [("443", "ssl", "http2"), ("[::]:443", "ssl", "http2")]
    assert PORTAL.one("ssl_protocols").values == ("TLSv1.2", "TLSv1.3")
    name = PORTAL.value("server_name")
    assert example()["MEDONLINE_PUBLIC_URL"] == f"https://{name}"
    plain = SITE.all("server")[0]
    assert plain.one("location", "/").one("return").values == ("308", f"https://{name}$request_uri")


def test_assets_are_kept_and_metrics_do_not_leave() -> None:
    zone = PORTAL.one("location", "/assets/").value("proxy_cache")

    assert f"keys_zone={zone}:1m" in SITE.one("proxy_cache_path").values
    assert PORTAL.one("location", "=", routes.METRICS).value("return") == "404"


@pytest.mark.parametrize(
    ("name", "servers"),
    [
        ("upstream-machine.conf", ["127.0.0.1:8001", "127.0.0.1:8002"]),
        (
            "upstream-compose.conf",
            [f"{COMPOSE['services'][one]['networks']['front']['ipv4_address']}:8000" for one in PORTALS],
        ),
    ],
)
def test_the_processes_are_where_nginx_looks_for_them(name: str, servers: list[str]) -> None:
    (upstream,) = nginx_files.read(name).all("upstream")

    assert upstream.values == ("medonline",)
    assert [one.values[0] for one in upstream.all("server")] == servers
    assert seconds_of(upstream.value("keepalive_timeout")) < HEAD_WITHIN


def test_prometheus_asks_the_processes_of_the_machine() -> None:
    scrape: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus/scrape.yml").read_text(encoding="utf-8"))
    (job,) = scrape["scrape_configs"]
    (upstream,) = nginx_files.read("upstream-machine.conf").all("upstream")

    assert job["static_configs"] == [{"targets": [one.values[0] for one in upstream.all("server")]}]
