"""who may see whose card: requests and consents, attempts per account and policy, how often the registry is asked

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "card_access",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("policy_sealed", sa.String(), nullable=False),
        sa.Column("policy_index", sa.String(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("holder_id", sa.String(), nullable=True),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_card_access_patient_id_patient")),
        sa.ForeignKeyConstraint(["holder_id"], ["patient.id"], name=op.f("fk_card_access_holder_id_patient")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_access")),
    )
    for column in ("patient_id", "policy_index", "holder_id"):
        op.create_index(op.f(f"ix_card_access_{column}"), "card_access", [column])
    op.create_table(
        "card_attempt",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("policy_index", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_card_attempt_patient_id_patient")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_attempt")),
    )
    for column in ("patient_id", "policy_index"):
        op.create_index(op.f(f"ix_card_attempt_{column}"), "card_attempt", [column])
    op.create_table(
        "card_refresh",
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("pressed_at", sa.DateTime(), nullable=True),
        sa.Column("hour_began_at", sa.DateTime(), nullable=False),
        sa.Column("asked_in_hour", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_card_refresh_patient_id_patient")),
        sa.PrimaryKeyConstraint("patient_id", name=op.f("pk_card_refresh")),
    )
    # Misses of the last hour at most: attempts count instead, and hold the policy, which a miss never did.
    op.drop_table("card_miss")
    for column in ("policy_sealed", "policy_index", "basis"):
        op.add_column("patient_card", sa.Column(column, sa.String(), nullable=False, server_default=""))
    op.add_column("patient_card", sa.Column("stated_at", sa.DateTime(), nullable=True))
    # In plain SQL: Alembic would copy SQLite's table for the constraint, and give its other constraints any order.
    op.execute(
        "ALTER TABLE patient_card ADD COLUMN access_id VARCHAR "
        "CONSTRAINT fk_patient_card_access_id_card_access REFERENCES card_access (id)"
    )
    for column in ("policy_index", "access_id"):
        op.create_index(op.f(f"ix_patient_card_{column}"), "patient_card", [column])
    # Other people's cards were added without their word: they are not shown until they are added by the rule.
    op.execute("UPDATE patient_card SET basis = 'own' WHERE whose = 'own'")


def downgrade() -> None:
    with op.batch_alter_table("patient_card", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_patient_card_access_id"))
        batch_op.drop_index(batch_op.f("ix_patient_card_policy_index"))
        for column in ("access_id", "stated_at", "basis", "policy_index", "policy_sealed"):
            batch_op.drop_column(column)
    op.create_table(
        "card_miss",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_card_miss_patient_id_patient")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_miss")),
    )
    with op.batch_alter_table("card_miss", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_card_miss_patient_id"), ["patient_id"], unique=False)
    for table in ("card_refresh", "card_attempt", "card_access"):
        op.drop_table(table)
