"""The bench's proof that every subject paid for the same access log."""

from __future__ import annotations

import json
from pathlib import Path

from loadtests.bench.calllog import LogFields, count_log, log_problems


def write_log(path: Path, statuses: list[int], leave_out: str = "") -> Path:
    """A log with one line per status; `leave_out` is a field that each line lacks."""
    lines = []
    for status in statuses:
        members = {name: "x" for name in LogFields().names() if name != leave_out}
        lines.append(json.dumps({**members, "status": status}))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_log_with_every_call_proves_logging(tmp_path: Path) -> None:
    """As many lines of 200 as calls; the few calls that wrk cut off may say otherwise."""
    count = count_log(write_log(tmp_path / "log", [200, 200, 499, 200]), LogFields())
    assert log_problems(count, LogFields(), calls=3, cut_off=1) == []


def test_a_log_that_lacks_calls_is_a_problem(tmp_path: Path) -> None:
    """A subject that logs less than it serves would be faster than the others for nothing."""
    count = count_log(write_log(tmp_path / "log", [200, 200]), LogFields())
    assert log_problems(count, LogFields(), calls=3, cut_off=9) == [
        "3 calls answered 200 but 2 logged so"
    ]


def test_other_statuses_are_a_problem(tmp_path: Path) -> None:
    """A 204 or 302 counts as success with wrk; the log tells."""
    count = count_log(write_log(tmp_path / "log", [200, 204, 302]), LogFields())
    assert log_problems(count, LogFields(), calls=1, cut_off=1) == [
        "logged statuses other than 200: {204: 1, 302: 1}"
    ]


def test_lines_without_the_six_facts_are_a_problem(tmp_path: Path) -> None:
    """Comparable logging means the same facts in every subject."""
    count = count_log(write_log(tmp_path / "log", [200], leave_out="upstream"), LogFields())
    assert log_problems(count, LogFields(), calls=1, cut_off=0) == ["log line lacks upstream"]


def test_an_empty_log_is_a_problem(tmp_path: Path) -> None:
    """No line is no proof."""
    (tmp_path / "log").write_bytes(b"")
    count = count_log(tmp_path / "log", LogFields())
    assert "log line lacks valid JSON" in log_problems(count, LogFields(), calls=1, cut_off=0)


def test_lines_that_are_no_calls_do_not_count(tmp_path: Path) -> None:
    """A subject may log other events around the calls."""
    log = write_log(tmp_path / "log", [200])
    log.write_bytes(b'{"event":"ready"}\n' + log.read_bytes() + b'{"event":"end"}\n')
    assert log_problems(count_log(log, LogFields()), LogFields(), calls=1, cut_off=0) == []


def test_only_marked_lines_count_where_other_lines_have_a_status(tmp_path: Path) -> None:
    """The late end of a call that was cut off is no second call."""
    log = tmp_path / "log"
    log.write_text('{"event":"call","status":0}\n{"event": "late_ending","status":200}\n')
    assert count_log(log, LogFields(mark='"event":"call"')).statuses == {0: 1}
