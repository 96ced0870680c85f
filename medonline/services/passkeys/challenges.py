"""What a device has to sign. A challenge is made here, kept as a hash, and answered once within 5 minutes.

The answer must come from the same browser and be for the same purpose.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlmodel import Session
from webauthn.helpers import bytes_to_base64url

from medonline.domain.client import Client
from medonline.domain.errors import CookiesMissing, PasskeyLate, PasskeysOff
from medonline.domain.passkeys import PasskeyPurpose, RelyingParty
from medonline.services.clock import Clock
from medonline.services.crypto.tokens import token_hash
from medonline.services.limits.passkey_limits import PasskeyLimits
from medonline.services.passkeys.ceremonies import CHALLENGE_LIFE
from medonline.storage.engine import Database, writes
from medonline.storage.queries import passkeys
from medonline.storage.tables.passkeys import PasskeyChallenge


@dataclass(frozen=True, slots=True)
class Challenges:
    """Keeps the record of challenges. `party`: None where passkeys are off."""

    database: Database
    clock: Clock
    limits: PasskeyLimits
    party: RelyingParty | None

    def required(self) -> RelyingParty:
        """The relying party for which passkeys are made.

        Raises:
            PasskeysOff: this portal has no passkeys.
        """
        if self.party is None:
            raise PasskeysOff
        return self.party

    async def admit(self, client: Client) -> None:
        """Let the browser have one more challenge, within the limits.

        Raises:
            CookiesMissing: a challenge cannot be bound to this browser.
            TooManyPasskeyTries: in this browser, or from this network.
        """
        if not client.visitor_key:
            raise CookiesMissing
        await self.limits.admit(client, self.clock())

    @writes
    def keep(
        self, session: Session, client: Client, purpose: PasskeyPurpose, challenge: bytes, handle: str = ""
    ) -> None:
        """Record a challenge that waits for its answer."""
        row = self._row(client, purpose, challenge)
        session.add(PasskeyChallenge(**(row.model_dump() | {"handle": handle})))

    async def take(self, client: Client, purpose: PasskeyPurpose, challenge: bytes) -> PasskeyChallenge:
        """Use up the challenge, whatever the answer turns out to be.

        Raises:
            PasskeyLate: it was never made for this browser and purpose, is too old, or was answered.
        """
        taken = await self._take(self._row(client, purpose, challenge))
        if taken is None:
            raise PasskeyLate
        return taken

    @writes
    def _take(self, session: Session, wanted: PasskeyChallenge) -> PasskeyChallenge | None:
        return passkeys.take_challenge(session, wanted, self.clock())

    def _row(self, client: Client, purpose: PasskeyPurpose, challenge: bytes) -> PasskeyChallenge:
        # A new passkey belongs to the session that asked for it. A person who signs in may have an old session, which says nothing.
        client = client if purpose is PasskeyPurpose.ADD else replace(client, session_key="")
        return PasskeyChallenge(
            challenge_hash=token_hash(bytes_to_base64url(challenge)),
            visitor_key=client.visitor_key,
            session_key=client.session_key,
            purpose=purpose,
            expires_at=self.clock() + CHALLENGE_LIFE,
        )
