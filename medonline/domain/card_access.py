"""Who may see whose medical card: patients see their own, a child's card by a statement, and anybody else's with consent.

The number of a policy contains its owner's birth date and sex (domain.oms_policy). So the number and the birth date are one
factor, and everybody who has seen the plastic card knows both. They are not enough to open a stranger's card.

Sources: Федеральный закон от 21.11.2011 № 323-ФЗ, article 13 (medical secrecy; its part 3 demands the person's written consent),
article 20 part 2 and article 22 part 2 (the legal representative of a minor under 15 decides and is informed; from 15 on the minor
decides). For patients in narcological care the age is 16. The registry does not tell who they are, so the portal cannot apply this.
No lawyer has read these sources yet: a lawyer must check them before the portal serves patients.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from medonline.domain.birth_date import age

MEDICAL_SECRECY_AGE = 15
# How long a request waits for its answer. Until then it blocks the next request, so that nobody is asked daily.
REQUEST_LIFE = timedelta(days=14)
# The most cards of other people, together with requests for them. It is more than the largest family and less than a list of strangers.
MAX_CARDS = 20


class Basis(StrEnum):
    """The right by which an account shows a card."""

    NONE = ""  # the card was added before the rule: it is hidden until it is added again
    OWN = "own"  # found by the account's own СНИЛС or policy, or its name and birth date equal the account's
    REPRESENTATIVE = "representative"  # a child's card, by the statement of the legal representative
    CONSENT = "consent"  # its owner agreed


class AccessState(StrEnum):
    """The state of a request to see somebody's cards."""

    WAITING = "waiting"
    GRANTED = "granted"
    # The person who asked still sees «ждёт согласия»: a refusal would reveal that the owner has an account.
    REFUSED = "refused"
    REMOVED = "removed"  # it was granted, then the owner withdrew it or the person who had it gave it up


def is_child(born: date, today: date) -> bool:
    """Whether a legal representative sees the card without asking its owner: under 15."""
    return age(born, today) < MEDICAL_SECRECY_AGE


def is_shown(basis: str, born: date | None, today: date) -> bool:
    """Whether a card is shown today; a representative's right ends on the child's fifteenth birthday."""
    if basis == Basis.REPRESENTATIVE:
        return born is not None and is_child(born, today)
    return basis in (Basis.OWN, Basis.CONSENT)
