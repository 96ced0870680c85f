"""The demo's keys: made once for each installation, the same for every process, readable by no one else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from medonline.config.demo_keys import demo_identity_keys, demo_key

MAKE = """
import sys, time
from pathlib import Path
from medonline.config.demo_keys import demo_identity_keys, demo_key
go = Path(sys.argv[2])
print("ready", flush=True)
while not go.exists():
    time.sleep(0.001)
keys = demo_identity_keys(Path(sys.argv[1]))
print(demo_key(Path(sys.argv[1])), keys.client_key.read_text(), keys.provider_certificate.read_text())
"""


def public_key_of(pem: bytes) -> bytes:
    loaded = (
        x509.load_pem_x509_certificate(pem)
        if b"CERTIFICATE" in pem
        else serialization.load_pem_private_key(pem, password=None)
    )
    return loaded.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def assert_pairs_fit(folder: Path) -> None:
    keys = demo_identity_keys(folder)
    for key, certificate in (
        (keys.client_key, keys.client_certificate),
        (keys.provider_key, keys.provider_certificate),
        (keys.rotated_key, keys.rotated_certificate),
    ):
        assert public_key_of(key.read_bytes()) == public_key_of(certificate.read_bytes())


def test_the_keys_are_kept_over_restarts(tmp_path: Path) -> None:
    first = (
        demo_key(tmp_path),
        [path.read_bytes() for path in sorted((demo_identity_keys(tmp_path).client_key).parent.iterdir())],
    )
    again = (
        demo_key(tmp_path),
        [path.read_bytes() for path in sorted((demo_identity_keys(tmp_path).client_key).parent.iterdir())],
    )

    assert first == again


def test_another_installation_has_other_keys(tmp_path: Path) -> None:
    assert demo_key(tmp_path / "a") != demo_key(tmp_path / "b")


def test_each_certificate_belongs_to_its_key_and_no_two_keys_are_the_same(tmp_path: Path) -> None:
    keys = demo_identity_keys(tmp_path)

    assert_pairs_fit(tmp_path)
    assert (
        len({public_key_of(path.read_bytes()) for path in (keys.client_key, keys.provider_key, keys.rotated_key)}) == 3
    )


def test_nobody_else_may_read_the_keys_and_nothing_is_left_beside_them(tmp_path: Path) -> None:
    demo_key(tmp_path)
    demo_identity_keys(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]

    assert sorted(path.name for path in files) == [
        "client.crt.pem",
        "client.key.pem",
        "demo.key",
        "provider.crt.pem",
        "provider.key.pem",
        "rotated.crt.pem",
        "rotated.key.pem",
    ]
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


def test_two_processes_at_once_make_one_set_of_keys(tmp_path: Path) -> None:
    folder, go = tmp_path / "var", tmp_path / "go"
    processes = [
        subprocess.Popen([sys.executable, "-c", MAKE, str(folder), str(go)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        go.touch()
        said = [process.communicate(timeout=60)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()

    assert said[0] == said[1] != ""
    assert_pairs_fit(folder)
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 7


def test_a_folder_that_cannot_be_written_to_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ValueError, match="MEDONLINE_DATA_DIR: cannot write to"):
        demo_identity_keys(tmp_path / "file")
    with pytest.raises(ValueError, match="MEDONLINE_DATA_DIR: cannot write to"):
        demo_key(tmp_path / "file")
