"""A network of its own for a child of a replay: any address, port 53, another resolv.conf.

User namespaces give that without privileges. What is changed here is seen by
this process and its children alone, and goes when the last of them ends.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

UNSHARE = ("unshare", "--user", "--map-root-user", "--net", "--mount")
_REMEDY = (
    "allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, on Ubuntu"
    " kernel.apparmor_restrict_unprivileged_userns=0), or play it as root"
)
_GET_FLAGS, _SET_FLAGS, _SET_ADDRESS = 0x8913, 0x8914, 0x8916
_UP = 1
_ALIAS = b"lo:1"


def obstacle(command: Sequence[str] = UNSHARE) -> str | None:
    """Why a namespace can't be had here, with the remedy; None if it can."""
    try:
        done = subprocess.run([*command, "true"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]} failed ({type(error).__name__}): {_REMEDY}"
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or f"code {done.returncode}"
        return f"{said}: {_REMEDY}"
    return None


def loopback_up() -> None:
    """A new network has a loopback interface that is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        _, flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _GET_FLAGS, asked))
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))


def add_address(address: str) -> None:
    """One more IPv4 address of this network, whoever owns it outside."""
    family_and_port = struct.pack("=HH", socket.AF_INET, 0)
    packed = family_and_port + socket.inet_aton(address) + bytes(8)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_ADDRESS, struct.pack("16s16s", _ALIAS, packed))


def drop_address() -> None:
    """Take the added address away: from now on there is no way to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", _ALIAS, 0))


def resolve_by(text: str, directory: Path) -> None:
    """Put `text` in place of /etc/resolv.conf."""
    path = directory / "resolv.conf"
    path.write_text(text, encoding="ascii")
    subprocess.run(
        ["mount", "--bind", str(path), "/etc/resolv.conf"],
        check=True,
        timeout=10,
        capture_output=True,
    )
