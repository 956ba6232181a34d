"""A disk that loses power: ext4 on a loop file, whose unsynced pages are really gone.

EXT4_IOC_SHUTDOWN without a flush of the log cuts the file system off at once:
what no sync had reached is dropped when it is unmounted, and the next mount
replays ext4's own log, as after a power cut. Root only. What a drive's own cache
would lose or tear is not in it: the loop file keeps whatever was written to it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import time
from pathlib import Path
from typing import Self

from loadtests.incidents.process import ReplayError

_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = 2
_SIZE_BYTES = 1 << 30
"""Sparse: what is not written takes no room."""
_BUSY_S = 5.0


def obstacle() -> str | None:
    """What keeps this machine from losing power, with the remedy."""
    if os.geteuid() != 0:
        return (
            "needs root, to mount a disk and cut its power; play it with "
            "`sudo make incidents ONLY=INC-24`, and the others with ONLY=... as they are"
        )
    if shutil.which("mkfs.ext4") is None or not Path("/dev/loop-control").exists():
        return "needs mkfs.ext4 (package e2fsprogs) and loop devices (`modprobe loop`)"
    return None


class LossyDisk:
    """A mounted file system of its own in `directory`; `with` makes it and takes it away."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.place = directory / "disk"
        self._image = directory / "disk.img"

    def __enter__(self) -> Self:
        self.place.mkdir()
        with self._image.open("wb") as file:
            file.truncate(_SIZE_BYTES)
        _run("mkfs.ext4", "-q", "-F", str(self._image))
        self.mount()
        return self

    def __exit__(self, *_: object) -> None:
        if self.place.is_mount():
            self.unmount()
        self._image.unlink()

    def mount(self) -> None:
        """Mount it; ext4 replays its log, and says no if it cannot."""
        _run("mount", "-o", "loop", str(self._image), str(self.place))

    def lose_power(self) -> None:
        """From now on nothing reaches the disk any more, and nothing can be read that is dirty."""
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def unmount(self) -> None:
        """Unmount it; a process that has just died may hold it for a moment."""
        give_up_at = time.monotonic() + _BUSY_S
        while True:
            try:
                _run("umount", str(self.place))
            except ReplayError:
                if not self.place.is_mount():
                    return
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.01)
            else:
                return


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ReplayError(f"{command[0]} failed: {done.stderr.strip()}")
