"""E-mail through one mail server (SMTP, RFC 5321; submission, RFC 6409), with the library aiosmtplib.

Each message has its own connection, because notices are few and servers cut idle connections.
No text of this module holds an address, a password, or a piece of the server's answer, because answers quote addresses.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from email.header import Header
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from time import perf_counter

import aiosmtplib

from medonline.domain.email_address import EmailAddress
from medonline.domain.errors import DeliveryFailed, InvalidEmail, MailboxUnknown, ProviderDown, ProviderRefused
from medonline.metrics import names as metrics
from medonline.services.ports import Mail, SmtpSecurity

# Seconds for a whole message, because servers that scan mail are slow. It must be less than the lease of a notice.
TIMEOUT = 30.0
# RFC 3463: 5.1.1 bad mailbox, 5.1.2 bad host, 5.1.10 null MX (RFC 7505), 5.2.1 mailbox disabled. Every other refusal may be about the
# sender or the text, and says nothing about the mailbox.
_NO_MAILBOX = re.compile(r"5\.(?:1\.(?:1|2|10)|2\.1)\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server that takes the portal's mail.

    Attributes:
        socket: the socket file of a server on this machine, instead of host and port.
        user: the account at the server. Empty: the server needs no sign-in.
        tls: the trusted certificates. None: those of this machine's own store.
    """

    host: str
    port: int
    security: SmtpSecurity
    user: str = ""
    password: str = ""
    socket: Path | None = None
    tls: ssl.SSLContext | None = None


class SmtpMail:
    """Sends one message at a time."""

    provider = "smtp"

    def __init__(self, server: MailServer, sender: str, sender_name: str, timeout: float = TIMEOUT) -> None:
        self._server = server
        self._sender = sender
        self._sender_name = sender_name
        self._timeout = timeout

    async def send_mail(self, address: EmailAddress, mail: Mail) -> str:
        """Hand one message over, once. Returns its Message-ID.

        Raises:
            DeliveryFailed: one of its subclasses. `ProviderDown` also means that the server may have taken the message.
        """
        message = self._written(address, mail)
        began, outcome, handed_over = perf_counter(), "answered", False
        try:
            with _failures():
                async with self._connected() as connection:
                    handed_over = True
                    await connection.send_message(message, sender=self._sender, recipients=[_recipient(address)])
        except ProviderDown as error:
            outcome = "broken" if error.code else "unreachable"
            # An error answer means that nothing was sent. Silence in the middle of a message leaves it open.
            error.may_have_gone_out = handed_over and not error.code
            raise
        finally:
            metrics.PROVIDER.observe(perf_counter() - began, self.provider, outcome)
        return str(message["Message-ID"])

    async def check(self) -> None:
        """Connect to the server, with TLS and the sign-in. It sends no mail.

        Raises:
            DeliveryFailed: one of its subclasses.
        """
        with _failures():
            async with self._connected():
                pass

    async def close(self) -> None:
        """Do nothing: no connection stays open."""

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection after the greeting, TLS and the sign-in."""
        async with asyncio.timeout(self._timeout), self._connection() as connection:
            await connection.ehlo()
            if self._server.security is SmtpSecurity.STARTTLS:
                # Checked here, because the library has one error for both "no STARTTLS" and "no connection".
                if not connection.supports_extension("starttls"):
                    raise ProviderRefused("smtp: the server offers no STARTTLS", code="unsupported")
                await connection.starttls(tls_context=self._server.tls)
            if self._server.user:
                await connection.ehlo()  # after TLS a server may offer more
                if not connection.supports_extension("auth"):
                    raise ProviderRefused("smtp: the server takes no sign-in", code="unsupported")
                await connection.login(self._server.user, self._server.password)
            yield connection

    def _connection(self) -> aiosmtplib.SMTP:
        server = self._server
        where = {"socket_path": str(server.socket)} if server.socket else {"hostname": server.host, "port": server.port}
        return aiosmtplib.SMTP(
            **where,
            use_tls=server.security is SmtpSecurity.TLS,
            start_tls=False,  # `_connected` does it; by default the library continues without TLS where the server offers none
            tls_context=server.tls,
            timeout=self._timeout,
        )

    def _written(self, address: EmailAddress, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = f"{self._sender_name} <{self._sender}>" if self._sender_name else self._sender
        message["To"] = _recipient(address)
        # Encoded here, because `EmailMessage` of Python 3.11 loses a space where it breaks a long Cyrillic subject.
        message.set_raw("Subject", Header(mail.subject, "utf-8", header_name="Subject").encode())
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{mail.id}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office reply answers it
        message.set_content(mail.text)
        return message


def _recipient(address: EmailAddress) -> str:
    """The recipient's address. Raises MailboxUnknown for an address that another system sent and that is malformed."""
    try:
        return address.on_the_wire()
    except InvalidEmail:
        raise MailboxUnknown("smtp: no address that mail reaches") from None


@contextmanager
def _failures() -> Iterator[None]:
    """Turn the library's errors into the portal's own. Causes are cut, because they quote what was sent."""
    try:
        yield
    except aiosmtplib.SMTPRecipientsRefused as error:
        first = error.recipients[0]
        raise _refusal(first.code, first.message) from None
    except aiosmtplib.SMTPAuthenticationError as error:
        # RFC 4954: 4xx means that the server is in trouble, not that the password is wrong.
        if 500 <= error.code < 600:
            raise ProviderRefused("smtp: the sign-in was refused", code=str(error.code), of_key=True) from None
        raise _answered(error.code, "the sign-in was put off") from None
    except aiosmtplib.SMTPResponseException as error:
        raise _refusal(error.code, error.message) from None
    except aiosmtplib.SMTPNotSupported:
        # The address has non-ASCII letters before the @ (RFC 6531). This server does not support them, so trying again does not help.
        raise MailboxUnknown("smtp: the server cannot take this address", code="unsupported") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        if any(
            isinstance(cause, ssl.SSLCertVerificationError) for cause in (error, error.__cause__, error.__context__)
        ):
            raise ProviderRefused("smtp: the server's certificate is not trusted", code="tls") from None
        raise ProviderDown("smtp: no connection, or no answer in time") from None


def _refusal(code: int, message: str) -> DeliveryFailed:
    if 500 <= code < 600 and _NO_MAILBOX.search(message):
        return MailboxUnknown(f"smtp: {code}, no such mailbox", code=str(code))
    return _answered(code, "refused")


def _answered(code: int, what: str) -> DeliveryFailed:
    kind = ProviderDown if 400 <= code < 500 or code == -1 else ProviderRefused
    return kind(f"smtp: {code}, {what}", code=str(code))
