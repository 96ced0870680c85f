"""Mail over a real SMTP server on this machine: what arrives, and how refusals are told apart."""

from __future__ import annotations

import email
import email.policy
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from medonline.bootstrap.adapters import build_mail
from medonline.domain.email_address import EmailAddress
from medonline.domain.errors import DeliveryFailed, MailboxUnknown, ProviderDown, ProviderRefused
from medonline.providers.notices.smtp import MailServer, SmtpMail
from medonline.services.notices.texts import About
from medonline.services.ports import Mail, SmtpSecurity
from medonline.wording import notices as wording
from tests.certificates import Authority
from tests.sandbox.server import free_port
from tests.services.world import config_in

ADDRESS = EmailAddress("maria@example.ru")
MAIL = Mail("a1b2", "Медицина-онлайн: пароль изменён", "Медицина-онлайн: пароль личного кабинета изменён.")
USER, PASSWORD = "portal", "s3cret-Пароль"


class Server:
    """Keeps what it takes; answers RCPT and DATA as told."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.to_recipient = "250 OK"
        self.to_data = "250 queued"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.to_data.startswith("250"):
            self.taken.append(envelope)
        return self.to_data


@contextmanager
def serving(handler: Server, **settings: Any) -> Iterator[int]:
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port, **settings)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def mail_to(port: int, security: SmtpSecurity = SmtpSecurity.NONE, **more: Any) -> SmtpMail:
    return SmtpMail(MailServer("localhost", port, security, **more), "portal@clinic.example", "Медицина-онлайн")


def read(envelope: Envelope) -> EmailMessage:
    content = envelope.content
    assert isinstance(content, bytes)
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


async def test_a_mail_arrives_as_it_was_written() -> None:
    server = Server()
    with serving(server) as port:
        reference = await mail_to(port).send_mail(ADDRESS, MAIL)

    (envelope,) = server.taken
    message = read(envelope)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("portal@clinic.example", [ADDRESS.text])
    assert message["Subject"] == MAIL.subject
    assert message["From"] == "Медицина-онлайн <portal@clinic.example>"
    assert message.get_content().strip() == MAIL.text
    assert message["Auto-Submitted"] == "auto-generated"
    assert reference == message["Message-ID"] == "<a1b2@clinic.example>"


@pytest.mark.parametrize("about", About)
async def test_no_subject_loses_a_space_where_it_is_broken(about: About) -> None:
    server = Server()
    with serving(server) as port:
        await mail_to(port).send_mail(ADDRESS, Mail("a1b2", wording.subject(about), MAIL.text))

    (envelope,) = server.taken
    assert read(envelope)["Subject"] == wording.subject(about)
    assert isinstance(envelope.content, bytes)
    assert max(map(len, envelope.content.splitlines())) <= 78  # RFC 5322, 2.1.1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("550 5.1.1 No such user", MailboxUnknown),
        ("550 5.2.1 Mailbox disabled", MailboxUnknown),
        ("556 5.1.10 Recipient address has null MX", MailboxUnknown),
        ("550 5.7.1 Message looks like spam", ProviderRefused),
        ("550 No such user", ProviderRefused),  # without the enhanced code nobody knows what is refused
        ("552 5.2.2 Mailbox full", ProviderRefused),
        ("450 4.2.0 Greylisted", ProviderDown),
        ("421 4.3.2 Shutting down", ProviderDown),
        ("451 5.1.1 Try later", ProviderDown),
    ],
)
async def test_a_refusal_says_whose_fault_it_is(answer: str, error: type[DeliveryFailed]) -> None:
    server = Server()
    server.to_recipient = answer
    with serving(server) as port, pytest.raises(error) as refused:
        await mail_to(port).send_mail(ADDRESS, MAIL)

    assert type(refused.value) is error
    assert refused.value.code == answer[:3]
    assert ADDRESS.text not in str(refused.value)
    assert refused.value.__suppress_context__


async def test_a_refused_text_is_no_unknown_mailbox() -> None:
    server = Server()
    server.to_data = "554 5.6.0 Content refused"
    with serving(server) as port, pytest.raises(ProviderRefused):
        await mail_to(port).send_mail(ADDRESS, MAIL)


async def test_nobody_there_is_a_server_that_is_down() -> None:
    with pytest.raises(ProviderDown) as down:
        await mail_to(free_port()).send_mail(ADDRESS, MAIL)
    assert not down.value.may_have_gone_out


async def test_a_server_that_ends_in_the_middle_may_have_taken_the_mail() -> None:
    """The connection is cut after the message, before its answer."""
    server = Server()
    with serving(server) as port:

        async def cut(server: Any, session: Any, envelope: Envelope) -> str:
            server.transport.abort()
            return "250 OK"

        server.handle_DATA = cut  # type: ignore[method-assign]
        with pytest.raises(ProviderDown) as down:
            await mail_to(port).send_mail(ADDRESS, MAIL)
    assert down.value.may_have_gone_out


def _signing_in(server: Any, session: Any, envelope: Any, mechanism: str, auth: Any) -> AuthResult:
    right = (auth.login.decode(), auth.password.decode()) == (USER, PASSWORD)
    return AuthResult(success=right, handled=False)  # so that aiosmtpd answers


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.mark.parametrize("security", [SmtpSecurity.TLS, SmtpSecurity.STARTTLS])
async def test_it_signs_in_over_tls_of_a_trusted_authority(authority: Authority, security: SmtpSecurity) -> None:
    server = Server()
    with _over_tls(authority, server, security) as port:
        trusted = ssl.create_default_context(cafile=str(authority.certificate))
        mail = mail_to(port, security, user=USER, password=PASSWORD, tls=trusted)
        await mail.check()
        await mail.send_mail(ADDRESS, MAIL)

        assert len(server.taken) == 1

        wrong = mail_to(port, security, user=USER, password="wrong", tls=trusted)
        with pytest.raises(ProviderRefused) as refused:
            await wrong.check()
        assert refused.value.code == "535"


@pytest.mark.parametrize("security", [SmtpSecurity.TLS, SmtpSecurity.STARTTLS])
async def test_a_certificate_of_nobody_gets_neither_password_nor_mail(
    authority: Authority, security: SmtpSecurity
) -> None:
    server = Server()
    with _over_tls(authority, server, security) as port, pytest.raises(ProviderRefused) as refused:
        await mail_to(port, security, user=USER, password=PASSWORD).send_mail(ADDRESS, MAIL)

    assert refused.value.code == "tls"
    assert server.taken == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_root_of_the_settings_is_believed_and_its_own_before_the_general_one(
    authority: Authority, tmp_path: Path, security: str
) -> None:
    (tmp_path / "another").mkdir()
    another = Authority(tmp_path / "another").certificate

    def mail(**roots: Path) -> SmtpMail:
        where = {"smtp_host": "localhost", "smtp_port": port, "smtp_security": security, "smtp_socket": None}
        made = build_mail(config_in(tmp_path, **where, smtp_user=USER, smtp_password=PASSWORD, **roots))
        assert made is not None
        return made

    server = Server()
    with _over_tls(authority, server, SmtpSecurity(security)) as port:
        await mail(ca_file=authority.certificate).send_mail(ADDRESS, MAIL)
        await mail(ca_file=another, smtp_ca_file=authority.certificate).send_mail(ADDRESS, MAIL)
        assert len(server.taken) == 2

        for roots in ({}, {"ca_file": another}, {"ca_file": authority.certificate, "smtp_ca_file": another}):
            with pytest.raises(ProviderRefused) as refused:
                await mail(**roots).send_mail(ADDRESS, MAIL)
            assert refused.value.code == "tls"
        assert len(server.taken) == 2


async def test_a_server_without_starttls_gets_nothing() -> None:
    server = Server()
    with serving(server) as port, pytest.raises(ProviderRefused) as refused:
        await mail_to(port, SmtpSecurity.STARTTLS).send_mail(ADDRESS, MAIL)

    assert refused.value.code == "unsupported"
    assert server.taken == []


@contextmanager
def _over_tls(authority: Authority, server: Server, security: SmtpSecurity) -> Iterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("localhost"))
    # aiosmtpd does not count TLS from the first byte as TLS.
    by_kind: dict[SmtpSecurity, dict[str, Any]] = {
        SmtpSecurity.TLS: {"ssl_context": context, "auth_require_tls": False},
        SmtpSecurity.STARTTLS: {"tls_context": context, "require_starttls": True, "auth_required": True},
    }
    with serving(server, authenticator=_signing_in, **by_kind[security]) as port:
        yield port


@pytest.mark.parametrize(
    "odd",
    [
        "a@example.ru\r\nBcc: b@example.ru",
        "a@b.ru,c@d.ru",
        "(a@b.ru",
        "a@b.ru<c@d.ru>",
        "a@intranet",
        "a\x00@b.ru",
        "=?utf-8?q?a=0d=0aBcc=3ab=40c.ru?=@d.ru",
    ],
)
async def test_what_is_no_address_gets_no_mail(odd: str) -> None:
    server = Server()
    with serving(server) as port, pytest.raises(MailboxUnknown):
        await mail_to(port).send_mail(EmailAddress(odd), MAIL)

    assert server.taken == []


@pytest.mark.parametrize(
    ("typed", "on_the_wire"),
    [
        ("maria@почта.рф", "maria@xn--80a1acny.xn--p1ai"),
        ("Maria+kabinet@Example.ru", "Maria+kabinet@example.ru"),
        (f"{'m' * 64}@{'b' * 63}.{'c' * 63}.ru", f"{'m' * 64}@{'b' * 63}.{'c' * 63}.ru"),
    ],
)
async def test_an_odd_address_is_one_recipient_and_one_header(typed: str, on_the_wire: str) -> None:
    server = Server()
    with serving(server) as port:
        await mail_to(port).send_mail(EmailAddress.parse(typed), MAIL)

    (envelope,) = server.taken
    assert envelope.rcpt_tos == [on_the_wire]
    assert isinstance(envelope.content, bytes)
    head = envelope.content.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert sorted(set(names)) == sorted(names)
    assert on_the_wire.encode() in head.replace(b"\r\n ", b"")


async def test_letters_that_a_server_does_not_know_are_told_as_a_mailbox_that_is_not_there() -> None:
    server = Server()
    with serving(server, enable_SMTPUTF8=False) as port, pytest.raises(MailboxUnknown) as refused:
        await mail_to(port).send_mail(EmailAddress.parse("мария@почта.рф"), MAIL)

    assert refused.value.code == "unsupported"
    assert server.taken == []
