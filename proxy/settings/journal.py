"""The journal, and how calls and partners know a request again."""

from __future__ import annotations

from typing import Annotated

from proxy.model.message import NEVER_STORED
from proxy.model.route import KeyFrom
from proxy.model.settling import SettleMode
from proxy.settings.base import Model, key, required
from proxy.settings.kinds import (
    AnyTarget,
    File,
    HeaderName,
    JsonTemplate,
    MemberName,
    Name,
    Pointer,
    PostgresUrl,
    SealKey,
    Text,
    UrlTarget,
)
from proxy.settings.scalars import duration, one_of, whole

KeyWord = Annotated[KeyFrom | None, one_of({"off": None, **{each.value: each for each in KeyFrom}})]
RefusedStatus = Annotated[int, whole(400, 599)]
AnyStatus = Annotated[int, whole(200, 599)]
SettleWord = Annotated[SettleMode, one_of({each.value: each for each in SettleMode})]
_UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
UnsafeMethod = Annotated[str, one_of({method: method for method in _UNSAFE})]


class SealingKey(Model):
    """A key for stored answers: 32 bytes as 64 hexadecimal digits, by reference."""

    id: Name = required("names the key in each row", "2026-11")
    key: SealKey = required("64 hexadecimal digits, by reference", "0" * 64)


class Shared(Model):
    """One PostgreSQL, 13 or newer, for the journal of many sidecars."""

    url: PostgresUrl = required(
        "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, by reference", "postgresql://h/tidegate"
    )
    secret: SealKey = required(
        "64 hexadecimal digits, by reference; the same for all sidecars, for ever", "0" * 64
    )
    lease_s: Annotated[float, duration("1s", "5m")] = key(
        "10s", "how long a sidecar may be silent before others take over", "lease"
    )
    connections_max: Annotated[int, whole(1, 100)] = key(8, "connections of one sidecar")


class Journal(Model):
    """What was sent and what came of it: in a file on this machine's disk, or in a database."""

    path: File | None = key(None, "the file; one for each sidecar, on a local disk")
    shared: Shared | None = key(None, "in place of a file: one journal for many sidecars")
    retention_s: Annotated[float, duration("1h", "9600h")] = key(
        "720h", "how long ended calls are remembered", "retention"
    )
    timeout_commit_s: Annotated[float, duration("50ms", "30s")] = key(
        "1s", "a change that takes longer makes the journal unavailable", "timeout_commit"
    )
    settle_attempts_max: Annotated[int, whole(1, 100_000)] = key(
        1000, "inquiries or reversals for one call in doubt, then an operator is needed"
    )
    sealing_keys: tuple[SealingKey, ...] = key(
        (), "the first seals, all open; none: one is generated beside a file"
    )
    in_doubt_alarm_s: Annotated[float, duration("1s", "24h")] = key(
        "5m", "a call in doubt for longer is a finding", "in_doubt_alarm"
    )
    never_store: tuple[MemberName, ...] = key(
        NEVER_STORED, "members of answers that are cut out before they are stored"
    )


class Idempotency(Model):
    """How a route's calls are known again."""

    key_from: KeyWord = key(
        "optional", "optional or required: from the header; fields: or made from fields; off", "key"
    )
    header: HeaderName = key("Idempotency-Key", "header that carries the application's key")
    length_max: Annotated[int, whole(1, 255)] = key(255, "characters of a key")
    tenant: Name = key("default", "whose keys these are: the same key of two tenants is two keys")
    tenant_header: HeaderName | None = key(None, "header that names the tenant instead")
    group: Name | None = key(None, "keys are shared within it; unset: among the same partners")
    fields: tuple[Pointer, ...] = key((), "JSON pointers that a key is made from")
    volatile: tuple[Pointer, ...] = key((), "JSON pointers that may differ between two tries")
    wait_s: Annotated[float, duration("1ms", "10m")] = key(
        "5s", "how long a second call waits for the first one's answer", "wait"
    )


class OwnKeys(Model):
    """A partner's own idempotency, as its documentation promises it."""

    header: HeaderName = required("the header that carries its key", "Idempotency-Key")
    length_max: Annotated[int, whole(16, 255)] = key(64, "characters that it takes")
    window_s: Annotated[float, duration("1m", "9600h")] = key(
        "24h", "how long it remembers a key", "window"
    )
    margin_s: Annotated[float, duration("1s", "9600h")] = key(
        "1h", "how long before the end of that we stop repeating", "margin"
    )
    conclusive: tuple[RefusedStatus, ...] = key(
        (402,), "refusals of a repetition that tell what became of the first sending"
    )


class Inquiry(Model):
    """How a partner is asked what became of a call that is in doubt."""

    reference: Pointer = required("where the request has the application's reference", "/reference")
    target: UrlTarget = required("what to GET; {reference} is filled in", "/p?ref={reference}")
    found: Pointer = required("what an answer about the call has", "/payments/0/id")
    none_values: tuple[Text, ...] = key((), "values there that say it was not executed")
    absent_statuses: tuple[AnyStatus, ...] = key((404,), "statuses that say there is no such call")
    absent_after_s: Annotated[float, duration("1s", "24h")] = key(
        "2m", "how long after sending absence is believed", "absent_after"
    )


class Reversal(Model):
    """How a call that is in doubt is undone, by the application's reference."""

    reference: Pointer = required("where the request has the application's reference", "/reference")
    method: UnsafeMethod = key("POST", "POST, PUT, PATCH or DELETE")
    target: AnyTarget = required("where to; {reference} is filled in", "/void?ref={reference}")
    body: JsonTemplate | None = key(None, "JSON to send; {reference} is filled in")
    done_statuses: tuple[AnyStatus, ...] = key((200, 201), "statuses that say that it is undone")
    nothing_statuses: tuple[AnyStatus, ...] = key((404,), "statuses that say there is no such call")
    after_s: Annotated[float, duration("1s", "24h")] = key(
        "30s", "how long a late answer is waited for first", "after"
    )
    absent_after_s: Annotated[float, duration("1s", "24h")] = key(
        "2m", "how long a request may still be on its way to the partner", "absent_after"
    )
