"""Files through a module by the peer's FTP driver, against servers of other people."""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.interfaces import IConsumer
from twisted.internet.task import deferLater
from twisted.protocols.basic import FileSender
from zope.interface import implementer

from atrunproto.at import peeronline
from atrunproto.at.errors import LinkLost
from atrunproto.at.peertransfer import TooLong, TransferBroken
from atrunproto.ftp.module import FTP
from atrunproto.ftp.peer import FileType, FTPClient
from atrunproto.ftp.peererrors import (
    CannotConnect,
    FTPError,
    NoContext,
    NoSession,
    NotFound,
    Refused,
    SessionTaken,
    TransferFailed,
)
from atrunproto.ipeasy.peer import IPEasyClientEndpoint
from atrunproto.ipeasy.peercontexts import SocketSettings
from atrunproto.secret import Secret
from atrunproto.testing.contract import End
from tests.ftp.servers import Server
from tests.ipeasy.modems import factoryOf
from tests.peers import Program

LARGE = 10_000_000


def contents(length: int) -> bytes:
    """Octets of all values, always the same ones; among them what looks like an escape and like the end of a call."""
    data = random.Random(length).randbytes(length)
    middle = length // 2
    odd = b"+++\r\nNO CARRIER\r\n+++"
    return (data[:middle] + odd + data[middle:])[:length]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Host(Program):
    """A program that speaks FTP."""

    def __init__(self, isActive: bool = True) -> None:
        super().__init__(isActive)
        self.ftp = FTPClient(self.client)

    def enter(self, server: Server, passive: bool = True) -> None:
        """Open a session, in the directory that can be written to."""
        self.run(self.ftp.open("127.0.0.1", server.user, Secret(server.password), server.port, passive))
        self.run(self.ftp.changeDirectory("files"))


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A program and its module, whose first context is active; both leave online mode after short silences."""
    monkeypatch.setattr(peeronline, "ESCAPE_GUARD", 0.6)
    made = Host()
    yield made
    made.close()


@pytest.mark.parametrize("passive", [False, True])
def test_large(host: Host, server: Server, passive: bool) -> None:
    """10 MB are sent and fetched unchanged, with what looks like an escape in them (TEL-FTP-03, -07 to -09, -11)."""
    data, heard = contents(LARGE), list[int]()
    host.enter(server, passive)
    assert host.run(host.ftp.put("large.bin", data, heard.append)) == LARGE
    assert digest((server.folder / "large.bin").read_bytes()) == digest(data)
    assert heard == sorted(heard)
    assert heard[-1] == LARGE
    heard.clear()
    file = BytesIO()
    assert host.run(host.ftp.getTo("large.bin", file, progress=heard.append)) == LARGE
    assert digest(file.getvalue()) == digest(data)
    assert heard[-1] == LARGE


def test_sources(host: Host, server: Server) -> None:
    """A file comes out of octets, out of an open file or from a producer, empty ones too (TEL-FTP-07, TEL-FTP-10)."""
    host.enter(server)
    data = contents(50_000)
    assert host.run(host.ftp.put("none.bin", b"")) == 0
    assert host.run(host.ftp.put("file.bin", BytesIO(data))) == len(data)
    sender = FileSender()
    assert host.run(host.ftp.put("made.bin", lambda to: sender.beginFileTransfer(BytesIO(data), to))) == len(data)
    for name, expected in (("none.bin", b""), ("file.bin", data), ("made.bin", data)):
        assert (server.folder / name).read_bytes() == expected
    assert host.run(host.ftp.append("file.bin", b"more")) == 4
    assert host.run(host.ftp.append("new.bin", b"new")) == 3
    assert (server.folder / "file.bin").read_bytes() == data + b"more"
    assert (server.folder / "new.bin").read_bytes() == b"new"
    assert host.run(host.ftp.get("none.bin")) == b""


def test_offset(host: Host, server: Server) -> None:
    """A file is fetched from an octet on, online and by packets, and the next one is whole again."""
    data = contents(100_000)
    (server.folder / "part.bin").write_bytes(data)
    host.enter(server)
    assert host.run(host.ftp.get("part.bin", 60_000)) == data[60_000:]
    file = BytesIO()
    assert host.run(host.ftp.getPackets("part.bin", file, 70_000)) == 30_000
    assert file.getvalue() == data[70_000:]
    assert host.run(host.ftp.get("part.bin")) == data


@implementer(IConsumer)
class Hesitant:
    """A consumer that stops its producer at each write, for a moment."""

    def __init__(self, reactor: Any) -> None:
        self.data = b""
        self.hasLeft = False
        self._reactor = reactor
        self._producer: Any = None

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Take a producer."""
        assert streaming
        self._producer = producer

    def unregisterProducer(self) -> None:
        """The file is complete."""
        self.hasLeft = True

    def write(self, data: bytes) -> None:
        """Take octets."""
        self.data += data
        self._producer.pauseProducing()
        self._reactor.callLater(0.001, self._producer.resumeProducing)


