"""One example or more of each refusal that a patient can meet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from medonline.domain import errors
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import MedonlineError, PasswordProblem, PhoneProblem
from medonline.services.desk import accounts  # noqa: F401  (its errors belong to the tree too)

OPERATORS_ONLY = {"LastChannel", "CallsAloneLeft"}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def leaves(cls: type[MedonlineError] = MedonlineError) -> list[type[MedonlineError]]:
    """The classes below `cls` that have none below themselves."""
    below = [leaf for sub in cls.__subclasses__() for leaf in leaves(sub)]
    return below or [cls]


def examples() -> list[MedonlineError]:
    """Each with such values as change its sentence."""
    made: list[MedonlineError] = []
    for leaf in leaves():
        if not leaf.__module__.startswith("medonline.") or leaf.__name__ in OPERATORS_ONLY:
            continue
        if leaf is errors.InvalidPhone:
            made += [leaf(problem) for problem in PhoneProblem]
        elif leaf is errors.InvalidPassword:
            made += [leaf((problem,), 8) for problem in PasswordProblem]
            made.append(leaf((PasswordProblem.CYRILLIC_LAYOUT, PasswordProblem.TOO_SHORT), 6))
            made += [
                leaf((PasswordProblem.FORBIDDEN_CHARACTERS,), 8, signs) for signs in ("-", "- ", "-!\x00", " ", "\x00")
            ]
        elif leaf is errors.CallAwaited:
            made += [leaf(NOW, NOW + timedelta(minutes=5), better) for better in (None, *ChannelName)]
        elif leaf in (errors.RateLimited, errors.Busy):
            made += [leaf(timedelta(seconds=seconds)) for seconds in (0, 1, 42, 61, 3600)]
        elif leaf is errors.ChannelOverBudget:
            made += [leaf(channel, NOW, NOW + timedelta(hours=5)) for channel in ChannelName]
        elif issubclass(leaf, errors.LimitReached):
            made += [leaf(NOW, NOW + wait) for wait in (timedelta(seconds=1), timedelta(hours=1), timedelta(days=7))]
        elif leaf is errors.CodeIncomplete:
            made += [leaf(4), leaf(6)]
        elif leaf in (errors.CodeMismatch, errors.BirthDateMismatch):
            made += [leaf(number) for number in range(3)]
        elif leaf is errors.ChannelUnavailable:
            made += [leaf(channel, reason) for channel in ChannelName for reason in ("", "Звонки не доходят.")]
            made += [leaf(channel, another=False) for channel in ChannelName]
        elif leaf is errors.InvalidName:
            made += [leaf(problem) for problem in errors.NameProblem]
        elif leaf is errors.InvalidEmail:
            made += [leaf(problem) for problem in errors.EmailProblem]
        elif leaf is errors.InvalidBirthDate:
            made += [leaf(problem) for problem in errors.BirthDateProblem]
        elif leaf is errors.InvalidFields:
            made.append(leaf({"phone": errors.InvalidPhone(PhoneProblem.EMPTY), "policy": errors.InvalidPolicy()}))
        elif leaf is errors.CodeNotEnough:
            made += [leaf(better=channel) for channel in (None, *ChannelName)]
        elif leaf is errors.ConsentAlreadyAsked:
            made.append(leaf(NOW))
        elif leaf is errors.TooManyPasskeys:
            made.append(leaf(10))
        elif leaf is errors.TooManyCards:
            made += [leaf(number) for number in (1, 3, 20)]
        elif leaf is errors.IdentityRefused:
            made += [leaf(problem) for problem in errors.IdentityProblem]
        else:
            made.append(leaf())
    return made
