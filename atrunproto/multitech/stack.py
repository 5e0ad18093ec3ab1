"""
The IP stack of a Multi-Tech modem: whether it is open, who uses it, and what it says of itself.

A service claims the stack while it runs, so that no other one begins and no parameter changes::

    link = stack.needLink()
    claim = stack.claim("FTP")
    forget = link.watch(self.linkLost)
    try:
        address = await link.resolve(parameters.needed("FTPSERV"))
        endpoint = TCP4ClientEndpoint(module.reactor, address, port, bindAddress=(link.address, 0))
        ...
        link.touch()
    finally:
        forget()
        claim.release()

What makes the connection puts itself into L{Stack.link}.
Source: reference guide S000333C, chapters 1 and 8; MTS-OPEN, MTS-MISC, MTS-GAP-01, -18, -58, -59.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from atrunproto.at.errors import CommandFailed
from atrunproto.at.results import PLAIN_ERROR, Reason, refuse

from .errors import ANOTHER_RUNS, NO_LINK, SERVICE_RUNS
from .generations import Generation
from .parameters import ROWS

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

    from .surroundings import MultitechSurroundings

#: under what name the memory knows that the parameters are erased at the next start
_ERASED = "multitech erased"


class State(Enum):
    """
    What AT#VSTATE tells.
    """

    IDLE = "IDLE"
    DIALING = "DIALING"
    AUTHENTICATING = "AUTHENTICATING"
    CONNECTED = "CONNECTED"
    NO_SERVICE = "NO SERVICE"
    DISCONNECTING = "DISCONNECTING"
    CHECKING = "CHECKING"


class Link(Protocol):
    """
    What makes and keeps the connection to the Internet.

    A service watches it while it runs, tells it of its traffic, and has its sockets at L{address}.
    """

    @property
    def state(self) -> State:
        """
        How far it is; L{State.IDLE} without a connection, never L{State.NO_SERVICE}.
        """

    @property
    def address(self) -> str | None:
        """
        The address of the modem while it is connected, in dotted form.

        Sockets bind to it: C{bindAddress=(address, 0)} of clients, C{interface=address} of ports that listen.
        """

    async def resolve(self, name: str) -> str:
        """
        The address of a host, in dotted form; one that is an address already needs no server (MTS-DNS-09).

        @raise CommandFailed: no server answers, or it doesn't know the name (38027); the connection was lost meanwhile
            (35867).
        """

    def watch(self, lost: Callable[[Reason | None], None]) -> Callable[[], None]:
        """
        Hear once of the end of this connection.

        Whoever watches tells the host, in the form that fits what it does; only with nobody watching does the
        connection itself report its loss.

        @param lost: called when the address is already gone, with what went wrong: lost by the network (35841), or idle
            for too long (35862); C{None}: the host itself has ended it, so there is nothing to tell.
        @return: call it to hear nothing more; once is enough, more does no harm.
        """

    def touch(self) -> None:
        """
        Octets went in either direction: the time of inactivity begins anew. Cheap enough for every one of them.
        """

    def drop(self) -> None:
        """
        End the connection at once, if there is one.
        """


class Claim:
    """
    A service that runs: it has the stack for itself.
    """

    __slots__ = ("_stack", "service")

    def __init__(self, stack: Stack, service: str) -> None:
        self._stack = stack
        self.service = service

    def release(self) -> None:
        """
        The service is over. Once is enough, more does no harm.
        """
        self._stack.released(self)


class Stack:
    """
    The stack of one module.

    @ivar link: what makes the connection; C{None} until it was first asked for.
    """

    __slots__ = ("_claim", "_closing", "_module", "link")

    def __init__(self, module: MultitechSurroundings) -> None:
        self._module = module
        self._claim: Claim | None = None
        self._closing: list[Callable[[], None]] = []
        self.link: Link | None = None

    @property
    def generation(self) -> Generation:
        """
        Which stack it is.
        """
        return self._module.generation

    # -- open and closed

    @property
    def isOpen(self) -> bool:
        """
        Whether AT+WOPEN has opened it; it stays so over a restart.
        """
        return bool(self._module.settings.value("+WOPEN"))

    def whenClosed(self, close: Callable[[], None]) -> None:
        """
        Call this each time the stack is closed, ahead of the end of the connection: a service ends then.
        """
        self._closing.append(close)

    def closed(self) -> None:
        """
        The stack was closed: what runs on it ends.
        """
        for close in tuple(self._closing):
            close()
        if self.link is not None:
            self.link.drop()

    # -- services

    @property
    def service(self) -> str | None:
        """
        The service that runs, by its name.
        """
        return None if self._claim is None else self._claim.service

    def claim(self, service: str) -> Claim:
        """
        Begin a service.

        @param service: its name.
        @raise CommandFailed: another one runs (37122).
        """
        if self._claim is not None:
            raise refuse(ANOTHER_RUNS)
        self._claim = Claim(self, service)
        return self._claim

    def released(self, claim: Claim) -> None:
        """
        A service is over.
        """
        if self._claim is claim:
            self._claim = None

    def needIdle(self) -> None:
        """
        See whether parameters may be written.

        @raise CommandFailed: a service runs (37123).
        """
        if self._claim is not None:
            raise refuse(self.generation.told(SERVICE_RUNS))

    # -- the connection

    def needLink(self) -> Link:
        """
        The connection, for a service that begins.

        @raise CommandFailed: there is none (35867).
        """
        if self.link is None or self.link.address is None:
            raise refuse(NO_LINK)
        return self.link

    @property
    def state(self) -> State:
        """
        What AT#VSTATE tells.
        """
        state = State.IDLE if self.link is None else self.link.state
        return State.NO_SERVICE if state is State.IDLE and not self._module.isRegistered else state

    # -- the memory of the parameters

    def erase(self) -> None:
        """
        Have the parameters at their factory values after the next start; until then they stay.
        """
        self._module.memory.put(_ERASED, True)

    def powerOn(self) -> None:
        """
        Erase the parameters, if that was asked for; what was written meanwhile goes with them (MTS-GAP-59).
        """
        if self._module.memory.get(_ERASED):
            try:
                self._erase()
            except CommandFailed:
                # the memory can't be written, and has said so: once more at the next start
                return

    def _erase(self) -> None:
        settings = self._module.settings
        for command in (row.command for row in ROWS):
            for key in settings.keys(command) if settings.has(command) else ():
                settings.remove(command, key)
        self._module.memory.put(_ERASED, None)

    def powerOff(self) -> None:
        """
        No service runs any more, and there is no connection.
        """
        if self.link is not None:
            self.link.drop()
        self._claim = None


def closed(at: ATInstance) -> Reason | None:
    """
    Refused while the stack is closed.
    """
    return None if at.part(Stack).isOpen else PLAIN_ERROR