def test_consumer(host: Host, server: Server) -> None:
    """A consumer that is slow holds the module back and gets the whole file, online and by packets."""
    data = contents(200_000)
    (server.folder / "slow.bin").write_bytes(data)
    host.enter(server)
    for fetch in (host.ftp.getTo, host.ftp.getPackets):
        consumer = Hesitant(host.reactor)
        assert host.run(fetch("slow.bin", consumer)) == len(data)
        assert consumer.hasLeft
        assert consumer.data == data


def test_packets(host: Host, server: Server) -> None:
    """While a file comes by packets the AT port serves other commands, and octets of all values arrive."""
    data = contents(100_000)
    (server.folder / "packets.bin").write_bytes(data)
    (server.folder / "empty.bin").write_bytes(b"")
    host.enter(server)
    answers = []

    async def work() -> None:
        file = BytesIO()
        fetching = Deferred.fromCoroutine(host.ftp.getPackets("packets.bin", file))
        while not fetching.called:
            answers.append((await host.client.execute("AT+CGMI")).lines)
            await deferLater(host.reactor, 0.001)
        assert await fetching == len(data)
        assert file.getvalue() == data

    host.run(work())
    assert len(answers) > 2
    assert all(len(each) == 1 for each in answers)
    assert host.run(host.ftp.getPackets("empty.bin", BytesIO())) == 0


def test_text(host: Host, server: Server) -> None:
    """Text gets the line ends of the server (TEL-FTP-05, TEL-FTP-06)."""
    host.enter(server)
    host.run(host.ftp.setType(FileType.ASCII))
    host.run(host.ftp.put("text.txt", b"one\r\ntwo\r\n"))
    assert (server.folder / "text.txt").read_bytes() == b"one\ntwo\n"
    assert host.run(host.ftp.get("text.txt")) == b"one\r\ntwo\r\n"
    host.run(host.ftp.setType(FileType.BINARY))
    assert host.run(host.ftp.get("text.txt")) == b"one\ntwo\n"


def test_directories(host: Host, server: Server) -> None:
    """The server's directories can be looked at, and files measured and deleted (TEL-FTP-13)."""
    (server.folder / "here.txt").write_bytes(b"four")
    host.enter(server)
    assert host.run(host.ftp.directory()) == "/files"
    assert [line.split()[-1] for line in host.run(host.ftp.list())] == ["here.txt"]
    assert host.run(host.ftp.size("here.txt")) == 4
    host.run(host.ftp.delete("here.txt"))
    assert not (server.folder / "here.txt").exists()
    with pytest.raises(Refused) as refused:
        host.run(host.ftp.delete("here.txt"))
    assert refused.value.reply.startswith("550 ")
    assert "550 " in str(refused.value)
    assert host.run(host.ftp.message()).startswith("550 ")
    host.run(host.ftp.close())
    assert host.run(host.ftp.message()).startswith("221 ")
    with pytest.raises(NoSession):
        host.run(host.ftp.directory())


def test_notThere(host: Host, server: Server) -> None:
    """A file that isn't there, or can't be written, is an error that names it, and the session goes on."""
    host.enter(server)
    for work in (
        lambda: host.ftp.get("no.bin"),
        lambda: host.ftp.getTo("no.bin", BytesIO()),
        lambda: host.ftp.put("no/where.bin", b"x"),
    ):
        with pytest.raises(TransferFailed) as failed:
            host.run(work())
        assert failed.value.reply.startswith("55")
    with pytest.raises(Refused):
        host.run(host.ftp.getPackets("no.bin", BytesIO()))
    host.run(host.ftp.put("yes.bin", b"x"))
    assert host.run(host.ftp.get("yes.bin")) == b"x"


def test_tooLong(host: Host, server: Server) -> None:
    """A file that is longer than it may be is given up, and the session goes on."""
    (server.folder / "large.bin").write_bytes(contents(LARGE))
    (server.folder / "small.bin").write_bytes(b"small")
    host.enter(server)
    with pytest.raises(TooLong):
        host.run(host.ftp.get("large.bin", limit=100_000))
    assert host.run(host.ftp.get("small.bin", limit=5)) == b"small"


