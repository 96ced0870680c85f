"""Everything that is measured. docs/operations.md lists it and deploy/ uses it; tests/deploy/test_watching.py compares them.

Declare a new family here and nowhere else.
"""

from __future__ import annotations

from medonline.metrics.families import Count, Duration, Family, Level, Reading

_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_PATIENT = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)
_NETWORK = (0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 4, 5)

# Codes. `channel`: domain.codes.one_time_code.ChannelName; `provider`: the adapter's name.
CODES_ASKED = Count("medonline_codes_asked", "Codes that patients asked for.", ("channel", "purpose"))
CODES_SENT = Count("medonline_codes_sent", "Codes that a provider took.", ("channel", "provider"))
CODES_DELIVERED = Count(
    "medonline_codes_delivered", "Codes that a provider reports as delivered.", ("channel", "provider")
)
CODES_FAILED = Count(
    "medonline_codes_failed", "Codes that were not sent or not delivered.", ("channel", "provider", "problem")
)
CODES_HANDED_OVER = Count(
    "medonline_codes_handed_over",
    "Codes that the next vendor took over, because one certainly did not send them.",
    ("channel", "provider", "reserve"),
)
CODES_ENTERED = Count("medonline_codes_entered", "Codes that patients typed rightly.", ("channel", "provider"))
CODES_MISTYPED = Count("medonline_codes_mistyped", "Wrong codes that cost an attempt.", ("channel",))
CODE_ENTERING = Duration(
    "medonline_code_entering_seconds", "From asking for a code to typing it rightly.", ("channel",), bounds=_PATIENT
)

# Sign-ins. `way`: password or gosuslugi.
SIGN_INS = Count("medonline_sign_ins", "Sign-ins by what became of them.", ("way", "outcome"))

# Refusals.
LIMITS = Count("medonline_limit_refusals", "Requests that a limit refused.", ("limit",))
CHANNEL_OFF = Reading("medonline_channel_off", "1 while a way of getting a code is switched off.", ("channel",))
BREAKER = Reading(
    "medonline_code_breaker_open", "1 while a call alone is not enough, because too many codes were wrong."
)
ALARMS = Count("medonline_alarms", "Alarms, those that the log keeps back as well.", ("alarm",))

# Providers. `outcome`: answered, broken (5xx or a redirect), timeout or unreachable.
PROVIDER = Duration("medonline_provider_seconds", "Requests to providers.", ("provider", "outcome"), bounds=_NETWORK)

PROVIDER_TROUBLES = Count(
    "medonline_provider_troubles",
    "Codes and notices that a provider failed: down, money (it has none of ours), refused (the key, or an unreadable answer).",
    ("provider", "trouble"),
)

# Waiting work. `queue`: codes or notices.
WAITING = Reading("medonline_outbox_waiting", "Rows that are due and not in hand.", ("queue",))
LAG = Reading("medonline_outbox_lag_seconds", "How long the row that waits longest has been due.", ("queue",))
NOTICES_SENT = Count("medonline_notices_sent", "Notices that a provider took.", ("provider",))
NOTICES_FAILED = Count(
    "medonline_notices_failed", "Attempts to send a notice that failed.", ("provider", "problem", "fate")
)
MONEY = Reading("medonline_money_spent_ratio", "Spent of the day's money: 1 is all of it.", ("line",))

# This process.
HASHING = Level("medonline_password_hashes_in_hand", "Passwords that are hashed, or wait for a core.")
HASHING_BUSY = Count("medonline_password_hashes_refused", "Passwords for which no core came free in time.")
SOCKETS = Level("medonline_sockets_open", "Open sockets of pages.")
SOCKETS_REFUSED = Count("medonline_sockets_refused", "Sockets that were refused at the door.", ("why",))
TRANSACTION = Duration(
    "medonline_transaction_seconds", "Transactions, from their first turn to their end.", ("kind",), bounds=_QUICK
)
TRANSACTION_WAIT = Duration(
    "medonline_transaction_wait_seconds", "How long a transaction waited for a thread.", ("kind",), bounds=_QUICK
)
TRANSACTIONS_IN_HAND = Level("medonline_transactions_in_hand", "Transactions that run or wait for a thread.")
DATABASE_TROUBLES = Count("medonline_database_troubles", "Transactions that the database refused.", ("kind",))
DATABASE_UP = Reading("medonline_database_up", "1 when the database answered this question in time.")

# Numbers read from the database.
JOURNAL_ROWS = Reading("medonline_journal_rows", "The number of the newest row of the security journal.")
JOURNAL = Count("medonline_journal_events", "Rows that this process added to the security journal.", ("event",))
JOURNAL_EXAMINED = Reading(
    "medonline_journal_examined_timestamp_seconds",
    "When the whole security journal was gone through last (Unix time); 0: never.",
)
JOURNAL_WHOLE = Reading("medonline_journal_whole", "1 when the last examination found the journal whole, else 0.")
CERTIFICATE_ENDS = Reading(
    "medonline_certificate_expiry_timestamp_seconds",
    "When a certificate of the portal ends (Unix time).",
    ("certificate",),
)

KEY_SINCE = Reading(
    "medonline_key_in_use_since_timestamp_seconds",
    "Since when the current key, and the oldest of the older ones, is in use, as the journal has it (Unix time).",
    ("key",),
)

FAMILIES: dict[str, Family] = {one.name: one for one in vars().copy().values() if isinstance(one, Family)}
