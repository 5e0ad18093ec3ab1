"""
C{serial:DEVICE}: a serial device, or a terminal that looks like one, as a client and as a server.

pyserial opens and sets up the device and knows its modem lines; it stays behind L{openSerial} and the transports here.
Flow control is the driver's: output that the other end holds back stays in the kernel and then pauses producers, and
reading that is paused makes the driver hold back the other end.
"""

from __future__ import annotations

import termios
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import serial
from twisted.internet.defer import Deferred, execute, succeed
from twisted.internet.error import ConnectError, NoProtocol
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.lines import LineCallback
from atrunproto.endpoints._tty import CannotListenOnTTY, ITTYReactor, LineListeners, TTYTransport

LINE_POLL = 0.05  # seconds between two looks at the modem lines; a module's DTR delay is 50 ms (S25, R10)
RETRY_DELAY = 1.0  # seconds between two attempts to open a server's device that has gone
DEFAULT_BAUDRATE = 115200


@implementer(IAddress)
@dataclass(frozen=True, slots=True)
class SerialAddress:
    """
    A serial device.
    """

    device: str

    def __str__(self) -> str:
        return self.device


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """
    What to open, and how.

    @ivar parity: C{N}, C{E}, C{O}, C{M} or C{S}.
    @ivar rtscts: flow control by the lines RTS and CTS.
    @ivar xonxoff: flow control by XON and XOFF within the data.
    """

    device: str
    baudrate: int = DEFAULT_BAUDRATE
    bytesize: int = 8
    parity: str = "N"
    stopbits: float = 1
    rtscts: bool = False
    xonxoff: bool = False


def openSerial(settings: SerialSettings) -> serial.Serial:
    """
    Open a device for ourselves alone, raw and non-blocking.

    @raise OSError: there is none, it isn't a terminal, or somebody else has locked it.
    @raise ValueError: it refuses the settings.
    """
    try:
        return serial.Serial(
            settings.device,
            baudrate=settings.baudrate,
            bytesize=settings.bytesize,
            parity=settings.parity,
            stopbits=settings.stopbits,
            rtscts=settings.rtscts,
            xonxoff=settings.xonxoff,
            timeout=0,
            inter_byte_timeout=0,  # makes VMIN 1: with pyserial's 0, nothing to read would look like the end
            exclusive=True,
        )
    except termios.error as error:
        raise OSError(*error.args) from error


SerialOpener = Callable[[SerialSettings], serial.Serial]
"""L{openSerial}, or what stands in for it."""


class SerialTransport(TTYTransport):
    """
    A transport on a serial device whose modem lines don't exist, or don't matter.

    After C{loseConnection} the driver sends what it holds before it closes, and the reactor waits for that; a peer that
    holds it back for ever is a case for C{abortConnection}.
    """

    def __init__(
        self, reactor: ITTYReactor, port: serial.Serial, protocol: IProtocol, closed: Callable[[], None]
    ) -> None:
        TTYTransport.__init__(self, reactor, port.fileno(), SerialAddress(port.port), protocol, closed)
        self._port = port

    def closeSoon(self, reason: Failure) -> None:
        """
        Close in the next turn; output that the other end holds back goes first, or the driver would wait for it.
        """
        if not self.disconnected:
            try:
                self._port.reset_output_buffer()
            except termios.error:
                pass  # unplugged
        TTYTransport.closeSoon(self, reason)

    def release(self) -> None:
        """
        Close the device.
        """
        self._port.close()


class _LinedTransport(SerialTransport):
    """
    A transport on a serial device with modem lines, which are looked at every L{LINE_POLL}.

    @cvar LINES: pyserial's name of each line driven by the other end, and the name by which we tell of it.
    """

    LINES: tuple[tuple[str, str], ...]

    def __init__(
        self, reactor: ITTYReactor, port: serial.Serial, protocol: IProtocol, closed: Callable[[], None]
    ) -> None:
        SerialTransport.__init__(self, reactor, port, protocol, closed)
        self._listeners = LineListeners()
        self._states = self._read()
        self._look = LoopingCall(self._lookAtLines)
        self._look.clock = reactor

    def open(self) -> None:
        """
        Give the protocol its transport, and watch the lines.
        """
        SerialTransport.open(self)
        self._look.start(LINE_POLL, now=False)

    def release(self) -> None:
        """
        Close the device.
        """
        if self._look.running:
            self._look.stop()
        SerialTransport.release(self)

    def onLineChange(self, callback: LineCallback) -> Callable[[], None]:
        """
        Tell C{callback} when a line of the other end changes.
        """
        return self._listeners.add(callback)

    def _read(self) -> dict[str, bool]:
        return {name: bool(getattr(self._port, line)) for line, name in self.LINES}

    def _lookAtLines(self) -> None:
        try:
            states = self._read()
        except OSError:  # unplugged
            self.connectionLost(Failure(CONNECTION_LOST))
            return
        before, self._states = self._states, states
        for name, on in states.items():
            if on != before[name]:
                self._listeners.tell(name, on)


class ModuleSerialTransport(_LinedTransport):
    """
    The module's end of a serial line, with L{IModemLines<atrunproto.at.lines.IModemLines>}.

    A computer's port is a terminal's by its wiring; so this expects the usual null modem cable: our DTR is DCD and
    DSR at the other end and its DTR is our DSR, and RTS and CTS are crossed. RI has no wire, and DSR goes with DCD (A).
    """

    LINES = (("dsr", "DTR"), ("cts", "RTS"))

    def setCarrier(self, on: bool) -> None:
        """
        Drive the wire that ends as DCD.
        """
        self._port.dtr = on

    def setRing(self, on: bool) -> None:
        """
        Nothing: the cable has no such wire.
        """

    def setReady(self, on: bool) -> None:
        """
        Nothing: the cable has one wire for DCD and DSR, and DCD says more.
        """


