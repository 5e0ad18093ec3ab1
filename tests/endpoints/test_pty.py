"""C{pty:PATH} as a server: a terminal that stays, whoever comes and goes."""

from __future__ import annotations

import hashlib
import os
import termios
import tty
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.inotify import INotifyError
from twisted.internet.interfaces import IConsumer, IListeningPort, IPushProducer, ITransport
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import TestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from atrunproto.at.lines import IModemLines
from atrunproto.endpoints import CannotListenOnTTY, PtyAddress
from atrunproto.endpoints._opens import Opens
from atrunproto.endpoints._tty import HIGH_WATER, LineListeners
from tests.endpoints.ends import Line, User
from tests.support import requireProgram

CHUNK = bytes(range(256)) * 32  # no character may mean anything to the terminal


def pending(line: Line) -> int:
    """The bytes that the transport holds in our own memory."""
    return len(line.transport.dataBuffer) - line.transport.offset + line.transport._tempDataLen


@implementer(IPushProducer)
class Push:
    """A producer of many chunks, as fast as it may."""

    def __init__(self, line: Line, chunks: int) -> None:
        self.line = line
        self.left = chunks
        self.pauses = 0
        self.running = False
        self.stopped = False
        self.most = 0
        self.digest = hashlib.sha256()

    def pauseProducing(self) -> None:
        """Wait."""
        self.running = False
        self.pauses += 1
        self.line.notes.noted()

    def resumeProducing(self) -> None:
        """Write until paused."""
        self.running = True
        while self.running and self.left:
            self.left -= 1
            self.digest.update(CHUNK)
            self.line.transport.write(CHUNK)
            self.most = max(self.most, pending(self.line))
        if not self.left:
            self.line.transport.unregisterProducer()

    def stopProducing(self) -> None:
        """The line is lost."""
        self.stopped = True


class PtyTestCase(TestCase):
    """A module on a pty in a folder of its own."""

    timeout = 20

    def setUp(self) -> None:
        """Make the folder."""
        from twisted.internet import reactor

        self.reactor = reactor
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / "at1"

    async def listen(self, line: Protocol | None) -> IListeningPort:
        """Serve the path by C{line} until the test ends."""
        factory = Factory()
        factory.noisy = False
        factory.buildProtocol = lambda _: line  # type: ignore[method-assign, assignment]
        port: IListeningPort = await serverFromString(self.reactor, f"pty:{self.path}").listen(factory)
        self.addCleanup(port.stopListening)
        return port

    def user(self) -> User:
        """Somebody who opens the terminal, and closes it at the latest when the test ends."""
        user = User(str(self.path))
        self.addCleanup(user.close)
        return user


class Users(PtyTestCase):
    """Users come and go."""

    async def test_comeAndGo(self) -> None:
        """One user after the other opens the terminal, is answered, and leaves."""
        line = Line(bytes.upper)
        await self.listen(line)
        expected: list[tuple[str, bool]] = []
        for n in range(3):
            user = self.user()
            user.type(b"at+%d\r" % n)
            await user.whenReceived(b"AT+%d\r" % n)
            user.close()
            expected += [("DTR", True), ("DTR", False)]
            await line.whenEvents(*expected)
        assert line.received == b"at+0\rat+1\rat+2\r"
        assert line.losses == []

    async def test_secondUserAtOnce(self) -> None:
        """Only when the last of several users has gone is the line down."""
        line = Line(bytes.upper)
        await self.listen(line)
        first, second = self.user(), self.user()
        await line.whenEvents(("DTR", True))
        first.close()
        second.type(b"at\r")
        await second.whenReceived(b"AT\r")
        assert line.events == [("DTR", True)]
        second.close()
        await line.whenEvents(("DTR", True), ("DTR", False))

    async def test_lastWords(self) -> None:
        """What a user sends just before he closes arrives, and before the news that he has gone."""
        line = Line()
        await self.listen(line)
        user = self.user()
        user.type(b"bye\r")
        user.close()
        await line.whenEvents(("DTR", True), ("DTR", False))
        assert line.all == [("DTR", True), b"bye\r", ("DTR", False)]

    async def test_staleOutput(self) -> None:
        """An answer that one user left unread is not shown to the next."""
        line = Line(bytes.upper)
        await self.listen(line)
        first = self.user()
        first.type(b"first\r")
        await line.whenReceived(b"first\r")
        line.transport.write(CHUNK * 40)  # more than the kernel takes
        first.close()
        await line.whenEvents(("DTR", True), ("DTR", False))
        assert pending(line) == 0
        second = self.user()
        second.type(b"second\r")
        await second.whenReceived(b"SECOND\r")

    async def test_nobodyThere(self) -> None:
        """What is written while nobody has the terminal open takes no memory and reaches nobody."""
        line = Line(bytes.upper)
        await self.listen(line)
        line.transport.writeSequence([CHUNK] * 100)
        assert pending(line) == 0
        user = self.user()
        user.type(b"at\r")
        await user.whenReceived(b"AT\r")

    async def test_rawAgain(self) -> None:
        """A user who leaves the terminal with echo and line editing on doesn't spoil it for the next."""
        line = Line(bytes.upper)
        await self.listen(line)
        first = self.user()
        mode = termios.tcgetattr(first.fileno())
        mode[tty.LFLAG] |= termios.ECHO | termios.ICANON
        mode[tty.OFLAG] |= termios.OPOST | termios.ONLCR
        termios.tcsetattr(first.fileno(), termios.TCSANOW, mode)
        await line.whenEvents(("DTR", True))
        first.close()
        await line.whenEvents(("DTR", True), ("DTR", False))
        second = self.user()
        second.type(b"a\nt")
        await second.whenReceived(b"A\nT")
        assert line.received == b"a\nt"

    def test_listeners(self) -> None:
        """A listener to the lines that fails doesn't keep it from the others, and one that ended hears no more."""
        heard: list[tuple[str, bool]] = []
        listeners = LineListeners()
        listeners.add(lambda name, on: [][on])
        end = listeners.add(lambda name, on: heard.append((name, on)))
        listeners.tell("DTR", True)
        end()
        end()
        listeners.tell("DTR", False)
        assert heard == [("DTR", True)]
        assert len(TestCase.flushLoggedErrors(self, IndexError)) == 2


