"""Names of hosts by the peer's typed calls, with a real name server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from atrunproto.at.errors import CommandFailed, Misuse, PeerViolation
from atrunproto.emulator import names
from atrunproto.ipeasy import peernames
from atrunproto.ipeasy.peernames import UNSET, NameUnknown
from tests.ipeasy.test_dns import FIRST, SECOND, NameServers
from tests.peers import Program


class Asking(Program):
    """A program whose module asks name servers."""

    def __init__(self) -> None:
        super().__init__(isActive=False)
        self.servers = NameServers(self.module)
        self.ask('AT+CGDCONT=1,"IP","x"')

    def close(self) -> None:
        """Take all away."""
        self.servers.close()
        super().close()


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asking]:
    """A program and its module, whose context is defined; name servers get little time."""
    monkeypatch.setattr(names, "PATIENCE", (0.2, 0.4))
    made = Asking()
    yield made
    made.close()


def test_resolve(program: Asking) -> None:
    """The address of a host is found by the name servers of the context; an unknown host is an error of its own."""
    client, run = program.client, program.run
    program.servers.serve(FIRST, "10.0.0.1")
    second = program.servers.serve(SECOND, "10.0.0.2")
    assert run(peernames.serversOf(client, 1)) == (UNSET, UNSET)
    run(peernames.setServers(client, 1, FIRST, SECOND))
    assert run(peernames.serversOf(client, 1)) == (FIRST, SECOND)
    assert run(peernames.resolve(client, "host.example")) == "10.0.0.1"
    assert run(peernames.resolve(client, "www.example")) == "10.0.0.1"
    with pytest.raises(NameUnknown):
        run(peernames.resolve(client, "no.example"))
    assert second.asked == []
    run(peernames.setServers(client, 1, UNSET))
    assert run(peernames.serversOf(client, 1)) == (UNSET, UNSET)


def test_cache(program: Asking) -> None:
    """What a module remembers is asked for once, can be seen, and is forgotten on demand."""
    client, run = program.client, program.run
    zone = program.servers.serve(FIRST, "10.0.0.1")
    run(peernames.setServers(client, 1, FIRST))
    assert not run(peernames.remembers(client))
    run(peernames.setCache(client, True))
    assert run(peernames.remembers(client))
    assert run(peernames.remembered(client)) == {}
    for _ in range(3):
        run(peernames.resolve(client, "host.example"))
    assert zone.asked == [b"host.example"]
    assert run(peernames.remembered(client)) == {"host.example": "10.0.0.1"}
    run(peernames.setCache(client, False))
    assert run(peernames.remembered(client)) == {}


def test_refused(program: Asking) -> None:
    """What can't be set or asked for is an error, before anything is sent where that is known."""
    client, run = program.client, program.run
    with pytest.raises(CommandFailed):
        run(peernames.setServers(client, 4, FIRST))
    with pytest.raises(Misuse):
        run(peernames.setServers(client, 1, "ns.example"))
    with pytest.raises(Misuse):
        run(peernames.serversOf(client, 4))
    for host in ("", 'a"b', "a b", "x" * 101):
        with pytest.raises(Misuse):
            run(peernames.resolve(client, host))


@pytest.mark.parametrize("line", ["#QDNS: host", '#QDNS: "host","nonsense"'])
def test_nonsense(program: Asking, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """An answer that is no address isn't taken for one."""

    async def execute(*values: object, **named: object) -> object:
        return type("Answer", (), {"lines": (line,)})

    monkeypatch.setattr(type(program.client), "execute", execute)
    with pytest.raises(PeerViolation):
        program.run(peernames.resolve(program.client, "host"))
