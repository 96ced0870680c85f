"""The look that a patient chose is in the page itself, and no other cookie changes one."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medonline.domain.low_vision import LowVision
from medonline.web.cookies import LOW_VISION
from medonline.web.documents import filled
from medonline.web.first_frame import Known, as_seen_by, known_of
from tests.web.conftest import Browser

PAGE = '<!doctype html><html lang="ru" class="x"><head><title>Карты</title></head><body>Слова </head></body></html>'
LOOK = LowVision("200", "blue", "widest", "off")


@pytest.fixture(autouse=True)
def _portal(open_browser: Browser) -> None:
    """What a cookie is called depends on the portal's settings."""


def test_the_look_is_in_the_root_and_its_styles_are_behind_all_others() -> None:
    seen = filled(PAGE, known_of({LOW_VISION: LOOK.text}))

    assert seen.startswith(
        '<!doctype html><html lang="ru" class="x" data-vision-size="200" data-vision-scheme="blue" '
        'data-vision-spacing="widest" data-vision-images="off">'
    )
    assert '</title><link rel="stylesheet" href="/low_vision.css"></head><body>Слова </head>' in seen


def test_the_ordinary_version_is_the_page_as_it_was_built() -> None:
    assert filled(PAGE, as_seen_by(None)) == PAGE


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text().filter(lambda junk: LowVision.read(junk) is None))
def test_any_other_cookie_changes_nothing(junk: str) -> None:
    known = known_of({LOW_VISION: junk})

    assert (known.root, known.styles) == (Known().root, Known().styles)


async def test_a_page_says_that_it_depends_on_the_cookies_and_is_kept_nowhere(open_browser: Browser) -> None:
    for headers in ({}, {"Cookie": f"{LOW_VISION}={LOOK.text}"}):
        got = await open_browser().get("/", headers=headers)

        assert "Cookie" in got.headers["Vary"].split(", ")
        assert got.headers["Cache-Control"] == "no-store"