class Programs(PtyTestCase):
    """Programs that others wrote."""

    @requireProgram("socat")
    async def test_socat(self) -> None:
        """C{socat} sends a command and gets the answer, twice."""
        await self.listen(Line(bytes.upper))
        chat = self.folder / "chat"
        chat.write_text("printf 'at\\r'; head -c 3 >&2")
        for _ in range(2):
            _, err, code = await getProcessOutputAndValue(
                "socat", ["-t", "0", f"{self.path},raw,echo=0", f"EXEC:sh {chat}"], os.environ
            )
            assert (err, code) == (b"AT\r", 0)

    @requireProgram("picocom")
    async def test_picocom(self) -> None:
        """C{picocom} opens the terminal, sends its first string, shows the answer, and leaves it in order."""
        line = Line(bytes.upper)
        await self.listen(line)
        out, err, code = await getProcessOutputAndValue(
            "picocom", ["-q", "-x", "200", "--initstring", "ati\r", str(self.path)], os.environ
        )
        assert b"ATI\r" in out
        assert code == 0, err
        await line.whenEvents(("DTR", True), ("DTR", False))
        user = self.user()
        user.type(b"at\r")
        await user.whenReceived(b"AT\r")


class Flow(PtyTestCase):
    """Back-pressure, both ways."""

    async def test_output(self) -> None:
        """A user who doesn't read pauses who writes, and then gets every byte."""
        line = Line()
        await self.listen(line)
        user = self.user()
        await line.whenEvents(("DTR", True))
        push = Push(line, 256)
        line.transport.registerProducer(push, True)
        push.resumeProducing()
        await line.notes.when(lambda: push.pauses > 0)
        assert push.left > 200
        await user.whenCount(256 * len(CHUNK))
        assert push.most <= HIGH_WATER + len(CHUNK)
        assert push.pauses > 1
        assert hashlib.sha256(user.received).digest() == push.digest.digest()

    async def test_pull(self) -> None:
        """A pull producer waits for a user, and is asked each time that the terminal has taken all."""
        line = Line()
        await self.listen(line)
        asked: list[int] = []

        class Pull:
            def resumeProducing(self) -> None:
                asked.append(pending(line))
                line.transport.write(b"x" * 1000)
                if len(asked) == 5:
                    line.transport.unregisterProducer()

            def stopProducing(self) -> None: ...

        line.transport.registerProducer(cast(IPushProducer, Pull()), False)
        assert asked == []
        await self.user().whenReceived(b"x" * 5000)
        assert asked == [0] * 5

    async def test_producerWaitsForUser(self) -> None:
        """Who produces is paused while nobody has the terminal open, and loses nothing by it."""
        line = Line()
        await self.listen(line)
        push = Push(line, 3)
        line.transport.registerProducer(push, True)
        assert (push.pauses, push.running) == (1, False)
        user = self.user()
        await user.whenReceived(CHUNK * 3)
        line.transport.registerProducer(push := Push(line, 3), True)
        user.close()
        await line.notes.when(lambda: push.pauses == 1)
        await self.user().whenReceived(CHUNK * 3)

    async def test_input(self) -> None:
        """A user who types while the module doesn't read is held back by the kernel, and nothing is lost."""
        line = Line()
        await self.listen(line)
        user = self.user()
        await line.whenEvents(("DTR", True))
        line.transport.pauseProducing()
        typed = user.typeUntilFull(b"0123456789")
        assert typed < 1_000_000
        assert line.received == b""
        line.transport.resumeProducing()
        await line.whenReceived((b"0123456789" * typed)[:typed])

    async def test_leavesWhilePaused(self) -> None:
        """A user's leaving is noticed though the module doesn't read, and what he sent is read later."""
        line = Line()
        await self.listen(line)
        user = self.user()
        await line.whenEvents(("DTR", True))
        line.transport.pauseProducing()
        user.type(b"late\r")
        user.close()
        await line.whenEvents(("DTR", True), ("DTR", False))
        assert line.received == b""
        line.transport.resumeProducing()
        await line.whenReceived(b"late\r")

    async def test_comesWhilePaused(self) -> None:
        """A user who comes and goes while the module doesn't read is noticed, too."""
        line = Line()
        await self.listen(line)
        line.transport.pauseProducing()
        user = self.user()
        await line.whenEvents(("DTR", True))
        user.close()
        await line.whenEvents(("DTR", True), ("DTR", False))


