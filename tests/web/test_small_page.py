"""Pages that the server writes itself look as the patient chose, and keep what else they say."""

from __future__ import annotations

from medonline.web.cookies import LOW_VISION
from tests.web.conftest import Browser

LOOK = {"Cookie": f"{LOW_VISION}=200.white.wide.off"}


async def test_a_page_of_an_error_has_the_look_and_keeps_its_status(open_browser: Browser) -> None:
    plain = await open_browser().get("/nowhere")
    seen = await open_browser().get("/nowhere", headers=LOOK)

    assert (plain.status_code, seen.status_code) == (404, 404)
    assert '<html lang="ru" data-vision-size="200" data-vision-scheme="white"' in seen.text
    assert '<link rel="stylesheet" href="/low_vision.css"></head>' in seen.text
    assert "data-vision" not in plain.text
    assert seen.text.partition("<body>")[2] == plain.text.partition("<body>")[2]


async def test_its_length_is_that_of_what_is_sent(open_browser: Browser) -> None:
    seen = await open_browser().get("/nowhere", headers=LOOK)

    assert int(seen.headers["Content-Length"]) == len(seen.content)
