"""The credentials that the stand-ins accept, the place where they keep events, and the speed of their time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class GosuslugiSettings:
    """What the stand-in of Gosuslugi (ESIA) knows of its only client, the portal, and what it signs with.

    Attributes:
        base_url: the address under which the stand-in itself is reached, for example
            http://127.0.0.1:8000/sandbox/gosuslugi
        issuer: `iss` of the tokens of its ESIA face, for example http://esia.sandbox.example/
        signing_key: PEM of the RSA private key that signs tokens.
        rotated_key: PEM of another one, which signs while the fault «rotated key» is set.
        client_id: the portal's mnemonic, at both faces.
        client_certificate: PEM of the X.509 certificate whose key checks `client_secret` signatures (ESIA face).
        client_secret: the portal's secret (OIDC face).
        redirect_uris: where a sign-in may return to, letter for letter.
        logout_uris: where signing out may return to, letter for letter.
    """

    base_url: str
    issuer: str
    signing_key: bytes
    rotated_key: bytes
    client_id: str
    client_certificate: bytes
    client_secret: str
    redirect_uris: tuple[str, ...]
    logout_uris: tuple[str, ...]


@dataclass(frozen=True)
class SandboxSettings:
    """Settings of one sandbox.

    Attributes:
        telegram_token: the access token the Telegram Gateway stand-in accepts.
        ucaller_key: the secret key the uCaller stand-in accepts.
        ucaller_service_id: the service that key belongs to.
        sms_ru_api_id: the `api_id` the SMS.ru stand-in accepts.
        sms_aero_email, sms_aero_api_key: what the SMS Aero stand-in accepts.
        max_token: the token the stand-in of MAX accepts, and signs contacts with.
        store: an SQLite file, shared by all processes that name it; None keeps everything in memory.
        delivery_pace: seconds between two delivery states, and the unit of the pauses between callback
            retries.
        demo_numbers: E.164 numbers offered on the demo phone's page.
        slow_answer: seconds a slow magic number is kept waiting.
        gosuslugi: settings of the stand-in of Gosuslugi; None leaves it out.
        fhir_token: the access token the registry of medical cards accepts; empty leaves the registry out.
        mail_socket: the file at which the mail server listens; None leaves it out.
        callback_urls: the only addresses that Telegram's and uCaller's reports may go to. They must match exactly, except the last
            part of uCaller's. None allows any address of this machine.
        sms_ru_report_url: where SMS.ru's reports go; empty: nowhere.
    """

    telegram_token: str
    ucaller_key: str
    ucaller_service_id: str
    sms_ru_api_id: str
    sms_aero_email: str
    sms_aero_api_key: str
    max_token: str
    store: Path | None = None
    delivery_pace: float = 1.0
    demo_numbers: tuple[str, ...] = ()
    slow_answer: float = 10.0
    gosuslugi: GosuslugiSettings | None = None
    fhir_token: str = ""
    callback_urls: tuple[str, ...] | None = None
    mail_socket: Path | None = None
    sms_ru_report_url: str = ""
