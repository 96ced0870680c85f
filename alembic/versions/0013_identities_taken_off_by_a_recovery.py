"""how many accounts at Gosuslugi a recovery has taken off

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("password_recovery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("identities_unlinked", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("password_recovery", schema=None) as batch_op:
        batch_op.drop_column("identities_unlinked")
