"""The Reflex app: socket server, HTTP routes, page imports; no logic."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.layout import connection_banner, error_boundary
from medonline.dialogs.failure import failure_bar
from medonline.pages.cards import cards
from medonline.pages.home import home
from medonline.pages.not_found import not_found
from medonline.pages.recovery import recovery
from medonline.state.account import AccountState
from medonline.state.failures import report_failure
from medonline.state.login import LoginState
from medonline.state.recovery import RecoveryState
from medonline.state.site import lifespan, sockets
from medonline.web.http_routes import with_routes

app = rx.App(
    sio=sockets,
    html_lang="ru",
    stylesheets=["/portal.css"],
    head_components=[
        rx.el.script(src="/portal.js", defer=True),
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.meta(name="theme-color", content="#0b5f6b"),
    ],
    toaster=None,
    app_wraps={
        (55, "ErrorBoundary"): lambda _stateful: error_boundary(),
        (5, "Overlay"): lambda stateful: rx.fragment(connection_banner(), failure_bar()) if stateful else None,
    },
    backend_exception_handler=report_failure,
    api_transformer=with_routes,
)
app.add_page(
    home,
    route=routes.HOME,
    title="Медицина-онлайн: запись к врачу",
    on_load=[AccountState.load_home, LoginState.forget],
)
app.add_page(
    recovery, route=routes.RECOVERY, title=RecoveryState.title, on_load=[RecoveryState.load, LoginState.forget]
)
app.add_page(
    cards, route=routes.CARDS, title="Мои карты — Медицина-онлайн", on_load=[AccountState.load_cards, LoginState.forget]
)
app.add_page(not_found, route="404", title="Такой страницы нет — Медицина-онлайн", on_load=AccountState.load_page)
app.register_lifespan_task(lifespan)