class PeerSerialTransport(_LinedTransport):
    """
    The peer's end of a serial line, with L{IPeerLines<atrunproto.at.lines.IPeerLines>}.
    """

    LINES = (("dsr", "DSR"), ("cd", "DCD"), ("ri", "RI"), ("cts", "CTS"))

    def setDTR(self, on: bool) -> None:
        """
        Drive DTR.
        """
        self._port.dtr = on

    def setRTS(self, on: bool) -> None:
        """
        Drive RTS.
        """
        self._port.rts = on


def _hasLines(port: serial.Serial) -> bool:
    """
    Whether the device has modem lines; a pty hasn't (ENOTTY).
    """
    try:
        return isinstance(port.dsr, bool)
    except OSError:
        return False


def _connect(
    reactor: ITTYReactor,
    port: serial.Serial,
    factory: IProtocolFactory,
    lined: type[_LinedTransport],
    closed: Callable[[], None],
) -> tuple[SerialTransport, IProtocol]:
    """
    Put a protocol on an open device.

    @raise NoProtocol: the factory wants none; the device is closed again.
    """
    try:
        protocol = factory.buildProtocol(SerialAddress(port.port))
        if protocol is None:
            raise NoProtocol
        transport = (lined if _hasLines(port) else SerialTransport)(reactor, port, protocol, closed)
        transport.open()
    except BaseException:
        port.close()
        raise
    return transport, protocol


@implementer(IStreamClientEndpoint)
class SerialClientEndpoint:
    """
    Connects to what is behind a serial device; one connection at a time, since the device is locked.

    @ivar device: its path.
    """

    def __init__(self, reactor: ITTYReactor, settings: SerialSettings, opener: SerialOpener = openSerial) -> None:
        """
        @param opener: what opens the device.
        """
        self.device = settings.device
        self._reactor = reactor
        self._settings = settings
        self._open = opener

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Open the device.

        @return: the protocol; or fails with L{twisted.internet.error.ConnectError}, which names the device.
        """
        return execute(self._connect, protocolFactory)

    def _connect(self, factory: IProtocolFactory) -> IProtocol:
        try:
            port = self._open(self._settings)
        except (OSError, ValueError) as error:
            raise ConnectError(getattr(error, "errno", None), f"{self._settings.device}: {error}") from error
        factory.doStart()
        try:
            return _connect(self._reactor, port, factory, PeerSerialTransport, factory.doStop)[1]
        except BaseException:
            factory.doStop()
            raise


@implementer(IListeningPort)
class SerialPort:
    """
    A serial device that is served by one protocol at a time, as long as it is there and each time it comes back.

        - (closed) startListening: open, or fails and stays closed
        - (open) device lost, or closed by the protocol: waits L{RETRY_DELAY} -> waiting
        - (waiting) delay over: open; or waiting again, if the device isn't there
        - (any) stopListening: closed
    """

    _log = Logger()

    def __init__(
        self, reactor: ITTYReactor, settings: SerialSettings, factory: IProtocolFactory, opener: SerialOpener
    ) -> None:
        self._reactor = reactor
        self._settings = settings
        self._factory = factory
        self._opener = opener
        self._transport: SerialTransport | None = None
        self._retry: IDelayedCall | None = None
        self._stopped: list[Deferred[None]] = []

    def startListening(self) -> None:
        """
        Open the device.

        @raise CannotListenOnTTY: with what is in the way.
        """
        self._factory.doStart()
        try:
            self._open()
        except (OSError, ValueError, NoProtocol) as error:
            self._factory.doStop()
            raise CannotListenOnTTY(self._settings.device, str(error)) from error

    def _open(self) -> None:
        port = self._opener(self._settings)
        self._transport, _ = _connect(self._reactor, port, self._factory, ModuleSerialTransport, self._closed)

    def _closed(self) -> None:
        self._transport = None
        if self._stopped:
            self._end()
        else:
            self._log.info("{device} is closed; trying to open it again", device=self._settings.device)
            self._retryLater()

    def _retryLater(self) -> None:
        self._retry = self._reactor.callLater(RETRY_DELAY, self._reopen)

    def _reopen(self) -> None:
        self._retry = None
        try:
            self._open()
        except (OSError, ValueError, NoProtocol) as error:
            self._log.debug("{device}: {error}", device=self._settings.device, error=error)
            self._retryLater()
        else:
            self._log.info("{device} is open again", device=self._settings.device)

    def _end(self) -> None:
        self._factory.doStop()
        waiting, self._stopped = self._stopped, []
        for stopped in waiting:
            stopped.callback(None)

    def stopListening(self) -> Deferred[None]:
        """
        Close the device, and open it no more.

        @return: fires when that is done and the protocol has heard of it.
        """
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
            self._end()
        if self._transport is None:
            return succeed(None)
        stopped: Deferred[None] = Deferred()
        self._stopped.append(stopped)
        self._transport.closeSoon(Failure(CONNECTION_DONE))
        return stopped

    def getHost(self) -> IAddress:
        """
        The device.
        """
        return SerialAddress(self._settings.device)


@implementer(IStreamServerEndpoint)
class SerialServerEndpoint:
    """
    Serves whoever is behind a serial device.
    """

    def __init__(self, reactor: ITTYReactor, settings: SerialSettings, opener: SerialOpener = openSerial) -> None:
        """
        @param opener: what opens the device.
        """
        self._newPort = partial(SerialPort, reactor, settings, opener=opener)

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Open the device and connect it to a protocol.

        @return: fails with L{CannotListenOnTTY} if it isn't there.
        """
        port = self._newPort(protocolFactory)

        def listening() -> IListeningPort:
            port.startListening()
            return port

        return execute(listening)
