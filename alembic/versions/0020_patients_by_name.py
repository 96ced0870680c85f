"""patients are found and listed by name with an index

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

from alembic import op


revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # `accounts find` and `accounts list` at a million accounts: one read page by page, in this order.
    op.create_index("ix_patient_name", "patient", ["last_name", "first_name", "id"])


def downgrade() -> None:
    op.drop_index("ix_patient_name", table_name="patient")
