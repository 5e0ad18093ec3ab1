"""
A network of a replay's own, where the system lets the process have one: all ports are free there, and nobody else's.

A thread's network namespace rules the sockets that it makes; those that it has keep theirs. So the dialogues' addresses
and ports neither meet other programs nor another replay at the same time. A user without that right may have it in a
user namespace, where the system allows one.
Source: network_namespaces(7), user_namespaces(7); design, rulings, Replay.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP: Final = 0x1
_HERE: Final = "/proc/thread-self/ns/net"


def claimRights() -> None:
    """
    Have the right to a network of one's own by a user namespace, if this process lacks it and may have one.

    For a process that has no other thread yet. It stays who it is; what becomes of a namespace is tried by a child.
    """
    if _make() is not None:
        return
    child = os.fork()
    if child == 0:
        os._exit(0 if _enterUserNamespace() else 1)
    if os.waitpid(child, 0)[1] == 0 and _enterUserNamespace():
        _make.cache_clear()


def _enterUserNamespace() -> bool:
    """Be in a user namespace of this process's own, with the same user and group as before."""
    user, group = os.geteuid(), os.getegid()
    try:
        if _libc().unshare(_CLONE_NEWUSER) != 0:
            return False
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            Path("/proc/self", name).write_text(text, encoding="ascii")
    except (OSError, AttributeError):
        return False
    return True


@contextmanager
def ownNetwork() -> Iterator[bool]:
    """
    Be in the network that this process has for its replays, if it may have one; it needs CAP_SYS_ADMIN.

    @return: whether it is.
    """
    own = _make()
    if own is None:
        yield False
        return
    before = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(own)
        yield True
    finally:
        _enter(before)
        os.close(before)


@cache
def _make() -> int | None:
    """Make the network, with loopback up: a descriptor of it, or C{None} where that isn't allowed."""
    try:
        before = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _libc().unshare(_CLONE_NEWNET) != 0:
            return None
        try:
            with socket.socket() as asked:
                fcntl.ioctl(asked, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))
            return os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
        finally:
            _enter(before)
    except (OSError, AttributeError):
        return None
    finally:
        os.close(before)


def _enter(namespace: int) -> None:
    if _libc().setns(namespace, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "the network namespace can't be entered")


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
