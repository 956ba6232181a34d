"""`proxy.alerts.message`: what a webhook is sent, in our own schema and as Slack reads it."""

from __future__ import annotations

import json

import pytest

from proxy.alerts.message import body, slack_text
from proxy.model.health import Form
from tests.support.incident import incident


def test_the_generic_form_has_a_schema_and_all_of_the_incident() -> None:
    """As JSON that a program can rely on."""
    document = json.loads(json.dumps(body(Form.JSON, incident(), "pay-7")))
    assert (document["schema"], document["source"], document["sidecar"]) == (1, "tidegate", "pay-7")
    assert document["incident"]["sentence"] == "acme (acme-eu): connections are refused."
    assert document["incident"]["partners"] == ["acme"]


@pytest.mark.parametrize(
    ("change", "head"),
    [("opened", "Degraded"), ("repeated", "Still degraded"), ("closed", "Recovered")],
)
def test_slack_reads_a_few_lines_with_the_sentence(change: str, head: str) -> None:
    """The head says whether it begins, goes on or ends."""
    document = body(Form.SLACK, incident(change), "pay-7")
    assert list(document) == ["text"]
    lines = document["text"].splitlines()
    assert lines[0] == f"*{head}: acme* (connect, origin partner)"
    assert lines[1] == "acme (acme-eu): connections are refused."
    assert "4 calls failed, 5 in doubt, 6 moved" in lines[2]


def test_one_that_turned_out_to_be_a_part_of_another_has_not_recovered() -> None:
    """It goes on there, so nobody may be told that it is over."""
    text = slack_text(incident("closed", part_of="20261121-031200-1"), "pay-7")
    assert text.startswith("*Now a part of incident 20261121-031200-1: acme*")


def test_slacks_own_signs_are_escaped() -> None:
    """A name cannot mention a channel."""
    assert "&lt;!channel&gt;" in slack_text(incident(sentence="<!channel>"), "pay-7")
