"""Every handler of the account with what an honest page sends to it, and the record that it could change."""

from __future__ import annotations

from typing import Any

from medonline.state.account_dispute import NotMeState
from medonline.state.account_sessions import SessionsState
from medonline.state.account_settings import SettingsState
from medonline.state.email_proof import EmailProofState
from medonline.state.gosuslugi.link_account import LinkAccountState
from medonline.state.gosuslugi.login_failed import LoginFailedState
from medonline.state.gosuslugi.register import RegisterState
from medonline.state.patient_cards import CardsState
from medonline.state.reauthentication import ReauthenticationState
from medonline.state.regions import RegionState
from medonline.state.security_journal import JournalState
from medonline.state.waits import WaitsState
from tests.e2e.server import Server
from tests.services.world import KNOWN, PASSWORD
from tests.state.watching import ask

CANARY = "canary-5d1e"
SETTINGS = SettingsState.get_full_name()
REAUTHENTICATION = ReauthenticationState.get_full_name()
EMAIL = EmailProofState.get_full_name()
CARDS = CardsState.get_full_name()
SESSIONS = SessionsState.get_full_name()
JOURNAL = JournalState.get_full_name()
NOT_ME = NotMeState.get_full_name()
REGISTER = RegisterState.get_full_name()
LINK = LinkAccountState.get_full_name()
FAILED = LoginFailedState.get_full_name()
REGION = RegionState.get_full_name()
WAITS = WaitsState.get_full_name()
FORM = {
    "phone": "+79000007001",
    "email": "a@example.ru",
    "last_name": "Иванова",
    "first_name": "Марья",
    "password": "KorablLipa47",
    "password_confirmation": "KorablLipa47",
    "current_password": PASSWORD,
    "channel": "flash_call",
    "code": "0427",
    "policy": "7700000000000011",
    "birth_date": "01.09.2015",
    "representative": "on",
    "page": "p",
}
# What an honest page sends to each handler.
HANDLERS: dict[str, dict[str, Any]] = {
    f"{JOURNAL}.load": {},
    f"{JOURNAL}.show_more": {},
    f"{NOT_ME}.dispute": {"form": {"token": "0" * 64}},
    f"{SETTINGS}.load": {},
    f"{SETTINGS}.save": {"form": FORM},
    f"{SETTINGS}.confirm_phone": {"form": FORM},
    f"{SETTINGS}.resend": {"channel": "flash_call"},
    f"{SETTINGS}.cancel_phone": {},
    f"{SETTINGS}.prove": {"form": FORM},
    f"{SETTINGS}.ask_unlink": {"number": "0" * 12},
    f"{SETTINGS}.unlink": {"number": "0" * 12},
    f"{SETTINGS}.rate_password": {"password": "KorablLipa47"},
    f"{SETTINGS}.watch": {},
    f"{EMAIL}.load": {},
    f"{EMAIL}.send": {},
    f"{EMAIL}.confirm": {"form": FORM},
    f"{CARDS}.load": {},
    f"{CARDS}.fetch": {},
    f"{CARDS}.refresh": {},
    f"{CARDS}.link": {"form": FORM},
    f"{CARDS}.ask_unlink": {"card_id": "1"},
    f"{CARDS}.unlink": {"card_id": "1"},
    f"{CARDS}.ask_again": {"card_id": "1"},
    f"{CARDS}.withdraw": {"access_id": "1"},
    f"{CARDS}.grant": {"access_id": "1"},
    f"{CARDS}.refuse": {"access_id": "1"},
    f"{CARDS}.ask_remove": {"access_id": "1"},
    f"{CARDS}.remove": {"access_id": "1"},
    f"{SESSIONS}.load": {},
    f"{SESSIONS}.end": {"number": "0" * 16},
    f"{SESSIONS}.end_others": {},
    f"{REGISTER}.load": {},
    f"{REGISTER}.consent": {"form": FORM},
    f"{REGISTER}.refuse": {},
    f"{REGISTER}.have_account": {},
    f"{LINK}.load": {},
    f"{LINK}.prove_by_password": {"form": FORM | {"phone": KNOWN, "password": PASSWORD}},
    f"{LINK}.send_code": {"form": FORM},
    f"{LINK}.resend": {"channel": "flash_call"},
    f"{LINK}.confirm_code": {"form": FORM},
    f"{LINK}.other_way": {},
    f"{LINK}.not_mine": {"form": FORM},
    f"{LINK}.watch": {},
    f"{FAILED}.load": {},
    f"{REGION}.load": {},
    f"{WAITS}.load": {},
}
# Of a signed-in patient, without the step that leads there.
OUT_OF_ORDER = [
    f"{SETTINGS}.confirm_phone",
    f"{SETTINGS}.resend",
    f"{SETTINGS}.cancel_phone",
    f"{SETTINGS}.watch",
    f"{CARDS}.ask_unlink",
    f"{CARDS}.unlink",
    f"{CARDS}.ask_again",
    f"{CARDS}.withdraw",
    f"{CARDS}.grant",
    f"{CARDS}.refuse",
    f"{CARDS}.ask_remove",
    f"{CARDS}.remove",
    f"{SESSIONS}.end",
    f"{SESSIONS}.end_others",
    *(name for name in HANDLERS if REGISTER in name or LINK in name),
]


def record(server: Server) -> dict[str, list[Any]]:
    """Everything these handlers could have an effect on; not what the dispatchers change by themselves."""
    questions = {
        "patient": "SELECT * FROM patient",
        "account_session": "SELECT token_hash, authenticated_at, ended_at FROM account_session",
        "account_change": "SELECT * FROM account_change",
        "notice": "SELECT id, phone, text FROM notice",
        "linked_identity": "SELECT * FROM linked_identity",
        "identity_journey": "SELECT * FROM identity_journey",
        "pending_identity": "SELECT * FROM pending_identity",
        "personal_data_consent": "SELECT * FROM personal_data_consent",
        "patient_card": "SELECT * FROM patient_card",
        "card_attempt": "SELECT * FROM card_attempt",
        "card_access": "SELECT * FROM card_access",
        "login_ticket": "SELECT * FROM login_ticket",
        "password_recovery": "SELECT * FROM password_recovery",
        "one_time_code": "SELECT id, misses, confirmed_at, replaced_at FROM one_time_code",
    }
    return {table: sorted(map(repr, ask(server, question))) for table, question in questions.items()}
