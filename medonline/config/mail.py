"""Settings of e-mail: a part of `Config`."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from medonline.domain.email_address import EmailAddress
from medonline.domain.errors import InvalidEmail
from medonline.services.ports import SmtpSecurity

# The longest path of a socket file (unix(7)): 108 bytes with the final zero.
_LONGEST_SOCKET = 107


class MailProvider(StrEnum):
    """The server that takes mail from the portal."""

    NONE = "none"
    SMTP = "smtp"


class MailConfig(BaseSettings):
    """Each field is `MEDONLINE_` plus its name in capitals.

    smtp_socket: the socket file of a mail server on this machine, used instead of host and port.
    """

    mail_provider: MailProvider = MailProvider.NONE
    smtp_host: str = ""
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_security: SmtpSecurity = SmtpSecurity.STARTTLS
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_socket: Path | None = None
    mail_from: str = ""

    def mail_faults(self) -> list[str]:
        """Settings that cannot be used in any mode: one English sentence each."""
        if self.mail_provider is MailProvider.NONE:
            return []
        faults = []
        if not self.smtp_host and self.smtp_socket is None:
            faults.append("MEDONLINE_SMTP_HOST is missing: mail is switched on (MEDONLINE_MAIL_PROVIDER).")
        if self.smtp_host and self.smtp_socket is not None:
            faults.append("MEDONLINE_SMTP_HOST and MEDONLINE_SMTP_SOCKET are both there: take one out.")
        if not _is_address(self.mail_from):
            faults.append("MEDONLINE_MAIL_FROM is the address that patients see as the sender, as 'portal@example.ru'.")
        if bool(self.smtp_user) != bool(self.smtp_password.get_secret_value()):
            faults.append("MEDONLINE_SMTP_USER and MEDONLINE_SMTP_PASSWORD belong together: one of them is missing.")
        return faults

    def mail_boundary_faults(self, is_plain_allowed: Callable[[str], bool]) -> list[str]:
        """Faults in production: mail, or the password of its server, would travel over a network without encryption."""
        plain = self.mail_provider is MailProvider.SMTP and self.smtp_security is SmtpSecurity.NONE
        if not plain or self.smtp_socket is not None or is_plain_allowed(self.smtp_host):
            return []
        return [
            "MEDONLINE_SMTP_SECURITY is none: mail would travel openly. Set it to starttls or tls. "
            "MEDONLINE_ALLOW_PLAIN_CONNECTIONS can name its host, if that is to be."
        ]


def demo_mail(data_dir: Path) -> dict[str, Any]:
    """The demo's mail goes to its own inbox, over a socket file, because a port could belong to somebody else. If the folder's path is
    too long for a socket file, there is no mail."""
    socket = _socket_in(data_dir)
    if socket is None:
        return {}
    sender = "portal@medonline.example"
    return {"mail_provider": "smtp", "smtp_socket": socket, "smtp_security": "none", "mail_from": sender}


def _socket_in(folder: Path) -> Path | None:
    absolute = folder.resolve() / "mail.sock"
    ways = (absolute, Path(os.path.relpath(absolute)))
    return next((way for way in ways if len(os.fsencode(way)) <= _LONGEST_SOCKET), None)


def _is_address(text: str) -> bool:
    try:
        return EmailAddress.parse(text).text != ""
    except InvalidEmail:
        return False
