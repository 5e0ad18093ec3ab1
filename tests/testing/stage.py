"""A stage for the player with a module that does what a table says, on real sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from twisted.internet.defer import gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IAddress, ITCPTransport
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver

from atrunproto.testing.dialogue import Dialogue, Event
from atrunproto.testing.quietclock import QuietClock
from atrunproto.testing.replaying.ftpscript import Script
from atrunproto.testing.replaying.mailservers import MailServers
from atrunproto.testing.replaying.peers import Peers
from atrunproto.testing.replaying.ports import Port, Wire, closed

Answers = dict[str, list[tuple[float, str]]]
"""What follows which line: octets after so many seconds of module time; C{HANGUP} and the like are events."""

HANGUP = "<hang up>"
DIAL = "<dial>"
REBOOT = "<reboot>"
LOOP = "<loop>"


class TableModule(LineOnlyReceiver):
    """A line, and what the table has for it."""

    delimiter = b"\r"
    transport: ITCPTransport

    def __init__(self, stage: TableStage) -> None:
        self.stage = stage

    def lineReceived(self, line: bytes) -> None:
        """Answer at the times that the table says."""
        text = line.decode().strip()
        if self.stage.echo:
            self._say(text + "\r")
        for seconds, answer in self.stage.answers.get(text, [(0.0, "\r\nERROR\r\n")]):
            if seconds:
                self.stage.quiet.clock.callLater(seconds, self._say, answer)
            else:
                self._say(answer)

    def _say(self, answer: str) -> None:
        if answer == HANGUP:
            self.transport.loseConnection()
        elif answer == DIAL:
            self.stage.dial()
        elif answer == REBOOT:
            self.stage.boots += 1
        elif answer == LOOP:
            self.stage.quiet.clock.callLater(0, self._say, LOOP)
        else:
            self.transport.write(answer.encode())


class TableStage:
    """
    The stage of one dialogue.

    @ivar answers: the table.
    """

    answers: ClassVar[Answers] = {}
    strangers = ""

    def __init__(self, reactor: Any, dialogue: Dialogue, echo: bool) -> None:
        self.quiet = QuietClock(reactor)
        self.mail = MailServers(reactor)
        self.echo = echo
        self.boots = 0
        self.deactivated: list[int] = []
        self._reactor = reactor
        self._dialogue = dialogue
        self._peers = Peers(reactor, self.quiet, dialogue, Path("ftp"))
        self._at = Port("at1", self.quiet)
        self._listening: list[Any] = []
        self._links: list[TableModule] = []

    async def start(self) -> None:
        """Listen as AT port and as service."""
        self._peers.start()
        factory = _TableFactory(self)
        self._listening = [self._reactor.listenTCP(0, factory, interface="127.0.0.1") for _ in range(2)]
        endpoint = TCP4ClientEndpoint(self._reactor, "127.0.0.1", self._listening[0].getHost().port)
        await endpoint.connect(Factory.forProtocol(lambda: Wire(self._at)))

    async def stop(self) -> None:
        """Close everything."""
        self._at.stop()
        for link in self._links:
            link.transport.abortConnection()
        await gatherResults([*self._peers.stop(), *map(closed, self._listening)])
        await self.quiet.settle()

    def built(self, protocol: TableModule) -> None:
        """A link of the module."""
        self._links.append(protocol)

    def dial(self) -> None:
        """The module connects to the first peer of the header."""
        fact = next(fact for fact in self._dialogue.facts if fact.word in ("address tcp", "peer"))
        host = fact.values.get("address") or self._peers.address(fact.values["host"])
        self._reactor.connectTCP(host, int(fact.values["number"]), _DialFactory(self))

    def port(self, name: str) -> Port:
        """An end of the dialogue."""
        return self._at if name == "at1" else self._peers.port(name)

    def connect(self, peer: Port, event: Event) -> None:
        """To the service, unless the dialogue names a port number."""
        self._peers.connect(peer, event, "127.0.0.1", self._listening[1].getHost().port)

    def listen(self, peer: Port) -> None:
        """Let a peer wait."""
        self._peers.listen(peer)

    def unlisten(self, peer: Port) -> None:
        """Let a peer wait no more."""
        self._peers.unlisten(peer)

    def takesStrangers(self) -> str:
        """The reason that a test gives."""
        return self.strangers

    async def reboot(self, limit: float) -> bool:
        """Wait for the restart that the table brings."""
        return await self.quiet.advance(limit, lambda: self.boots > 0)

    async def powerCycle(self) -> None:
        """Nothing is kept, so nothing is lost."""
        self.boots += 1

    def deactivate(self, cid: int) -> None:
        """Take note."""
        self.deactivated.append(cid)

    @property
    def ftp(self) -> Script:
        """What happens with the FTP server."""
        return self._peers.ftp

    def stored(self, path: str) -> bytes | None:
        """A file on the FTP server, if it is there."""
        return self._peers.stored(path)


class _TableFactory(Factory):
    def __init__(self, stage: TableStage) -> None:
        self.stage = stage

    def buildProtocol(self, addr: IAddress | None) -> TableModule:
        made = TableModule(self.stage)
        self.stage.built(made)
        return made


class _DialFactory(_TableFactory):
    noisy = False

    def startedConnecting(self, connector: object) -> None:
        """Nothing to do."""

    def clientConnectionFailed(self, connector: object, reason: object) -> None:
        """Nobody is there."""

    def clientConnectionLost(self, connector: object, reason: object) -> None:
        """It is over."""
