"""codes that are awaited in a chat with a bot

Revision ID: 0025
Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("one_time_code", sa.Column("chat_user", sa.String(), nullable=False, server_default=""))
    op.add_column("one_time_code", sa.Column("chat_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_one_time_code_chat", "one_time_code", ["chat_user"])


def downgrade() -> None:
    op.drop_index("ix_one_time_code_chat", "one_time_code")
    op.drop_column("one_time_code", "chat_id")
    op.drop_column("one_time_code", "chat_user")
