"""a recovery that was proved is bound to the sitting, too: to a cookie that ends with the browser

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("password_recovery", schema=None) as batch_op:
        # A proof of before is of no sitting: the patient asks for another code.
        batch_op.add_column(sa.Column("sitting_key", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("password_recovery", schema=None) as batch_op:
        batch_op.drop_column("sitting_key")
