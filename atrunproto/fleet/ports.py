"""
AT ports of this machine that the host has for itself, and the modules on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted.internet.endpoints import connectProtocol
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.task import deferLater

from atrunproto.at.commands import Command
from atrunproto.at.peer import ATClient
from atrunproto.at.peerkeeping import LineKeeper
from atrunproto.tcpatrun.peer import ROWS

from .links import Reception, identify

#: seconds between a final result and the next command line, which modems on a serial line want (reference 1.3)
_PAUSE = 0.02
#: seconds for the answer to the first C{AT}, which a modem that is starting, or finding its baud rate, may lose
PROBE_SECONDS = 3.0
#: gives up a message that a host which was killed has begun to write; on a command line it does nothing
_ESC = b"\x1b"
#: seconds for what the modem says to that
ESC_SECONDS = 0.3


async def openPort(
    clock: IReactorTime, endpoint: IStreamClientEndpoint, rows: Mapping[str, Command] | None = None
) -> ATClient:
    """
    Open an AT port, and make sure that somebody answers there.

    @param rows: the commands that the client knows; C{None}: the basic ones.
    @raise CommandTimeout: nobody does; the port is closed again. The endpoint's errors besides.
    """
    client = ATClient(clock, rows, pause=_PAUSE)
    await connectProtocol(endpoint, client)
    try:
        client.transport.write(_ESC)
        await deferLater(clock, ESC_SECONDS)
        await client.execute("AT", timeout=PROBE_SECONDS)
    except BaseException:
        client.abort()
        raise
    return client


class LocalModule(LineKeeper):
    """
    Keeps the line to a module that is attached to this machine.

    A port that isn't there, on which nobody answers, or whose module has another link, is tried again after pauses that
    grow. No setting of the module is changed.
    """

    def __init__(
        self,
        clock: IReactorTime,
        endpoint: IStreamClientEndpoint,
        reception: Reception,
        retryPolicy: Callable[[int], float] | None = None,
        name: str = "a local module",
    ) -> None:
        """
        @param endpoint: its AT port.
        @param reception: takes the module once it has told who it is.
        @param retryPolicy: seconds to wait by the number of failures in a row; a growing pause by default.
        @param name: what the log calls the module.
        """
        super().__init__(clock, self._introduced, lambda client: None, retryPolicy=retryPolicy, name=name)
        self._endpoint = endpoint
        self._reception = reception

    async def _introduced(self) -> ATClient:
        client = await openPort(self._clock, self._endpoint, ROWS)
        try:
            self._reception.attached(client, await identify(client, self._clock))
        except BaseException:
            client.abort()
            raise
        return client
