"""Who is signed in and which region was chosen, for the header, the start page and every text that names a contact."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.bootstrap import portal
from medonline.domain.codes.channels import GUIDE_CHANNELS
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.crypto.tokens import token_hash
from medonline.services.login.password_login import SignedIn
from medonline.state.input import query_of, visitor_of
from medonline.state.login import forget_attempt
from medonline.wording.channels import advice_in_words, ways_in_words
from medonline.wording.errors import SESSION_OVER, SIGNED_OUT, session_idle
from medonline.wording.regions import ONLY_REGION

# "asked" replaces "again" once the page has opened the sign-in (`browser/portal/asked_dialog.js`).
_REASONS = {"again": SESSION_OVER, "asked": SESSION_OVER, "left": SIGNED_OUT}


class AccountState(rx.State):
    """A cache of the session for the screen; every handler asks the record again."""

    signed_in: bool = False
    full_name: str = ""
    greeting: str = ""
    owner_mark: str = ""  # tells one patient's drafts from another's, and says nothing else about them
    notice: str = ""
    asked_again: bool = False  # the sign-in dialog opens by itself and covers the notice
    unfinished_recovery: bool = False
    gosuslugi_on: bool = True
    ways_of_codes: str = ways_in_words(GUIDE_CHANNELS)
    other_codes: str = advice_in_words(GUIDE_CHANNELS)
    registry_on: bool = True
    several_regions: bool = False
    region_title: str = ONLY_REGION.title
    region_name: str = ""
    support_phone: str = ""
    support_tel: str = ""
    booking_url: str = ""
    accessibility_email: str = ""
    operator: str = ""
    data_policy: str = ""
    desk: str = ONLY_REGION.desk

    @rx.event
    async def load_home(self) -> rx.event.EventSpec | None:
        """Load the start page: the header, and whether a recovery waits to be finished. Ask for the region first if it is unknown."""
        await forget_attempt(self)
        await self._show_session()
        if self._show_region():
            return rx.redirect(routes.REGION, replace=True)
        reason = query_of(self, "login") if not self.signed_in else ""
        over = session_idle(portal().config.session_absolute)
        self.notice, self.asked_again = {**_REASONS, "over": over}.get(reason, ""), reason in ("again", "asked")
        # Only a recovery at this step is still open: the start page ends a proved one (web.routes.visitors).
        view = await portal().recovery.current(visitor_of(self))
        self.unfinished_recovery = view is not None and view.step is RecoveryStep.CODE
        return None

    @rx.event
    async def load_page(self) -> None:
        """Load any page: the header and the region's texts."""
        await self._show_session()
        self._show_region()

    @rx.event
    async def require_session(self) -> rx.event.EventSpec | None:
        """Load a page for signed-in patients only. Others go to the sign-in."""
        self._show_region()
        return None if await self._show_session() else sign_in_again()

    async def _show_session(self) -> SignedIn | None:
        session_key = visitor_of(self).session_key
        signed_in = await portal().login.who(session_key) if session_key else None
        self._show_account(signed_in)
        return signed_in

    def _show_account(self, signed_in: SignedIn | None) -> None:
        self.signed_in = signed_in is not None
        self.full_name = signed_in.full_name if signed_in else ""
        self.owner_mark = token_hash(signed_in.patient_id)[:16] if signed_in else ""
        self.greeting = " ".join(filter(None, (signed_in.first_name, signed_in.patronymic))) if signed_in else ""

    def _show_region(self) -> bool:
        """Show the texts of the visitor's region. Returns whether the region must be asked for first."""
        config = portal().config
        chosen = config.region(visitor_of(self).region_code)
        shown = chosen or ONLY_REGION  # before the choice no region's own phone number is shown
        self.gosuslugi_on = portal().outside.identity is not None
        self.registry_on = portal().outside.registry is not None
        channels = portal().switches.open_now()
        self.ways_of_codes, self.other_codes = ways_in_words(channels), advice_in_words(channels)
        self.several_regions = len(config.regions) > 1
        self.region_title, self.desk = shown.title, shown.desk
        self.support_phone, self.support_tel = shown.support_phone, shown.support_tel
        self.booking_url, self.accessibility_email = shown.booking_url, shown.accessibility_email
        self.operator, self.data_policy = config.operator_name.strip(), shown.data_policy
        self.region_name = shown.name if self.several_regions and chosen else ""
        return chosen is None


async def show_account(state: rx.State, signed_in: SignedIn) -> None:
    """Do the work of `AccountState.require_session` for a page whose own load has found out who is signed in."""
    account = await state.get_state(AccountState)
    account._show_region()
    account._show_account(signed_in)


async def load_account(state: rx.State) -> None:
    """Do the work of `AccountState.load_page` within a page's own load."""
    account = await state.get_state(AccountState)
    await account._show_session()
    account._show_region()


def sign_in_again() -> rx.event.EventSpec:
    """Redirect to the start page, which says that the session is over and opens the sign-in."""
    return rx.redirect(f"{routes.HOME}?login=again", replace=True)
