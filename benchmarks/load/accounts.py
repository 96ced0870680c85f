"""Makes accounts in bulk, with SQL that SQLite and PostgreSQL both understand. No layer of the measured checkout takes part."""

from __future__ import annotations

from nacl import pwhash

from benchmarks.load.measured import ARGON2_MEMORY, ARGON2_PASSES

OLD_PASSWORD = "PrezhnijParol47"


def phone_of(number: int) -> str:
    """The phone of an account: a hundred numbers from each block of ten thousand, none of which is a magic number of the stand-ins.

    number: below 8 100 000.
    """
    return f"+79{10 + number // 90_000:02d}{100 + number // 100 % 900:03d}{2000 + number % 100:04d}"


def last_name_of(number: int) -> str:
    """A last name that distinguishes one patient's page from another's."""
    return f"Стендов{number}"


def accounts(first: int, many: int) -> str:
    """The statement that makes `many` accounts from number `first` on. Each has `OLD_PASSWORD` and a phone that was proved just now."""
    hashed = pwhash.argon2id.str(OLD_PASSWORD.encode(), opslimit=ARGON2_PASSES, memlimit=ARGON2_MEMORY).decode()
    phone = "79000000000 + (10 + i / 90000) * 10000000 + (100 + i / 100 % 900) * 10000 + 2000 + i % 100"
    return f"""
        WITH RECURSIVE numbers(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < {first + many})
        INSERT INTO patient (id, phone, email, last_name, first_name, patronymic, birth_date, snils_sealed, oms_policy_sealed,
            password_hash, password_changed_at, password_version, phone_proved_at, created_at)
        SELECT 'bench' || i, '+' || ({phone}), '', 'Стендов' || i, 'Пётр', 'Ильич', '1980-05-17', '', '',
            '{hashed}', CURRENT_TIMESTAMP, 0, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP
        FROM numbers WHERE i < {first + many}
    """  # noqa: S608  # numbers and a hash of our own
