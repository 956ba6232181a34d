"""PURE. Rows by id where there are so few that no filter is worth its memory."""

from __future__ import annotations

from collections.abc import Iterable


class FewIds:
    """Exactly these rows, and no others."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._ids: dict[int, bytes] = {}

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._numbers

    def number(self, row_id: bytes) -> int | None:
        """The number of the row with this id."""
        return self._numbers.get(row_id)

    def keep(self, rows: Iterable[tuple[int, bytes]]) -> None:
        """Add rows: their numbers and ids."""
        for number, row_id in rows:
            self._numbers[row_id] = number
            self._ids[number] = row_id

    def forget(self, numbers: Iterable[int]) -> None:
        """Rows with these numbers are gone, those of them that were here."""
        for number in numbers:
            row_id = self._ids.pop(number, None)
            if row_id is not None and self._numbers[row_id] == number:
                del self._numbers[row_id]