class Ends(PtyTestCase):
    """How it ends."""

    async def test_interfaces(self) -> None:
        """The transport is what any protocol expects, has modem lines, and says where it is."""
        line = Line()
        port = await self.listen(line)
        for interface in (ITransport, IConsumer, IPushProducer):
            verifyObject(interface, line.transport)
        assert isinstance(line.transport, IModemLines)
        address = PtyAddress(str(self.path), os.readlink(self.path))
        assert [port.getHost(), line.transport.getHost(), line.transport.getPeer()] == [address] * 3

    async def test_stop(self) -> None:
        """To stop listening ends the protocol once, hangs up on the user and removes the link."""
        line = Line()
        port = await self.listen(line)
        user = self.user()
        line.transport.registerProducer(push := Push(line, 1000), True)
        await line.whenEvents(("DTR", True))
        stopped = port.stopListening(), port.stopListening()
        assert line.losses == []
        for each in stopped:
            await cast("Deferred[None]", each)
        assert [reason.type for reason in line.losses] == [ConnectionDone]
        assert push.stopped
        assert not os.path.lexists(self.path)
        assert os.read(user.fileno(), 1) == b""
        line.transport.write(b"nothing")
        line.transport.loseConnection()
        line.transport.abortConnection()
        assert list(self.folder.iterdir()) == []

    async def test_loseConnection(self) -> None:
        """A protocol that closes its line does so when the user has all that was written."""
        line = Line()
        await self.listen(line)
        user = self.user()
        await line.whenEvents(("DTR", True))
        line.transport.write(CHUNK * 40)
        line.transport.loseConnection()
        line.transport.loseConnection()
        await user.whenCount(40 * len(CHUNK))
        await line.whenLost()
        assert [reason.type for reason in line.losses] == [ConnectionDone]
        assert not os.path.lexists(self.path)

    async def test_leavesDuringClose(self) -> None:
        """A close waits for a user who doesn't read, but not for one who has gone without it."""
        line = Line()
        await self.listen(line)
        user = self.user()
        await line.whenEvents(("DTR", True))
        line.transport.write(CHUNK)
        line.transport.loseConnection()
        while line.transport._ending is None:
            await deferLater(self.reactor, 0)
        user.close()
        await line.whenLost()
        assert line.losses[0].check(ConnectionDone)

    async def test_loseConnectionAlone(self) -> None:
        """A protocol that closes its line while there is no user, or while he leaves, does so all the same."""
        for leaving in (False, True):
            line = Line()
            port = await self.listen(line)
            if leaving:
                user = self.user()
                await line.whenEvents(("DTR", True))
                line.transport.write(CHUNK * 40)
                user.close()
            line.transport.loseConnection()
            assert line.losses == []
            await line.whenLost()
            assert [reason.type for reason in line.losses] == [ConnectionDone]
            await cast("Deferred[None]", port.stopListening())

    async def test_abort(self) -> None:
        """A protocol that aborts its line doesn't wait for a user who doesn't read."""
        line = Line()
        await self.listen(line)
        self.user()
        await line.whenEvents(("DTR", True))
        line.transport.write(CHUNK * 40)
        line.transport.abortConnection()
        line.transport.abortConnection()
        assert line.losses == []
        await line.whenLost()
        assert [reason.type for reason in line.losses] == [ConnectionAborted]


