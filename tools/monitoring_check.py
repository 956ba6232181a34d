"""Dashboards, alerts and the compose file fit each other, the metrics and the docs.

What Prometheus itself thinks of the rules, and whether each query has data, is for
`make promcheck`; this needs nothing but the files.
"""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from tools.deploy import check_deploy
from tools.monitoring import Dashboard, RuleFile, cases, dashboards, orders, rule_files
from tools.promql import metrics, variables
from tools.source import ROOT, report

DOCUMENTED_IN = ("docs/operations.md", "docs/dns.md")
_NAMES = re.compile(r"`((?:tidegate|process)_[a-z0-9_]+)(?:\{[^}`]*\})?`")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_BUILT_IN = {"__rate_interval", "__interval", "__range"}


def documented(texts: Iterable[str]) -> set[str]:
    """All metrics that these pages name."""
    return {found[1] for text in texts for found in _NAMES.finditer(text)}


def anchors(text: str) -> set[str]:
    """What a link to a page may end with, as GitHub makes it from headings."""
    kept = (re.sub(r"[^\w\- ]", "", found[1].lower()) for found in _HEADING.finditer(text))
    return {heading.replace(" ", "-") for heading in kept}


def check_dashboard(dashboard: Dashboard, known: set[str]) -> Iterator[str]:
    """Ids, places, variables and metrics of one dashboard."""
    ids = [each.id for each in dashboard.panels]
    if len(set(ids)) != len(ids):
        yield "two panels have one id"
    places = [(each.title, each.place) for each in dashboard.panels]
    for (title, one), (other, two) in itertools.combinations(places, 2):
        across = one.x < two.x + two.w and two.x < one.x + one.w
        if across and one.y < two.y + two.h and two.y < one.y + one.h:
            yield f"{title!r} and {other!r} overlap"
    yield from (f"{title!r} leaves the grid" for title, place in places if place.x + place.w > 24)
    defined = {each.name for each in dashboard.templating.list} | _BUILT_IN
    for panel in dashboard.pictures():
        for target in panel.targets:
            for name in sorted(variables(target.expr) - defined):
                yield f"{panel.title!r} uses ${name}, which is no variable of it"
            for name in sorted(set(metrics(target.expr)) - known):
                yield f"{panel.title!r} reads {name}, which no page documents"
            if not set(metrics(target.expr)):
                yield f"{panel.title!r} reads no metric of ours"


def check_rules(rules: RuleFile, known: set[str], pages: Mapping[str, str]) -> Iterator[str]:
    """Metrics and links of one file of rules."""
    expressions = [each.expr for each in rules.alerts()] + [each.expr for each in rules.records()]
    for expression in expressions:
        for name in sorted(set(metrics(expression)) - known):
            yield f"{name} is read, and no page documents it"
    for alert in rules.alerts():
        page, _, anchor = alert.annotations.docs.partition("#")
        if page not in pages:
            yield f"{alert.alert} links to {page}, which is not there"
        elif anchor and anchor not in anchors(pages[page]):
            yield f"{alert.alert} links to #{anchor}, which {page} has not"


def check_cases(alerts: Iterable[str], tested: Iterable[tuple[str, bool]]) -> Iterator[str]:
    """Each alert is tested both ways."""
    seen = set(tested)
    for name in alerts:
        for raised, words in ((True, "is raised"), (False, "is not raised")):
            if (name, raised) not in seen:
                yield f"{name}: no test in which it {words}"


def check_order(groups: Sequence[str], order: Sequence[str]) -> Iterator[str]:
    """Without an order promtool evaluates groups by chance, alerts before their records too."""
    if len(groups) > 1 and list(order) != list(groups):
        yield f"group_eval_order has to be [{', '.join(groups)}]"


def check(root: Path) -> tuple[str, list[str]]:
    """What there is, and everything that is wrong with it."""
    pages = {f"docs/{path.name}": path.read_text() for path in sorted(root.glob("docs/*.md"))}
    known = documented(pages[name] for name in DOCUMENTED_IN)
    boards, rules = dashboards(root), rule_files(root)
    known |= {record.record for file in rules.values() for record in file.records()}
    alerts = [alert.alert for file in rules.values() for alert in file.alerts()]
    problems = [
        f"{path}: {problem}"
        for path, board in boards.items()
        for problem in check_dashboard(board, known)
    ]
    uids = [board.uid for board in boards.values()]
    problems += ["two dashboards have one uid"] * (len(set(uids)) != len(uids))
    problems += [
        f"{path}: {problem}"
        for path, file in rules.items()
        for problem in check_rules(file, known, pages)
    ]
    problems += [f"config/alerts/tests: {text}" for text in check_cases(alerts, cases(root))]
    problems += [
        f"{path}: {problem}"
        for path, groups, order in orders(root)
        for problem in check_order(groups, order)
    ]
    problems += check_deploy(root)
    panels = sum(len(list(board.pictures())) for board in boards.values())
    return f"{len(boards)} dashboards with {panels} panels, {len(alerts)} alerts", problems


def main(root: Path = ROOT) -> int:
    """Check the repository; 0 when everything fits."""
    try:
        return report("monitoring_check", *check(root))
    except ValidationError as error:
        return report("monitoring_check", "a file has another form", [str(error)])


if __name__ == "__main__":
    sys.exit(main())
