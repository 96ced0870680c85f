"""Rows that a process without a provider leaves are sent by the one that serves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from medonline.bootstrap import Portal
from medonline.services.notices.queue import NoticeQueue
from medonline.services.notices.texts import About, Text, Told
from medonline.wording import notices as wording
from tests.services.account_limits import notices_of
from tests.services.notices.mailboxes import mailed, proves
from tests.services.notices.mailboxes import token_in as token_in_mail
from tests.services.notices.phone import token_in, told
from tests.services.world import KNOWN, patient_with

ADDRESS = "anna@example.ru"
LINKED = Told(KNOWN, About.IDENTITY, Text.IDENTITY_LINKED)


def queue(portal: Portal, *, texts: bool = True, mail: bool = True) -> NoticeQueue:
    return NoticeQueue(portal.clock, wording, portal.notices._links, writes_texts=texts, writes_mail=mail)


async def put(portal: Portal, where: NoticeQueue) -> None:
    patient = await patient_with(portal)
    with portal.database.writing() as session:
        where.put(session, patient.id, LINKED)


async def test_what_is_left_is_sent_with_links_that_the_portal_knows(portal: Portal) -> None:
    await proves(portal, ADDRESS)
    await put(portal, queue(portal))
    ((number, text),), ((address, mail),) = await told(portal), await mailed(portal)

    assert (number, address) == (KNOWN, ADDRESS)
    assert text.startswith(wording.text(Text.IDENTITY_LINKED))
    await portal.dispute.raise_(token_in(text))
    assert token_in_mail(mail) != token_in(text)


@pytest.mark.parametrize(("texts", "mail", "ways"), [(True, False, [""]), (False, True, [ADDRESS]), (False, False, [])])
async def test_nothing_is_left_that_nobody_will_send(portal: Portal, texts: bool, mail: bool, ways: list[str]) -> None:
    await proves(portal, ADDRESS)
    await put(portal, queue(portal, texts=texts, mail=mail))

    assert [row.email for row in await notices_of(portal)] == ways


async def test_where_the_address_is_too_long_for_a_text_the_mail_has_the_link_all_the_same(portal: Portal) -> None:
    await proves(portal, ADDRESS)
    assert portal.notices._links is not None
    links = replace(portal.notices._links, page=f"https://{'h' * 60}.example.ru/not-me")
    where = NoticeQueue(portal.clock, wording, links, writes_texts=True, writes_mail=True)
    patient = await patient_with(portal)
    with portal.database.writing() as session:
        where.put(session, patient.id, Told(KNOWN, About.RECOVERED, Text.ACCESS_RECOVERED_ALL_OFF))
    ((_, text),), ((_, mail),) = await told(portal), await mailed(portal)

    assert text == wording.text(Text.ACCESS_RECOVERED_ALL_OFF)
    await portal.dispute.raise_(token_in_mail(mail))
