"""a change that waits is found by an index

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

from alembic import op


revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The settings ask for the change of their session at each look.
    with op.batch_alter_table("account_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_change_session_key"), ["session_key"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("account_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_change_session_key"))
