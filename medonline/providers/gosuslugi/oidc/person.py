"""What the claims of an OpenID provider say about a person. A gateway may have its own names for the claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from medonline.providers.gosuslugi.person import Told
from medonline.providers.values import is_told
from medonline.services.ports import IdentityPerson


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """The provider's names of the claims. An empty name means that the provider has no such claim.

    The defaults come from OpenID Connect Core 5.1 where it has a name. `snils`, `trusted` (ESIA's word for a confirmed account) and
    `oms_policy` are the portal's own names. Operators set them to the gateway's names.
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
        """Whether the claims are complete, so that the portal need not ask the userinfo endpoint."""
        names = (getattr(self, field.name) for field in fields(self))
        # An empty text says that the person has no such value. Null says nothing.
        return all(claims.get(name) is not None for name in names if name)

    def enough_in(self, claims: Mapping[str, object]) -> bool:
        """Whether the claims alone tell who the person is: name, birth date, and whether the account is confirmed."""
        needed = (self.family_name, self.given_name, self.birthdate, self.trusted)
        return all(is_told(claims.get(name)) for name in needed if name)


def person_of_claims(
    claims: Mapping[str, object], names: ClaimNames, issuer: str, subject: str, id_token: str
) -> tuple[IdentityPerson, frozenset[str]]:
    """The person, and the names of required claims that the provider sent but the portal cannot read. A missing flag counts as not
    set."""
    said = Told("oidc", claims)
    phone, email = said.phone(names.phone_number), said.email(names.email)
    person = IdentityPerson(
        issuer=issuer,
        subject=subject,
        confirmed=said.yes(names.trusted),
        last_name=said.name(names.family_name),
        first_name=said.name(names.given_name),
        patronymic=said.name(names.middle_name),
        birth_date=said.birth_date(names.birthdate),
        snils=said.snils(names.snils),
        phone=phone,
        phone_verified=bool(phone) and said.yes(names.phone_number_verified),
        email=email,
        email_verified=bool(email) and said.yes(names.email_verified),
        oms_policy=said.oms_policy(names.oms_policy),
        id_token=id_token,
    )
    return person, frozenset({names.family_name, names.given_name, names.birthdate}.intersection(said.unreadable))
