"""A network of a replay's own."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from atrunproto.testing.replaying.namespace import ownNetwork

DIALOGUES = Path(__file__).resolve().parents[1] / "dialogues"
PR_CAPBSET_DROP = 24
CAP_NET_BIND_SERVICE, CAP_SYS_ADMIN = 10, 21

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def test_ownNetwork() -> None:
    """A port that another program holds is free in a replay's own network, whose sockets live on outside of it."""
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        place = ("127.0.0.1", taken.getsockname()[1])
        with ownNetwork() as isOwn:
            if not isOwn:
                assert not IS_ROOT
                pytest.skip("a network of one's own needs CAP_SYS_ADMIN")
            listening = socket.create_server(place)
        with listening:
            with ownNetwork():
                caller = socket.create_connection(place)
            with caller:
                accepted, _ = listening.accept()
                with accepted:
                    caller.sendall(b"x")
                    assert accepted.recv(1) == b"x"
        with pytest.raises(OSError, match="in use"):
            socket.create_server(place)


def forgoRights() -> None:
    """Be as one whose user may neither make networks nor listen at ports below 1024."""
    libc = ctypes.CDLL(None)
    for capability in (CAP_NET_BIND_SERVICE, CAP_SYS_ADMIN):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
def test_withoutRights() -> None:
    """A user who has no right to it replays a dialogue with servers at ports below 1024 all the same."""
    dialogue = DIALOGUES / "multitech" / "ftpget-success.txt"
    command = [sys.executable, "-m", "atrunproto.testing.replay", str(dialogue)]
    found = subprocess.run(command, capture_output=True, text=True, preexec_fn=forgoRights, check=False)
    if "this machine refuses" in found.stdout:
        pytest.skip("the system allows no user namespaces")
    assert (found.returncode, found.stdout.split(" ", 1)[0]) == (0, "PASS"), found.stdout + found.stderr