def test_failingEnds(host: Host, server: Server) -> None:
    """What goes wrong in the program's own file or progress ends the transfer and is told; the session goes on."""
    (server.folder / "large.bin").write_bytes(contents(LARGE))
    host.enter(server)

    class Broken(BytesIO):
        """A file on a disk that fails."""

        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("unreadable")

        def write(self, data: Any, /) -> int:
            raise OSError("full")

    def wrong(octets: int) -> None:
        raise ValueError("wrong")

    for work, expected in (
        (lambda: host.ftp.put("a.bin", Broken()), OSError),
        (lambda: host.ftp.put("a.bin", contents(100_000), wrong), ValueError),
        (lambda: host.ftp.getTo("large.bin", Broken()), OSError),
        (lambda: host.ftp.getTo("large.bin", BytesIO(), 0, wrong), ValueError),
    ):
        with pytest.raises(expected):
            host.run(work())
    host.run(host.ftp.put("after.bin", b"after"))
    assert (server.folder / "after.bin").read_bytes() == b"after"
    with pytest.raises(OSError, match="full"):
        host.run(host.ftp.getPackets("large.bin", Broken()))
    # there is no other way to end such a file than to end the session
    with pytest.raises(NoSession):
        host.run(host.ftp.get("after.bin"))
    host.enter(server)
    assert host.run(host.ftp.get("after.bin")) == b"after"


async def midway(start: Callable[..., Any], meanwhile: Callable[[Deferred[int]], object]) -> None:
    """Start a transfer, do something when it has begun, and wait for its end."""
    begun: Deferred[None] = Deferred()

    def heard(octets: int) -> None:
        if not begun.called:
            begun.callback(None)

    running = Deferred.fromCoroutine(start(heard))
    await begun
    meanwhile(running)
    await running


def test_cancelled(host: Host, server: Server) -> None:
    """A transfer that is cancelled is given up, and the session goes on."""
    (server.folder / "large.bin").write_bytes(contents(LARGE))
    host.enter(server)
    file, sizes = BytesIO(), list[int]()

    def give(running: Deferred[int]) -> None:
        running.cancel()
        sizes.append(len(file.getvalue()))

    with pytest.raises(CancelledError):
        host.run(midway(lambda heard: host.ftp.getTo("large.bin", file, 0, heard), give))
    host.run(host.ftp.put("after.bin", b"after"))
    assert (server.folder / "after.bin").read_bytes() == b"after"
    assert sizes == [len(file.getvalue())]
    with pytest.raises(CancelledError):
        host.run(
            midway(
                lambda heard: host.ftp.getPackets("large.bin", BytesIO(), 0, heard),
                lambda it: host.reactor.callLater(0, it.cancel),
            )
        )
    host.enter(server)
    assert host.run(host.ftp.get("after.bin")) == b"after"


def test_failingConsumer(host: Host, server: Server) -> None:
    """A consumer that fails when it is given a producer, or when that leaves, ends the transfer and is told."""
    (server.folder / "some.bin").write_bytes(contents(10_000))
    host.enter(server)

    class Unwilling(Hesitant):
        """Takes no producer."""

        def registerProducer(self, producer: Any, streaming: bool) -> None:
            raise ValueError("no")

    class Clinging(Hesitant):
        """Lets no producer go."""

        def unregisterProducer(self) -> None:
            raise ValueError("no")

    for kind in Unwilling, Clinging:
        with pytest.raises(ValueError, match="no"):
            host.run(host.ftp.getTo("some.bin", kind(host.reactor)))
    assert host.run(host.ftp.get("some.bin")) == contents(10_000)


def test_consumerStops(host: Host, server: Server) -> None:
    """A consumer that wants no more of a file ends the transfer, which is told, and the session goes on."""
    (server.folder / "large.bin").write_bytes(contents(LARGE))
    (server.folder / "small.bin").write_bytes(b"small")
    host.enter(server)

    class Sated(Hesitant):
        """Has enough after the first piece."""

        def write(self, data: bytes) -> None:
            self.data += data
            self._producer.stopProducing()

    consumer = Sated(host.reactor)
    with pytest.raises(TransferBroken, match="wanted no more"):
        host.run(host.ftp.getTo("large.bin", consumer))
    assert 0 < len(consumer.data) < LARGE
    assert consumer.hasLeft
    assert host.run(host.ftp.get("small.bin")) == b"small"


