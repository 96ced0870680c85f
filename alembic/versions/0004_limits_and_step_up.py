"""limits counted in the database: wrong codes over all phones, the circuit breaker, money; birth date step

Revision ID: 0004
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "code_miss",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_miss")),
    )
    with op.batch_alter_table("code_miss", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_code_miss_at"), ["at"], unique=False)

    breaker = op.create_table(
        "circuit_breaker",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("open_until", sa.DateTime(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_circuit_breaker")),
    )
    # There from the beginning: two processes that made it on their first miss would lose one of the two misses.
    op.bulk_insert(breaker, [{"name": "codes", "open_until": None, "times": 0}])
    op.create_table(
        "channel_spending",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kopecks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "day", name=op.f("pk_channel_spending")),
    )
    with op.batch_alter_table("one_time_code", schema=None) as batch_op:
        batch_op.add_column(sa.Column("price", sa.Integer(), nullable=False, server_default="0"))
        batch_op.create_index("ix_one_time_code_issued", ["issued_at"], unique=False)
    with op.batch_alter_table("password_recovery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("birth_date_misses", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("password_recovery", schema=None) as batch_op:
        batch_op.drop_column("birth_date_misses")
    with op.batch_alter_table("one_time_code", schema=None) as batch_op:
        batch_op.drop_index("ix_one_time_code_issued")
        batch_op.drop_column("price")
    op.drop_table("channel_spending")
    op.drop_table("circuit_breaker")
    with op.batch_alter_table("code_miss", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_code_miss_at"))

    op.drop_table("code_miss")
