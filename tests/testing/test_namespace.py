"""A network of a replay's own."""

from __future__ import annotations

import os
import socket

import pytest

from atrunproto.testing.replaying.namespace import ownNetwork

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
