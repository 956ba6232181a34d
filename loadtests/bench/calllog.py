"""Proves that a subject paid for access logging: one JSON line per call, with the six facts."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class LogFields:
    """What a subject calls the facts that each line must carry; `target` is a route or a path.

    `mark` stands on each line of a call, before the status, where a log has other lines too.
    """

    time: str = "time"
    method: str = "method"
    target: str = "path"
    status: str = "status"
    duration: str = "duration_ms"
    upstream: str = "upstream"
    mark: str = ""

    def names(self) -> tuple[str, ...]:
        """All six names."""
        return (self.time, self.method, self.target, self.status, self.duration, self.upstream)


@dataclass(frozen=True, slots=True)
class LogCount:
    """Lines of one log by status, and the first and last of them."""

    statuses: Counter[int]
    first: bytes
    last: bytes


def count_log(path: Path, fields: LogFields) -> LogCount:
    """Read a log of any size in pieces. A line without mark and status is no call."""
    status = rb'"%s": ?"?(-?\d+)' % re.escape(fields.status.encode("ascii"))
    before = re.escape(fields.mark.encode("ascii")) + rb"[^\n]*?" if fields.mark else b""
    pattern = re.compile(before + status)
    statuses: Counter[int] = Counter()
    first = last = b""
    with path.open("rb") as file:
        while lines := file.readlines(CHUNK_BYTES):
            found = pattern.findall(b"".join(lines))
            statuses.update(int(digits) for digits in found)
            if found:
                first = first or next(line for line in lines if pattern.search(line))
                last = next(line for line in reversed(lines) if pattern.search(line))
    return LogCount(statuses, first, last)


def log_problems(count: LogCount, fields: LogFields, calls: int, cut_off: int) -> list[str]:
    """Why the log does not prove `calls` logged answers of 200; empty when it does.

    Other statuses may appear at most `cut_off` times: wrk hangs up in the middle of calls when
    its time is over, and proxies log such calls with statuses of their own.
    """
    problems = []
    if count.statuses[200] < calls:
        problems.append(f"{calls} calls answered 200 but {count.statuses[200]} logged so")
    others = count.statuses.total() - count.statuses[200]
    if others > cut_off:
        seen = {status: n for status, n in sorted(count.statuses.items()) if status != 200}
        problems.append(f"logged statuses other than 200: {seen}")
    for line in (count.first, count.last):
        missing = _missing(line, fields)
        if missing:
            problems.append(f"log line lacks {', '.join(missing)}")
            break
    return problems


def _missing(line: bytes, fields: LogFields) -> list[str]:
    """Names of the facts that a line lacks; a line that is no JSON object lacks all of them."""
    try:
        members = json.loads(line)
    except ValueError:
        return ["valid JSON"]
    return [name for name in fields.names() if name not in members]
