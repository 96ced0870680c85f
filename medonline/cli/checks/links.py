"""Checks for `medonline doctor` whether each text to a phone has room for the link «это не я»."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from medonline.bootstrap.inside import dispute_links
from medonline.cli.checks.finding import Finding
from medonline.config.identity import NoticeProvider
from medonline.config.settings import Config
from medonline.domain.login import LoginMethod
from medonline.services.notices.dispute_links import TOKEN_LENGTH
from medonline.services.notices.new_devices import NewDeviceNotices
from medonline.services.notices.queue import MAX_TEXT
from medonline.services.notices.texts import Text
from medonline.wording import notices

# The subject of each text to a phone. Each one is checked, because perhaps only the longest has no room.
LINKED: Mapping[Text, str] = {
    Text.ACCESS_RECOVERED: "a recovered password",
    Text.ACCESS_RECOVERED_UNLINKED: "a recovered password that took Gosuslugi off",
    Text.ACCESS_RECOVERED_NO_PASSKEYS: "a recovered password that took passkeys off",
    Text.ACCESS_RECOVERED_ALL_OFF: "a recovered password that took Gosuslugi and passkeys off",
    Text.ACCESS_CHANGED: "a changed password",
    Text.ACCESS_BY_PASSKEY: "a password changed after a sign-in by passkey",
    Text.PHONE_CHANGED: "another phone",
    Text.PHONE_SET: "a first phone",
    Text.IDENTITY_LINKED: "Gosuslugi linked",
    Text.IDENTITY_UNLINKED: "Gosuslugi taken off",
    Text.PASSKEY_ADDED: "a passkey added",
    Text.PASSKEY_REMOVED: "a passkey taken off",
    Text.EMAIL_PROVED: "a proved e-mail address",
    Text.DESK_PHONE_CHANGED: "another phone set by the desk",
    Text.DESK_PHONE_SET: "a first phone set by the desk",
    Text.DESK_NUMBER: "a phone set by the desk, to that phone",
    Text.DESK_IDENTITY_UNLINKED: "Gosuslugi taken off by the desk",
    Text.DESK_PASSKEY_REMOVED: "a passkey taken off by the desk",
}
# These go by mail only, or have no link (`WITHOUT_LINK` of services.notices.texts).
UNLINKED = frozenset(
    {
        Text.CARD_ASKED,
        Text.CARD_GRANTED,
        Text.EMAIL_CHANGED,
        Text.EMAIL_REMOVED,
        Text.EMAIL_PROOF,
        Text.DISPUTED,
        Text.DESK_SESSIONS_ENDED,
    }
)
_LONGEST_DEVICE = "Браузер Samsung, HarmonyOS"  # a browser and a system, in the words of wording.notices
_TO_BE_DONE = (
    "Serve the portal under a shorter name (MEDONLINE_PUBLIC_URL); with MEDONLINE_MAIL_PROVIDER a mail to a proved address has the "
    "link, however long it is"
)


def in_texts(config: Config) -> list[Finding]:
    """Whether each text has room for the link to this portal. Empty if no texts are sent."""
    if config.notice_provider is NoticeProvider.NONE:
        return []
    link = dispute_links(config).page + "#" + "0" * TOKEN_LENGTH
    room = {told: MAX_TEXT - len(notices.with_link(text, link)) for told, text in _texts(config)}
    where = f"{config.origin} ({len(config.origin)} characters)"
    longest = len(config.origin) + min(room.values())
    lacking = [told for told, left in room.items() if left < 0]
    if not lacking:
        return [Finding("links in texts", True, f"every text has room for «это не я» at {where}; up to {longest} fit")]
    return [
        Finding(
            "links in texts",
            True,
            f"{where} is too long for a text of {MAX_TEXT} characters, up to {longest} fit: the texts that tell of "
            f"{'; '.join(lacking)} go without the link «это не я», so their patients cannot close an account that somebody else "
            f"has taken by a tap, and must come to the desk. {_TO_BE_DONE}.",
            doubtful=True,
        )
    ]


def _texts(config: Config) -> Iterator[tuple[str, str]]:
    """The subject of each text, and its longest wording."""
    for of, told in LINKED.items():
        yield told, notices.text(of)
    if config.new_device_notices is NewDeviceNotices.ALL:
        at = datetime(2026, 9, 30, 12, tzinfo=UTC)  # the month with the longest name
        said = notices.NewDeviceSentences(config.zone)
        longest = max((said.new_device(how, _LONGEST_DEVICE, at, is_last=True) for how in LoginMethod), key=len)
        yield "a sign-in from a new device", longest
