"""assets/low_vision.css: every colour of the portal has a counterpart in each scheme, and a scheme's two colours are distinguishable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from medonline.components.low_vision import PANEL
from medonline.domain.low_vision import CHOICES, LowVision

ASSETS = Path(__file__).resolve().parent.parent / "assets"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
PORTAL, LOW_VISION = (
    _COMMENT.sub("", (ASSETS / name).read_text(encoding="utf-8")) for name in ("portal.css", "low_vision.css")
)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_PROPERTY = re.compile(r"(--[\w-]+):\s*([^;]+);")
_COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch|oklab|color|color-mix)a?\(", re.IGNORECASE)
TEXT, FRAME = 7.0, 3.0
TEXTS = ("--text", "--text-soft", "--accent", "--accent-strong", "--danger", "--success")
GROUNDS = ("--page", "--surface", "--surface-soft", "--accent-soft", "--danger-soft", "--success-soft", "--warn-soft")
FRAMES = ("--line", "--line-soft", "--accent", "--danger", "--focus")


def properties(css: str, selector: str = "") -> dict[str, str]:
    """The custom properties of the rules with a selector, or of all rules."""
    rules = [body for found, body in _RULE.findall(css) if not selector or found.strip() == selector]
    assert rules, selector
    return {name: value.strip() for body in rules for name, value in _PROPERTY.findall(body)}


def scheme(word: str) -> dict[str, str]:
    """The value of each custom property in a scheme."""
    values = properties(LOW_VISION, "html[data-vision-scheme]") | properties(
        LOW_VISION, f'html[data-vision-scheme="{word}"]'
    )
    return {name: values[value[4:-1]] if value.startswith("var(") else value for name, value in values.items()}


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_the_guidelines_do() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("word", CHOICES["scheme"])
def test_every_colour_of_the_portal_is_one_of_the_two_of_the_scheme(word: str) -> None:
    colours = {name for name, value in properties(PORTAL).items() if _COLOUR.search(value) and name != "--shadow"}
    mapped = scheme(word)

    assert colours - set(mapped) == set(), "map these in assets/low_vision.css to var(--ink) or var(--paper)"
    assert {mapped[name] for name in colours} == {mapped["--ink"], mapped["--paper"]}


@pytest.mark.parametrize("word", CHOICES["scheme"])
def test_texts_and_frames_stand_out_from_every_ground(word: str) -> None:
    colours = scheme(word)

    pale = {(text, on) for text in TEXTS for on in GROUNDS if contrast(colours[text], colours[on]) < TEXT}
    faint = {(frame, on) for frame in FRAMES for on in GROUNDS if contrast(colours[frame], colours[on]) < FRAME}
    assert (pale, faint) == (set(), set())
    assert contrast(colours["--accent-text"], colours["--accent"]) >= TEXT
    assert contrast(colours["--accent-text"], colours["--accent-strong"]) >= TEXT


def test_no_rule_brings_a_third_colour() -> None:
    rules = [
        body
        for selector, body in _RULE.findall(LOW_VISION)
        if not re.fullmatch(r'html\[data-vision-scheme="\w+"\]', selector.strip())
    ]

    assert [body for body in rules if _COLOUR.search(body)] == []


def test_the_panel_has_a_button_for_each_word_and_the_styles_know_it() -> None:
    panel = {name: tuple(word for word, _ in words) for name, _, words in PANEL}

    assert panel == CHOICES
    ordinary = {("size", "100"), ("spacing", "normal"), ("images", "on")}  # the defaults, which need no rule
    for name, words in CHOICES.items():
        for word in words:
            assert f'html[data-vision-{name}="{word}"] .vision-{name}-{word}' in LOW_VISION
            ruled = re.search(rf'data-vision-{name}="{word}"\](?! \.vision-)', LOW_VISION)
            assert bool(ruled) == ((name, word) not in ordinary)


def test_the_letters_have_no_serifs_and_the_start_is_larger_than_ordinary() -> None:
    assert properties(LOW_VISION)["--font"].endswith(" sans-serif")
    assert LowVision().size != "100"
