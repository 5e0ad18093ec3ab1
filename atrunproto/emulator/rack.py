"""
The rack: the modules of one process with their ports, as one service.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import Service
from twisted.application.strports import service as listeningService
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.protocols.wire import Discard

from .configuration import ModulePlan
from .module import EmulatedModule
from .network import Network
from .nvm import NVM

#: modules that are switched on in one turn of the reactor
SWITCHED_AT_ONCE = 100


class StartError(Exception):
    """
    The modules can't be set up; the text names the option and says why.
    """


class _MutePort(Factory):
    """
    A serial port that carries no AT instance: what comes in is discarded.
    """

    noisy = False
    protocol = Discard


class Rack(Service):
    """
    Makes modules, opens their ports and switches them on; takes all of it away when it stops.

    @ivar modules: by IMEI; empty before the start.
    """

    _log = Logger()

    def __init__(self, reactor: Any, network: Network, plans: Sequence[ModulePlan], timeScale: float = 1.0) -> None:
        """
        @param timeScale: by which the typical durations are multiplied.
        """
        self.network = network
        self.modules: dict[str, EmulatedModule] = {}
        self._reactor = reactor
        self._plans = plans
        self._timeScale = timeScale
        self._ports: list[StreamServerEndpointService] = []
        self._waiting: Iterator[EmulatedModule] = iter(())
        self._call: IDelayedCall | None = None

    def startService(self) -> None:
        """
        Set the modules up, and begin to switch them on.

        @raise StartError: a memory or a port can't be had; nothing stays open.
        """
        try:
            for plan in self._plans:
                self._add(plan)
        except StartError:
            self._takeAway()
            raise
        super().startService()
        self._waiting = iter(tuple(self.modules.values()))
        self._switchOn()

    def _add(self, plan: ModulePlan) -> None:
        try:
            memory = NVM(plan.nvm)
        except (OSError, ValueError) as error:
            raise StartError(f"--nvm: {error}") from None
        self.modules[plan.imei] = module = EmulatedModule(
            plan.product, self.network, self._reactor, plan.imei, plan.number, memory, plan.startup, self._timeScale
        )
        module.activation = plan.activation
        for option, instance, endpoint in plan.ports:
            factory = _MutePort() if instance is None else module.portFactory(instance)
            port = listeningService(endpoint, factory, self._reactor)
            try:
                port.startService()
            except (CannotListenError, OSError) as error:
                raise StartError(f"--{option}: {error}") from None
            self._ports.append(port)

    def _switchOn(self) -> None:
        self._call = None
        batch = list(islice(self._waiting, SWITCHED_AT_ONCE))
        for module in batch:
            module.powerOn()
        if batch:
            self._call = self._reactor.callLater(0, self._switchOn)
        else:
            self._log.info("modules switched on: {count}", count=len(self.modules))

    def stopService(self) -> Deferred[None]:
        """
        Switch the modules off.

        @return: fires when their ports are closed.
        """
        super().stopService()
        if self._call is not None:
            self._call.cancel()
            self._call = None
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        for closed in self._takeAway():
            await closed
        self._log.info("the modules have ended")

    def _takeAway(self) -> list[Deferred[Any]]:
        modules, self.modules = self.modules, {}
        ports, self._ports = self._ports, []
        closing = [port.stopService() for port in ports]
        for module in modules.values():
            module.powerOff()
            module.switchboard.hangUp()
            self.network.leave(module)
        return [*closing, self.network.close()]
