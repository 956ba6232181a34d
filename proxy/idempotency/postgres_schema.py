"""The tables of the shared journal: how they are made, and what a server must promise.

A format has a number, and says which older releases can live with it: those
that read format `readable_by` and newer. So a new release may migrate while
sidecars of the one before it still run. Plain SQL, one statement at a time.
"""

from __future__ import annotations

import hashlib
import hmac

from proxy.idempotency.postgres_rows import OPEN
from proxy.idempotency.postgres_wire import Lost, Unexecuted, Wire, readable
from proxy.idempotency.rows import COLUMNS, LINKS
from proxy.model.errors import StartError

VERSION = 2
"""The format that this release writes; the one before had no links."""
_NEEDED = 2
"""The oldest format that this release works on."""
READABLE_BY = 1
"""The oldest format that a release must know to work on the tables of this one."""
_SERVER_MIN = 130000
_BYTES = frozenset(("id", "fingerprint", "answer", *LINKS))
_NUMBERS = frozenset(("token", "attempt", "doubts", "status", "blocked"))
_SECONDS = frozenset(
    ("claimed_at", "changed_at", "changed_kept", "sent_at", "sent_kept", "send_by", "blocked_at")
)
_ENDED = "state IN ('settled', 'released')"
_DURABLE = frozenset(("on", "remote_apply", "remote_write", "local"))
"""Each of them waits for the server's own disk."""
_UNKNOWN_SETTING = "42704"
_TWICE = frozenset(("23505", "42P07", "42710"))
"""Somebody else made the same thing in the same moment."""
_NO_TABLE = "42P01"
_REASONS = {
    "28000": "it does not let us in", "28P01": "the password is wrong",
    "3D000": "there is no such database", "42501": "the user may not do that",
    "42703": "its tables are older than this release, run `tidegate journal migrate`",
    "53300": "it has too many connections",
}  # fmt: skip


def _kind(column: str) -> str:
    if column in _BYTES:
        return "bytea"
    if column in _NUMBERS:
        return "bigint"
    return "double precision" if column in _SECONDS else "text"


def _constraint(column: str) -> str:
    if column == "id":
        return "PRIMARY KEY"
    return "NULL" if column in LINKS else "NOT NULL"


def statements() -> list[str]:
    """What makes the tables, each harmless where it was executed before."""
    columns = ", ".join(f"{name} {_kind(name)} {_constraint(name)}" for name in COLUMNS)
    owners = "owner text PRIMARY KEY, expires_at double precision NOT NULL"
    clock = (
        "id integer PRIMARY KEY, kept double precision NOT NULL, beat_at double precision NOT NULL"
    )
    tables = {
        "tidegate_meta": "name text PRIMARY KEY, value text NOT NULL",
        "tidegate_calls": f"{columns}, revision bigint NOT NULL",
        "tidegate_owners": owners,
        "tidegate_clock": clock,
    }
    indexes = {
        "tidegate_calls_open": f"(changed_at, id) WHERE {OPEN}",
        "tidegate_calls_ended": f"(changed_kept) WHERE {_ENDED}",
        "tidegate_calls_key": "(idem_key)",
        **{f"tidegate_calls_{name}": f"({name}) WHERE {name} IS NOT NULL" for name in LINKS},
    }
    numbers = {"version": VERSION, "readable_by": READABLE_BY}
    return [
        *(f"CREATE TABLE IF NOT EXISTS {name} ({what})" for name, what in tables.items()),
        *(f"ALTER TABLE tidegate_calls ADD COLUMN IF NOT EXISTS {name} bytea" for name in LINKS),
        *(
            f"CREATE INDEX IF NOT EXISTS {name} ON tidegate_calls {what}"
            for name, what in indexes.items()
        ),
        "INSERT INTO tidegate_clock (id, kept, beat_at) VALUES (1, 0, 0) ON CONFLICT DO NOTHING",
        *(
            f"INSERT INTO tidegate_meta (name, value) VALUES ('{name}', '{value}') "  # noqa: S608
            "ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value"
            for name, value in numbers.items()
        ),
    ]


