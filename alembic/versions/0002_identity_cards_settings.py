"""sign-in through an identity provider, cards, settings, notices

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identity_journey",
        sa.Column("state_hash", sa.String(), nullable=False),
        sa.Column("visitor_key", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("code_verifier", sa.String(), nullable=False),
        sa.Column("redirect_uri", sa.String(), nullable=False),
        sa.Column("consent_version", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_identity_journey")),
    )
    with op.batch_alter_table("identity_journey", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_journey_created_at"), ["created_at"], unique=False)

    op.create_table(
        "pending_identity",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("visitor_key", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("waits_for", sa.String(), nullable=False),
        sa.Column("sealed_person", sa.String(), nullable=False),
        sa.Column("proof_phone", sa.String(), nullable=False),
        sa.Column("consent_version", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_identity")),
        sa.UniqueConstraint("visitor_key", name=op.f("uq_pending_identity_visitor_key")),
    )
    with op.batch_alter_table("pending_identity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pending_identity_created_at"), ["created_at"], unique=False)

    op.create_table(
        "account_change",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("session_key", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_account_change_patient_id_patient")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_change")),
    )
    with op.batch_alter_table("account_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_change_patient_id"), ["patient_id"], unique=False)

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

    op.create_table(
        "linked_identity",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("linked_at", sa.DateTime(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_linked_identity_patient_id_patient")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_linked_identity")),
    )
    with op.batch_alter_table("linked_identity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_linked_identity_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "notice",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("provider_ref", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_notice_patient_id_patient")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_due_at"), ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_notice_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "patient_card",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("clinic_name", sa.String(), nullable=False),
        sa.Column("clinic_address", sa.String(), nullable=False),
        sa.Column("clinic_phone", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("policy_masked", sa.String(), nullable=False),
        sa.Column("whose", sa.String(), nullable=False),
        sa.Column("attached_since", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("in_registry", sa.Boolean(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(), nullable=False),
        sa.Column("unlinked_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_patient_card_patient_id_patient")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_card")),
        sa.UniqueConstraint("patient_id", "ref", name=op.f("uq_patient_card_patient_id")),
    )
    with op.batch_alter_table("patient_card", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_patient_card_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "personal_data_consent",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_personal_data_consent_patient_id_patient")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personal_data_consent")),
    )
    with op.batch_alter_table("personal_data_consent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_personal_data_consent_patient_id"), ["patient_id"], unique=False)

    with op.batch_alter_table("account_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("device", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("network", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("provider_token_sealed", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("authenticated_at", sa.DateTime(), nullable=True))

    # Until now every session was made by the proof itself.
    op.execute("UPDATE account_session SET authenticated_at = created_at")
    with op.batch_alter_table("account_session", schema=None) as batch_op:
        batch_op.alter_column("authenticated_at", existing_type=sa.DateTime(), nullable=False)

    with op.batch_alter_table("login_ticket", schema=None) as batch_op:
        batch_op.add_column(sa.Column("landing", sa.String(), nullable=False, server_default="cards"))
        batch_op.add_column(sa.Column("provider_token_sealed", sa.String(), nullable=False, server_default=""))

    with op.batch_alter_table("patient", schema=None) as batch_op:
        batch_op.add_column(sa.Column("email", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("snils_index", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("snils_sealed", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("oms_policy_sealed", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("cards_fetched_at", sa.DateTime(), nullable=True))
        batch_op.alter_column("phone", existing_type=sa.String(), nullable=True)
        batch_op.create_unique_constraint(batch_op.f("uq_patient_snils_index"), ["snils_index"])


def downgrade() -> None:
    with op.batch_alter_table("patient", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_patient_snils_index"), type_="unique")
        batch_op.alter_column("phone", existing_type=sa.String(), nullable=False)
        batch_op.drop_column("cards_fetched_at")
        batch_op.drop_column("oms_policy_sealed")
        batch_op.drop_column("snils_sealed")
        batch_op.drop_column("snils_index")
        batch_op.drop_column("email")

    with op.batch_alter_table("login_ticket", schema=None) as batch_op:
        batch_op.drop_column("provider_token_sealed")
        batch_op.drop_column("landing")

    with op.batch_alter_table("account_session", schema=None) as batch_op:
        batch_op.drop_column("authenticated_at")
        batch_op.drop_column("provider_token_sealed")
        batch_op.drop_column("network")
        batch_op.drop_column("device")

    with op.batch_alter_table("personal_data_consent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_personal_data_consent_patient_id"))

    op.drop_table("personal_data_consent")
    with op.batch_alter_table("patient_card", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_patient_card_patient_id"))

    op.drop_table("patient_card")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_patient_id"))
        batch_op.drop_index(batch_op.f("ix_notice_due_at"))

    op.drop_table("notice")
    with op.batch_alter_table("linked_identity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_linked_identity_patient_id"))

    op.drop_table("linked_identity")
    with op.batch_alter_table("card_miss", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_card_miss_patient_id"))

    op.drop_table("card_miss")
    with op.batch_alter_table("account_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_change_patient_id"))

    op.drop_table("account_change")
    with op.batch_alter_table("pending_identity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pending_identity_created_at"))

    op.drop_table("pending_identity")
    with op.batch_alter_table("identity_journey", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_journey_created_at"))

    op.drop_table("identity_journey")
