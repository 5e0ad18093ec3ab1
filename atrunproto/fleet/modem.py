"""
The modem of the SMS gateway: a line to its AT port, which is made again when it is lost.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint

from atrunproto.at.peer import ATClient
from atrunproto.at.peerkeeping import LineKeeper
from atrunproto.sms.peer import SMSClient
from atrunproto.smsatrun.peer import SMSRunner

from .gateway import Gateway
from .ports import openPort


class Modem(LineKeeper):
    """
    Keeps a line to a modem, and tells the gateway when messages can be sent.
    """

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
        super().__init__(
            clock,
            self._prepared,
            self._ready,
            lambda: gateway.closed("the SMS gateway was lost"),
            retryPolicy,
            f"the SMS gateway at {gateway.name}",
        )
        self._endpoint = endpoint
        self._gateway = gateway
        self._sms: SMSClient | None = None
        self._runner: SMSRunner | None = None

    async def _prepared(self) -> ATClient:
        """
        Connect, and prepare the modem. What uses it lives on from one line to the next, with what it remembers.
        """
        client = await openPort(self._clock, self._endpoint)
        try:
            if self._sms is None:
                self._sms = SMSClient(client, self._clock)
                self._runner = SMSRunner(self._sms, self._clock)
                self._runner.onDiscarded(self._gateway.discarded)
            await self._sms.resume(client)
        except BaseException:
            client.abort()
            raise
        return client

    def _ready(self, client: ATClient) -> None:
        assert self._runner is not None
        self._log.info("{name} is ready", name=self._what)
        self._gateway.opened(self._runner)
