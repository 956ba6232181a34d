"""Mistakes about the journal and about keys."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.model.route import KeyFrom
from proxy.settings.checks_settling import check_settling
from proxy.settings.finding import Finding
from proxy.settings.schema import Settings
from proxy.settings.tree import Loc


def check_keys(settings: Settings) -> Iterator[Finding]:
    """Keys without a journal or from no fields, windows all margin, references that may differ,
    ids used twice.
    """
    for index, route in enumerate(settings.routes):
        rule, place = route.idempotency, ("routes", index, "idempotency")
        if rule is None:
            continue
        if rule.key_from is None:
            yield from _check_off(settings, index)
            continue
        if settings.journal is None:
            remedy = "add a journal with a path, or write key: off"
            yield Finding(place, "needs a journal, and there is none", remedy)
        fields: Loc = (*place, "fields")
        if rule.key_from is KeyFrom.FIELDS and not rule.fields:
            remedy = "name the fields that make a payment the same one, such as /reference"
            yield Finding(place, "makes keys from fields, and names none", remedy, (fields,))
        if rule.key_from is not KeyFrom.FIELDS and rule.fields:
            remedy = "write key: fields, or remove them"
            yield Finding(fields, "are not used", remedy, ((*place, "key"),))
    yield from _check_partners(settings)
    yield from _check_place(settings)
    yield from check_settling(settings)
    yield from _check_sealing(settings)


def _check_place(settings: Settings) -> Iterator[Finding]:
    journal = settings.journal
    if journal is None:
        return
    if journal.path is None and journal.shared is None:
        remedy = "give it a path, or shared with the url of a database"
        yield Finding(("journal",), "has no place", remedy)
    elif journal.path is not None and journal.shared is not None:
        yield Finding(
            ("journal", "path"), "is not used beside shared", "remove one of them",
            (("journal", "shared"),),
        )  # fmt: skip
    if journal.shared is not None and not journal.sealing_keys:
        remedy = "add one, the same for all sidecars: id, and key from openssl rand -hex 32"
        yield Finding(("journal", "sealing_keys"), "are needed for a shared journal", remedy)


def _check_partners(settings: Settings) -> Iterator[Finding]:
    for name, partner in settings.partners.items():
        own, place = partner.idempotency, ("partners", name, "idempotency")
        for key in ("settle", "idempotency") if settings.journal is None else ():
            if getattr(partner, key):
                yield Finding(
                    ("partners", name, key),
                    "has no effect without a journal: no call is known again or settled",
                    "add a journal with a path, or remove it here",
                    is_warning=True,
                    of_profile=False,
                )
        if own is not None and own.margin_s >= own.window_s:
            yield Finding(
                (*place, "margin"),
                "is as long as the window, so that nothing is ever repeated",
                "choose a shorter one",
                ((*place, "window"),),
            )


def _check_off(settings: Settings, index: int) -> Iterator[Finding]:
    """A route whose calls are not journalled, to a partner that says how they are settled."""
    route = settings.routes[index]
    for name, partner in settings.partners.items():
        if settings.journal is None or route.operation not in partner.settle:
            continue
        if any(upstream in route.candidates for upstream in partner.upstreams):
            settle: Loc = ("partners", name, "settle", route.operation)
            yield Finding(
                ("routes", index, "idempotency", "key"),
                f"turns off what {name} says under settle: calls without a key are never settled",
                "write key: optional or required, or remove idempotency here",
                is_warning=True,
                see=(settle,),
            )


def _check_sealing(settings: Settings) -> Iterator[Finding]:
    if settings.journal is None:
        return
    seen: set[str] = set()
    for index, sealing in enumerate(settings.journal.sealing_keys):
        if sealing.id in seen:
            place: Loc = ("journal", "sealing_keys", index, "id")
            yield Finding(place, "is another key's id", "give each key an id of its own")
        seen.add(sealing.id)
