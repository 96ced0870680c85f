"""Builds the services of each flow from the shared parts."""

from __future__ import annotations

from dataclasses import dataclass

from medonline.bootstrap.inside import sealer
from medonline.bootstrap.shared import Shared
from medonline.domain.passkeys import RelyingParty
from medonline.services.account_settings import service
from medonline.services.account_settings.email_proof import EmailProofService
from medonline.services.account_settings.identities import OwnIdentities
from medonline.services.account_settings.service import AccountSettingsService
from medonline.services.codes.calls import PatientCalls
from medonline.services.codes.chats import CodeChats
from medonline.services.gosuslugi import pending_person
from medonline.services.gosuslugi.linking import Linker
from medonline.services.gosuslugi.login import IdentityService
from medonline.services.gosuslugi.pending_person import IdentityAnswers
from medonline.services.limits.journey_limits import JourneyLimits
from medonline.services.limits.passkey_limits import PasskeyLimits
from medonline.services.limits.provider_alarms import ProviderAlarms
from medonline.services.login.account_sessions import AccountSessionService
from medonline.services.login.known_browsers import KnownBrowsers
from medonline.services.login.new_devices import NewDevices
from medonline.services.login.password_login import LoginService
from medonline.services.login.visitors import VisitorService
from medonline.services.notices.new_devices import NewDeviceTeller
from medonline.services.passkeys.challenges import Challenges
from medonline.services.passkeys.login import PasskeyLogin
from medonline.services.passkeys.own_passkeys import OwnPasskeys
from medonline.services.password_recovery import reader as recovery_reader
from medonline.services.password_recovery.birth_date import BirthDateStep
from medonline.services.password_recovery.new_password import NewPasswordStep
from medonline.services.password_recovery.reader import RecoveryReader
from medonline.services.password_recovery.service import PasswordRecoveryService
from medonline.services.passwords.new_passwords import NewPasswords
from medonline.services.patient_cards.attempts import CardAttempts
from medonline.services.patient_cards.consent import CardConsent
from medonline.services.patient_cards.service import PatientCardService
from medonline.services.ports import ChatBot
from medonline.services.security_journal.refusals import RefusedSignIns
from medonline.wording.chats import chat_words
from medonline.wording.notices import NewDeviceSentences
from medonline.wording.passkeys import ACCOUNT, DEVICE, PORTAL


def _new_devices(of: Shared) -> NewDevices:
    config = of.config
    words = NewDeviceSentences(config.zone)
    tell = NewDeviceTeller(of.notices, words, config.new_device_notices, config.new_device_notices_per_account)
    return NewDevices(KnownBrowsers(sealer(config, "known browser")), tell)


def build_login(of: Shared, visitors: VisitorService) -> LoginService:
    """Sign-in by phone and password."""
    config = of.config
    return LoginService(
        database=of.database,
        clock=of.clock,
        verifier=of.hasher,
        limits=of.sign_in_limits,
        journal=of.journal,
        refusals=RefusedSignIns(of.database, of.clock, of.journal, of.alarms),
        pace=of.pace,
        new_devices=_new_devices(of),
        visitors=visitors,
        characters=config.password_characters,
        idle=config.session_idle,
        absolute=config.session_absolute,
    )


def build_chats(of: Shared) -> CodeChats | None:
    """Handles what happens in the bot's chats. None if no way needs them."""
    bots = [one for vendors in of.outside.channels.values() for one in vendors if isinstance(one, ChatBot)]
    if not bots:
        return None
    return CodeChats(
        of.database,
        of.clock,
        of.issuer,
        bots[0],
        users=sealer(of.config, "chat user"),
        words=chat_words(of.config.host_name),
        wake=of.dispatcher.outbox.wake,
        unsent=of.dispatcher.unsent,
        alarms=ProviderAlarms(of.alarms),
    )


def build_calls(of: Shared) -> PatientCalls:
    """Handles the vendors' reports of calls that patients make."""
    vendors = [one for name, vendors in of.outside.channels.items() if name.facts.patient_calls for one in vendors]
    return PatientCalls(of.database, of.clock, of.issuer.keys, vendors, of.dispatcher, of.dispatcher.outbox.wake)


