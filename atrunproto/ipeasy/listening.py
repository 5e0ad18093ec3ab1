"""
A listening TCP port that filters its callers, silently where the system allows.

Where the process may attach a classic BPF filter to the socket (Linux), a caller that no rule admits gets no answer at
all. Elsewhere its connection is taken, never answered, and closed after a while.
"""

from __future__ import annotations

import ctypes
import socket
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IDelayedCall, IProtocol, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from atrunproto.admission import Rule, admits

from .filtering import program
from .segments import limitSegments

_SO_ATTACH_FILTER = 26

#: seconds after which a connection that should have been dropped is closed, where it can't be dropped
UNANSWERED = 60.0
#: such connections at a time on one port; further ones are closed at once
UNANSWERED_AT_ONCE = 16

#: admits nobody: for an address that is off the air
NOBODY: Sequence[Rule] = ()


class _SockFprog(ctypes.Structure):
    """
    C{struct sock_fprog} of linux/filter.h.
    """

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def attachFilter(sock: Any, rules: Sequence[Rule]) -> bool:
    """
    Let the kernel drop what the rules don't admit.

    @return: whether the system did it.
    """
    code = program(rules)
    buffer = ctypes.create_string_buffer(code, len(code))
    fprog = _SockFprog(len(code) // 8, ctypes.addressof(buffer))
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, bytes(fprog))
    except (OSError, AttributeError):
        return False
    return True


class _Unanswered(Protocol):
    """
    A connection that gets no answer.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._call: IDelayedCall | None = None

    def connectionMade(self) -> None:
        self.transport.pauseProducing()  # type: ignore[union-attr]
        self._call = self._listener.clock.callLater(UNANSWERED, self._close)

    def _close(self) -> None:
        self._call = None
        self.transport.abortConnection()  # type: ignore[union-attr]

    def abort(self) -> None:
        """
        Close it now.
        """
        self.transport.abortConnection()  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._listener.unanswered.discard(self)
        if self._call is not None:
            self._call.cancel()
            self._call = None


class Listener(Factory):
    """
    A port in listen.

    @ivar accept: makes the protocol of an admitted caller; C{None} from it refuses the caller.
    @ivar isSilent: whether the system drops what isn't admitted.
    """

    noisy = False

    def __init__(
        self, clock: IReactorTime, rules: Sequence[Rule], accept: Callable[[IAddress], IProtocol | None]
    ) -> None:
        self.clock = clock
        self.accept = accept
        self.unanswered: set[_Unanswered] = set()
        self.isSilent = False
        self._rules = rules
        self._port: Any = None

    def listen(self, reactor: Any, address: str, port: int, segment: int = 0) -> None:
        """
        @param segment: octets of the largest segment that callers may send; 0: the system's own.
        @raise CannotListenError: the port is taken.
        """
        self._port = reactor.listenTCP(port, self, interface=address)
        sock = getattr(self._port, "socket", None)
        if segment and sock is not None:
            limitSegments(sock, segment)
        self.admit(self._rules)

    def admit(self, rules: Sequence[Rule]) -> None:
        """
        Change the rules; connections that are up stay.
        """
        self._rules = rules
        self.isSilent = self._port is not None and attachFilter(getattr(self._port, "socket", None), rules)

    def buildProtocol(self, addr: Any) -> Any:
        """
        @return: the protocol of an admitted caller; C{None} closes the connection at once.
        """
        if not admits(self._rules, addr.host):
            if len(self.unanswered) >= UNANSWERED_AT_ONCE:
                return None
            silent = _Unanswered(self)
            self.unanswered.add(silent)
            return silent
        return self.accept(addr)

    def fallSilent(self) -> None:
        """
        The address is off the air: nobody gets an answer any more.
        """
        self.accept = lambda addr: None
        self.admit(NOBODY)

    def stop(self) -> Deferred[None]:
        """
        Leave the port free.
        """
        for silent in tuple(self.unanswered):
            silent.abort()
        port, self._port = self._port, None
        if port is None:
            return succeed(None)
        stopped: Deferred[None] = port.stopListening() or succeed(None)
        return stopped
