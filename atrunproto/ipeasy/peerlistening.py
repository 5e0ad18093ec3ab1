"""
A listening port of a module, as its peer has it: C{#SL}, a caller's C{SRING}, C{#SA}, and C{#SL} again.

Source: IP Easy User Guide 3.2.2.2 and 3.2.2.3 (S); reference 6.3; TEL-LIS.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.logger import Logger
from zope.interface import implementer

from atrunproto.at.errors import ATError, CommandFailed

if TYPE_CHECKING:
    from atrunproto.at.peer import ATClient

#: takes a caller; done when the connection with it has ended and the socket is free again
Accept = Callable[[IAddress, IAddress], Awaitable[None]]


def addressesOf(line: str) -> tuple[int, int, IPv4Address | None, IPv4Address | None]:
    """
    What a line of C{#SS} shows: socket, state, its own end and the other one.

    @raise ValueError: it is no such line.
    """
    fields = [field.strip(' "') for field in line.partition(":")[2].split(",")]
    ends = [IPv4Address("TCP", fields[at], int(fields[at + 1])) for at in (2, 4) if len(fields) > at + 1]
    own, other = [*ends, None, None][:2]
    return int(fields[0]), int(fields[1]), own, other


async def statusOf(client: ATClient, connId: int) -> tuple[int, IPv4Address | None, IPv4Address | None]:
    """
    The state of a socket, and its ends.
    """
    answer = await client.execute(f"AT#SS={connId}")
    _, state, own, other = addressesOf(answer.lines[0])
    return state, own, other


@implementer(IListeningPort)
class ListeningSocket:
    """
    Listens at one socket, which takes one caller at a time.
    """

    _log = Logger()

    def __init__(self, client: ATClient, connId: int, port: int, accept: Accept) -> None:
        self._client = client
        self._connId = connId
        self._port = port
        self._accept = accept
        self._host: IAddress = IPv4Address("TCP", "0.0.0.0", port)
        self._isListening = False
        self._isBusy = False
        self._forget = client.onNotice("SRING", self._rang)

    async def start(self) -> None:
        """
        Listen.

        @raise CommandFailed: the module refuses.
        """
        self._isListening = True
        try:
            await self._listen()
        except BaseException:
            self._isListening = False
            self._forget()
            raise

    async def _listen(self) -> None:
        await self._client.execute(f"AT#SL={self._connId},1,{self._port},0")
        _, own, _ = await statusOf(self._client, self._connId)
        if own is not None:
            self._host = own

    def _rang(self, line: str) -> None:
        number = line.partition(":")[2].strip()
        if number == str(self._connId) and self._isListening and not self._isBusy:
            self._isBusy = True
            served = Deferred.fromCoroutine(self._serve())
            served.addErrback(lambda failure: self._log.failure("{connId} listens no more", failure, connId=number))

    async def _serve(self) -> None:
        """
        Take the caller, and listen again after.
        """
        try:
            state, own, other = await statusOf(self._client, self._connId)
            if state == INCOMING:
                await self._take(own or self._host, other or IPv4Address("TCP", "", 0))
            if self._isListening:
                await self._client.execute(f"AT#SH={self._connId}")
                await self._listen()
        except ATError as error:
            self._log.warn("socket {connId} listens no more: {error}", connId=self._connId, error=error)
            self._isListening = False
        finally:
            self._isBusy = False

    async def _take(self, host: IAddress, peer: IAddress) -> None:
        try:
            await self._accept(host, peer)
        except CommandFailed as error:
            # he has gone meanwhile
            self._log.info("the caller of socket {connId} isn't taken: {error}", connId=self._connId, error=error)

    # -- IListeningPort

    def startListening(self) -> None:
        """
        It listens already when it is given out.
        """

    def stopListening(self) -> Deferred[None]:
        """
        Listen no more; a connection that was taken lives on.
        """
        if not self._isListening:
            return Deferred.fromCoroutine(_nothing())
        self._isListening = False
        self._forget()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if not self._isBusy:
            await self._client.execute(f"AT#SL={self._connId},0,{self._port}")

    def getHost(self) -> IAddress:
        return self._host


#: state of C{#SS}: a caller waits
INCOMING = 5


async def _nothing() -> None:
    """
    Do nothing.
    """
