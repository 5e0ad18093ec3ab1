"""
A connection that AT commands have opened: online on an instance, suspended, or called from outside.

It sits on the link of one of the six sockets. What it receives while nobody is online with it waits here up to
L{WINDOW<atrunproto.ipeasy.buffer.WINDOW>}; then the link is paused, so that TCP holds the sender back and nothing is
lost (TEL-GAP-22, TEL-CMD-12), while what comes by UDP is dropped.
Source: IP Easy User Guide 3.2 and 4 (S); reference 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.online import Escaped, Online, Unplugged
from atrunproto.at.results import CME, NO_CARRIER, OK, ResultCode, refuse

from .bridge import Bridge, ToPeer
from .buffer import Place, Portion, ReceiveBuffer
from .datagram import DatagramLink
from .lifecycle import SHOWN, Input, State, follow

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

    from .link import Link
    from .sockets import Socket

#: <closureType>: stay online until the escape sequence, though the peer has closed
KEEP_ONLINE = 255

#: causes of #SLASTCLOSURE (A)
LOCAL, BY_PEER, ABORTED, INACTIVITY, NETWORK = range(5)


@implementer(IProtocol)
class Conversation:
    """
    What goes on at one socket for the commands of IP Easy; its states are those of L{atrunproto.ipeasy.lifecycle}.

    @ivar state: where it stands.
    @ivar owner: the instance that hears its notices: the one that last opened, resumed, accepted or listened.
    @ivar extracted: octets read since it was opened (TEL-CMD-23).
    @ivar cause: why it ended the last time.
    @ivar link: its connection, if there is one.
    @ivar isFull: whether the peer takes no more data for now.
    @ivar isOld: whether the old interface has it: it is online or not there at all (TEL-OLD-02).
    """

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.state = State.CLOSED
        self.owner = 0
        self.extracted = 0
        self.cause = LOCAL
        self.isOld = False
        self._closureType = 0
        self._listening = "#SL"
        self._buffer = ReceiveBuffer()
        self.link: Link | None = None
        self._bridge: Bridge | None = None
        self._announced = False
        self._known: int | None = None
        self.isFull = False
        self._room: Deferred[None] | None = None

    def _follow(self, happened: Input) -> None:
        self.state = follow(self.state, happened)
        # where nothing is to be seen of it, the socket speaks for itself: a service may have it next
        self.socket.shown = SHOWN[self.state] or None

    @property
    def connId(self) -> int:
        """
        The number of its socket.
        """
        return self.socket.connId

    @property
    def pending(self) -> int:
        """
        Octets that wait to be read.
        """
        return len(self._buffer)

    @property
    def closureType(self) -> int:
        """
        <closureType> as it was given.
        """
        return self._closureType

    @property
    def isAtWork(self) -> bool:
        """
        Whether the socket is its own just now.
        """
        return self.state not in (State.CLOSED, State.DRAINING)

    @property
    def isConnected(self) -> bool:
        """
        Whether data can be sent.
        """
        return self.link is not None and self.state in (State.ONLINE, State.SUSPENDED, State.PENDING)

    @property
    def speaksUDP(self) -> bool:
        """
        Whether it can send datagrams to any place.
        """
        return isinstance(self.link, DatagramLink)

    # -- beginning

    def dialling(self, at: ATInstance, closureType: int, isOld: bool = False) -> None:
        """
        #SD has begun.
        """
        self._begin(Input.DIAL, at.number)
        self._closureType, self.isOld = closureType, isOld

    def _begin(self, happened: Input, owner: int) -> None:
        self._follow(happened)
        self._buffer.clear()
        self._announced = self.isFull = False
        self._known = None
        self.extracted = 0
        self.owner = owner

    def resolved(self) -> None:
        """
        The address of the host that #SD names is known.
        """
        if self.state is State.RESOLVING:
            self._follow(Input.RESOLVED)

    def failed(self) -> None:
        """
        #SD has come to nothing.
        """
        if self.state in (State.RESOLVING, State.CONNECTING):
            self._follow(Input.FAILED)

    def listening(self, at: ATInstance, by: str, closureType: int = 0) -> None:
        """
        Listening has begun.

        @param by: the command: #SL, #SLUDP or #SKTL.
        """
        self._begin(Input.LISTEN, at.number)
        self._closureType, self.isOld, self._listening = closureType, by == "#SKTL", by

    def heard(self) -> Conversation | None:
        """
        The first datagram of a peer is there.

        @return: what talks with it; C{None}: nobody does.
        """
        return self if self.state is State.LISTENING else None

    def called(self) -> IProtocol | None:
        """
        Somebody calls a listening socket.

        @return: what takes the connection; C{None} refuses the caller, for one waits already.
        """
        return self.socket.carry(self) if self.state is State.LISTENING else None

    # -- the link

    def makeConnection(self, transport: Any) -> None:
        self.link = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """
        The link is there; a caller from outside waits for the user's decision.
        """
        assert self.link is not None
        self.link.code(self.socket.newCoding())
        self.link.registerProducer(ToPeer(self), True)
        if self.state is State.LISTENING and self.isOld:
            if not self.socket.answer(self.owner, self._takeCaller):
                # the instance has something else to do (A: the caller is sent away)
                link, self.link = self.link, None
                link.release()
        elif self.state is State.LISTENING and not (
            self.socket.answers and self.socket.answer(self.owner, lambda at: self.goOnline(at, Input.ACCEPT_ONLINE))
        ):
            self._follow(Input.CALL)
            self._tell(f"SRING: {self.connId}")

    def _takeCaller(self, at: ATInstance) -> Online:
        """
        #SKTL goes online with its caller unasked.
        """
        assert self.link is not None
        peer: Any = self.link.getPeer()
        at.notify(f"+CONN FROM: {peer.host}")
        return self.goOnline(at, Input.ACCEPT_ONLINE)

    def setFull(self, isFull: bool) -> None:
        """
        The peer takes no more data for now, or takes them again.
        """
        self.isFull = isFull
        if self._bridge is not None:
            self._bridge.setFull(isFull)
        room = self._room
        if room is not None and not isFull:
            self._room = None
            room.callback(None)

    @property
    def hearsOthers(self) -> bool:
        """
        Whether datagrams are for it that somebody else than its peer has sent: online a stream couldn't tell whose (A).
        """
        return self.state is not State.ONLINE

    def dataReceived(self, data: bytes, origin: Place | None = None) -> None:
        """
        @param origin: who has sent it, where it is a datagram.
        """
        if self.state is State.ONLINE and self._bridge is not None and self._bridge.isUp:
            self.extracted += len(data)
            self._bridge.write(data)
            return
        self._buffer.put(data, origin)
        if self._buffer.isFull and self.link is not None:
            self.link.pauseProducing()
        self._follow(Input.DATA)
        if self.state is State.PENDING:
            self._ring()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The connection is gone, by whomever.
        """
        self.link = None
        self.setFull(False)
        before = self.state
        known, self._known = self._known, None
        if before is State.INCOMING:
            self._buffer.clear()
            self._follow(Input.CLOSED)
            return
        if before not in (State.ONLINE, State.SUSPENDED, State.PENDING):
            return
        self.cause = known or (BY_PEER if reason.check(connectionDone.type) else ABORTED)
        self.socket.stopListening()
        bridge = self._bridge
        if before is State.ONLINE and self._closureType == KEEP_ONLINE and bridge is not None and bridge.isUp:
            bridge.outlive(self._noCarrier(self.cause))
            return
        self._follow(Input.CLOSED)
        if before is State.ONLINE:
            self._endSpell()
        else:
            self._tell(self._noCarrier(self.cause))

    def idleOver(self) -> None:
        """
        The inactivity timeout ends the connection.
        """
        self._known = INACTIVITY

    # -- online

    def goOnline(self, at: ATInstance, happened: Input, over: Callable[[], None] | None = None) -> Online:
        """
        Give an instance the line to this connection.

        @param over: called when it gives it back.
        """
        self._follow(happened)
        self.owner = at.number
        self._bridge = Bridge(self, over)
        if self.link is not None:
            self.link.forwardAt(at.value("#PADFWD") if at.value("#PADCMD") else None)
        rows, shut = at.commands.rows, self._noCarrier(LOCAL)
        guard = at.value("#E2ESC") if "#E2ESC" in rows else 0
        return Online(
            self._bridge,
            guard=float(guard) if guard else None,
            transmitEscape=not at.value("#SKIPESC"),
            survives=not self.isOld,
            escaped=shut if self.isOld else OK,
            lost=shut,
        )

    def inCommandMode(self, at: ATInstance, happened: Input) -> None:
        """
        The connection is there, and the port stays in command mode.
        """
        self._follow(happened)
        self.owner = at.number
        if self._buffer:
            self._follow(Input.DATA)
            self._ring()

    def unbridged(self, bridge: Bridge, reason: Failure) -> None:
        """
        The spell is over: by an escape, by the line, or by what happened to the connection.
        """
        if bridge is not self._bridge:
            return
        self._bridge = None
        link = self.link
        if link is not None:
            # the line may have held it back
            link.resumeProducing()
        if self.state is not State.ONLINE:
            return
        if link is None:
            self._follow(Input.CLOSED)
        elif not self.isOld and reason.check(Escaped, Unplugged):
            self._follow(Input.SUSPEND)
        else:
            self.shut()

    def _endSpell(self) -> None:
        if self._bridge is not None:
            self._bridge.end(self._noCarrier(self.cause))

    # -- command mode

    def read(self, count: int) -> bytes:
        """
        Take waiting octets.
        """
        data = self._buffer.take(count)
        self._taken(data)
        return data

    def readDatagram(self, count: int) -> Portion | None:
        """
        Take waiting octets of one datagram; C{None}: none waits.
        """
        portion = self._buffer.takeDatagram(count)
        if portion is not None:
            self._taken(portion.data)
        return portion

    def _taken(self, data: bytes) -> None:
        self.extracted += len(data)
        if not self._buffer:
            self._announced = False
            if data:
                self._follow(Input.DRAINED)
        if not self._buffer.isFull and self.link is not None:
            self.link.resumeProducing()

    async def send(self, data: bytes, place: Place | None = None) -> None:
        """
        Send from command mode, when there is room.

        @param place: where to, by a socket that L{speaksUDP}; C{None}: to its peer.
        @raise CommandFailed: there is no connection, or it ended meanwhile.
        """
        link = self.link
        while self.isFull and link is not None and link is self.link:
            if self._room is not None:
                raise refuse(CME[551])
            room = self._room = Deferred()
            try:
                await room
            finally:
                if self._room is room:
                    self._room = None
        if link is None or link is not self.link:
            raise refuse(CME[563])
        if place is None:
            link.send(data)
        elif isinstance(link, DatagramLink):
            link.sendTo(data, place)
        else:
            # another connection is here than before the data were typed
            raise refuse(CME[563])

    def _ring(self) -> None:
        """
        Announce waiting data in the form of #SCFGEXT (TEL-CMD-07, TEL-CMD-09, TEL-CMD-10).
        """
        if not self._announced:
            self._tell(self._announcement)

    def _announcement(self) -> Iterable[str]:
        """
        The lines of the announcement, made when they can be told (TEL-GAP-19).
        """
        if not self._buffer or self.state not in (State.PENDING, State.DRAINING):
            return
        mode = self.socket.extension.srMode
        if mode == 0:
            self._announced = True
            yield f"SRING: {self.connId}"
            return
        if mode == 1:
            yield f"SRING: {self.connId},{len(self._buffer)}"
            return
        while self._buffer:
            yield self._view(mode == 3)

    def _view(self, byDatagram: bool) -> str:
        """
        Waiting data in an announcement; those of a connection have no datagram, and are shown without (A).
        """
        size = self.socket.viewed
        portion = self.readDatagram(size) if byDatagram else None
        if portion is None:
            data = self.read(size)
            return f"SRING: {self.connId},{len(data)},{self.show(data)}"
        data, (host, port), left = portion
        return f'SRING: "{host}",{port},{self.connId},{len(data)},{left},{self.show(data)}'

    def show(self, data: bytes) -> str:
        """
        Received data as they are printed: as they are, or in hexadecimal.
        """
        return data.hex().upper() if self.socket.extension.recvDataMode else data.decode("latin-1")

    def _tell(self, notice: str | ResultCode | Callable[[], Iterable[str]]) -> bool:
        return self.socket.tell(self.owner, notice)

    def _noCarrier(self, cause: int) -> ResultCode:
        """
        The notice of a close, in the form of #SCFGEXT2.
        """
        mode = self.socket.extension.noCarrierMode
        if mode == 0:
            return NO_CARRIER
        text = f"{NO_CARRIER.text}:{self.connId}" + (f",{cause}" if mode == 2 else "")
        return ResultCode(NO_CARRIER.number, text)

    # -- end

    def shut(self) -> None:
        """
        #SH: end whatever there is, the listening included (TEL-SH-02, TEL-SH-03, TEL-LIS-07).
        """
        self._end(Input.SHUT, LOCAL)

    def stopListening(self) -> None:
        """
        #SL=...,0.
        """
        if self.state in (State.LISTENING, State.INCOMING, State.CLOSED, State.DRAINING):
            self._end(Input.STOP, LOCAL)

    def contextLost(self) -> None:
        """
        The context has ended, and everything with it (TEL-ACT-05).
        """
        before = self.state
        self._end(Input.LOST, NETWORK)
        if before in (State.LISTENING, State.INCOMING):
            self._tell(f"{self._listening}: ABORTED")
        elif before in (State.SUSPENDED, State.PENDING):
            self._tell(self._noCarrier(self.cause))

    def _end(self, happened: Input, cause: int) -> None:
        if self.isConnected:
            self.cause = cause
        wasOnline = self.state is State.ONLINE
        self._follow(happened)
        self._buffer.clear()
        link, self.link = self.link, None
        if link is not None:
            link.release()
        self.setFull(False)
        self.socket.hangUp()
        if wasOnline:
            self._endSpell()
