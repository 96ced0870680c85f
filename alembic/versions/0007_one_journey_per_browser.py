"""one journey to the identity provider per browser, found by an index

Revision ID: 0007
Revises: 0005
"""

from __future__ import annotations

from alembic import op


revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None

# Of several journeys of a browser the newest goes on: it is the one whose page the browser shows.
_ONLY_THE_NEWEST = """
DELETE FROM identity_journey WHERE EXISTS (
    SELECT 1 FROM identity_journey AS newer WHERE newer.visitor_key = identity_journey.visitor_key
    AND (newer.created_at > identity_journey.created_at
         OR (newer.created_at = identity_journey.created_at AND newer.state_hash > identity_journey.state_hash)))
"""


def upgrade() -> None:
    op.execute(_ONLY_THE_NEWEST)
    with op.batch_alter_table("identity_journey", schema=None) as batch_op:
        batch_op.create_unique_constraint(batch_op.f("uq_identity_journey_visitor_key"), ["visitor_key"])


def downgrade() -> None:
    with op.batch_alter_table("identity_journey", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_identity_journey_visitor_key"), type_="unique")
