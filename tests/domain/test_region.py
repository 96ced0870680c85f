"""A region's telephone, as people write it and as a telephone dials it."""

from __future__ import annotations

import pytest

from medonline.domain.region import Region


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("8 (800) 000-00-01", "tel:88000000001"),
        ("+7 4872 00-00-01", "tel:+74872000001"),
        ("103", "tel:103"),
        ("", ""),
        ("8 (800) 000-00-01, доб. 3", ""),
        ("по будням с 8 до 20", ""),
    ],
)
def test_a_plain_number_can_be_called_with_one_tap(written: str, dialled: str) -> None:
    assert Region("tula", "Тульская область", "Медицина-онлайн", "регистратуру", written).support_tel == dialled
