"""e-mail addresses that are proved, and notices that go there

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With defaults: the version before goes on writing rows that do not name these columns.
    op.add_column("patient", sa.Column("proved_email", sa.String(), nullable=False, server_default=""))
    op.add_column("patient", sa.Column("email_proved_at", sa.DateTime(), nullable=True))
    op.add_column("notice", sa.Column("email", sa.String(), nullable=False, server_default=""))
    op.add_column("notice", sa.Column("is_copy", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "email_proof",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("patient_id", sa.String(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
    )
    op.create_index("ix_email_proof_patient_id", "email_proof", ["patient_id"])
    op.create_index("ix_email_proof_email", "email_proof", ["email"])


def downgrade() -> None:
    op.drop_table("email_proof")
    op.drop_column("notice", "is_copy")
    op.drop_column("notice", "email")
    op.drop_column("patient", "email_proved_at")
    op.drop_column("patient", "proved_email")
