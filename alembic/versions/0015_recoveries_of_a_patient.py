"""recoveries of a patient are found by an index

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

from alembic import op


revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A new password, «это не я» and the desk end all recoveries of one patient.
    with op.batch_alter_table("password_recovery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_password_recovery_patient_id"), ["patient_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("password_recovery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_password_recovery_patient_id"))
