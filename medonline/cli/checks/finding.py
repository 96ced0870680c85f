"""The result of a check of `medonline doctor`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    subject: str
    good: bool
    text: str
    hint: str = ""  # what to look at when the result is not good
    doubtful: bool = False  # the result is good, but not for long or not for everything

    @property
    def mark(self) -> str:
        """The start of the line in the report."""
        if not self.good:
            return "FAIL"
        return "warn" if self.doubtful else "ok  "
