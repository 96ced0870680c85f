"""The sandbox: stand-ins of Telegram Gateway, uCaller, SMS.ru, SMS Aero and Gosuslugi that speak their wire protocols, and
the demo phone.

A separate ASGI application that runs alone or mounted under any path:

    /telegram   base URL for the Telegram Gateway adapter      /phone                  the demo phone, a page
    /ucaller    base URL for the uCaller adapter               /phone/{e164}/events    the same as JSON
    /sms_ru     base URL for the SMS.ru adapters               /health                 {"status": "ok"}
    /sms_aero   base URL for the SMS Aero adapter              /code-faults            what goes wrong with them
    callcheck of SMS.ru and inboundCallWaiting of uCaller      /dialler                calls from a demo phone, a page
    /max/api    base URL for the adapter of MAX        /max/open/{bot}         its chat, a page
    /gosuslugi  base URL for the ESIA adapter, /gosuslugi/oidc for the OIDC one; only when it is set up
    the mail server listens at a socket file                   /inbox                  its mailboxes, a page
    /fhir       base URL for the adapter of medical cards      /fhir-faults            what goes wrong with it

Numbers that make a provider fail on purpose are listed in `magic.py` and in docs/sandbox.md. Never mounted in
production.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from medonline.sandbox.callbacks import Callbacks
from medonline.sandbox.code_faults import CodeFaults, Vendor
from medonline.sandbox.demo_phone import DemoPhone
from medonline.sandbox.dialler import Dialler
from medonline.sandbox.fhir import FhirStandIn
from medonline.sandbox.fhir_faults import FhirFaults
from medonline.sandbox.gosuslugi.stand_in import GosuslugiStandIn
from medonline.sandbox.mailbox import Mailboxes
from medonline.sandbox.max import MaxStandIn
from medonline.sandbox.max_pages import MaxPages
from medonline.sandbox.patient_calls import PatientCalls
from medonline.sandbox.settings import SandboxSettings
from medonline.sandbox.sms import SmsBox
from medonline.sandbox.sms_aero import SmsAeroStandIn
from medonline.sandbox.sms_ru import SmsRuStandIn
from medonline.sandbox.store import Store
from medonline.sandbox.telegram import TelegramGatewayStandIn
from medonline.sandbox.ucaller import UCallerStandIn

__all__ = ["SandboxSettings", "close_sandbox", "create_sandbox", "open_sandbox"]

_STATIC = Path(__file__).with_name("static")


def create_sandbox(settings: SandboxSettings) -> Starlette:
    """Build the application. It opens `settings.store` at once.

    When it runs alone, its lifespan opens the mail server and cleans up. A mounted application gets no lifespan events, so its host calls
    `open_sandbox` at its own start and `close_sandbox` at its own shutdown.
    """
    store = Store(settings.store)
    box = SmsBox(store, settings.delivery_pace)
    callbacks = Callbacks(settings.telegram_token, settings.delivery_pace)
    faults = CodeFaults(store, settings.slow_answer)
    gosuslugi = GosuslugiStandIn(settings, store) if settings.gosuslugi is not None else None

    mailboxes = Mailboxes(store, settings.mail_socket)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await mailboxes.open()
        yield
        await close_sandbox(app)

    messenger = MaxStandIn(settings, store, faults)
    calls = PatientCalls(settings, store, faults)

    app = Starlette(
        lifespan=lifespan,
        routes=[
            *_vendors_of_codes(settings, store, callbacks, faults, box, calls),
            Mount("/max/api", routes=faults.over(Vendor.MAX, messenger.routes())),
            Mount("/max", routes=MaxPages(messenger, settings.demo_numbers).routes()),
            *faults.routes(),
            *Dialler(calls).routes(),
            *_card_registry(settings, store),
            *([Mount("/gosuslugi", routes=gosuslugi.routes())] if gosuslugi is not None else []),
            *DemoPhone(store, settings.demo_numbers, gosuslugi.pending_qr if gosuslugi is not None else None).routes(),
            *(mailboxes.routes() if settings.mail_socket is not None else []),
            Route("/health", _health),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
    )
    app.state.store = store
    app.state.callbacks = callbacks
    app.state.messenger = messenger
    app.state.calls = calls
    app.state.mailboxes = mailboxes
    return app


def _vendors_of_codes(
    settings: SandboxSettings,
    store: Store,
    callbacks: Callbacks,
    faults: CodeFaults,
    box: SmsBox,
    calls: PatientCalls,
) -> list[BaseRoute]:
    telegram = TelegramGatewayStandIn(settings, store, callbacks).routes()
    ucaller = [*UCallerStandIn(settings, store, faults).routes(), *calls.of_ucaller()]
    sms_ru = [*SmsRuStandIn(settings, store, faults, box).routes(), *calls.of_sms_ru()]
    return [
        Mount("/telegram", routes=faults.over(Vendor.TELEGRAM, telegram)),
        Mount("/ucaller", routes=faults.over(Vendor.UCALLER, ucaller)),
        Mount("/sms_ru", routes=faults.over(Vendor.SMS_RU, sms_ru)),
        Mount("/sms_aero", routes=faults.over(Vendor.SMS_AERO, SmsAeroStandIn(settings, faults, box).routes())),
    ]


def _card_registry(settings: SandboxSettings, store: Store) -> list[BaseRoute]:
    if not settings.fhir_token:
        return []
    faults = FhirFaults(store)
    return [Mount("/fhir", routes=FhirStandIn(settings, faults).routes()), *faults.routes()]


async def open_sandbox(app: Starlette) -> None:
    """Open the mail server, if there is one."""
    await app.state.mailboxes.open()


async def close_sandbox(app: Starlette) -> None:
    """Cancel the pending callbacks, and close the mail server and the store."""
    await app.state.callbacks.close()
    await app.state.messenger.close()
    await app.state.calls.close()
    await app.state.mailboxes.close()
    app.state.store.close()


async def _health(request: Request) -> Response:
    return JSONResponse({"status": "ok"})
