"""Files that the sidecar writes: each is one file's alone.

Each is replaced as a whole, so a second one by the same name would take the first one's
place: in that of the journal, every key would look new, and payments would be sent again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from proxy.settings.build_health import incidents_file
from proxy.settings.finding import Finding
from proxy.settings.schema import Settings
from proxy.settings.tree import Loc

_OF_JOURNAL = ("", "-wal", "-shm", "-journal", ".keys", ".keys.new", ".lock", ".ballast")
_NEW = ".new"
"""What a file is written as, before it takes its place."""


def check_files(settings: Settings) -> Iterator[Finding]:
    """A file that would take another one's place."""
    taken: dict[str, Loc] = {}
    journal = settings.journal
    if journal is not None and journal.path is not None:
        for more in _OF_JOURNAL:
            taken[_real(f"{journal.path}{more}")] = ("journal", "path")
    incidents = incidents_file(settings)
    written: tuple[tuple[Loc, str | os.PathLike[str] | None], ...] = (
        (("dns", "snapshot"), settings.dns.snapshot),
        (("admin", "overrides"), settings.overrides_file),
        (("incidents", "file"), incidents),
    )
    for place, path in written:
        if path is None:
            continue
        own = (_real(path), _real(f"{os.fspath(path)}{_NEW}"))
        other = next((taken[each] for each in own if each in taken), None)
        if other is not None:
            remedy = "give each file that the sidecar writes a name of its own"
            yield Finding(place, "is a file that is something else's", remedy, (other,))
        for each in own:
            taken.setdefault(each, place)


def _real(path: str | os.PathLike[str]) -> str:
    """Also where it is reached by a link, or is not there yet."""
    return os.path.realpath(path)
