"""What the claims of an OpenID provider say of a person; which claim is which, a gateway may decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from medonline.providers.gosuslugi import person as read
from medonline.services.ports import IdentityPerson


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """The provider's names of the claims; an empty name means that it has no such claim.

    Defaults: OpenID Connect Core 5.1 as far as it goes; `snils`, `trusted` (ESIA's word for a confirmed account) and
    `oms_policy` are names of the portal's own, to be set to the gateway's.
    """

    given_name: str = "given_name"
    family_name: str = "family_name"
    middle_name: str = "middle_name"
    birthdate: str = "birthdate"
    snils: str = "snils"
    phone_number: str = "phone_number"
    phone_number_verified: str = "phone_number_verified"
    email: str = "email"
    email_verified: str = "email_verified"
    trusted: str = "trusted"
    oms_policy: str = "oms_policy"

    def all_in(self, claims: Mapping[str, object]) -> bool:
        """Whether nothing is left to ask the userinfo endpoint for."""
        names = (getattr(self, field.name) for field in fields(self))
        return all(name in claims for name in names if name)


def person_of_claims(
    claims: Mapping[str, object], names: ClaimNames, issuer: str, subject: str, id_token: str
) -> IdentityPerson:
    """The person; a flag that is not told is not set."""
    phone, email = read.phone(claims.get(names.phone_number)), read.email(claims.get(names.email))
    return IdentityPerson(
        issuer=issuer,
        subject=subject,
        confirmed=read.yes(claims.get(names.trusted)),
        last_name=read.name(claims.get(names.family_name)),
        first_name=read.name(claims.get(names.given_name)),
        patronymic=read.name(claims.get(names.middle_name)),
        birth_date=read.calendar_date(claims.get(names.birthdate)),
        snils=read.snils(claims.get(names.snils)),
        phone=phone,
        phone_verified=bool(phone) and read.yes(claims.get(names.phone_number_verified)),
        email=email,
        email_verified=bool(email) and read.yes(claims.get(names.email_verified)),
        oms_policy=read.oms_policy(claims.get(names.oms_policy)),
        id_token=id_token,
    )
