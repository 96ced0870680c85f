"""The first frame of a built page needs only the page: everything that blocks it is inlined, and everything else waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from medonline.first_paint import UnexpectedPage, with_first_frame

PAGE = (
    '<!DOCTYPE html><html lang="ru"><head><link as="style" href="/assets/s-1.css" rel="preload"/><title>Т</title>'
    '<link rel="modulepreload" href="/assets/a-1.js"/><link rel="modulepreload" href="/assets/b-1.js"/>'
    '<link href="/assets/s-1.css" rel="stylesheet" type="text/css"/></head><body><p>Текст</p>'
    '<script type="module" async="">import "/assets/a-1.js";</script></body></html>'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "s-1.css").write_text("p{color:red}\n", encoding="utf-8")
    return tmp_path


def test_style_and_early_script_are_inside_and_the_rest_is_left_for_later(folder: Path) -> None:
    assert with_first_frame(PAGE, folder, "early()") == (
        '<!DOCTYPE html><html lang="ru"><head><title>Т</title><style>p{color:red}</style><script>early()</script></head>'
        '<body><p>Текст</p><script type="text/plain" id="app-start" data-script="/portal.js" '
        'data-modules="/assets/a-1.js /assets/b-1.js">import "/assets/a-1.js";</script></body></html>'
    )


def test_a_backslash_in_a_style_or_a_script_stays(folder: Path) -> None:
    (folder / "assets" / "s-1.css").write_text(r"p::after{content:'\1F4A9'}", encoding="utf-8")
    page = with_first_frame(PAGE, folder, r"a(/\d\1/)")

    assert r"<style>p::after{content:'\1F4A9'}</style><script>a(/\d\1/)</script>" in page


@pytest.mark.parametrize("gone", ['rel="stylesheet"', 'rel="modulepreload"', 'type="module"'])
def test_a_page_that_is_built_otherwise_fails_the_build(folder: Path, gone: str) -> None:
    with pytest.raises(UnexpectedPage):
        with_first_frame(PAGE.replace(gone, ""), folder, "early()")


@pytest.mark.parametrize("text", ["'</script>'", "'</SCRIPT x'", "'<!--'"])
def test_a_script_that_would_end_its_element_fails_the_build(folder: Path, text: str) -> None:
    with pytest.raises(UnexpectedPage):
        with_first_frame(PAGE, folder, text)


def test_a_style_that_would_end_its_element_fails_the_build(folder: Path) -> None:
    (folder / "assets" / "s-1.css").write_text("p::after{content:'</style>'}", encoding="utf-8")
    with pytest.raises(UnexpectedPage):
        with_first_frame(PAGE, folder, "early()")
