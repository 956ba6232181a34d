"""Settings to the plain values that the stack reads on every call."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from proxy.model import ordering as model_ordering
from proxy.model import route as model
from proxy.model.message import Header, header
from proxy.model.setup import Built
from proxy.settings import build_bulkhead as bulkhead
from proxy.settings import build_dimensions as dimensions
from proxy.settings import build_egress, defaults
from proxy.settings import build_keys as keys
from proxy.settings import build_probing as probing
from proxy.settings.build_affinity import affinity
from proxy.settings.kinds import OPERATIONS
from proxy.settings.partner import Headers, Partner, Pool, Timeouts, Tls, Upstream
from proxy.settings.schema import Retry, Route, Settings, TimeoutOverrides

_ATTEMPTS_ALONE = 2
_ATTEMPTS_IN_COMPANY = 1
"""With several candidates the next one is the better second attempt."""


def build(settings: Settings) -> Built:
    """Everything that `settings` mean; they must have passed `load`."""
    written: dict[str, Upstream] = {}
    of_partner: dict[str, Partner] = {}
    upstreams: dict[str, model.Upstream] = {}
    for partner_name, partner in settings.partners.items():
        operations = _operations(partner)
        for name, upstream in partner.upstreams.items():
            written[name] = upstream
            of_partner[name] = partner
            upstreams[name] = _upstream(name, upstream, partner_name, operations)
    routes = []
    for route in settings.routes:
        candidates = tuple(
            _candidate(route, upstreams[name], written[name], of_partner[name])
            for name in route.candidates
        )
        idempotency = keys.of_route(settings, route, candidates)
        routes.append(_route(route, candidates, idempotency))
    credentials = {
        name: _credentials(written[name], partner) for name, partner in of_partner.items()
    }
    return Built(upstreams, tuple(routes), keys.settle_rules(settings), credentials)


def _credentials(upstream: Upstream, partner: Partner) -> model.Credentials:
    own = Headers() if partner.credentials is None else partner.credentials.headers
    return model.Credentials(_rules(upstream.headers, own), keys.oauth2(partner))


def _operations(partner: Partner) -> Mapping[str, model.OperationRule]:
    return MappingProxyType({name: _operation(partner, name) for name in OPERATIONS})


def _operation(partner: Partner, name: str) -> model.OperationRule:
    money = defaults.MONEY[name]
    statuses = dict(defaults.STATUSES)
    overrides = partner.operations.get(name)
    if overrides is not None:
        money = overrides.money or money
        for status, execution in overrides.execution.items():
            statuses[int(status.removesuffix("xx"))] = execution
    return model.OperationRule(money, MappingProxyType(statuses))


def _upstream(
    name: str, upstream: Upstream, partner: str, operations: Mapping[str, model.OperationRule]
) -> model.Upstream:
    url, tls = upstream.url, upstream.tls or Tls()
    return model.Upstream(
        name=name,
        partner=partner,
        tls=url.tls,
        host=url.host,
        port=url.port,
        authority=url.authority.encode(),
        server_name=(tls.server_name or url.host).strip("[]"),
        base_path=url.path.encode(),
        addresses=upstream.addresses,
        resolve_as=upstream.resolve_as or url.host,
        allow_private=upstream.allow_private,
        headers=_rules(upstream.headers),
        tls_files=model.TlsFiles(tls.ca_file, tls.client_certificate_file, tls.client_key_file),
        timeouts=_timeouts(upstream.timeouts, None),
        pool=_pool(upstream.pool),
        operations=operations,
        bulkhead=bulkhead.limits(upstream.bulkhead),
        breaker=bulkhead.breaker(upstream.breaker),
        checks=probing.checks(upstream.checks),
        egress=build_egress.egress(upstream.egress),
    )


def _pool(pool: Pool) -> model.PoolLimits:
    return model.PoolLimits(
        connections_max=pool.connections_max,
        idle_max=min(pool.idle_max, pool.connections_max),
        idle_age_max_s=pool.idle_age_max_s,
        age_max_s=pool.age_max_s,
        waiters_max=pool.waiters_max,
        reuse=pool.reuse,
        prewarm=pool.prewarm,
        lingering_max=pool.lingering_max,
        linger_s=pool.linger_s,
        header_bytes_max=pool.response_header_bytes_max,
        body_bytes_max=pool.response_body_bytes_max,
    )


def _timeouts(timeouts: Timeouts, overrides: TimeoutOverrides | None) -> model.Timeouts:
    chosen: dict[str, float] = {name: getattr(timeouts, name) for name in Timeouts.model_fields}
    for name in chosen:
        override_s = getattr(overrides, name, None)
        if override_s is not None:
            chosen[name] = override_s
    return model.Timeouts(**chosen)


def _rules(*layers: Headers) -> model.HeaderRules:
    """One set of rules from several; what a later layer says of a header wins."""
    put: dict[bytes, Header] = {}
    remove: set[bytes] = set()
    for headers in layers:
        for name in headers.remove:
            put.pop(name.lower().encode(), None)
            remove.add(name.lower().encode())
        for name, value in headers.put.items():
            entry = header(name.encode(), value.reveal().encode())
            put[entry[0]] = entry
            remove.discard(entry[0])
    return model.HeaderRules(tuple(put.values()), frozenset(remove))


def _candidate(
    route: Route, upstream: model.Upstream, written: Upstream, partner: Partner
) -> model.Candidate:
    return model.Candidate(
        upstream=upstream,
        timeouts=_timeouts(written.timeouts, route.timeouts),
        headers=_rules(written.headers, route.headers),
        rule=upstream.operations[route.operation],
        own_keys=keys.own_keys(partner, route.operation),
        settle=keys.settle_rule(partner, route.operation),
    )


def _route(
    route: Route, candidates: tuple[model.Candidate, ...], idempotency: model.Idempotency | None
) -> model.Route:
    replace_prefix = "" if route.strip_prefix else route.replace_prefix
    return model.Route(
        name=route.name,
        hosts=frozenset(host.encode() for host in route.match.host),
        path_prefix=route.match.path.encode(),
        methods=frozenset(method.encode() for method in route.match.methods),
        replace_prefix=None if replace_prefix is None else replace_prefix.encode(),
        operation=route.operation,
        candidates=candidates,
        deadline_s=bulkhead.deadline_s(route),
        retry=_retry(route.retry, len(candidates)),
        allow_eof_body=route.allow_eof_body,
        idempotency=idempotency,
        priority=bulkhead.priority(route),
        best_effort=bulkhead.best_effort(route),
        affinity=affinity(route),
        ordering=model_ordering.Ordering(route.order, dict(route.weights)),
        dimensions=tuple(each.name for each in route.dimensions),
        sources=dimensions.of_route(route),
        standby=probing.standby(route.standby),
        line=route.line,
    )


def _retry(retry: Retry, candidates: int) -> model.Retry:
    default = _ATTEMPTS_ALONE if candidates == 1 else _ATTEMPTS_IN_COMPANY
    return model.Retry(retry.attempts_max or default, retry.backoff_base_s, retry.backoff_max_s)