async def migrate(wire: Wire, url: str) -> None:
    """Make the tables, or bring them to the format of this release. Raises StartError."""
    await check_server(wire, url)
    found = await _meta(wire, url) or {}
    if int(found.get("version", 0)) > VERSION:
        _check_version(found, url)
        return  # a newer release made them, and we can live with that
    for statement in statements():
        try:
            await wire.fetch(statement)
        except Unexecuted as error:
            if error.state not in _TWICE:
                raise unusable(url, error) from None
        except Lost as error:
            raise unusable(url, error) from None


async def check_server(wire: Wire, url: str) -> None:
    """What a commit is worth there. Raises StartError for a server that may forget one."""
    try:
        version = await _setting(wire, "server_version_num")
        if version is not None and int(version) < _SERVER_MIN:
            raise StartError(
                f"the journal needs PostgreSQL 13 or newer, {readable(url)} is {version}"
            )
        for name, wanted in (
            ("fsync", frozenset(("on",))),
            ("full_page_writes", frozenset(("on",))),
            ("synchronous_commit", _DURABLE),
            ("transaction_read_only", frozenset(("off",))),
        ):
            value = await _setting(wire, name)
            if value is not None and value not in wanted:
                raise StartError(
                    f"the journal cannot be safe in {readable(url)}: {name} is {value}; "
                    f"set it to {' or '.join(sorted(wanted))} there"
                )
    except (Lost, Unexecuted) as error:
        raise unusable(url, error) from None


async def check_tables(wire: Wire, url: str, secret: bytes) -> None:
    """Whether this release, with this secret, may work on the tables. Raises StartError."""
    found = await _meta(wire, url)
    if found is None or "version" not in found:
        raise _no_journal(url)
    _check_version(found, url)
    mark = hmac.new(secret, b"the journal's secret", hashlib.sha256).hexdigest()
    try:
        await wire.fetch(
            "INSERT INTO tidegate_meta (name, value) VALUES ('secret', $1) ON CONFLICT DO NOTHING",
            mark,
        )
        ((kept,),) = await wire.fetch("SELECT value FROM tidegate_meta WHERE name = 'secret'")
    except (Lost, Unexecuted) as error:
        raise unusable(url, error) from None
    if not hmac.compare_digest(kept, mark):
        raise StartError(
            f"`journal.shared.secret` is not the one that the journal in {readable(url)} was begun "
            "with, so no known payment would be known again; restore the secret"
        )


def unusable(url: str, error: Lost | Unexecuted) -> StartError:
    """Why there is no journal to begin with."""
    if isinstance(error, Lost):
        why = "it does not answer"
    elif error.state == _NO_TABLE:
        return _no_journal(url)
    else:
        why = _REASONS.get(error.state, f"it says SQLSTATE {error.state}")
    return StartError(
        f"the journal in {readable(url)} cannot be used: {why}; check `journal.shared.url`"
    )


def _no_journal(url: str) -> StartError:
    return StartError(
        f"there is no journal in {readable(url)} yet; run `tidegate journal migrate` once"
    )


def _check_version(found: dict[str, str], url: str) -> None:
    version = int(found.get("version", VERSION))
    if int(found.get("readable_by", version)) > VERSION:
        raise StartError(
            f"the journal in {readable(url)} has format {version}, this release reads {VERSION}; "
            "run a newer release"
        )
    if version < _NEEDED:
        raise StartError(
            f"the journal in {readable(url)} has format {version}, this release needs "
            f"{_NEEDED}; run `tidegate journal migrate`"
        )


async def _setting(wire: Wire, name: str) -> str | None:
    """A setting of the server, or None where it has none of that name."""
    try:
        ((value,),) = await wire.fetch(f"SHOW {name}")
    except Unexecuted as error:
        if error.state == _UNKNOWN_SETTING:
            return None
        raise
    return str(value)


async def _meta(wire: Wire, url: str) -> dict[str, str] | None:
    try:
        found = await wire.fetch("SELECT name, value FROM tidegate_meta")
    except Unexecuted as error:
        if error.state == _NO_TABLE:
            return None
        raise unusable(url, error) from None
    except Lost as error:
        raise unusable(url, error) from None
    return {row[0]: row[1] for row in found}
