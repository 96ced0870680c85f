"""The outside of a service under test: an identity provider and a registry of cards that answer as told."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import inspect
from sqlalchemy import text as sql

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.device import Device
from medonline.domain.errors import IdentityProblem, IdentityRefused, RegistryUnavailable
from medonline.services.gosuslugi.login import JourneyReturn, Purpose, Waiting
from medonline.services.login.password_login import OpenedSession
from medonline.services.ports import AuthorizationRequest, Departure, FoundCards, IdentityPerson, RegistryCard
from tests.services.world import ADDRESSES, another_connection

ISSUER = "https://esia.test.example/"
RETURN = "http://127.0.0.1:8000/gosuslugi/return"
SNILS, OTHER_SNILS = "11223344595", "00100199900"
POLICY = "7755444433332220"
MOBILE = "+79000005001"
DEVICE = Device("Firefox, Linux", "192.0.2.x")
VERA = IdentityPerson(
    issuer=ISSUER,
    subject="1000000001",
    confirmed=True,
    last_name="Воробьёва",
    first_name="Вера",
    patronymic="Львовна",
    birth_date=date(1984, 2, 29),
    snils=SNILS,
    phone=MOBILE,
    phone_verified=True,
    email="vera@example.ru",
    email_verified=True,
    oms_policy=POLICY,
    id_token="a-token-of-the-provider",
)


@dataclass
class ScriptedIdentity:
    """A provider for which each code means a person."""

    name: str = "scripted"
    asks_after_sign_out: bool = False
    down: bool = False
    people: dict[str, IdentityPerson] = field(default_factory=dict)
    asked: list[AuthorizationRequest] = field(default_factory=list)
    logouts: list[str] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def code_for(self, person: IdentityPerson) -> str:
        code = f"code-{next(self._numbers)}"
        self.people[code] = person
        return code

    async def authorization_url(self, request: AuthorizationRequest) -> str:
        self._answer()
        self.asked.append(request)
        return f"https://esia.test.example/ac?state={request.state}&redirect_uri={request.redirect_uri}"

    async def fetch_person(self, code: str, request: AuthorizationRequest) -> IdentityPerson:
        self._answer()
        await asyncio.sleep(0)
        assert request in self.asked
        if code not in self.people:
            raise IdentityRefused(IdentityProblem.CODE_USED)
        return self.people.pop(code)

    async def check_return(self, issuer: str | None) -> None:
        if issuer not in (None, "https://esia.test.example"):
            raise IdentityRefused(IdentityProblem.UNTRUSTWORTHY, "iss")

    def problem_of(self, error: str, description: str) -> IdentityProblem:
        return IdentityProblem.DENIED if error == "access_denied" else IdentityProblem.OTHER

    async def sign_out(self, id_token: str, return_to: str) -> Departure | None:
        self._answer()
        self.logouts.append(id_token)
        address = f"https://esia.test.example/logout?back={return_to}"
        return Departure(address, {"id_token_hint": id_token} if id_token else {})

    async def check(self) -> str:
        return "A stand-in in the test."

    async def close(self) -> None:
        return None

    def _answer(self) -> None:
        if self.down:
            raise IdentityRefused(IdentityProblem.UNAVAILABLE, "no answer")


@dataclass
class ScriptedRegistry:
    """A registry of these cards, of which those with an `unreadable` ref cannot be read; counts what it was asked."""

    cards: list[RegistryCard] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)
    down: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def cards_by_snils(self, snils: str) -> FoundCards:
        await self._answer("snils", snils)
        return self._found([card for card in self.cards if card.snils == snils])

    async def cards_by_policy(self, oms_policy: str) -> FoundCards:
        await self._answer("policy", oms_policy)
        return self._found([card for card in self.cards if card.oms_policy == oms_policy])

    async def card(self, ref: str) -> FoundCards:
        await self._answer("ref", ref)
        return self._found([card for card in self.cards if card.ref == ref])

    def _found(self, cards: list[RegistryCard]) -> FoundCards:
        readable = tuple(card for card in cards if card.ref not in self.unreadable)
        return FoundCards(readable, len(cards) - len(readable))

    async def check(self) -> str:
        return "A stand-in in the test."

    async def close(self) -> None:
        return None

    async def _answer(self, kind: str, value: str) -> None:
        self.asked.append((kind, value))
        await asyncio.sleep(0)
        if self.down:
            raise RegistryUnavailable("no answer")


def with_provider(portal: Portal, provider: ScriptedIdentity | None, **changes: Any) -> Portal:
    """The same portal behind this identity provider; `changes` are of its service."""
    service = replace(portal.identity, provider=provider, **changes)
    return replace(portal, identity=service, outside=replace(portal.outside, identity=provider))


def with_registry(portal: Portal, registry: ScriptedRegistry | None) -> Portal:
    """The same portal before this registry."""
    cards = replace(portal.cards, registry=registry)
    return replace(portal, cards=cards, outside=replace(portal.outside, registry=registry))


def provider_of(portal: Portal) -> ScriptedIdentity:
    assert isinstance(portal.identity.provider, ScriptedIdentity)
    return portal.identity.provider


async def leave(portal: Portal, visitor: Client, purpose: Purpose = Purpose.LOGIN, consent: str = "") -> str:
    """Off to the provider; the journey's state."""
    await portal.identity.start(visitor, purpose, RETURN, consent)
    return provider_of(portal).asked[-1].state


async def come_back(portal: Portal, visitor: Client, state: str, person: IdentityPerson) -> OpenedSession | Waiting:
    told = replace(person, authenticated_at=person.authenticated_at or portal.clock())
    back = JourneyReturn(state=state, code=provider_of(portal).code_for(told))
    return await portal.identity.finish(replace(visitor, device=DEVICE), back)


async def arrive(
    portal: Portal, visitor: Client, person: IdentityPerson = VERA, purpose: Purpose = Purpose.LOGIN, consent: str = ""
) -> OpenedSession | Waiting:
    """To the provider and back as this person."""
    return await come_back(portal, visitor, await leave(portal, visitor, purpose, consent), person)


def dump(folder: Path) -> dict[str, list[Any]]:
    """Every row of every table."""
    with another_connection(folder) as connection:
        names = inspect(connection).get_table_names()
        return {name: sorted(map(repr, connection.execute(sql(f"SELECT * FROM {name}")))) for name in names}


def changed_tables(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> set[str]:
    return {name for name in after if before.get(name) != after[name]}


def is_at_rest(folder: Path, text: str) -> bool:
    """Whether a text is in clear in any file of the data folder, the write-ahead log too; elsewhere, in any row."""
    if folder in ADDRESSES:
        return text in repr(dump(folder))
    return any(text.encode() in path.read_bytes() for path in folder.iterdir() if path.is_file())
