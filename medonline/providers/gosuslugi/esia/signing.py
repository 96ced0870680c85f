"""Signatures of requests to ESIA: `client_secret` is a signature over the request's own parameters.

Production needs GOST R 34.10-2012 signatures by a certified tool. The tool stays outside the portal, behind an HTTP service or a
command line. RSA is only for the stand-in and for tests.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.providers.gosuslugi.errors import status_problem, transport_refusals
from medonline.providers.gosuslugi.esia.command import run_command
from medonline.providers.http import MAX_TIMEOUT, JsonClient
from medonline.providers.outgoing import DIRECT, Outgoing

MAX_SIGNATURE = 1024  # bytes; GOST R 34.10-2012-256 makes 64, RSA with 4096 bits 512
QUEUE = 64  # waiting signatures at most
MAX_WAIT = 2.0  # seconds
_HASH = re.compile(r"[0-9A-F]{64}")


class Signer(Protocol):
    """Signs the parameters of a request to ESIA."""

    async def sign(self, message: bytes) -> bytes:
        """The raw signature of the message, without a container around it.

        Raises:
            IdentityRefused: MISCONFIGURED or UNAVAILABLE. The method raises nothing else.
        """

    def certificate_hash(self) -> str:
        """The hash of the certificate by which ESIA knows the client: 64 hexadecimal digits, upper case."""


class QueuedSigner:
    """Another signer behind a bounded queue. Each signature may start a process, and a crowd must not start one per click.

    Args:
        signer: makes the signatures.
        at_once: how many signatures it makes at the same time. The default is the number of cores.
        queue: how many more signatures may wait.
        max_wait: the longest wait in seconds.
    """

    def __init__(
        self, signer: Signer, at_once: int | None = None, *, queue: int = QUEUE, max_wait: float = MAX_WAIT
    ) -> None:
        self._signer = signer
        self._slots = asyncio.Semaphore(at_once or os.cpu_count() or 1)
        self._queue = queue
        self._max_wait = max_wait
        self._waiting = 0

    async def sign(self, message: bytes) -> bytes:
        """Wait for this message's turn and sign it.

        Raises:
            IdentityRefused: BUSY (the queue is full, or the turn did not come in time), or what the signer raises.
        """
        if self._waiting >= self._queue:
            raise IdentityRefused(IdentityProblem.BUSY, "the queue for signatures is full")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._max_wait):
                await self._slots.acquire()
        except TimeoutError:
            detail = f"a signature had no turn within {self._max_wait:g} s"
            raise IdentityRefused(IdentityProblem.BUSY, detail) from None
        finally:
            self._waiting -= 1
        try:
            return await self._signer.sign(message)
        finally:
            self._slots.release()

    def certificate_hash(self) -> str:
        """The hash of the wrapped signer."""
        return self._signer.certificate_hash()


def certificate_end(pem: bytes) -> datetime:
    """When the certificate in a PEM file expires (UTC).

    Raises:
        ValueError: the file has no certificate.
    """
    return x509.load_pem_x509_certificate(pem).not_valid_after_utc


class RsaSigner:
    """RSA with SHA-256 (PKCS#1 v1.5). The certificate's hash is the SHA-256 of its DER form. The real ESIA does not accept RSA.

    Raises:
        ValueError: the constructor got no RSA key, no certificate, or a certificate of another key.
    """

    def __init__(self, key_pem: bytes, certificate_pem: bytes) -> None:
        key = load_pem_private_key(key_pem, password=None)
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("the client key is no RSA key")
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        if certificate.public_key() != key.public_key():
            raise ValueError("the client certificate belongs to another key")
        self._key = key
        self._hash = certificate.fingerprint(hashes.SHA256()).hex().upper()

    async def sign(self, message: bytes) -> bytes:
        """The signature, which is as long as the key."""
        return self._key.sign(message, PKCS1v15(), hashes.SHA256())

    def certificate_hash(self) -> str:
        """The SHA-256 of the DER certificate."""
        return self._hash


class HttpSigner:
    """An external signing service. It takes the raw bytes by POST and answers 200 with the raw signature.

    Args:
        url: where to POST the bytes, as application/octet-stream.
        token: the Bearer token to send. Empty: no such header.
        certificate_hash: Streebog-256 of the DER certificate, 64 hexadecimal digits.
        timeout: seconds, at most 5.
        outgoing: the proxy and the trusted certificates of the requests.

    Raises:
        ValueError: the constructor got a hash that is not 64 hexadecimal digits.
    """

    def __init__(
        self,
        url: str,
        token: str,
        certificate_hash: str,
        *,
        timeout: float = MAX_TIMEOUT,
        outgoing: Outgoing = DIRECT,
    ) -> None:
        self._outgoing = outgoing
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._hash = _checked_hash(certificate_hash)
        self._timeout = timeout

    async def sign(self, message: bytes) -> bytes:
        """Ask the service for the signature.

        Raises:
            IdentityRefused: UNAVAILABLE (no answer, 5xx), MISCONFIGURED (4xx, or no signature in the answer).
        """
        client = JsonClient(
            "", name="signing service", headers=self._headers, timeout=self._timeout, outgoing=self._outgoing
        )
        try:
            with transport_refusals():
                status, signature = await client.post_bytes(self._url, message)
        finally:
            await client.close()
        if status != 200:
            problem = IdentityProblem.UNAVAILABLE if status >= 500 else status_problem(status)
            problem = IdentityProblem.MISCONFIGURED if problem is IdentityProblem.OTHER else problem
            raise IdentityRefused(problem, f"signing service: HTTP {status}")
        return _checked_signature(signature, "the signing service")

    def certificate_hash(self) -> str:
        """As configured."""
        return self._hash


class CommandSigner:
    """The command line of an installed crypto provider.

    The command gets the message on its standard input, or in a temporary file if an argument contains `{message}`. The signature is
    read from the standard output, or from the file that `{signature}` in an argument stands for. No shell sees the arguments.

    Args:
        argv: the program and its arguments.
        certificate_hash: Streebog-256 of the DER certificate, 64 hexadecimal digits.
        reversed_bytes: whether the command writes the last byte of the signature first, as `csptest` does.
        timeout: seconds, at most 5. A slower command is killed with all processes that it started.

    Raises:
        ValueError: the constructor got a hash that is not 64 hexadecimal digits, or an empty argv.
    """

    def __init__(
        self,
        argv: tuple[str, ...],
        certificate_hash: str,
        reversed_bytes: bool = False,
        *,
        timeout: float = MAX_TIMEOUT,
    ) -> None:
        if not argv:
            raise ValueError("the signing command is empty")
        self._argv = argv
        self._hash = _checked_hash(certificate_hash)
        self._reversed = reversed_bytes
        self._timeout = min(timeout, MAX_TIMEOUT)

    async def sign(self, message: bytes) -> bytes:
        """Run the command once.

        Raises:
            IdentityRefused: MISCONFIGURED (it cannot start, its exit code is not 0, there is no signature) or UNAVAILABLE (too slow).
        """
        with tempfile.TemporaryDirectory(prefix="esia-") as directory:
            given, made = Path(directory, "message"), Path(directory, "signature")
            argv = [part.replace("{message}", str(given)).replace("{signature}", str(made)) for part in self._argv]
            by_file = any("{message}" in part for part in self._argv)
            _write(given, message if by_file else b"")
            printed = await run_command(argv, b"" if by_file else message, self._timeout, MAX_SIGNATURE)
            if any("{signature}" in part for part in self._argv):
                printed = _read(made)
        signature = _checked_signature(printed, "the signing command")
        return signature[::-1] if self._reversed else signature

    def certificate_hash(self) -> str:
        """As configured."""
        return self._hash


def _write(path: Path, message: bytes) -> None:
    path.write_bytes(message)


def _read(path: Path) -> bytes:
    """What the command wrote, up to one byte more than allowed. That extra byte shows that it was too much."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_SIGNATURE + 1)
    except OSError:
        return b""


def _checked_hash(text: str) -> str:
    digits = text.strip().upper()
    if not _HASH.fullmatch(digits):
        raise ValueError("the certificate hash is not 64 hexadecimal digits")
    return digits


def _checked_signature(signature: bytes, source: str) -> bytes:
    if not 0 < len(signature) <= MAX_SIGNATURE:
        raise _misconfigured(f"{source} gave {len(signature)} bytes for a signature")
    return signature


def _misconfigured(detail: str) -> IdentityRefused:
    return IdentityRefused(IdentityProblem.MISCONFIGURED, detail)
