"""What a client requested at the start of a sign-in, and the addresses by which a browser returns to it."""

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
    """One checked authorisation request. `challenge` is the S256 code challenge, empty if none was sent."""

    face: Face
    client_id: str
    redirect_uri: str
    scope: str
    state: str
    nonce: str = ""
    challenge: str = ""
    offline: bool = False
    issuer: str = ""  # added to the way back if the face promises it (RFC 9207)

    @property
    def data(self) -> frozenset[str]:
        """The personal data that it requests."""
        return esia_data(self.scope) if self.face == "esia" else oidc_data(self.scope)

    def as_json(self) -> str:
        """As JSON, for the database."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Asked:
        """Read the JSON of the database."""
        return cls(**json.loads(text))

    def granted(self, code: str) -> str:
        """The address back to the client, with a code."""
        return returning(self.redirect_uri, code=code, state=self.state, iss=self.issuer)

    def denied(self) -> str:
        """The address back to the client after «Отказаться»."""
        description = DENIED if self.face == "esia" else "The person refused to hand the data over"
        return self.refused("access_denied", description)

    def refused(self, error: str, description: str) -> str:
        """The address back to the client, with an error."""
        return returning(
            self.redirect_uri, error=error, error_description=description, state=self.state, iss=self.issuer
        )


def returning(address: str, **parameters: str) -> str:
    """An address with query parameters added, without the empty ones."""
    sent = {name: value for name, value in parameters.items() if value}
    if not sent:
        return address
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(sent)}"
