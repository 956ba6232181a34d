"""What name servers were asked, and what is known of each name, as metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from proxy.model.events import NameAsked
from proxy.telemetry.metrics import Histogram, buckets, family

_QUERY_SECONDS = "tidegate_dns_query_seconds"


class DnsMetrics:
    """Counts questions; `names` gives a row for each name when it is asked."""

    def __init__(self) -> None:
        self._questions: dict[tuple[str, str], int] = {}
        self._seconds = Histogram()
        self.names: Callable[[], Sequence[Mapping[str, object]]] = tuple

    def asked(self, event: NameAsked) -> None:
        """Count a question to a name server."""
        key = (event.kind, event.result)
        self._questions[key] = self._questions.get(key, 0) + 1
        self._seconds.add(event.duration_s)

    def render(self) -> Iterator[str]:
        """Lines of the text form; none where there are no names to ask for."""
        rows = self.names()
        if not rows:
            return
        counts = [
            ((("kind", kind), ("result", result)), float(count))
            for (kind, result), count in self._questions.items()
        ]
        yield from family("tidegate_dns_queries_total", "counter",
                          "Questions to name servers, by what came of them.", counts)  # fmt: skip
        yield f"# HELP {_QUERY_SECONDS} One name server's answer, or the wait for it."
        yield f"# TYPE {_QUERY_SECONDS} histogram"
        yield from buckets(_QUERY_SECONDS, (), self._seconds)
        states = [((("name", str(row["name"])), ("state", str(row["state"]))), 1.0) for row in rows]
        yield from family("tidegate_dns_name_state", "gauge",
                          "1 for the state that a name is in.", states)  # fmt: skip
        ages = [
            ((("name", str(row["name"])),), age)
            for row in rows
            if isinstance(age := row["age_s"], float)
        ]
        yield from family("tidegate_dns_name_age_seconds", "gauge",
                          "Since name servers last confirmed a name.", ages)  # fmt: skip
