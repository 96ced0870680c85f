"""The link «это не я» in a notice: its token is made from the notice's id and a key, and is in no database.

The token is in the fragment of the address: browsers send it to no server, so that it is in no log and no referrer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from medonline.services.crypto.field_encryption import Sealer
from medonline.services.crypto.tokens import token_hash

# 43 of the 64 hex characters would be 172 bits; all of them are 256 and fit the text.
TOKEN_LENGTH = 64
# Longer than a holiday weekend; later the desk can do more than a link.
LINK_LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class DisputeLinks:
    """`page` is the address of the page, without a fragment."""

    page: str
    tokens: Sealer

    def hash_for(self, notice_id: str) -> str:
        """What the database keeps of a notice's token."""
        return token_hash(self.tokens.index(notice_id))

    def link(self, notice_id: str, dispute_hash: str) -> str:
        """The address for a notice; empty when the key that its token was made with is gone."""
        for token in self.tokens.indexes(notice_id):
            if token_hash(token) == dispute_hash:
                return f"{self.page}#{token}"
        return ""
