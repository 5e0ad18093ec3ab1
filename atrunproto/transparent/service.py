"""
What the TCP and the UDP sockets of a Multi-Tech modem have in common: a service with one listener or session.

Source: Multi-Tech guide, ch. 5 and 6; MTS-TCP, MTS-UDP, MTS-GAP-25.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from twisted.internet.defer import Deferred

from atrunproto.at.calling import sourceTowards
from atrunproto.at.online import Online
from atrunproto.at.results import OK, Reason, refuse
from atrunproto.multitech.coding import ETX
from atrunproto.multitech.errors import CLOSED_BY_PEER, GPRS_LOST, Message, message
from atrunproto.multitech.parameters import Parameters
from atrunproto.multitech.stack import Claim, Link, Stack

from .module import Session

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance
    from atrunproto.multitech.coding import Coding
    from atrunproto.multitech.surroundings import MultitechSurroundings

#: seconds until a port that was busy when a peer came is asked again (A)
AGAIN = 0.1


class Listening(NamedTuple):
    """
    A port that waits for its peer.

    @ivar at: who is told of the peer.
    @ivar leave: leaves the port.
    @ivar unclaim: has an ETX of the host be what it is elsewhere.
    @ivar socket: its number, where sockets have one.
    """

    at: ATInstance
    leave: Callable[[], Deferred[None]]
    unclaim: Callable[[], None]
    socket: int | None = None


class Service:
    """
    Claims the stack while it runs, and ends with the link.

    @cvar name: of the service.
    @ivar lost: why the link was lost since the service began.
    """

    name: ClassVar[str]

    def __init__(self, module: MultitechSurroundings) -> None:
        self.module = module
        self.parameters = Parameters(module.settings)
        self.listeners: list[Listening] = []
        self.lost: Reason | None = None
        self._stack = module.part(Stack)
        self._claim: Claim | None = None
        self._forget: Callable[[], None] = lambda: None
        self._session: Session | None = None
        # who goes online with the session as soon as it may
        self._waiting: ATInstance | None = None
        self._stack.whenClosed(self.powerOff)

    def powerOff(self) -> None:
        """
        All ends.
        """
        self._linkLost(None)

    # -- how it begins and ends

    def begin(self) -> Link:
        """
        Claim the stack.

        @raise CommandFailed: there is no link (35867), or another service runs (37122).
        """
        link = self._stack.needLink()
        self._claim = self._stack.claim(self.name)
        self.lost = None
        self._forget = link.watch(self._linkLost)
        return link

    def end(self) -> None:
        """
        Let another service begin.
        """
        self._session = self._waiting = None
        self._forget()
        claim, self._claim = self._claim, None
        if claim is not None:
            claim.release()

    def cancel(self) -> bool:
        """
        Give up an attempt to connect, if there is one; it is refused then.
        """
        return False

    def _linkLost(self, reason: Reason | None) -> None:
        self.lost = reason
        if self.cancel():
            return
        waiting = {self._waiting} if self._waiting is not None else {each.at for each in self.listeners}
        if self._session is not None:
            self._session.end(reason)
        elif self.listeners:
            self.leavePorts()
            self.end()
        if reason is not None:
            for at in waiting:
                at.notify(reason)

    def address(self, link: Link) -> str:
        """
        The module's own address.

        @raise CommandFailed: the link was lost meanwhile.
        """
        if link.address is None:
            raise refuse(self.lost or self.module.generation.told(GPRS_LOST))
        return link.address

    def near(self, link: Link, host: str) -> str:
        """
        The address of a socket that speaks to a host; empty: the system's choice.

        @raise CommandFailed: as of L{address}.
        """
        return sourceTowards(host, self.address(link))

    # -- its session

    def newSession(self, link: Link, coding: Coding, delay: int) -> Session:
        """
        @param delay: milliseconds that a frame waits which isn't full.
        """
        module = self.module
        closed = message(module, Message.SOCKET_CLOSED)
        byPeer = (CLOSED_BY_PEER,) if module.limit("close of a peer is an error") else (closed, OK)
        return Session(module.clock, coding, delay / 1000, closed, byPeer, self.end, link.touch)

    def online(self, session: Session) -> Online:
        """
        Have the port go online with a session.
        """
        self._session, self._waiting = session, None
        module = self.module
        return Online(
            session.channel,
            message(module, Message.WAITING_FOR_DATA),
            lost=message(module, Message.SOCKET_CLOSED),
            escapes=False,
        )

    # -- a peer that calls

    def wait(self, at: ATInstance, leave: Callable[[], Deferred[None]], stop: bytes, socket: int | None = None) -> None:
        """
        A port waits for its peer; until that has called, an ETX at the command line of the instance is the command
        that stops it, whatever #DLEMODE is (MTS-TCP-10, MTS-GAP-26). UDP does as TCP (A).

        @param stop: this command.
        """
        self.listeners.append(Listening(at, leave, at.claim(ETX[0], stop), socket))

    def waited(self, listening: Listening) -> Listening:
        """
        Wait no longer; its port is as it was.
        """
        self.listeners.remove(listening)
        listening.unclaim()
        return listening

    def leavePorts(self) -> None:
        """
        Listen no more.
        """
        for listening in tuple(self.listeners):
            self.waited(listening).leave()

    async def stop(self, socket: int | None = None) -> None:
        """
        Stop listening. Where nothing listens there is nothing to do (A).
        """
        for listening in tuple(self.listeners):
            if listening.socket == socket:
                stopped = self.waited(listening).leave()
                if not self.listeners:
                    self.end()
                await stopped

    def called(self, at: ATInstance, session: Session) -> None:
        """
        A peer has begun a session: go online with it.
        """
        self._session, self._waiting = session, at
        # the connection is there when this turn is over
        self.module.clock.callLater(0, self._answer, at, session)

    def _answer(self, at: ATInstance, session: Session) -> None:
        """
        Go online; a port that runs a command is asked again.
        """
        if self._session is session and not at.answer(lambda _: self.online(session)):
            self.module.clock.callLater(AGAIN, self._answer, at, session)
