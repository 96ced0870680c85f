"""What a check of `medonline doctor` found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    subject: str
    good: bool
    text: str
    hint: str = ""  # what to look at, where it is not good
    doubtful: bool = False  # it is good, but not for long, or not for all of it

    @property
    def mark(self) -> str:
        """As the report begins the line."""
        if not self.good:
            return "FAIL"
        return "warn" if self.doubtful else "ok  "
