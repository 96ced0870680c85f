"""a patient's part of the security journal is read from its newest rows, by indexes that end with the number

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

from alembic import op


revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Never in batch mode: SQLite would copy the table, and the triggers that keep it append-only would be gone.
_TABLE = "security_journal"


def upgrade() -> None:
    op.drop_index("ix_security_journal_patient_id", table_name=_TABLE)
    op.drop_index("ix_security_journal_phone", table_name=_TABLE)
    op.create_index("ix_security_journal_phone", _TABLE, ["phone_index", "patient_id", "seq"])
    op.create_index("ix_security_journal_patient", _TABLE, ["patient_id", "seq"])
    op.create_index("ix_security_journal_patient_event", _TABLE, ["patient_id", "event", "seq"])


def downgrade() -> None:
    for name in ("patient_event", "patient", "phone"):
        op.drop_index(f"ix_security_journal_{name}", table_name=_TABLE)
    op.create_index("ix_security_journal_phone", _TABLE, ["phone_index", "patient_id"])
    op.create_index("ix_security_journal_patient_id", _TABLE, ["patient_id"])
