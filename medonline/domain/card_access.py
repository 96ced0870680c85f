"""Who may see whose medical card: one's own, a child's by a statement, everybody else's by consent.

The number of a policy holds its owner's birth date and sex (domain.oms_policy), so that number and birth date are one
factor, and everybody who has seen the plastic card knows both: they open no stranger's card.

Sources, read by laymen and to be checked by a lawyer before the portal serves patients: Федеральный закон от 21.11.2011
№ 323-ФЗ, article 13 (medical secrecy; its part 3 wants the written consent of the person), article 20 part 2 and article 22
part 2 (the legal representative of a minor under 15 decides and is informed; from 15 on the minor; for patients in
narcological care the age is 16, which the registry does not tell, so that the portal does not know of it).
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from medonline.domain.birth_date import age

MEDICAL_SECRECY_AGE = 15
# How long a request waits for its answer. As long it is in the way of the next one, so that no one is asked daily.
REQUEST_LIFE = timedelta(days=14)
# Cards of other people and requests for them, together. More than the largest family, fewer than a list of strangers.
MAX_CARDS = 20


class Basis(StrEnum):
    """By what right an account shows a card."""

    NONE = ""  # added before the rule: not shown until it is added again
    OWN = "own"  # found by the account's own СНИЛС or policy, or name and birth date are the account's
    REPRESENTATIVE = "representative"  # a child's, by the statement of the legal representative
    CONSENT = "consent"  # its owner agreed


class AccessState(StrEnum):
    """What became of a request to see somebody's cards."""

    WAITING = "waiting"
    GRANTED = "granted"
    # The one who asks sees «ждёт согласия» as before: a refusal would tell that the owner has an account.
    REFUSED = "refused"
    REMOVED = "removed"  # granted, then taken back by the owner or given up by the one who had it


def is_child(born: date, today: date) -> bool:
    """Whether a legal representative sees the card without asking its owner: under 15."""
    return age(born, today) < MEDICAL_SECRECY_AGE


def is_shown(basis: str, born: date | None, today: date) -> bool:
    """Whether a card is shown today; a representative's right ends on the child's fifteenth birthday."""
    if basis == Basis.REPRESENTATIVE:
        return born is not None and is_child(born, today)
    return basis in (Basis.OWN, Basis.CONSENT)
