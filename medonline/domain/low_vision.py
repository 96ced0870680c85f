"""«Версия для слабовидящих»: how the pages look for a patient who sees badly.

Each choice is one of a few words. Forms, the cookie and the attributes of the page use the same words, and
`assets/low_vision.css` reads the attributes. So nothing that a client made up gets into a page.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

# The words of each choice, in the order of the panel.
CHOICES: dict[str, tuple[str, ...]] = {
    "size": ("100", "150", "200"),  # per cent of the ordinary text
    "scheme": ("black", "white", "blue"),  # the colour of the text: on white, on black, on light blue
    "spacing": ("normal", "wide", "widest"),  # between letters
    "images": ("on", "off"),
}


@dataclass(frozen=True, slots=True)
class LowVision:
    """One look. Each of its fields is a word of `CHOICES`."""

    size: str = "150"
    scheme: str = "black"
    spacing: str = "normal"
    images: str = "on"

    @classmethod
    def read(cls, text: str) -> LowVision | None:
        """The look that a cookie names. None for any text that `text` does not produce."""
        words = text.split(".", len(CHOICES))
        if len(words) != len(CHOICES):
            return None
        named = dict(zip(CHOICES, words, strict=True))
        return cls(**named) if all(_is_choice(name, word) for name, word in named.items()) else None

    @property
    def text(self) -> str:
        """The form that the cookie keeps: `150.black.normal.on`."""
        return ".".join(asdict(self).values())

    def choosing(self, wanted: dict[str, str]) -> LowVision:
        """The look after a form was sent. Only fields that the form names with a known word change."""
        return replace(self, **{name: word for name, word in wanted.items() if _is_choice(name, word)})


def _is_choice(name: str, word: str) -> bool:
    return word in CHOICES.get(name, ())