def build_recovery(of: Shared) -> PasswordRecoveryService:
    """«Не могу войти» by phone: code, birth date, new password."""
    config = of.config
    codes = of.codes_for(recovery_reader.PURPOSE, takes_calls=True)  # a birth date or a longer code follows
    reader = RecoveryReader(codes, config.new_password_window)
    within = config.step_up_policy.misses_within
    return PasswordRecoveryService(
        database=of.database,
        clock=of.clock,
        codes=codes,
        reader=reader,
        step_up=of.step_up,
        birth_date=BirthDateStep(of.database, of.clock, reader, config.zone, of.journal, within),
        new_password=NewPasswordStep(
            database=of.database,
            clock=of.clock,
            reader=reader,
            passwords=NewPasswords(config.recovery_password_policy, of.outside.breached),
            hasher=of.hasher,
            journal=of.journal,
            notices=of.notices,
        ),
    )


def build_identity_service(of: Shared) -> IdentityService:
    """The journey to Gosuslugi and back."""
    return IdentityService(
        database=of.database,
        clock=of.clock,
        provider=of.outside.identity,
        linker=_linker(of),
        persons=of.sealers["identity_person"],
        consent_hash=of.consent_hash,
        allow_unconfirmed=of.config.identity_allow_unconfirmed,
        journal=of.journal,
        limits=JourneyLimits(of.windows, of.config.request_policy),
        pace=of.pace,
        new_devices=_new_devices(of),
    )


def build_answers(of: Shared, login: LoginService) -> IdentityAnswers:
    """The answers of a person who came from Gosuslugi and is not known yet."""
    return IdentityAnswers(
        database=of.database,
        clock=of.clock,
        linker=_linker(of),
        persons=of.sealers["identity_person"],
        login=login,
        codes=of.codes_for(pending_person.PURPOSE),
        consent_hash=of.consent_hash,
        step_up=of.step_up,
        notices=of.notices,
        journal=of.journal,
    )


def build_settings(of: Shared, sessions: AccountSessionService) -> AccountSettingsService:
    """The form of the settings."""
    return AccountSettingsService(
        database=of.database,
        clock=of.clock,
        sessions=sessions,
        passwords=NewPasswords(of.config.settings_password_policy, of.outside.breached),
        hasher=of.hasher,
        codes=of.codes_for(service.PURPOSE),
        changes=of.sealers["account_change"],
        notices=of.notices,
        journal=of.journal,
        pace=of.pace,
        reauthentication_window=of.config.reauthentication_window,
    )


def build_identities(of: Shared, sessions: AccountSessionService) -> OwnIdentities:
    """The accounts at Gosuslugi, as the settings show them."""
    window = of.config.reauthentication_window
    return OwnIdentities(of.database, of.clock, sessions, of.notices, of.journal, window)


@dataclass(frozen=True, slots=True)
class Passkeys:
    """Sign-in by passkey, and the patient's own passkeys in the settings."""

    login: PasskeyLogin
    own: OwnPasskeys


def build_passkeys(of: Shared, sessions: AccountSessionService) -> Passkeys:
    """Fingerprint, face or PIN of the patient's device."""
    config = of.config
    limits = PasskeyLimits(of.windows, config.request_policy)
    host = config.passkey_host
    party = RelyingParty(host, config.origin, PORTAL, ACCOUNT, DEVICE) if host else None
    challenges = Challenges(of.database, of.clock, limits, party)
    window = config.reauthentication_window
    own = OwnPasskeys(of.database, of.clock, sessions, challenges, of.notices, of.journal, of.pace, window)
    return Passkeys(PasskeyLogin(of.database, of.clock, challenges, of.pace, of.journal), own)


def build_email_proof(of: Shared, sessions: AccountSessionService) -> EmailProofService:
    """The proof of the e-mail address in the settings."""
    window = of.config.reauthentication_window
    return EmailProofService(of.database, of.clock, sessions, of.notices, of.journal, of.email_codes, window)


def build_cards(of: Shared, sessions: AccountSessionService) -> PatientCardService:
    """«Мои карты»."""
    policies = of.sealers["oms_policy"]
    return PatientCardService(
        database=of.database,
        clock=of.clock,
        sessions=sessions,
        registry=of.outside.registry,
        snils=of.sealers["snils"],
        policies=policies,
        journal=of.journal,
        attempts=CardAttempts(of.database, of.clock, policies),
        consent=CardConsent(of.database, of.clock, sessions, policies, of.journal, of.notices),
    )


def _linker(of: Shared) -> Linker:
    return Linker(of.sealers["snils"], of.sealers["oms_policy"])
