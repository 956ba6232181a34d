"""References are replaced by what they name, or refused with a reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proxy.settings.problems import Wrong
from proxy.settings.references import FILE_BYTES_MAX, expand

ENVIRON = {"KEY": "k1", "EMPTY": "", "NESTED": "${KEY}", "LINES": "a\nb", "TAB": "a\tb"}


@pytest.mark.parametrize(
    ("text", "value", "referenced"),
    [
        ("plain $5 {x} $", "plain $5 {x} $", False),
        ("${KEY}", "k1", True),
        ("Bearer ${KEY}.${KEY}", "Bearer k1.k1", True),
        ("$${KEY}", "${KEY}", False),
        ("$${${KEY}}", "${k1}", True),
        ("${NESTED}", "${KEY}", True),
    ],
)
def test_references_are_replaced_once(text: str, value: str, referenced: bool) -> None:
    """Anywhere in a text, never within a replacement; $${ is a literal ${."""
    assert expand(text, ENVIRON, Path()) == (value, referenced)


@pytest.mark.parametrize(
    ("content", "value"),
    [("v", "v"), ("v\n", "v"), ("v\r\n", "v"), ("ünïcode 1\n", "ünïcode 1"), (" v ", " v ")],
)
def test_a_file_is_its_text_less_one_newline(content: str, value: str, tmp_path: Path) -> None:
    """Editors and `kubectl` end files with a newline; nothing else is taken away."""
    (tmp_path / "secret").write_bytes(content.encode())
    assert expand("${file:secret}", {}, tmp_path) == (value, True)
    assert expand(f"${{file:{tmp_path}/secret}}", {}, Path("/nowhere")) == (value, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${KEY", "never closed"),
        ("a ${KEY} ${", "never closed"),
        ("${}", "can't be read"),
        ("${1A}", "can't be read"),
        ("${KEY:-x}", "can't be read"),
        ("${FILE:/x}", "can't be read"),
        ("${file:}", "without a path"),
        ("${file:a\0b}", "without a path"),
        ("${UNSET}", "is not set"),
        ("${EMPTY}", "empty environment variable"),
        ("${LINES}", "control characters"),
        ("${TAB}", "control characters"),
        ("${file:nowhere}", "not there"),
        ("${file:.}", "not there"),
        ("${file:" + "x" * 300 + "}", "can't be read"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(text: str, message: str, tmp_path: Path) -> None:
    """Each with its own reason."""
    with pytest.raises(Wrong, match=message):
        expand(text, ENVIRON, tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b"\n", "empty file"),
        (b"a\n\n", "control characters"),
        (b"a\0", "control characters"),
        (b"\xff", "not UTF-8"),
        (b"x" * (FILE_BYTES_MAX + 1), "over 64KiB"),
    ],
)
def test_a_file_without_one_plain_value_is_refused(
    content: bytes, message: str, tmp_path: Path
) -> None:
    """A wrong file must not become a wrong credential."""
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(Wrong, match=message):
        expand("${file:secret}", {}, tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """Only regular files are read: opening a FIFO would hang the start."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Wrong, match="not there"):
        expand("${file:pipe}", {}, tmp_path)


@pytest.mark.parametrize("text", ["${canary", "${canary:x}", "canary ${UNSET}", "${LINES} canary"])
def test_refusals_do_not_repeat_the_text(text: str) -> None:
    """Half a reference may be half a credential."""
    with pytest.raises(Wrong) as caught:
        expand(text, ENVIRON, Path())
    assert "canary" not in caught.value.message + caught.value.remedy
