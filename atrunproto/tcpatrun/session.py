"""
One connection of TCPATRUN: the login, where there is one, then the AT instance, and the rules for its command lines.

Source: Running AT Commands Remotely Rev. 9, 3.2.2, 3.4 and 3.8 (S); TEL-AUT, TEL-SEQ, TEL-DLY.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall, IProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.bearer import Bearer, BearerKind, Jam
from atrunproto.at.module import ATInstance

from .login import LOGIN_TIMEOUT, LoginReader, Verdict

if TYPE_CHECKING:
    from .module import TCPATRUNService


class ServiceBearer(Bearer):
    """
    The rules for command lines that come over the service.
    """

    __slots__ = ("_service", "kind")

    escapeInOneChunk = True

    def __init__(self, service: TCPATRUNService, kind: BearerKind) -> None:
        self._service = service
        self.kind = kind

    def delay(self) -> float:
        """
        #ATRUNDELAY for TCP (TEL-DLY-03).
        """
        return self._service.delay

    def limit(self) -> float | None:
        """
        The timeout of #TCPATRUNCFG, in minutes there (TEL-CFG-13, TEL-GAP-03).
        """
        return float(self._service.config.timeout * 60)

    def expired(self) -> None:
        """
        The module reboots (TEL-EXT-04).
        """
        self._service.commandTimedOut()

    def queues(self) -> bool:
        """
        #TCPATCMDSEQ (TEL-SEQ-04).
        """
        return self._service.queues

    def jammed(self, jam: Jam) -> None:
        """
        No more commands are heard (TEL-NOT-07).
        """
        self._service.jam()


@implementer(IProtocol)
class Session:
    """
    One connection of the service: the login, where there is one, and then the AT instance.
    """

    __slots__ = ("_call", "_instance", "_login", "_service", "_take", "transport")

    def __init__(self, service: TCPATRUNService, login: LoginReader | None) -> None:
        self._service = service
        self._login = login
        self.transport: Any = None
        self._instance: ATInstance | None = None
        self._call: IDelayedCall | None = None
        self._take: Callable[[bytes], None] = self._takeLogin

    @property
    def peer(self) -> str:
        """
        Who is on the other end, as notices tell it.
        """
        address = self.transport.getPeer()
        return str(getattr(address, "host", address))

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        self._service.sessionBegan(self)
        if self._login is None:
            self._begin()
            return
        self._call = self._service.surroundings.clock.callLater(LOGIN_TIMEOUT, self._tooLate)
        # the prompts are the service's own words: the transmission timeout does not hold them back (A)
        self.transport.writeNow(self._login.greeting())

    def dataReceived(self, data: bytes) -> None:
        self._take(data)

    def _takeLogin(self, data: bytes) -> None:
        login = self._login
        assert login is not None
        self.transport.writeNow(login.feed(data))
        if login.verdict is Verdict.WAITING:
            return
        self._cancel()
        if login.verdict is Verdict.REFUSED:
            self._service.loginRefused(self)
            self._take = self._discard
            self.transport.loseConnection()
            return
        rest = login.rest
        self._begin()
        if rest:
            self._take(rest)

    def _begin(self) -> None:
        """
        Log in: from here on everything is the instance's.
        """
        self._login = None
        self._instance = self._service.attach(self.transport)
        self._take = self._instance.dataReceived

    @staticmethod
    def _discard(data: bytes) -> None:
        """
        What comes after a refused login, or on a jammed service.
        """

    def jam(self) -> None:
        """
        No more commands are heard (TEL-NOT-07).
        """
        self._take = self._discard

    def leave(self) -> None:
        """
        Let go of the instance: what still comes on the connection is for nobody.
        """
        self._cancel()
        self._take = self._discard
        instance, self._instance = self._instance, None
        if instance is not None and instance.transport is self.transport:
            instance.detach()

    def _tooLate(self) -> None:
        self._call = None
        self._take = self._discard
        self.transport.loseConnection()

    def _cancel(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._cancel()
        instance, self._instance = self._instance, None
        if instance is not None and instance.transport is self.transport:
            instance.connectionLost(reason)
        self._service.sessionEnded(self)
