"""sessions that ended lately are found by an index

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

from alembic import op


revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A server that could not hear the others for a while asks which sessions they ended meanwhile.
    with op.batch_alter_table("account_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_session_ended_at"), ["ended_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("account_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_session_ended_at"))
