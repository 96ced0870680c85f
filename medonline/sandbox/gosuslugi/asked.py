"""What a client asked for at the start of a sign-in, and the addresses a browser returns to it with."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal
from urllib.parse import urlencode, urlsplit

from medonline.sandbox.gosuslugi.scopes import esia_data, oidc_data

Face = Literal["esia", "oidc"]
DENIED = "ESIA-007004: The resource owner or authorization server denied the request"


@dataclass(frozen=True, slots=True)
class Asked:
    """One checked authorisation request; `challenge` is the S256 code challenge, empty when none was sent."""

    face: Face
    client_id: str
    redirect_uri: str
    scope: str
    state: str
    nonce: str = ""
    challenge: str = ""
    offline: bool = False
    issuer: str = ""  # sent along on the way back, where the face promises it (RFC 9207)

    @property
    def data(self) -> frozenset[str]:
        """The personal data it asks for."""
        return esia_data(self.scope) if self.face == "esia" else oidc_data(self.scope)

    def as_json(self) -> str:
        """For the database."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Asked:
        """From the database."""
        return cls(**json.loads(text))

    def granted(self, code: str) -> str:
        """Back to the client with a code."""
        return returning(self.redirect_uri, code=code, state=self.state, iss=self.issuer)

    def denied(self) -> str:
        """Back to the client after «Отказаться»."""
        description = DENIED if self.face == "esia" else "The person refused to hand the data over"
        return self.refused("access_denied", description)

    def refused(self, error: str, description: str) -> str:
        """Back to the client with an error."""
        return returning(
            self.redirect_uri, error=error, error_description=description, state=self.state, iss=self.issuer
        )


def returning(address: str, **parameters: str) -> str:
    """An address with query parameters added; empty ones are left out."""
    sent = {name: value for name, value in parameters.items() if value}
    if not sent:
        return address
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(sent)}"
