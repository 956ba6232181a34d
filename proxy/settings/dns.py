"""Names to addresses: who is asked, and for how long answers are used."""

from __future__ import annotations

from typing import Annotated

from proxy.settings.base import Model, key
from proxy.settings.kinds import File, NameServer
from proxy.settings.scalars import duration


class Dns(Model):
    """Name servers, and bounds of what is known of a name."""

    nameservers: tuple[NameServer, ...] = key((), "IP or IP:PORT; none: the system's")
    timeout_query_s: Annotated[float, duration("50ms", "5s")] = key(
        "1s", "wait for one name server's answer to one question", "timeout_query"
    )
    ttl_min_s: Annotated[float, duration("1s", "1h")] = key(
        "5s", "addresses are used for at least so long", "ttl_min"
    )
    ttl_max_s: Annotated[float, duration("1s", "24h")] = key(
        "300s", "and are asked for again after at most so long", "ttl_max"
    )
    stale_max_s: Annotated[float, duration("0s", "240h")] = key(
        "24h", "how old addresses may be that name servers no longer confirm", "stale_max"
    )
    negative_max_s: Annotated[float, duration("1s", "30s")] = key(
        "30s", "how long a name without addresses is not asked for again", "negative_max"
    )
    snapshot: File | None = key(None, "file that keeps the last addresses over a restart")
