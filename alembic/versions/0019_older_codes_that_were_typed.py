"""how often a flow was told that an older code of it was typed

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("one_time_code", sa.Column("older_typed", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("one_time_code", "older_typed")
