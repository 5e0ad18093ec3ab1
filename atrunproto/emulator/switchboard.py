"""
Which port carries which AT instance.

A port whose instance a service has taken stays open and mute (TEL-GAP-12, TEL-SRV-10).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.lines import IModemLines
from atrunproto.at.module import ATInstance
from atrunproto.at.results import refuse

if TYPE_CHECKING:
    from .module import EmulatedModule

#: the update over the air, which is not emulated; who writes one reserves its instance by this name
UPDATE = "FOTA"


def discard(data: bytes) -> None:
    """
    Input of a mute port.
    """


@implementer(IHalfCloseableProtocol)
class Port(Protocol):
    """
    A place where an AT instance can be reached: a serial port, a pty, a local TCP port.
    """

    def __init__(self, switchboard: Switchboard, number: int) -> None:
        """
        @param number: the AT instance that this port carries when nothing else has it.
        """
        self.switchboard = switchboard
        self.number = number
        self.instance: ATInstance | None = None

    def connectionMade(self) -> None:
        transport: Any = self.transport
        if hasattr(transport, "setTcpNoDelay"):
            transport.setTcpNoDelay(True)
        if isinstance(transport, IModemLines):
            transport.onLineChange(self._lineChanged)
        self.switchboard.plugged(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.switchboard.unplugged(self)
        self.connect(None)

    def readConnectionLost(self) -> None:
        """
        The client has said all that it will (C{printf ... | nc}): it still gets what is written by now.
        """
        self.transport.loseConnection()  # type: ignore[union-attr]

    def writeConnectionLost(self) -> None:
        """
        The client wants no more answers; the end follows.
        """

    def connect(self, instance: ATInstance | None) -> None:
        """
        Give the port to an instance, or make it mute.
        """
        before, self.instance = self.instance, instance
        if before is not None and before.transport is self.transport:
            before.detach()
        # one call less for each chunk: the instance hears the transport directly
        self.dataReceived = discard if instance is None else instance.dataReceived  # type: ignore[method-assign]
        if instance is not None:
            instance.makeConnection(self.transport)

    def _lineChanged(self, name: str, on: bool) -> None:
        if name != "DTR" or self.instance is None:
            return
        if on:
            self.instance.lineRaised()
        else:
            self.instance.lineDropped()


class PortFactory(Factory):
    """
    Makes the ports of one AT instance; the newest connection has it, an older one is closed.
    """

    noisy = False

    def __init__(self, switchboard: Switchboard, number: int) -> None:
        self.switchboard = switchboard
        self.number = number

    def buildProtocol(self, addr: IAddress | None) -> Port:
        return Port(self.switchboard, self.number)


class Switchboard:
    """
    The ports and the reservations of one module's AT instances.
    """

    __slots__ = ("_module", "_ports", "_reserved")

    def __init__(self, module: EmulatedModule) -> None:
        self._module = module
        self._ports: dict[int, Port] = {}
        self._reserved: dict[int, str] = {}

    def plugged(self, port: Port) -> None:
        """
        A port has got its transport.
        """
        older = self._ports.get(port.number)
        self._ports[port.number] = port
        if older is not None:
            older.connect(None)
            older.transport.loseConnection()  # type: ignore[union-attr]
        self._wire(port.number)

    def unplugged(self, port: Port) -> None:
        """
        A port has lost its transport.
        """
        if self._ports.get(port.number) is port:
            del self._ports[port.number]

    def hangUp(self) -> None:
        """
        Close the connections of all ports: the module is taken away.
        """
        for port in tuple(self._ports.values()):
            port.transport.loseConnection()  # type: ignore[union-attr]

    def _wire(self, number: int) -> None:
        port = self._ports.get(number)
        if port is None:
            return
        free = self._module.isHeard and number not in self._reserved
        instance = self._module.instance(number) if free else None
        if port.instance is not instance or instance is None:
            port.connect(instance)

    def reservedBy(self, number: int) -> str | None:
        """
        The service that has an instance, or C{None}.
        """
        return self._reserved.get(number)

    def reserve(self, number: int, service: str) -> ATInstance:
        """
        Give an instance to a service; its port falls silent.

        @param service: L{UPDATE} takes it from any other (TEL-SMS-25).
        @raise CommandFailed: another service has it (TEL-SMS-24, TEL-EXT-05).
        """
        if self._reserved.get(number, service) != service:
            if service != UPDATE:
                raise refuse()
            self._module.instance(number).detach()
        self._reserved[number] = service
        self._wire(number)
        return self._module.instance(number)

    def release(self, number: int) -> None:
        """
        Return an instance to its port.
        """
        if self._reserved.pop(number, None) is not None:
            self._module.instance(number).detach()
            self._wire(number)

    def powerChanged(self) -> None:
        """
        The module has come up or gone down.
        """
        if not self._module.isRunning:
            self._reserved.clear()
        for number in list(self._ports):
            self._wire(number)

    def forEach(self, tell: Callable[[ATInstance], None]) -> None:
        """
        Tell something to each instance that somebody is attached to.
        """
        for instance in self._module.instances():
            if instance.hasTerminal:
                tell(instance)
