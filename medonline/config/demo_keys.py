"""Keys of the demo: random for each installation, never a constant in the code. They are made once and survive restarts."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

_FOLDER = "demo-keys"


@dataclass(frozen=True, slots=True)
class DemoIdentityKeys:
    """PEM files: the portal's key and certificate, those of the Gosuslugi stand-in, and a key that the stand-in switches to in a fault."""

    client_key: Path
    client_certificate: Path
    provider_key: Path
    provider_certificate: Path
    rotated_key: Path
    rotated_certificate: Path


def demo_key(data_dir: Path) -> str:
    """The demo's own random key. It is kept, so codes still work after a restart.

    Raises:
        ValueError: the folder cannot be written to.
    """
    return _made_once(data_dir, data_dir / "demo.key", lambda: secrets.token_hex(32).encode()).decode("ascii").strip()


def demo_credential(data_dir: Path, name: str) -> str:
    """The secret by which the demo and its stand-ins recognise each other. Each installation has its own, so that no page elsewhere knows
    it.

    `name` says whose secret it is, for example `telegram`. The secret begins with `demo-`, which production refuses.

    Raises:
        ValueError: the folder cannot be written to.
    """
    secret = hmac.new(demo_key(data_dir).encode(), f"demo credential {name}".encode(), hashlib.sha256).hexdigest()
    return f"demo-{name}-{secret[:32]}"


def demo_identity_keys(data_dir: Path) -> DemoIdentityKeys:
    """The keys of the demo's sign-in through Gosuslugi.

    Raises:
        ValueError: the folder cannot be written to.
    """
    folder = data_dir.resolve() / _FOLDER
    files: list[Path] = []
    for name in ("client", "provider", "rotated"):
        key, certificate = folder / f"{name}.key.pem", folder / f"{name}.crt.pem"
        key_pem = _made_once(data_dir, key, _new_rsa_key)
        _made_once(data_dir, certificate, lambda pem=key_pem, name=name: _self_signed(pem, name))  # type: ignore[misc]
        files += [key, certificate]
    return DemoIdentityKeys(*files)


def has_demo_keys(folder: Path) -> bool:
    """Whether a folder already has all of these keys. Creates nothing."""
    return (folder / "demo.key").is_file() and (folder / _FOLDER / "rotated.crt.pem").is_file()


def _made_once(data_dir: Path, path: Path, make: Callable[[], bytes]) -> bytes:
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Written to another name and renamed when complete: another process may be starting too, and the first one wins.
            fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            fresh.touch(mode=0o600)
            fresh.write_bytes(make())
            try:
                os.link(fresh, path)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        except OSError as error:
            msg = f"MEDONLINE_DATA_DIR: cannot write to {data_dir}: {error.strerror}."
            raise ValueError(msg) from None
    return path.read_bytes()


def _new_rsa_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _self_signed(key_pem: bytes, name: str) -> bytes:
    key = serialization.load_pem_private_key(key_pem, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        msg = "the demo's keys are RSA keys"
        raise TypeError(msg)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"medonline demo {name}")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=3650))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