def test_inTurn(host: Host, server: Server) -> None:
    """Calls that are made at once are done one after the other."""
    host.enter(server)
    data = contents(30_000)

    async def work() -> None:
        calls = [host.ftp.put("a.bin", data), host.ftp.append("a.bin", b"end"), host.ftp.size("a.bin")]
        assert await gatherResults([Deferred.fromCoroutine(call) for call in calls]) == [30_000, 3, 30_003]

    host.run(work())


def test_besideConnection(host: Host, server: Server) -> None:
    """A connection is suspended while a file is put over the same AT port, and goes on afterwards (TEL-MSK-05, -08)."""
    near, far = End(), End()

    async def work() -> None:
        listening: Any = host.reactor.listenTCP(0, factoryOf(far), interface="127.0.0.1")
        port = listening.getHost().port
        endpoint = IPEasyClientEndpoint(host.client, 1, "127.0.0.1", port, settings=SocketSettings(sending=0.1))
        await endpoint.connect(factoryOf(near))
        await near.transport.suspend()
        await host.ftp.open("127.0.0.1", server.user, Secret(server.password), server.port)
        far.write(b"meanwhile")
        near.write(b"later")
        await host.ftp.put("files/beside.bin", contents(50_000))
        await near.transport.resume()
        while (near.received, far.received) != (b"meanwhile", b"later"):
            await deferLater(host.reactor, 0.01)
        near.transport.loseConnection()
        while not near.losses:
            await deferLater(host.reactor, 0.01)
        await listening.stopListening()

    host.run(work())
    assert (server.folder / "beside.bin").read_bytes() == contents(50_000)


def test_cannotOpen(host: Host, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """Why a session can't be opened is told by the kind of the error, and the password never is (TEL-FTP-16)."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(FTPError) as failed:
        host.run(host.ftp.open("127.0.0.1", "nobody", Secret("hidden"), server.port))
    assert isinstance(failed.value, Refused)
    assert failed.value.reply.startswith("530 ")
    with pytest.raises(CannotConnect):
        host.run(host.ftp.open("127.0.0.1", "user", Secret("hidden"), 1))
    with pytest.raises(NotFound):
        host.run(host.ftp.open("no.where.invalid", "user", Secret("hidden")))
    host.enter(server)
    with pytest.raises(SessionTaken) as taken:
        host.run(host.ftp.open("127.0.0.1", "user", Secret("hidden"), server.port))
    assert "hidden" not in f"{failed.value!r} {failed.value.__cause__!r} {taken.value} {caplog.text}"


def test_noContext(server: Server) -> None:
    """Without a context there is no session (TEL-FTP-14)."""
    host = Host(isActive=False)
    with pytest.raises(NoContext):
        host.run(host.ftp.open("127.0.0.1", server.user, Secret(server.password), server.port))
    host.close()


def test_broken(host: Host, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that goes in the midst of a file is told, whichever way the file goes, as is a lost AT port."""
    (server.folder / "large.bin").write_bytes(contents(LARGE))

    def cut(running: Any = None) -> None:
        session = host.module.module.part(FTP).session(host.module.module.instance(1))
        assert session.transfer is not None
        session.transfer.abort()

    def put(heard: Any) -> Any:
        return host.ftp.put("b.bin", lambda to: Endless(host.reactor).start(to), heard)

    def get(heard: Any) -> Any:
        return host.ftp.getTo("large.bin", Hesitant(host.reactor), 0, heard)

    monkeypatch.setattr(peeronline, "CHECK_ANSWER", 0.5)
    host.enter(server)
    for echo in "ATE0", "ATE1":
        host.ask(echo)
        began = host.reactor.seconds()
        with pytest.raises(TransferBroken):
            host.run(midway(put, cut))
        # an echo of the escape sequence shows that the module isn't online any more
        assert host.reactor.seconds() - began < peeronline.ESCAPE_ANSWER
    with pytest.raises(TransferFailed):
        host.run(midway(get, cut))
    with pytest.raises(LinkLost):
        host.run(midway(get, lambda running: host.client.abort()))


class Endless:
    """A producer that never comes to an end."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._consumer: Any = None

    def start(self, consumer: Any) -> Deferred[None]:
        """Produce."""
        self._consumer = consumer
        consumer.registerProducer(self, False)
        return Deferred()

    def resumeProducing(self) -> None:
        """Produce more."""
        self._reactor.callLater(0.001, self._consumer.write, b"x" * 100)

    def stopProducing(self) -> None:
        """Produce no more."""
