"""nginx that runs with the files of deploy/, and a certificate of the portal's name."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.deploy import nginx_files
from tests.patience import PATIENCE
from tests.sandbox.server import free_port

NAME = "portal.example.ru"


def make_certificate(folder: Path, *addresses: str) -> Path:
    """A certificate of the portal's name and of addresses, and its key beside it, under the names that the site wants."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(_names(addresses)), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = folder / "fullchain.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "privkey.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    return chain


def _names(addresses: Iterable[str]) -> list[x509.GeneralName]:
    return [x509.DNSName(NAME), x509.DNSName("localhost"), *(x509.IPAddress(ip_address(one)) for one in addresses)]


@dataclass(frozen=True, slots=True)
class Front:
    """nginx with the files of deploy/, on ports of a test."""

    plain: int
    tls: int
    trust: ssl.SSLContext
    access_log: Path

    def connection(self, name: str = NAME, *protocols: str) -> ssl.SSLSocket:
        """A connection on which TLS has begun."""
        context = self.trust
        context.set_alpn_protocols(protocols or ("http/1.1",))
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.tls), PATIENCE), server_hostname=name)

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Over TLS, by the portal's name."""
        with httpx.Client(trust_env=False, verify=self.trust, timeout=PATIENCE) as client:
            return client.request(
                method,
                f"https://127.0.0.1:{self.tls}{path}",
                headers={"Host": NAME, "Origin": f"https://{NAME}", "Accept-Encoding": "gzip", **(headers or {})},
                content=body,
                extensions={"sni_hostname": NAME},
            )


@contextmanager
def in_front_of(port: int, folder: Path) -> Iterator[Front]:
    """nginx before a portal on this machine. `folder`: for its files, as its logs."""
    chain = make_certificate(folder)
    plain, tls = free_port(), free_port()
    upstream = (nginx_files.FOLDER / "upstream-machine.conf").read_text(encoding="utf-8")
    upstream = re.sub(r"127\.0\.0\.1:800[12]", f"127.0.0.1:{port}", upstream)
    command = [str(nginx_files.program()), "-e", f"{folder}/error.log", "-p", str(folder), "-c"]
    command.append(str(nginx_files.at_home(folder, upstream, plain, tls)))
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + PATIENCE
        while not listens(tls):
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.05)
        yield Front(plain, tls, ssl.create_default_context(cafile=str(chain)), folder / "access.log")
    finally:
        process.terminate()
        process.wait(PATIENCE)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
