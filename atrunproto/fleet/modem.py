"""
The modem of the SMS gateway: a line to its AT port, which is made again when it is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from twisted.application.internet import backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from atrunproto.at.peer import ATClient
from atrunproto.sms.peer import SMSClient
from atrunproto.smsatrun.peer import SMSRunner

from .gateway import Gateway

#: seconds between a final result and the next command line, which modems on a serial line want (reference 1.3)
_PAUSE = 0.02
#: seconds until the first new try; the pause grows while the modem is away
FIRST_RETRY, LONGEST_RETRY = 1.0, 300.0


class _Lines(Factory):
    """
    Makes the client of each line.
    """

    noisy = False

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return ATClient(self._clock, pause=_PAUSE)


class Modem(Service):
    """
    Keeps a line to a modem, and tells the gateway when messages can be sent.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        endpoint: IStreamClientEndpoint,
        gateway: Gateway,
        retryPolicy: Callable[[int], float] | None = None,
    ) -> None:
        """
        @param endpoint: its AT port.
        @param retryPolicy: seconds to wait by the number of failures in a row; a growing pause by default.
        """
        self._clock = clock
        self._endpoint = endpoint
        self._gateway = gateway
        self._pause = retryPolicy or backoffPolicy(initialDelay=FIRST_RETRY, maxDelay=LONGEST_RETRY)
        self._sms: SMSClient | None = None
        self._runner: SMSRunner | None = None
        self._keeping: Deferred[None] | None = None
        self._failures = 0

    def startService(self) -> None:
        """
        Begin to connect.
        """
        super().startService()
        self._keeping = Deferred.fromCoroutine(self._keep())
        self._keeping.addErrback(self._ended)

    def stopService(self) -> None:
        """
        Close the line; what is under way fails.
        """
        super().stopService()
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()

    def _ended(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("keeping the SMS gateway", failure)

    async def _keep(self) -> None:
        while self.running:
            try:
                why = str(await self._connection())
            except Exception as error:
                # an endpoint may fail with anything
                why = str(error)
            if not self.running:
                return
            self._failures += 1
            pause = self._pause(self._failures)
            self._log.warn(
                "the SMS gateway at {name} is away, next try in {seconds:.0f} s: {why}",
                name=self._gateway.name,
                seconds=pause,
                why=why,
            )
            await deferLater(self._clock, pause)

    async def _connection(self) -> BaseException:
        """
        Use the modem until the line is lost.

        @return: why it is.
        """
        client = cast(ATClient, await self._endpoint.connect(_Lines(self._clock)))
        try:
            lost = client.whenLost()
            runner = await self._prepare(client)
            self._failures = 0
            self._log.info("the SMS gateway at {name} is ready", name=self._gateway.name)
            self._gateway.opened(runner)
            return await lost
        finally:
            self._gateway.closed("the SMS gateway was lost")
            client.abort()

    async def _prepare(self, client: ATClient) -> SMSRunner:
        if self._sms is None or self._runner is None:
            self._sms = SMSClient(client, self._clock)
            self._runner = SMSRunner(self._sms, self._clock)
            self._runner.onDiscarded(self._gateway.discarded)
            await self._sms.start()
        else:
            await self._sms.resume(client)
        return self._runner
