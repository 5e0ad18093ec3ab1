"""
Keeping a line to a module: it is made again whenever it is lost, or can't be had.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.application.internet import backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from .peer import ATClient

#: seconds until the first new try, and between two when nothing has helped for long
FIRST_RETRY, LONGEST_RETRY = 1.0, 300.0
#: seconds that a line gets to close in an orderly way
CLOSE_SECONDS = 2.0


class LineKeeper(Service):
    """
    Connects, tells of each line that is ready, and connects again after a pause, which grows while that fails.

    Twisted's C{ClientService} doesn't serve here: it fails itself when a connection is lost that could not be made
    ready.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        connect: Callable[[], Awaitable[ATClient]],
        onReady: Callable[[ATClient], object],
        onLost: Callable[[], object] = lambda: None,
        retryPolicy: Callable[[int], float] | None = None,
        name: str = "a module",
    ) -> None:
        """
        @param connect: makes a line ready, or closes it; it may fail with anything, and be cancelled.
        @param onReady: called with each line.
        @param onLost: called when it is lost.
        @param retryPolicy: seconds to wait by the number of failures in a row; a growing pause by default.
        @param name: what the log calls the other end.
        """
        self._clock = clock
        self._connect = connect
        self._onReady = onReady
        self._onLost = onLost
        self._pause = retryPolicy or backoffPolicy(initialDelay=FIRST_RETRY, maxDelay=LONGEST_RETRY)
        self._what = name
        self._failures = 0
        self._keeping: Deferred[None] | None = None

    def startService(self) -> None:
        """
        Begin to connect.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._keeping = Deferred.fromCoroutine(self._keep())
        self._keeping.addErrback(self._ended)

    def stopService(self) -> Deferred[None]:
        """
        Close the line, or give up to connect; fires when that is done.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        keeping, self._keeping = self._keeping, None
        if keeping is None:
            return succeed(None)
        ended: Deferred[None] = Deferred()
        keeping.addCallback(ended.callback)
        keeping.cancel()
        return ended

    def _ended(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("keeping the line to {name}", failure, name=self._what)

    async def _keep(self) -> None:
        while self.running:
            try:
                why = await self._use(await self._connect())
            except Exception as error:
                # an endpoint may fail with anything
                why = error
            if not self.running:
                return
            self._failures += 1
            pause = self._pause(self._failures)
            self._log.warn(
                "no line to {name}, next try in {seconds:.0f} s: {why}", name=self._what, seconds=pause, why=str(why)
            )
            await deferLater(self._clock, pause)

    async def _use(self, client: ATClient) -> BaseException:
        lost = client.whenLost()
        self._failures = 0
        try:
            with self._log.failuresHandled("using the line to {name}", name=self._what):
                self._onReady(client)
            return await lost
        except CancelledError:
            return await self._close(client)
        finally:
            self._onLost()

    async def _close(self, client: ATClient) -> BaseException:
        client.close()
        late = self._clock.callLater(CLOSE_SECONDS, client.abort)
        try:
            return await client.whenLost()
        finally:
            if late.active():
                late.cancel()
