"""Chooses the adapter behind each port by the settings. Only this module and `limit_stores` name a provider class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from medonline.config.codes import FlashCallProvider, InboundCallProvider, SmsProvider
from medonline.config.identity import EsiaSigner, IdentityProviderName, NoticeProvider
from medonline.config.mail import MailProvider
from medonline.config.outgoing import ca_ends
from medonline.config.settings import Config, ConfigurationError
from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.patient_call import call_token
from medonline.domain.codes.sms_text import sms_text
from medonline.providers.codes.max_bot import MaxBot
from medonline.providers.codes.sms_aero import SmsAero
from medonline.providers.codes.sms_ru import SmsRu
from medonline.providers.codes.sms_ru_call import SmsRuCall
from medonline.providers.codes.sms_ru_text import SmsRuText
from medonline.providers.codes.telegram_gateway import TelegramGateway
from medonline.providers.codes.ucaller import UCaller
from medonline.providers.codes.ucaller_call import UCallerCall
from medonline.providers.gosuslugi.esia.client import Esia
from medonline.providers.gosuslugi.esia.signing import CommandSigner, HttpSigner, RsaSigner, Signer, certificate_end
from medonline.providers.gosuslugi.esia.tokens import pinned_key
from medonline.providers.gosuslugi.oidc.client import ClaimNames, Oidc
from medonline.providers.notices.sms_aero import SmsAeroNotices
from medonline.providers.notices.sms_ru import SmsRuNotices
from medonline.providers.notices.smtp import MailServer, SmtpMail
from medonline.providers.outgoing import Outgoing
from medonline.providers.passwords.pwned_passwords import PwnedPasswords
from medonline.providers.patient_cards.fhir import FhirCards, Systems, TestPerson
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.ports import (
    BreachedPasswords,
    CardRegistry,
    CodeChannel,
    IdentityProvider,
    NoticeChannel,
    SmtpSecurity,
)
from medonline.wording.channels import SMS_TEXT
from medonline.wording.chats import code_text

# The sender's name that a mailbox shows for notices.
SENDER_NAME = "Медицина-онлайн"


def build_channels(config: Config) -> dict[ChannelName, tuple[CodeChannel, ...]]:
    """The ways of getting a code that are switched on, each with its vendors in the order in which they are asked."""
    makers: dict[ChannelName, Callable[[Config], tuple[CodeChannel, ...]]] = {
        ChannelName.FLASH_CALL: _flash_call,
        ChannelName.TELEGRAM: _telegram,
        ChannelName.SMS: _sms,
        ChannelName.MAX: _max,
        ChannelName.INBOUND_CALL: _inbound_call,
    }
    return {name: makers[name](config) for name in config.code_channels}


def _flash_call(config: Config) -> tuple[CodeChannel, ...]:
    makers: dict[FlashCallProvider, Callable[[Config], CodeChannel]] = {
        FlashCallProvider.UCALLER: _ucaller,
        FlashCallProvider.SMS_RU: _sms_ru,
    }
    return tuple(makers[name](config) for name in config.flash_call_provider)


def _ucaller(config: Config) -> CodeChannel:
    key = config.ucaller_key.get_secret_value()
    return UCaller(config.ucaller_base_url, key, config.ucaller_service_id, outgoing=_outgoing(config, "ucaller"))


def _sms_ru(config: Config) -> CodeChannel:
    api_id = config.sms_ru_api_id.get_secret_value()
    return SmsRu(config.sms_ru_base_url, api_id, outgoing=_outgoing(config, "sms_ru"))


def _telegram(config: Config) -> tuple[CodeChannel, ...]:
    gateway = TelegramGateway(
        config.telegram_base_url,
        config.telegram_token.get_secret_value(),
        callback_url=config.telegram_report_url,
        outgoing=_outgoing(config, "telegram"),
    )
    return (gateway,)


def _sms(config: Config) -> tuple[CodeChannel, ...]:
    makers: dict[SmsProvider, Callable[[Config], CodeChannel]] = {
        SmsProvider.SMS_RU: _sms_ru_text,
        SmsProvider.SMS_AERO: _sms_aero,
    }
    return tuple(makers[name](config) for name in config.sms_provider)


def _text_of(config: Config) -> Callable[[str], str]:
    return lambda code: sms_text(config.sms_text or SMS_TEXT, code, config.host_name)


def _sms_ru_text(config: Config) -> CodeChannel:
    return SmsRuText(
        config.sms_ru_base_url,
        config.sms_ru_api_id.get_secret_value(),
        _text_of(config),
        sender=config.sms_ru_sender,
        outgoing=_outgoing(config, "sms_ru"),
    )


def _sms_aero(config: Config) -> CodeChannel:
    return SmsAero(
        config.sms_aero_base_url,
        config.sms_aero_email,
        config.sms_aero_api_key.get_secret_value(),
        _text_of(config),
        sign=config.sms_aero_sign,
        outgoing=_outgoing(config, "sms_aero"),
    )


def _max(config: Config) -> tuple[CodeChannel, ...]:
    bot = MaxBot(
        config.max_base_url,
        config.max_token.get_secret_value(),
        lambda code: code_text(code, config.host_name),
        name=config.max_bot,
        link_url=config.max_link_url,
        webhook_url=config.max_webhook_url,
        webhook_secret=Sealer(config.key, "max webhook").index("secret"),
        outgoing=_outgoing(config, "max"),
    )
    return (bot,)


def _inbound_call(config: Config) -> tuple[CodeChannel, ...]:
    makers: dict[InboundCallProvider, Callable[[Config], CodeChannel]] = {
        InboundCallProvider.SMS_RU: _sms_ru_call,
        InboundCallProvider.UCALLER: _ucaller_call,
    }
    return tuple(makers[name](config) for name in config.inbound_call_provider)


def _sms_ru_call(config: Config) -> CodeChannel:
    api_id = config.sms_ru_api_id.get_secret_value()
    return SmsRuCall(config.sms_ru_base_url, api_id, outgoing=_outgoing(config, "sms_ru"))


def _ucaller_call(config: Config) -> CodeChannel:
    return UCallerCall(
        config.ucaller_base_url,
        config.ucaller_key.get_secret_value(),
        config.ucaller_service_id,
        callback_url=lambda code_id: f"{config.ucaller_call_url}/{call_token(config.key, code_id)}",
        outgoing=_outgoing(config, "ucaller"),
    )


def _outgoing(config: Config, vendor: str) -> Outgoing:
    return Outgoing(config.proxy_for(vendor), config.ca_file_for(vendor))


def build_identity(config: Config) -> IdentityProvider | None:
    """The state's identity provider. None if sign-in through it is switched off."""
    if config.identity_provider is IdentityProviderName.OIDC:
        secret = config.oidc_client_secret.get_secret_value()
        return Oidc(
            config.oidc_issuer,
            config.oidc_client_id,
            secret,
            scopes=config.oidc_scopes,
            claims=ClaimNames(**config.outside_names.claims),
            token_leaves_by_post=config.oidc_logout_by_post,
            outgoing=_outgoing(config, "oidc"),
        )
    if config.identity_provider is IdentityProviderName.ESIA:
        return Esia(
            config.esia_base_url,
            config.esia_client_id,
            _signer(config),
            issuer=config.esia_issuer,
            keys=_pinned(config),
            scopes=config.esia_scopes,
            outgoing=_outgoing(config, "esia"),
        )
    return None


