"""a password has a version: two changes within one tick of the clock, or around a clock set back, are two changes

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_SAME_PASSWORD = (
    "EXISTS (SELECT 1 FROM patient WHERE patient.id = login_ticket.patient_id AND "
    "(patient.password_changed_at = login_ticket.password_changed_at "
    "OR (patient.password_changed_at IS NULL AND login_ticket.password_changed_at IS NULL)))"
)


def upgrade() -> None:
    for table in ("patient", "login_ticket"):
        op.add_column(table, sa.Column("password_version", sa.Integer(), nullable=False, server_default="0"))
    # A ticket that an earlier change of the password ended stays ended: no password has this version.
    op.execute(f"UPDATE login_ticket SET password_version = -1 WHERE NOT {_SAME_PASSWORD}")  # noqa: S608
    op.drop_column("login_ticket", "password_changed_at")


def downgrade() -> None:
    op.add_column("login_ticket", sa.Column("password_changed_at", sa.DateTime(), nullable=True))
    op.execute(
        "UPDATE login_ticket SET password_changed_at = (SELECT patient.password_changed_at FROM patient "
        "WHERE patient.id = login_ticket.patient_id AND patient.password_version = login_ticket.password_version)"
    )
    # What matched no version must match no time either, were the account without a password.
    op.execute(
        "UPDATE login_ticket SET used_at = expires_at WHERE used_at IS NULL AND password_version <> "
        "(SELECT patient.password_version FROM patient WHERE patient.id = login_ticket.patient_id)"
    )
    for table in ("login_ticket", "patient"):
        op.drop_column(table, "password_version")
