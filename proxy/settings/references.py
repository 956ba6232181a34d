"""`${NAME}` and `${file:/path}`: values that don't stand in the file itself.

`$${` stands for a literal `${`. A referenced value is never searched for
references again, so that a credential may hold any characters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from proxy.settings.problems import Wrong

FILE_BYTES_MAX = 64 * 1024
"""Larger than any credential or certificate chain; smaller than an accident with /dev/zero."""

_OPENING = re.compile(r"\$\$\{|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SYNTAX = "write ${NAME} or ${file:/path}; a literal ${ is written $${"


def expand(text: str, environ: Mapping[str, str], directory: Path) -> tuple[str, bool]:
    """The text with its references replaced, and whether there were any.

    Relative paths start at `directory`, the configuration file's own. Raises
    Wrong for a broken reference or one that leads nowhere.
    """
    parts: list[str] = []
    position = 0
    referenced = False
    while (opening := _OPENING.search(text, position)) is not None:
        parts.append(text[position : opening.start()])
        if opening.group() == "$${":
            parts.append("${")
            position = opening.end()
            continue
        closing = text.find("}", opening.end())
        if closing < 0:
            raise Wrong("opens a reference with ${ that is never closed", _SYNTAX)
        parts.append(_resolve(text[opening.end() : closing], environ, directory))
        referenced = True
        position = closing + 1
    parts.append(text[position:])
    return "".join(parts), referenced


def _resolve(inside: str, environ: Mapping[str, str], directory: Path) -> str:
    if inside.startswith("file:"):
        value = _read(inside.removeprefix("file:"), directory)
        kind = "file"
    elif _NAME.fullmatch(inside):
        if inside not in environ:
            raise Wrong("names an environment variable that is not set", f"set {inside}")
        value = environ[inside]
        kind = "environment variable"
    else:
        raise Wrong("has a reference that can't be read", _SYNTAX)
    if not value:
        raise Wrong(f"refers to an empty {kind}", "put the value into it")
    if _CONTROL.search(value):
        raise Wrong(
            f"refers to a {kind} whose value has control characters",
            "keep the value on one line of plain text",
        )
    return value


def _read(name: str, directory: Path) -> str:
    """The text of a small regular file, less one newline at its end."""
    if not name or "\0" in name:
        raise Wrong("has a file reference without a path", "write ${file:/path}")
    path = directory / name
    try:
        if not path.is_file():
            raise Wrong("refers to a file that is not there", "create the file or correct the path")
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError:
        raise Wrong(
            "refers to a file that can't be read", "let the sidecar's user read the file"
        ) from None
    if len(content) > FILE_BYTES_MAX:
        raise Wrong("refers to a file over 64KiB", "keep one value in the file")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise Wrong("refers to a file that is not UTF-8 text", "save it as UTF-8 text") from None
    return text.removesuffix("\r\n" if text.endswith("\r\n") else "\n")
