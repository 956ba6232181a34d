"""Rules for cutting members out of a JSON text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.idempotency.json_cut import texts, without_members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "cvv", "pin", "b\\", 'q"']), inner, max_size=4)
    ),
    max_leaves=12,
)


def unwanted(name: str) -> bool:
    """The names of these tests."""
    return name in ("cvv", "pin")


def cut(value: Any) -> Any:
    """What is left of a value."""
    if isinstance(value, dict):
        return {name: cut(member) for name, member in value.items() if not unwanted(name)}
    return [cut(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a": 1.00, "cvv": "123"}', '{"a": 1.00}'),
        ('{"cvv": "123", "a": 1}', '{"a": 1}'),
        ('{"a":1,"cvv":{"x":[1,{"y":2}]},"b":2}', '{"a":1,"b":2}'),
        ('{"cvv":1,"pin":2}', "{}"),
        ('{"a":1,\n "cvv":1,\n "pin":2\n}', '{"a":1\n}'),
        ('[{"cvv":1},{"a":[{"pin":"}"}]}]', '[{},{"a":[{}]}]'),
        ('{"\\u0063vv":1, "a":"cvv"}', '{"a":"cvv"}'),
        ('{"a":{"cvv":1},"b":2}', '{"a":{},"b":2}'),
    ],
)
def test_members_go_and_every_other_byte_stays(before: str, after: str) -> None:
    """With one comma each, wherever they stand."""
    assert without_members(before.encode(), unwanted) == after.encode()


@pytest.mark.parametrize("text", ['{"a": "cvv"}', "[]", '"cvv"', "1", ' {"b" : [ "pin" , 1 ] } '])
def test_a_text_without_them_is_the_very_same(text: str) -> None:
    """Not even copied."""
    body = text.encode()
    assert without_members(body, unwanted) is body


@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_what_is_left_is_json_that_means_the_rest(
    value: Any, indent: int | None, ascii_only: bool
) -> None:
    """However it is nested, spaced and escaped."""
    body = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    assert json.loads(without_members(body, unwanted)) == cut(value)


def test_texts_are_found_at_any_depth() -> None:
    """Names are none."""
    assert sorted(texts(b'{"a": ["x", {"b": "y"}], "c": 1, "d": "z"}')) == ["x", "y", "z"]
    assert list(texts(b'"x"')) == ["x"]
