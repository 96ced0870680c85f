"""A vendor whose certificate a private authority signed, and a proxy that forwards by CONNECT: both real, on the loopback."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "vendor.test"  # no resolver knows it: only the proxy does
_PEM = serialization.Encoding.PEM
_SECONDS = 10


@dataclass(frozen=True)
class Authority:
    """Its root in `root`, and a key and certificate that it signed for the vendor in `leaf`."""

    root: Path
    leaf: Path


def authority(folder: Path, name: str = "a region's own root", ended: timedelta | None = None) -> Authority:
    """Make one; with `ended` the root is over since so long."""
    now = datetime.now(UTC)
    end = now - ended if ended else now + timedelta(days=90)
    own, of_vendor = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def signed(subject: x509.Name, key: ec.EllipticCurvePrivateKey, until: datetime, *, ca: bool) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=400))
        builder = builder.not_valid_after(until).add_extension(x509.BasicConstraints(ca, None), critical=True)
        names = [x509.DNSName(HOST), x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        if not ca:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(own, hashes.SHA256())

    folder.mkdir(parents=True, exist_ok=True)
    made = Authority(folder / "root.pem", folder / "vendor.pem")
    made.root.write_bytes(signed(issuer, own, end, ca=True).public_bytes(_PEM))
    leaf = signed(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]), of_vendor, now + timedelta(days=9), ca=False
    )
    key = of_vendor.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    made.leaf.write_bytes(key + leaf.public_bytes(_PEM))
    return made


@contextmanager
def _listening(serve: object) -> Iterator[int]:
    """Serve each connection in a thread of its own; the port."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(_SECONDS)
            serve(connection)  # type: ignore[operator]

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=one, args=(connection,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for thread in (accepting, *threads):
            thread.join(_SECONDS)


@contextmanager
def tls_vendor(by: Authority, body: str = "{}") -> Iterator[int]:
    """Answers everything alike, over TLS; the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(by.leaf)
    answer = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode()

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as over_tls:
            over_tls.recv(65536)
            over_tls.sendall(answer)

    with _listening(serve) as port:
        yield port


@dataclass
class Proxy:
    """`asked`: the targets of CONNECT; `users`: who asked, `name:password` or empty."""

    address: str = ""
    asked: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)


@contextmanager
def connect_proxy(*, refuses: int = 0, by: Authority | None = None) -> Iterator[Proxy]:
    """Leads every host to this machine, or nobody anywhere (`refuses`: with this status); over TLS where an authority vouches for it."""
    made = Proxy()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if by is not None:
        context.load_cert_chain(by.leaf)

    def serve(connection: socket.socket) -> None:
        if by is None:
            lead(connection)
            return
        with context.wrap_socket(connection, server_side=True) as over_tls:
            lead(over_tls)

    def lead(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        lines = head.decode().split("\r\n")
        made.asked.append(lines[0])
        credentials = [line.partition("Basic ")[2] for line in lines if line.lower().startswith("proxy-authorization:")]
        made.users.append(base64.b64decode(credentials[0]).decode() if credentials else "")
        method, target, _ = lines[0].split(" ")
        if refuses or method != "CONNECT":
            connection.sendall(f"HTTP/1.1 {refuses or 405} No\r\nContent-Length: 0\r\n\r\n".encode())
            return
        with socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2])), _SECONDS) as vendor:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(vendor, connection), daemon=True)
            back.start()
            _pump(connection, vendor)
            back.join(_SECONDS)

    with _listening(serve) as port:
        made.address = f"http{'' if by is None else 's'}://127.0.0.1:{port}"
        yield made


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
