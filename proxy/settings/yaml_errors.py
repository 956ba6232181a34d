"""YAML syntax errors in our words. PyYAML's own may repeat what it read, which may be a secret."""

from __future__ import annotations

from typing import Any, NamedTuple

from proxy.settings.problems import Problem


class _Meaning(NamedTuple):
    """What a parser's complaint means; `at_start` when its beginning is the better place."""

    fragment: str
    message: str
    remedy: str
    at_start: bool = False


_ALIGN = "align the line with its neighbours, with spaces"
_QUOTE = "put the value in quotes"

_TAB = _Meaning("tab", "a tab stands in the indentation", "indent with spaces")
_MEANINGS = (
    _TAB,
    _Meaning("cannot start any token", "a value begins with a character of YAML's own", _QUOTE),
    _Meaning("mapping values are not allowed", "a ':' stands where no key can be", _QUOTE),
    _Meaning("block sequence entries", "a '-' stands where no list can be", _ALIGN),
    _Meaning("end of stream", "a quotation never ends", "close the quotation", True),
    _Meaning("unknown escape", "an unknown escape in double quotes", "use single quotes"),
    _Meaning("expected ':'", "a key has no ':'", "write key: value", True),
    _Meaning("expected ',' or", "a bracket is not closed", "close the bracket", True),
    _Meaning("expected key", "the line does not fit the indentation around it", _ALIGN),
    _Meaning("expected '-'", "the line does not fit the list around it", _ALIGN),
    _Meaning("<document start>", "text follows the end of the document", "remove one of them"),
    _Meaning("node content", "a value can't begin like this", _QUOTE),
)
_UNQUOTED_REFERENCE = 'write "${...}" in quotes here: within brackets, braces are YAML\'s own'
_OTHER = _Meaning("", "broken YAML", "check quotes, brackets and indentation here")


def syntax_problem(error: Any, text: str) -> Problem:
    """The place and meaning of a `yaml.YAMLError` met while reading `text`."""
    said = str(getattr(error, "problem", None) or "")
    mark = getattr(error, "problem_mark", None)
    meaning = next((known for known in _MEANINGS if known.fragment in said), _OTHER)
    if mark is not None and _begins_with_tab(text, mark.line, mark.column):
        meaning = _TAB
    start = getattr(error, "context_mark", None)
    if meaning.at_start and start is not None:
        mark = start
    if mark is None:
        return Problem("", None, meaning.message, meaning.remedy)
    bracket = "," in meaning.fragment
    quote = bracket and "${" in _line(text, mark.line)
    remedy = _UNQUOTED_REFERENCE if quote else meaning.remedy
    message = f"{meaning.message} (column {mark.column + 1})"
    return Problem("", mark.line + 1, message, remedy, mark.column + 1)


def _begins_with_tab(text: str, line: int, column: int) -> bool:
    return _line(text, line)[column : column + 1] == "\t"


def _line(text: str, number: int) -> str:
    lines = text.split("\n", number + 1)
    return lines[number] if number < len(lines) else ""
