"""Each kind of value is read from text, within bounds, and described to editors alike."""

from __future__ import annotations

import pytest

from proxy.settings.problems import Wrong
from proxy.settings.scalars import (
    REFERENCE,
    Scalar,
    duration,
    flag,
    number,
    one_of,
    size,
    text,
    text_of,
    whole,
)
from proxy.settings.secret import Referenced


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (duration("1ms", "1h"), "3s", 3.0),
        (size("1B", "1MiB"), "1KiB", 1024),
        (whole(1, 10), "10", 10),
        (whole(0, 10), 0, 0),
        (whole(-5, 5), "-5", -5),
        (number(0.0, 1.0), "0.2", 0.2),
        (number(0.0, 1.0), "1", 1.0),
        (number(0.0, 1.0), 0.5, 0.5),
        (flag(), "true", True),
        (flag(), "yes", True),
        (flag(), "False", False),
        (flag(), "no", False),
        (flag(), True, True),
        (one_of({"a": 1}, {"b": 2}), "a", 1),
        (one_of({"a": 1}, {"b": 2}), "b", 2),
        (text(str.upper), "x", "X"),
    ],
)
def test_values_are_read(kind: Scalar, written: object, value: object) -> None:
    """From the file's text, or from a default of ours."""
    assert kind.parse(written) == value
    if isinstance(written, str):
        assert kind.parse(Referenced(written)) == value


@pytest.mark.parametrize(
    ("kind", "written", "remedy"),
    [
        (duration("1ms", "1h"), "2h", "from 1ms to 1h"),
        (duration("1ms", "1h"), "0s", "from 1ms to 1h"),
        (size("1KiB", "1MiB"), "1B", "from 1KiB to 1MiB"),
        (whole(1, 10), "11", "from 1 to 10"),
        (whole(1, 10), "1_0", "digits only"),
        (whole(1, 10), "0x1", "digits only"),
        (whole(1, 10), "007", "digits only"),
        (whole(1, 10), "9" * 40, "digits only"),
        (number(0.0, 1.0), "1.01", "from 0.0 to 1.0"),
        (number(0.0, 1.0), "inf", "such as 0.2"),
        (number(0.0, 1.0), "1e-1", "such as 0.2"),
        (flag(), "1", "true or false"),
        (flag(), "on", "true or false"),
        (one_of({"alpha": 1}, {"b": 2}), "alpa", "did you mean alpha?"),
        (one_of({"authorize": 1, "capture": 2}), "charge", "known here: authorize, capture"),
        (one_of({"alpha": 1}, {"b": 2}), "zz", "known here: alpha"),
    ],
)
def test_other_values_are_refused(kind: Scalar, written: str, remedy: str) -> None:
    """With the bounds or words in the remedy, and without the value."""
    with pytest.raises(Wrong) as caught:
        kind.parse(written)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("value", [[], {}, ["x"], {"x": "y"}, 1])
def test_lists_and_mappings_are_no_values(value: object) -> None:
    """A value is one text."""
    with pytest.raises(Wrong, match="not a single value"):
        text_of(value)


def test_nothing_is_no_value() -> None:
    """An empty text is told apart from a missing one."""
    with pytest.raises(Wrong, match="is empty"):
        text_of("")


def test_text_leaves_the_mark_of_references_behind() -> None:
    """Models remember what was referenced; values themselves are plain."""
    assert type(text_of(Referenced("x"))) is str


@pytest.mark.parametrize(
    "kind", [duration("1ms", "1h"), size("1B", "2B"), whole(1, 2), number(0, 1), flag(), one_of({})]
)
def test_an_editor_allows_a_reference_anywhere(kind: Scalar) -> None:
    """Also where the value itself is no string."""
    assert REFERENCE in kind.schema["anyOf"]
