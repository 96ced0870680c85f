"""The file of regions: read in its order, refused with a sentence that names the setting and says what to mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from medonline.config.regions import read_regions
from medonline.config.settings import ConfigurationError, load_config
from medonline.domain.region import Region
from medonline.wording.regions import DESK, ONLY_REGION
from tests.config.region_files import ORYOL, TULA


@pytest.fixture
def written(tmp_path: Path):
    def writing(content: str | bytes) -> Path:
        path = tmp_path / "regions.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writing


def test_without_a_file_there_is_one_nameless_region() -> None:
    assert read_regions(None) == (ONLY_REGION,)


def test_regions_come_in_the_order_of_the_file(written) -> None:
    more = 'support_phone = "8 (800) 000-00-01"\ndesk = "регистратуру"\nbooking_url = "https://zapis.example.ru/"\n'
    path = written(TULA + more + ORYOL)

    assert read_regions(path) == (
        Region(
            "tula",
            "Тульская область",
            "Медицина-онлайн: Тульская область",
            "регистратуру",
            "8 (800) 000-00-01",
            "https://zapis.example.ru/",
        ),
        Region("oryol", "Орловская область", "Медицина-онлайн: Орловская область", DESK),
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "names no region: write at least one [[region]] table"),
        ("region = 5\n", "names no region"),
        ('region = "tula"\n', "names no region"),
        ("[region]\ncode = 'tula'\n", "names no region"),
        ("[[region]\n", "is not TOML"),
        (b"\xff\xfe\x00", "is not TOML"),
        ("region = [1]\n", "region 1 must be a table of texts"),
        ("[[region]]\ncode = 1\n", "region 1 must be a table of texts"),
        (
            TULA + 'phone = "1"\n',
            "region 1 has an unknown field 'phone'; known are accessibility_email, booking_url, code, data_policy, desk, name, "
            "support_phone, title",
        ),
        (TULA + "[[region]]\n", "region 2 lacks 'code'"),
        (TULA + ORYOL.replace("Орловская область", " "), "region 2 lacks 'name'"),
        (TULA.replace('title = "Медицина-онлайн: Тульская область"\n', ""), "region 1 lacks 'title'"),
        (TULA.replace('"tula"', '"Tula"'), "region 1: the code must be small Latin letters"),
        (TULA.replace('"tula"', '"тула"'), "region 1: the code must be small Latin letters"),
        (TULA.replace('"tula"', '"tula; Path=/"'), "region 1: the code must be small Latin letters"),
        (TULA.replace('"tula"', '"tula\\r\\n"'), "region 1: the code must be small Latin letters"),
        (TULA.replace('"tula"', f'"{"t" * 32}"'), "region 1: the code must be small Latin letters"),
        (TULA + TULA, "two regions in"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_sentence(written, content: str | bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^MEDONLINE_REGIONS_FILE: ") as refusal:
        read_regions(written(content))

    assert sentence in str(refusal.value)


@pytest.mark.parametrize("field", ["booking_url", "data_policy"])
@pytest.mark.parametrize(
    "address",
    [
        "zapis.example.ru",
        "http://zapis.example.ru/",
        "javascript:alert(1)",
        "https://",
        "https://[::1/",
        "https://a@b/",
    ],
)
def test_patients_are_sent_to_a_whole_https_address_only(written, field: str, address: str) -> None:
    with pytest.raises(ValueError, match=f"region 1: {field} must be a whole https:// address"):
        read_regions(written(TULA + f'{field} = "{address}"\n'))


@pytest.mark.parametrize(
    "address",
    [
        "dostupnost",
        "https://example.ru/",
        "a@b",
        "Мария <a@example.ru>",
        "mailto:a@example.ru",
        " a@example.ru",
        "a@example.ru?bcc=b",
    ],
)
def test_letters_about_accessibility_go_to_a_bare_address_only(written, address: str) -> None:
    with pytest.raises(ValueError, match="region 1: accessibility_email must be a bare e-mail address"):
        read_regions(written(TULA + f'accessibility_email = "{address}"\n'))


def test_an_address_for_letters_about_accessibility_is_read(written) -> None:
    (region,) = read_regions(written(TULA + 'accessibility_email = "dostupnost@example.ru"\n'))

    assert region.accessibility_email == "dostupnost@example.ru"


def test_an_address_of_the_policy_on_personal_data_is_read(written) -> None:
    (region,) = read_regions(written(TULA + 'data_policy = "https://example.ru/politika"\n'))

    assert region.data_policy == "https://example.ru/politika"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.toml", tmp_path):
        with pytest.raises(ValueError, match="MEDONLINE_REGIONS_FILE: cannot read"):
            read_regions(path)


def test_the_settings_do_not_start_with_a_bad_file(written, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="MEDONLINE_REGIONS_FILE"):
        load_config(mode="demo", data_dir=tmp_path, regions_file=written("[[region]]\n"))


def test_one_region_is_everybodys_and_of_several_one_must_be_chosen(written, tmp_path: Path) -> None:
    one = load_config(mode="demo", data_dir=tmp_path, regions_file=written(TULA))
    assert [one.region(code) for code in ("tula", "oryol", "")] == [one.regions[0]] * 3
    two = load_config(mode="demo", data_dir=tmp_path, regions_file=written(TULA + ORYOL))

    assert [two.region(code) for code in ("oryol", "tver", "", "TULA")] == [two.regions[1], None, None, None]
