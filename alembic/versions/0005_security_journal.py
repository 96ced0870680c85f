"""the security journal: append-only by triggers; notices that can be disputed, recovery by phone that is stopped

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# A row whose time is over may go once a checkpoint replaces it.
_SQLITE = (
    """CREATE TRIGGER security_journal_never_changes BEFORE UPDATE ON security_journal
    BEGIN SELECT RAISE(ABORT, 'the security journal is append-only'); END""",
    """CREATE TRIGGER security_journal_never_shrinks BEFORE DELETE ON security_journal
    WHEN OLD.seq > COALESCE((SELECT MAX(seq) FROM security_journal_checkpoint), 0)
    BEGIN SELECT RAISE(ABORT, 'the security journal is append-only'); END""",
    """CREATE TRIGGER security_journal_leaves_nothing_out BEFORE INSERT ON security_journal
    WHEN NEW.seq <> COALESCE(
        (SELECT MAX(seq) FROM security_journal), (SELECT MAX(seq) FROM security_journal_checkpoint), 0) + 1
    BEGIN SELECT RAISE(ABORT, 'the security journal leaves no number out'); END""",
    """CREATE TRIGGER security_journal_checkpoint_never_changes BEFORE UPDATE ON security_journal_checkpoint
    BEGIN SELECT RAISE(ABORT, 'the security journal is append-only'); END""",
    """CREATE TRIGGER security_journal_checkpoint_never_shrinks BEFORE DELETE ON security_journal_checkpoint
    BEGIN SELECT RAISE(ABORT, 'the security journal is append-only'); END""",
    # Before REPLACE deletes the row that is in its way no trigger would run.
    """CREATE TRIGGER security_journal_checkpoint_goes_on BEFORE INSERT ON security_journal_checkpoint
    WHEN NEW.seq <= COALESCE((SELECT MAX(seq) FROM security_journal_checkpoint), 0)
        OR NOT EXISTS (SELECT 1 FROM security_journal WHERE seq = NEW.seq AND hash = NEW.hash)
    BEGIN SELECT RAISE(ABORT, 'a checkpoint stands for a row and follows those of before'); END""",
)
_POSTGRESQL = (
    """CREATE FUNCTION security_journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the security journal is append-only'; END $$""",
    """CREATE FUNCTION security_journal_keep() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.seq > COALESCE((SELECT MAX(seq) FROM security_journal_checkpoint), 0) THEN
            RAISE EXCEPTION 'the security journal is append-only';
        END IF;
        RETURN OLD;
    END $$""",
    """CREATE FUNCTION security_journal_go_on() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.seq <> COALESCE((SELECT MAX(seq) FROM security_journal),
                               (SELECT MAX(seq) FROM security_journal_checkpoint), 0) + 1 THEN
            RAISE EXCEPTION 'the security journal leaves no number out';
        END IF;
        RETURN NEW;
    END $$""",
    """CREATE FUNCTION security_journal_checkpoint_go_on() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.seq <= COALESCE((SELECT MAX(seq) FROM security_journal_checkpoint), 0)
            OR NOT EXISTS (SELECT 1 FROM security_journal WHERE seq = NEW.seq AND hash = NEW.hash) THEN
            RAISE EXCEPTION 'a checkpoint stands for a row and follows those of before';
        END IF;
        RETURN NEW;
    END $$""",
    """CREATE TRIGGER security_journal_never_changes BEFORE UPDATE ON security_journal
    FOR EACH ROW EXECUTE FUNCTION security_journal_refuse()""",
    """CREATE TRIGGER security_journal_never_shrinks BEFORE DELETE ON security_journal
    FOR EACH ROW EXECUTE FUNCTION security_journal_keep()""",
    """CREATE TRIGGER security_journal_never_emptied BEFORE TRUNCATE ON security_journal
    FOR EACH STATEMENT EXECUTE FUNCTION security_journal_refuse()""",
    """CREATE TRIGGER security_journal_leaves_nothing_out BEFORE INSERT ON security_journal
    FOR EACH ROW EXECUTE FUNCTION security_journal_go_on()""",
    """CREATE TRIGGER security_journal_checkpoint_never_changes BEFORE UPDATE OR DELETE ON security_journal_checkpoint
    FOR EACH ROW EXECUTE FUNCTION security_journal_refuse()""",
    """CREATE TRIGGER security_journal_checkpoint_never_emptied BEFORE TRUNCATE ON security_journal_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION security_journal_refuse()""",
    """CREATE TRIGGER security_journal_checkpoint_goes_on BEFORE INSERT ON security_journal_checkpoint
    FOR EACH ROW EXECUTE FUNCTION security_journal_checkpoint_go_on()""",
)
_FUNCTIONS = ("refuse", "keep", "go_on", "checkpoint_go_on")


def upgrade() -> None:
    op.create_table(
        "security_journal",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("phone_index", sa.String(), nullable=False),
        sa.Column("phone_tail", sa.String(), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("details", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_security_journal")),
    )
    for column in ("at", "patient_id"):
        op.create_index(op.f(f"ix_security_journal_{column}"), "security_journal", [column])
    op.create_index("ix_security_journal_phone", "security_journal", ["phone_index", "patient_id"])
    op.create_table(
        "security_journal_checkpoint",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("seal", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_security_journal_checkpoint")),
    )
    for statement in _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)
    with op.batch_alter_table("linked_identity", schema=None) as batch_op:
        batch_op.add_column(sa.Column("filled", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.add_column(sa.Column("about", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("dispute_hash", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("disputed_at", sa.DateTime(), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_notice_dispute_hash"), ["dispute_hash"])
    with op.batch_alter_table("patient", schema=None) as batch_op:
        batch_op.add_column(sa.Column("recovery_stopped_until", sa.DateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("patient", schema=None) as batch_op:
        batch_op.drop_column("recovery_stopped_until")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_notice_dispute_hash"), type_="unique")
        batch_op.drop_column("disputed_at")
        batch_op.drop_column("dispute_hash")
        batch_op.drop_column("about")
    with op.batch_alter_table("linked_identity", schema=None) as batch_op:
        batch_op.drop_column("filled")
    op.drop_table("security_journal")
    op.drop_table("security_journal_checkpoint")
    if op.get_bind().dialect.name == "postgresql":
        for name in _FUNCTIONS:
            op.execute(f"DROP FUNCTION security_journal_{name}()")
