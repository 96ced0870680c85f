"""journeys that want a fresh proof; tickets carry when the proof was given

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("identity_journey", schema=None) as batch_op:
        for name in ("fresh", "signing_out"):
            batch_op.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE identity_journey SET fresh = (purpose = 'settings')")
    with op.batch_alter_table("login_ticket", schema=None) as batch_op:
        # A ticket of before lives 30 seconds more: its session proves nothing for phone and password.
        column = sa.Column("authenticated_at", sa.DateTime(), nullable=False, server_default="1970-01-01 00:00:00")
        batch_op.add_column(column)


def downgrade() -> None:
    with op.batch_alter_table("login_ticket", schema=None) as batch_op:
        batch_op.drop_column("authenticated_at")
    with op.batch_alter_table("identity_journey", schema=None) as batch_op:
        for name in ("signing_out", "fresh"):
            batch_op.drop_column(name)
