"""The small pages in place of a refused request: each says what to do about its own cause."""

from __future__ import annotations

import pytest

from medonline.web.edge.error_pages import error_page

ADDRESS = "Проверьте адрес"


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (403, "Откройте главную страницу и повторите"),
        (404, ADDRESS),
        (405, ADDRESS),
        (408, "Попробуйте ещё раз"),
        (413, "введите меньше текста"),
        (500, "Подождите минуту"),
        (503, "Подождите минуту"),
    ],
)
def test_each_says_what_to_do_and_leads_to_the_start_page(status: int, hint: str) -> None:
    text = bytes(error_page(status).body).decode()

    assert hint in text
    assert (ADDRESS in text) == (hint == ADDRESS)
    assert '<a class="button primary" href="/">На главную</a>' in text
