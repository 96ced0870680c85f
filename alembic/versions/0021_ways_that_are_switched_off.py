"""ways of getting a code that are switched off while the portal runs

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channel_switch",
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("off", sa.Boolean(), nullable=False),
        sa.Column("by_rule", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("next_trial_at", sa.DateTime(), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("channel_switch")
