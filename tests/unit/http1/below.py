"""What stands under TLS in tests with a fake transport."""

from __future__ import annotations

import asyncio


class Below(asyncio.Transport):
    """The TCP connection under TLS."""

    def __init__(self) -> None:
        super().__init__()
        self.unsent = 0

    def get_write_buffer_size(self) -> int:
        return self.unsent
