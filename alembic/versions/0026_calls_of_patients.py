"""the number that a patient calls

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("one_time_code", sa.Column("call_number", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("one_time_code", "call_number")
