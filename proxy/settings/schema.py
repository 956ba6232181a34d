"""The whole configuration as a model, and as a JSON Schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from proxy.settings.affinity import Affinity
from proxy.settings.base import Model, key, required
from proxy.settings.bulkhead import BestEffort
from proxy.settings.dimensions import Dimension
from proxy.settings.dns import Dns
from proxy.settings.edge import Admin, Listen, Log, RetryBudget
from proxy.settings.health import Alerts, Incidents, Silence
from proxy.settings.journal import Idempotency, Journal
from proxy.settings.kinds import (
    Hosts,
    Method,
    Name,
    Operation,
    OrderWord,
    PathPrefix,
    PriorityWord,
    UpstreamName,
    UrlPath,
    Version,
)
from proxy.settings.partner import Headers, Partner, PhaseTimeout
from proxy.settings.probing import Standby
from proxy.settings.scalars import duration, flag, whole
from proxy.settings.telemetry import Telemetry


class Match(Model):
    """Which calls a route takes: named host first, then longest prefix, then order in the file."""

    path: PathPrefix = required("prefix of the path, matched at a segment boundary", "/psp/")
    host: Hosts = key((), "Host name or names; none: any accepted one")
    methods: tuple[Method, ...] = key((), "methods; none: any accepted one")


class TimeoutOverrides(Model):
    """Phase timeouts in place of the upstream's."""

    queue_s: PhaseTimeout | None = key(None, "see the upstream's", "queue")
    resolve_s: PhaseTimeout | None = key(None, "see the upstream's", "resolve")
    connect_s: PhaseTimeout | None = key(None, "see the upstream's", "connect")
    tls_s: PhaseTimeout | None = key(None, "see the upstream's", "tls")
    send_s: PhaseTimeout | None = key(None, "see the upstream's", "send")
    first_byte_s: PhaseTimeout | None = key(None, "see the upstream's", "first_byte")
    body_s: PhaseTimeout | None = key(None, "see the upstream's", "body")


class Retry(Model):
    """Attempts at one candidate; only after proof that nothing was executed."""

    attempts_max: Annotated[int, whole(1, 10)] | None = key(
        None, "attempts per candidate; unset: 1 with several candidates, 2 with one"
    )
    backoff_base_s: Annotated[float, duration("1ms", "1m")] = key(
        "50ms", "bound of the first wait; doubles each time", "backoff_base"
    )
    backoff_max_s: Annotated[float, duration("1ms", "1m")] = key(
        "500ms", "bound of any wait", "backoff_max"
    )


class Route(Model):
    """A rule that matches calls to an ordered list of candidates."""

    name: Name = required("names the route in logs and metrics", "charges")
    match: Match = required("which calls it takes", {"path": "/psp/"})
    strip_prefix: Annotated[bool, flag()] = key(
        False, "leave the matched prefix out at the partner"
    )
    replace_prefix: UrlPath | None = key(None, "path in place of the matched prefix")
    operation: Operation = key("other", "what the calls do")
    candidates: tuple[UpstreamName, ...] = required(
        "upstreams in order of preference", ["processor-a"]
    )
    deadline_s: Annotated[float, duration("1ms", "10m")] = key(
        "30s", "for the call as a whole, all attempts included", "deadline"
    )
    timeouts: TimeoutOverrides = key({}, "in place of the upstream's")
    retry: Retry = key({}, "attempts at one candidate")
    headers: Headers = key({}, "applied after the upstream's")
    allow_eof_body: Annotated[bool, flag()] = key(
        False, "take an answer that ends only by closing for complete"
    )
    idempotency: Idempotency | None = key(
        None, "how its calls are known again; unset with a journal: by an optional header"
    )
    priority: PriorityWord | None = key(
        None, "what goes first when there is too much; unset: by the operation"
    )
    best_effort: BestEffort | None = key(
        None, "a small budget, and a reply for when it is over; never where money moves"
    )
    order: OrderWord = key("listed", "listed, weighted or healthiest: which candidate is first")
    weights: dict[UpstreamName, Annotated[int, whole(0, 1000)]] = key(
        {}, "weighted: parts of the calls by upstream; one that is not named has 1"
    )
    affinity: Affinity | None = key(
        None, "keeps what belongs to a payment with the partner that authorised it"
    )
    dimensions: tuple[Dimension, ...] = key(
        (), "what its calls are told apart by, two at most: one scheme may fail alone"
    )
    standby: Standby | None = key(
        None, "the share of its calls that keeps standbys proven; unset: checks alone do"
    )


class Settings(Model):
    """A configuration file."""

    version: Version = required("version of this format", 1)
    listen: Listen = key({}, "the payment port")
    admin: Admin = key({}, "the operators' port")
    log: Log = key({}, "what is logged")
    telemetry: Telemetry | None = key(None, "export by OTLP; unset: nothing leaves")
    retry_budget: RetryBudget = key({}, "share of retries among all attempts")
    dns: Dns = key({}, "names to addresses")
    journal: Journal | None = key(None, "remembers what was sent; unset: nothing is remembered")
    incidents: Incidents = key({}, "records of what degraded")
    silence: Silence = key({}, "a busy route on which nothing comes in")
    alerts: Alerts = key({}, "who is told of incidents")
    partners: dict[Name, Partner] = required("payment providers by name", {})
    routes: tuple[Route, ...] = required("which calls go where", [])

    @property
    def overrides_file(self) -> Path | None:
        """Where operators' overrides are kept: where it is said, else beside the journal's file."""
        if self.admin.overrides is not None:
            return Path(self.admin.overrides)
        beside = None if self.journal is None else self.journal.path
        return None if beside is None else Path(f"{beside}.overrides")


class _ForEditors(GenerateJsonSchema):
    """Says exactly what the sidecar reads, no more."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """No titles: they would only repeat the keys."""
        return False

    def dict_schema(self, schema: core_schema.DictSchema) -> dict[str, Any]:
        """Names that don't fit the pattern of names are mistakes."""
        found = super().dict_schema(schema)
        return {**found, "additionalProperties": False} if "patternProperties" in found else found

    def nullable_schema(self, schema: core_schema.NullableSchema) -> dict[str, Any]:
        """A key without a value is a mistake, so null is not offered."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        """Nor is it shown as a default."""
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def json_schema(
    model: type[Model] = Settings, title: str = "Tidegate configuration"
) -> dict[str, Any]:
    """JSON Schema (2020-12) of the file, or of one that is another model's."""
    body = model.model_json_schema(schema_generator=_ForEditors)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **body,
        "title": title,
    }
