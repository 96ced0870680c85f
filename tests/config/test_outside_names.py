"""The file of names: read where it says something, refused with a sentence that names the setting and says what to mend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from medonline.config.outside_names import CLAIMS, IDENTIFIERS, OutsideNames, read_outside_names
from medonline.config.settings import ConfigurationError, load_config
from medonline.providers.gosuslugi.oidc.client import ClaimNames
from medonline.providers.patient_cards.fhir import Systems

Write = Callable[[str | bytes], Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def writing(content: str | bytes) -> Path:
        path = tmp_path / "names.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writing


def test_without_a_file_every_name_is_the_default() -> None:
    assert read_outside_names(None) == OutsideNames()
    assert ClaimNames(**OutsideNames().claims) == ClaimNames()


def test_the_file_and_the_adapters_know_the_same_names() -> None:
    assert {field.name for field in fields(ClaimNames)} == CLAIMS
    assert {field.name for field in fields(Systems)} == IDENTIFIERS


def test_names_are_read(written: Write) -> None:
    names = read_outside_names(
        written(
            '[identifiers]\nsnils = "urn:x"\npolicy = ["urn:a", "urn:b"]\n'
            '[claims]\ntrusted = "verified"\noms_policy = ""\n'
            '[test]\nsnils = "112-233-445 95"\npolicy = "7707 8503 1400 0117"\n'
        )
    )

    assert names.identifiers == {"snils": ("urn:x",), "policy": ("urn:a", "urn:b")}
    assert names.claims == {"trusted": "verified", "oms_policy": ""}
    assert names.test == {"snils": "11223344595", "policy": "7707850314000117"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[identifiers]\nsnils = 1\n", "identifiers.snils must be a system"),
        ('[identifiers]\nsnils = ""\n', "identifiers.snils must be a system"),
        ('[identifiers]\nsnils = "urn:a|b"\n', "identifiers.snils must be a system"),
        ('[identifiers]\nsnils = "urn:a,urn:b"\n', "identifiers.snils must be a system"),
        ('[identifiers]\nsnils = "urn: a"\n', "identifiers.snils must be a system"),
        ('[identifiers]\nsnils = "urn:a\\u0000"\n', "identifiers.snils must be a system"),
        ("[identifiers]\nsnils = []\n", "identifiers.snils is empty"),
        ('[identifiers]\nsnils = ["urn:a", "urn:a"]\n', "names a system twice"),
        ('[identifiers]\noms = "urn:a"\n', "unknown name 'oms'; known are card, policy, snils"),
        ("identifiers = 5\n", "identifiers must be a table"),
        ('[claims]\nfamily_name = ""\n', "claims.family_name must be the gateway's name of the claim."),
        ("[claims]\nsnils = 5\n", "claims.snils must be the gateway's name of the claim, or empty"),
        ('[claims]\nsnils = "a b"\n', "claims.snils must be"),
        ('[claims]\nname = "x"\n', "unknown name 'name'"),
        ('[claims]\nsnils = "x"\nemail = "x"\n', "two of them have the same name"),
        ('[test]\nsnils = "112-233-445 96"\n', "test.snils is no such number"),
        ("[test]\npolicy = 7707850314000117\n", "test.policy is no such number: write it as a text"),
        ("[tests]\n", "there is no table 'tests'"),
        ("[claims\n", "is not TOML"),
        (b"\xff\xfe\x00", "is not TOML"),
    ],
)
def test_nonsense_is_refused_with_what_to_mend(written: Write, content: str | bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^MEDONLINE_OUTSIDE_NAMES_FILE: ") as refusal:
        read_outside_names(written(content))

    assert sentence in str(refusal.value)
    assert "112-233" not in str(refusal.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ValueError, match="MEDONLINE_OUTSIDE_NAMES_FILE: cannot read"):
            read_outside_names(path)


def test_the_start_refuses_a_file_that_cannot_be_used(tmp_path: Path, written: Write) -> None:
    with pytest.raises(ConfigurationError, match="MEDONLINE_OUTSIDE_NAMES_FILE: there is no table"):
        load_config(mode="demo", data_dir=tmp_path, outside_names_file=written("[x]\n"))

    config = load_config(mode="demo", data_dir=tmp_path, outside_names_file=written('[claims]\ntrusted = "verified"\n'))
    assert config.outside_names.claims == {"trusted": "verified"}