def _pinned(config: Config) -> tuple[bytes, ...]:
    """Read the files of ESIA's keys and check each, so that the error names the wrong file.

    Raises:
        ConfigurationError: a file cannot be read, or is the portal's own key.
    """
    own = config.esia_client_certificate_file if config.esia_signer is EsiaSigner.RSA else None
    found = []
    for path in config.esia_keys:
        with _naming(f"MEDONLINE_ESIA_KEYS: {path}"):
            pem = path.read_bytes()
            if own is not None and pinned_key(own.read_bytes()).thumbprint() == pinned_key(pem).thumbprint():
                raise ValueError("it is the portal's own certificate, not one of ESIA's")
            pinned_key(pem)
        found.append(pem)
    return tuple(found)


@contextmanager
def _naming(setting: str) -> Iterator[None]:
    """Turn a library's error about a file or value into a sentence that names the setting."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"{setting} cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError) as error:
        # A library's own text may be pages long.
        why = str(error).partition("\n")[0].partition(". ")[0][:120].rstrip(".")
        raise ConfigurationError(f"{setting} cannot be used: {why}.") from None


def _signer(config: Config) -> Signer:
    if config.esia_signer is EsiaSigner.RSA:
        with _naming("MEDONLINE_ESIA_CLIENT_KEY_FILE or MEDONLINE_ESIA_CLIENT_CERTIFICATE_FILE"):
            return _rsa_signer(config)
    with _naming("MEDONLINE_ESIA_CERTIFICATE_HASH"):
        return _signer_beside(config)


def _signer_beside(config: Config) -> Signer:
    if config.esia_signer is EsiaSigner.COMMAND:
        return CommandSigner(config.esia_signer_command, config.esia_certificate_hash, config.esia_signer_reversed)
    token = config.esia_signer_token.get_secret_value()
    outgoing = _outgoing(config, "esia_signer")
    return HttpSigner(config.esia_signer_url, token, config.esia_certificate_hash, outgoing=outgoing)


def _rsa_signer(config: Config) -> Signer:
    if config.esia_client_key_file is None or config.esia_client_certificate_file is None:
        msg = "the settings let an RSA signer without its files through"
        raise ValueError(msg)
    return RsaSigner(config.esia_client_key_file.read_bytes(), config.esia_client_certificate_file.read_bytes())


def certificate_ends(config: Config) -> dict[str, datetime]:
    """When the certificates in files expire (UTC), by their use. A certificate that only the separate signer has is not known here."""
    file = config.esia_client_certificate_file
    of_esia = config.identity_provider is IdentityProviderName.ESIA and config.esia_signer is EsiaSigner.RSA
    own = {"esia client": certificate_end(file.read_bytes())} if of_esia and file is not None else {}
    return own | {
        name.removeprefix("MEDONLINE_").lower(): min(ca_ends(path).values()) for name, path in config.ca_files.items()
    }


def build_registry(config: Config) -> CardRegistry | None:
    """The registry of medical cards. None if the region has none."""
    if not config.card_registry_url:
        return None
    return FhirCards(
        config.card_registry_url,
        config.card_registry_token.get_secret_value(),
        systems=Systems(**config.outside_names.identifiers),
        test_person=TestPerson(**config.outside_names.test),
        zone=config.zone,
        outgoing=_outgoing(config, "card_registry"),
    )


def build_notices(config: Config) -> NoticeChannel | None:
    """The vendor that sends notices to phones. None if there is none."""
    makers: dict[NoticeProvider, Callable[[Config], NoticeChannel | None]] = {
        NoticeProvider.NONE: lambda _: None,
        NoticeProvider.SMS_RU: _notices_by_sms_ru,
        NoticeProvider.SMS_AERO: _notices_by_sms_aero,
    }
    return makers[config.notice_provider](config)


def _notices_by_sms_ru(config: Config) -> NoticeChannel:
    api_id = config.sms_ru_api_id.get_secret_value()
    return SmsRuNotices(config.sms_ru_base_url, api_id, outgoing=_outgoing(config, "sms_ru"))


def _notices_by_sms_aero(config: Config) -> NoticeChannel:
    return SmsAeroNotices(
        config.sms_aero_base_url,
        config.sms_aero_email,
        config.sms_aero_api_key.get_secret_value(),
        sign=config.sms_aero_sign,
        outgoing=_outgoing(config, "sms_aero"),
    )


def build_mail(config: Config) -> SmtpMail | None:
    """The server that takes mail. None if there is none."""
    if config.mail_provider is MailProvider.NONE:
        return None
    server = MailServer(
        host=config.smtp_host,
        port=config.smtp_port,
        security=config.smtp_security,
        user=config.smtp_user,
        password=config.smtp_password.get_secret_value(),
        socket=config.smtp_socket,
        tls=None if config.smtp_security is SmtpSecurity.NONE else Outgoing(ca_file=config.ca_file_for("smtp")).trust,
    )
    return SmtpMail(server, config.mail_from, SENDER_NAME)


def build_breached_passwords(config: Config) -> BreachedPasswords | None:
    """The list of leaked passwords. None if it is switched off."""
    if not config.breached_passwords_url:
        return None
    return PwnedPasswords(config.breached_passwords_url, outgoing=_outgoing(config, "breached_passwords"))
