"""Which trace a journal's row began in, so that what comes later is linked to it.

Bounded, and gone with the process: a link that is missing costs a search by the
call's id and nothing else.
"""

from __future__ import annotations

from collections import OrderedDict

from proxy.model.call import Call
from proxy.telemetry.record import Trace

ROWS_MAX = 4096
"""About 1 MiB; in-doubt calls are few, and are settled within hours."""


class Origins:
    """Traces of first sendings, by the row's id; the oldest goes first."""

    def __init__(self, rows_max: int = ROWS_MAX) -> None:
        self._rows_max = rows_max
        self._rows: OrderedDict[bytes, Trace] = OrderedDict()

    def link(self, call: Call) -> Trace | None:
        """The trace that this call comes after; none where it is the first, or nobody knows."""
        row_id = call.about or (call.ticket.row_id if call.ticket is not None else b"")
        return self._rows.get(row_id) if row_id else None

    def remember(self, call: Call, span_id: bytes) -> None:
        """The trace of a call that was sent under a key, unless an earlier one is known."""
        if call.ticket is None or not call.sent or call.ticket.row_id in self._rows:
            return
        self._rows[call.ticket.row_id] = (call.trace_id, span_id)
        if len(self._rows) > self._rows_max:
            self._rows.popitem(last=False)
