"""PURE. As much of PromQL as is needed to ask for what a dashboard or an alert looks at.

An alert's condition has no data while nothing is wrong, so it cannot be asked for as it is.
`parts` takes its comparisons out of the way (`> bool` gives 0 or 1 where `>` gives nothing),
and takes what `and` and `unless` join apart; each part has data or the alert is blind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_TOKEN = re.compile(
    r"""(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<compared>[<>]=?|==|!=)(?!~)(?P<already>\s*bool\b)?"""
    r"""|(?P<open>[({\[])|(?P<close>[)}\]])|(?P<joined>\b(?:and|unless)\b(?:\s+(?:on|ignoring)"""
    r"""\s*\([^)]*\))?)|(?P<other>[\w:$.]+|.)""",
    re.VERBOSE | re.DOTALL,
)
_VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)")
_METRIC = re.compile(
    r"(?<![\w:\"=~.])(?:[a-z]+:)?(?:tidegate|process)_[a-z0-9_]+(?::\w+)*(?![\w(])"
)
_LABELS = re.compile(r"\{[^}]*\}|\"[^\"]*\"")


def parts(expression: str) -> list[str]:
    """What a condition looks at: each of them has to have data, whether or not it is met."""
    found, current, braces, depth = [], "", 0, 0
    for token in _TOKEN.finditer(expression):
        text = token[0]
        if token["open"]:
            depth += 1
            braces += text == "{"
        elif token["close"]:
            depth -= 1
            braces -= text == "}"
        elif token["joined"] and depth == 0:
            found.append(current.strip())
            current = ""
            continue
        elif token["compared"] and not braces and not token["already"]:
            text += " bool"
        current += text
    return [*found, current.strip()]


def filled(expression: str, values: Mapping[str, str]) -> str:
    """With Grafana's variables replaced, `$name` and `${name}`; an unknown one is an error."""

    def value(found: re.Match[str]) -> str:
        return values[found[1] or found[2]]

    return _VARIABLE.sub(value, expression)


def variables(expression: str) -> set[str]:
    """The names of Grafana's variables in it."""
    return {found[1] or found[2] for found in _VARIABLE.finditer(expression)}


def metrics(expression: str) -> Iterator[str]:
    """The metrics of ours that it reads, records among them; without a histogram's endings."""
    for found in _METRIC.finditer(_LABELS.sub("", expression)):
        yield re.sub(r"_(bucket|sum|count)$", "", found[0])
