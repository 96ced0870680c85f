"""The Reflex app: socket server, HTTP routes, page imports; no logic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reflex as rx

from medonline import routes
from medonline.components.layout import connection_banner, error_boundary
from medonline.demo import demo_routes
from medonline.dialogs.answers import answers, no_socket
from medonline.dialogs.failure import failure_bar
from medonline.frontend import BUILT
from medonline.pages.accessibility import accessibility
from medonline.pages.account_dispute import not_me
from medonline.pages.account_sessions import sessions
from medonline.pages.account_settings.page import settings
from medonline.pages.gosuslugi.link_account import link_account
from medonline.pages.gosuslugi.login_failed import login_failed
from medonline.pages.gosuslugi.register import register
from medonline.pages.home import home
from medonline.pages.not_found import not_found
from medonline.pages.password_recovery import recovery
from medonline.pages.patient_cards.page import cards
from medonline.pages.region import region
from medonline.pages.security_journal import journal
from medonline.state.account import AccountState
from medonline.state.account_dispute import NotMeState
from medonline.state.account_sessions import SessionsState
from medonline.state.account_settings import SettingsState
from medonline.state.failures import report_failure, report_page_failure
from medonline.state.gosuslugi.link_account import LinkAccountState
from medonline.state.gosuslugi.login_failed import LoginFailedState
from medonline.state.gosuslugi.register import RegisterState
from medonline.state.login import LoginState
from medonline.state.passkeys import PasskeysState
from medonline.state.password_recovery.state import RecoveryState
from medonline.state.patient_cards import CardsState
from medonline.state.regions import RegionState
from medonline.state.security_journal import JournalState
from medonline.state.socket_server import lifespan, sockets
from medonline.web.documents import Documents
from medonline.web.routes.table import with_routes

app = rx.App(
    sio=sockets,
    html_lang="ru",
    stylesheets=["/portal.css"],
    head_components=[
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.meta(name="theme-color", content="#0b5f6b"),
    ],
    toaster=None,
    app_wraps={
        (55, "ErrorBoundary"): lambda _stateful: error_boundary(),
        (5, "Overlay"): lambda stateful: (
            rx.fragment(connection_banner(), failure_bar(), answers(), no_socket()) if stateful else None
        ),
    },
    backend_exception_handler=report_failure,
    frontend_exception_handler=report_page_failure,
    api_transformer=lambda pages: with_routes(Documents(pages, BUILT), demo_routes()),
)
PAGES: tuple[tuple[Callable[[], rx.Component], str, Any, Any], ...] = (
    (home, routes.HOME, AccountState.region_title + ": личный кабинет пациента", AccountState.load_home),
    (recovery, routes.RECOVERY, RecoveryState.title, RecoveryState.load),
    (register, routes.REGISTER, "Регистрация — Медицина-онлайн", RegisterState.load),
    (link_account, routes.LINK_ACCOUNT, "Это ваш личный кабинет? — Медицина-онлайн", LinkAccountState.load),
    (login_failed, routes.LOGIN_FAILED, "Ошибка: вход через Госуслуги — Медицина-онлайн", LoginFailedState.load),
    (region, routes.REGION, "Выберите регион — Медицина-онлайн", RegionState.load),
    (cards, routes.CARDS, "Мои карты — Медицина-онлайн", CardsState.load),
    (settings, routes.SETTINGS, "Настройки — Медицина-онлайн", SettingsState.load),
    (sessions, routes.SESSIONS, "Мои входы — Медицина-онлайн", SessionsState.load),
    (journal, routes.JOURNAL, "Журнал — Медицина-онлайн", JournalState.load),
    (accessibility, routes.ACCESSIBILITY, "О доступности — Медицина-онлайн", AccountState.load_page),
    (not_me, routes.NOT_ME, "Это не я — Медицина-онлайн", NotMeState.load),
)
# Most patients come to these pages, and each event costs. So their loads themselves end an earlier attempt to sign in.
_FORGETTING = (routes.HOME, routes.RECOVERY, routes.CARDS)
# It is below the form, and is not needed before it.
_THEN = {routes.SETTINGS: [PasskeysState.load]}
for page, route, title, on_load in PAGES:
    loads = [on_load, *_THEN.get(route, []), *([] if route in _FORGETTING else [LoginState.forget])]
    app.add_page(page, route=route, title=title, on_load=loads)
app.add_page(not_found, route="404", title="Такой страницы нет — Медицина-онлайн", on_load=AccountState.load_page)
app.register_lifespan_task(lifespan)