class Links(PtyTestCase):
    """The link's life."""

    async def failsWith(self, words: str, line: Protocol | None = None) -> None:
        """Listening fails with a message that has these words and the path, and leaves nothing open."""
        descriptors = os.listdir("/proc/self/fd")
        with pytest.raises(CannotListenOnTTY) as caught:
            await self.listen(line)
        assert words in str(caught.value)
        assert str(self.path) in str(caught.value)
        assert os.listdir("/proc/self/fd") == descriptors

    async def test_stale(self) -> None:
        """A link to a terminal that an earlier process left behind is replaced."""
        os.symlink("/dev/pts/99999", self.path)
        await self.listen(Line(bytes.upper))
        user = self.user()
        user.type(b"at\r")
        await user.whenReceived(b"AT\r")
        assert list(self.folder.iterdir()) == [self.path]

    async def test_realFile(self) -> None:
        """A real file is never overwritten."""
        self.path.write_text("precious")
        await self.failsWith("is not a symbolic link", Line())
        assert self.path.read_text() == "precious"

    async def test_foreignLink(self) -> None:
        """A link to anything but a pseudo terminal is left alone."""
        self.path.symlink_to(self.folder)
        await self.failsWith("no pseudo terminal", Line())
        assert self.path.readlink() == self.folder

    async def test_noFolder(self) -> None:
        """A missing folder is named."""
        self.path = self.folder / "missing" / "at1"
        await self.failsWith(f"there is no folder {self.folder / 'missing'}", Line())

    async def test_noPermission(self) -> None:
        """A folder in which no link can be made is named."""
        self.path = Path("/proc/at1")
        await self.failsWith("cannot listen on /proc/at1: ", Line())

    async def test_noWatcher(self) -> None:
        """Where the kernel doesn't tell of opens, that is said, and nothing stays."""

        def refuse(opens: Opens) -> None:
            raise INotifyError("no watches left")

        patch = pytest.MonkeyPatch()
        self.addCleanup(patch.undo)
        patch.setattr(Opens, "listen", refuse)
        line = Line()
        with pytest.raises(CannotListenOnTTY, match="no watches left"):
            await self.listen(line)
        assert not line.connected
        assert list(self.folder.iterdir()) == []

    async def test_noProtocol(self) -> None:
        """Where nobody wants to serve the terminal, none stays."""
        await self.failsWith("nobody serves it")
        assert not os.path.lexists(self.path)

    async def test_protocolFails(self) -> None:
        """A protocol that fails as it is connected leaves nothing behind."""
        line = Line()
        line.connectionMade = lambda: [][1]  # type: ignore[method-assign]
        with pytest.raises(IndexError):
            await self.listen(line)
        assert not os.path.lexists(self.path)
        line.transport.write(b"nothing")
        assert pending(line) == 0

    async def test_takenOver(self) -> None:
        """A link that another server has made its own stays when the first one stops."""
        first = await self.listen(Line())
        await self.listen(Line())
        target = os.readlink(self.path)
        await cast("Deferred[None]", first.stopListening())
        assert os.readlink(self.path) == target

    async def test_removedByOther(self) -> None:
        """A link that somebody has removed is no error."""
        line = Line()
        port = await self.listen(line)
        self.path.unlink()
        await cast("Deferred[None]", port.stopListening())
        assert len(line.losses) == 1


class Clients(PtyTestCase):
    """C{pty:PATH} as a client."""

    async def test_client(self) -> None:
        """A client opens the terminal of a server by the same string, alone, and hears when it goes."""
        server = Line(bytes.upper)
        port = await self.listen(server)
        client = Line()
        endpoint = clientFromString(self.reactor, f"pty:{self.path}")
        await endpoint.connect(Factory.forProtocol(lambda: client))
        client.transport.write(b"at\r")
        await client.whenReceived(b"AT\r")
        await cast("Deferred[None]", port.stopListening())
        await client.whenLost()
