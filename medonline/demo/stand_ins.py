"""The stand-ins under /sandbox, in demo mode only."""

from __future__ import annotations

from functools import partial

from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route

from medonline import routes
from medonline.bootstrap import DEMO_ACCOUNTS, portal
from medonline.config.demo_keys import demo_identity_keys
from medonline.config.settings import Config
from medonline.sandbox.app import close_sandbox, create_sandbox, open_sandbox
from medonline.sandbox.people import phones_of_people
from medonline.sandbox.settings import GosuslugiSettings, SandboxSettings


def sandbox_settings(config: Config, address: str = "") -> SandboxSettings:
    """Settings of stand-ins that accept exactly the credentials that the portal uses in demo mode.

    address: where browsers and the portal reach the stand-ins. By default they are a part of the portal.
    """
    return SandboxSettings(
        telegram_token=config.telegram_token.get_secret_value(),
        ucaller_key=config.ucaller_key.get_secret_value(),
        ucaller_service_id=config.ucaller_service_id,
        sms_ru_api_id=config.sms_ru_api_id.get_secret_value(),
        sms_aero_email=config.sms_aero_email,
        sms_aero_api_key=config.sms_aero_api_key.get_secret_value(),
        max_token=config.max_token.get_secret_value(),
        store=config.data_dir / "sandbox.sqlite3",
        demo_numbers=tuple(dict.fromkeys((*(account.phone for account in DEMO_ACCOUNTS), *phones_of_people()))),
        mail_socket=config.smtp_socket,
        fhir_token=config.card_registry_token.get_secret_value(),
        gosuslugi=_gosuslugi(config, address or f"{config.inner_url}{routes.SANDBOX}"),
        callback_urls=tuple(
            f"{origin}{path}"
            for origin in (config.inner_url, *config.allowed_origins)
            for path in (routes.TELEGRAM_REPORT, routes.UCALLER_CALL)
        ),
        sms_ru_report_url=f"{config.origin if config.sandbox_url else config.inner_url}{routes.SMS_RU_REPORT}",
    )


def _gosuslugi(config: Config, address: str) -> GosuslugiSettings:
    keys = demo_identity_keys(config.data_dir)
    return GosuslugiSettings(
        base_url=f"{address}/gosuslugi",
        issuer=config.esia_issuer,
        signing_key=keys.provider_key.read_bytes(),
        rotated_key=keys.rotated_key.read_bytes(),
        client_id=config.esia_client_id,
        client_certificate=keys.client_certificate.read_bytes(),
        client_secret=config.oidc_client_secret.get_secret_value(),
        redirect_uris=tuple(f"{origin}{routes.GOSUSLUGI_RETURN}" for origin in config.allowed_origins),
        logout_uris=tuple(
            f"{origin}{path}" for origin in config.allowed_origins for path in (routes.HOME, routes.GOSUSLUGI_ONWARD)
        ),
    )


def sandbox_mount() -> list[BaseRoute]:
    """The routes of the stand-ins. They are released together with the portal."""
    sandbox = create_sandbox(sandbox_settings(portal().config))
    portal().at_start.append(partial(open_sandbox, sandbox))
    portal().at_close.append(partial(close_sandbox, sandbox))
    to_index = Route(routes.SANDBOX, lambda _: RedirectResponse(f"{routes.SANDBOX}/", 307))
    return [to_index, Mount(routes.SANDBOX, sandbox)]
