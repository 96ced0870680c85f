"""what a notice costs is counted before it is sent, when it is made or when there is money for it

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notice", sa.Column("paid_at", sa.DateTime(), nullable=True))
    op.add_column("notice", sa.Column("kopecks", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    for column in ("kopecks", "paid_at"):
        op.drop_column("notice", column)
