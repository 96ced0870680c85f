"""E-mail through one mail server (SMTP, RFC 5321; submission, RFC 6409), by the library aiosmtplib.

Each message goes over a connection of its own: notices are few, and a connection that idles is cut by servers.
No text made here holds an address, a password, or a piece of the server's answer: answers quote addresses.
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

# Seconds for a whole message: servers that look through mail make one wait. Less than the lease of a notice.
TIMEOUT = 30.0
# RFC 3463: 5.1.1 bad mailbox, 5.1.2 bad host, 5.1.10 null MX (RFC 7505), 5.2.1 mailbox disabled. Every other refusal may be meant for
# the sender or the text, and says nothing of the mailbox.
_NO_MAILBOX = re.compile(r"5\.(?:1\.(?:1|2|10)|2\.1)\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over.

    Attributes:
        socket: a socket file of a server on this machine, instead of host and port.
        user: empty: the server wants no sign-in.
        tls: whose certificates are believed; None: those that this machine's own store has.
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
        """Hand one message over, once; its Message-ID.

        Raises:
            DeliveryFailed: one of its subclasses; `ProviderDown` also when the server may have taken the message.
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
            # An answer says no; a silence in the middle of a message says nothing.
            error.may_have_gone_out = handed_over and not error.code
            raise
        finally:
            metrics.PROVIDER.observe(perf_counter() - began, self.provider, outcome)
        return str(message["Message-ID"])

    async def check(self) -> None:
        """Greet the server, with TLS and the sign-in; sends nothing.

        Raises:
            DeliveryFailed: one of its subclasses.
        """
        with _failures():
            async with self._connected():
                pass

    async def close(self) -> None:
        """Nothing is kept open."""

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A server that has been greeted over TLS and knows who asks."""
        async with asyncio.timeout(self._timeout), self._connection() as connection:
            await connection.ehlo()
            if self._server.security is SmtpSecurity.STARTTLS:
                # Looked at here: the library has one error for "no STARTTLS" and for "no connection".
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
            start_tls=False,  # `_connected` does it; the library's default goes on without TLS where the server offers none
            tls_context=server.tls,
            timeout=self._timeout,
        )

    def _written(self, address: EmailAddress, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = f"{self._sender_name} <{self._sender}>" if self._sender_name else self._sender
        message["To"] = _recipient(address)
        # Encoded here: where `EmailMessage` of Python 3.11 breaks a long subject in Cyrillic, a space is lost, and two words are one.
        message.set_raw("Subject", Header(mail.subject, "utf-8", header_name="Subject").encode())
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{mail.id}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday note answers it
        message.set_content(mail.text)
        return message


def _recipient(address: EmailAddress) -> str:
    """Raises MailboxUnknown: it came from elsewhere, was never judged, and is no address."""
    try:
        return address.on_the_wire()
    except InvalidEmail:
        raise MailboxUnknown("smtp: no address that mail reaches") from None


@contextmanager
def _failures() -> Iterator[None]:
    """Turn what the library raises into the portal's own errors. Causes are cut: they quote what was sent."""
    try:
        yield
    except aiosmtplib.SMTPRecipientsRefused as error:
        first = error.recipients[0]
        raise _refusal(first.code, first.message) from None
    except aiosmtplib.SMTPAuthenticationError as error:
        # RFC 4954: 4xx is a server in trouble, not a wrong password.
        if 500 <= error.code < 600:
            raise ProviderRefused("smtp: the sign-in was refused", code=str(error.code), of_key=True) from None
        raise _answered(error.code, "the sign-in was put off") from None
    except aiosmtplib.SMTPResponseException as error:
        raise _refusal(error.code, error.message) from None
    except aiosmtplib.SMTPNotSupported:
        # It has other letters before the @ (RFC 6531), which this server will not take tomorrow either.
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
