"""C{serial:DEVICE}, with a pseudo terminal in the place of the device."""

from __future__ import annotations

import errno
import os
import termios
import tty
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import pytest
import serial
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.error import ConnectError, ConnectionDone, NoProtocol
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from atrunproto.at.lines import IModemLines, IPeerLines
from atrunproto.endpoints import CannotListenOnTTY, SerialAddress, SerialClientEndpoint, SerialServerEndpoint
from atrunproto.endpoints._serial import LINE_POLL, RETRY_DELAY, SerialSettings, openSerial
from tests.endpoints.ends import Line


class Device:
    """A device by a fixed name: a pty, whose other end is the cable."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ttyS0"
        self.plug()

    def plug(self) -> None:
        """The device appears."""
        self.cable, inner = os.openpty()
        tty.setraw(inner)
        self.path.symlink_to(os.ttyname(inner))
        os.close(inner)

    def unplug(self) -> None:
        """The device disappears."""
        self.path.unlink()
        os.close(self.cable)


class Loose(Clock):
    """A reactor whose time stands still, and whose descriptors the test itself looks after."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[object] = []

    def addReader(self, reader: object) -> None:
        """Note who reads."""
        self.readers.append(reader)

    def removeReader(self, reader: object) -> None:
        """Note who doesn't."""
        if reader in self.readers:
            self.readers.remove(reader)

    def addWriter(self, writer: object) -> None:
        """Nothing: the test writes nothing."""

    def removeWriter(self, writer: object) -> None:
        """Nothing: the test writes nothing."""


class Lined(serial.Serial):  # type: ignore[misc]
    """A device that has modem lines, which the test moves."""

    lines = dict.fromkeys(("dsr", "cts", "cd", "ri"), False)
    gone = False

    def __getattribute__(self, name: str) -> object:
        """A line's state, for the names of lines."""
        if name in Lined.lines:
            if Lined.gone:
                raise OSError(errno.EIO, "unplugged")
            return Lined.lines[name]
        return super().__getattribute__(name)

    def _update_dtr_state(self) -> None:
        """Nothing: pyserial itself remembers what was set."""

    def _update_rts_state(self) -> None:
        """Nothing: pyserial itself remembers what was set."""


def openLined(settings: SerialSettings) -> serial.Serial:
    """Open a device with lines, as L{openSerial} opens one."""
    return Lined(settings.device, timeout=0, exclusive=True)


def factoryOf(*lines: Line) -> Factory:
    """A factory of these protocols in turn, then of none."""
    rest = list(lines)
    factory = Factory()
    factory.noisy = False
    factory.buildProtocol = lambda _: rest.pop(0) if rest else None  # type: ignore[method-assign, assignment]
    return factory


class Connected(TestCase):
    """Both sides on the reactor, with data."""

    timeout = 20

    def setUp(self) -> None:
        """Make a device."""
        from twisted.internet import reactor

        self.reactor = reactor
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.device = Device(Path(folder.name))

    async def test_client(self) -> None:
        """A client passes every byte as it is (MTS-SER-12), has no lines on a pty, and hears when the device goes."""
        line = Line()
        endpoint = clientFromString(self.reactor, f"serial:{self.device.path}:baudrate=9600:parity=E")
        await endpoint.connect(factoryOf(line))
        assert line.transport.getHost() == line.transport.getPeer() == SerialAddress(str(self.device.path))
        transport: object = line.transport
        assert not isinstance(transport, IPeerLines)
        os.write(self.device.cable, bytes(range(256)))
        await line.whenReceived(bytes(range(256)))
        line.transport.writeSequence([b"AT", b"\r\x11\x13"])
        line.transport.loseConnection()
        await line.whenLost()
        assert [reason.type for reason in line.losses] == [ConnectionDone]
        assert os.read(self.device.cable, 100) == b"AT\r\x11\x13"
        self.device.unplug()

    async def test_alone(self) -> None:
        """A device in use is refused to a second client, by name, and free again after the first."""
        endpoint = clientFromString(self.reactor, f"serial:{self.device.path}")
        line, later = Line(), Line()
        await endpoint.connect(factoryOf(line))
        with pytest.raises(ConnectError) as caught:
            await endpoint.connect(factoryOf(Line()))
        assert str(self.device.path) in str(caught.value)
        assert "lock" in str(caught.value)
        self.device.unplug()
        await line.whenLost()
        self.device.plug()
        await endpoint.connect(factoryOf(later))
        self.device.unplug()
        await later.whenLost()

    async def test_refused(self) -> None:
        """What is no device, or not there, or not wanted by the factory, is an error that says so."""
        absent = self.device.path.with_name("absent")
        for path, words in ((absent, "No such file"), (self.device.path.parent, "Is a directory")):
            with pytest.raises(ConnectError, match=words):
                await clientFromString(self.reactor, f"serial:{path}").connect(factoryOf(Line()))
            with pytest.raises(CannotListenOnTTY, match=words):
                await serverFromString(self.reactor, f"serial:{path}").listen(factoryOf(Line()))
        with pytest.raises(NoProtocol):
            await clientFromString(self.reactor, f"serial:{self.device.path}").connect(factoryOf())
        with pytest.raises(CannotListenOnTTY):
            await serverFromString(self.reactor, f"serial:{self.device.path}").listen(factoryOf())
        self.device.unplug()

    async def test_server(self) -> None:
        """A server answers on the device until it stops listening."""
        line = Line(bytes.upper)
        port: IListeningPort = await serverFromString(self.reactor, f"serial:{self.device.path}").listen(
            factoryOf(line)
        )
        assert port.getHost() == SerialAddress(str(self.device.path))
        transport: object = line.transport
        assert not isinstance(transport, IModemLines)
        os.write(self.device.cable, b"at\r")
        await line.whenReceived(b"at\r")
        line.transport.write(b"OK")
        line.transport.loseConnection()
        await line.whenLost()
        assert os.read(self.device.cable, 100) == b"AT\rOK"
        await cast("Deferred[None]", port.stopListening())
        await cast("Deferred[None]", port.stopListening())
        assert len(line.losses) == 1
        self.device.unplug()


class Timed(SynchronousTestCase):
    """What happens in the course of time, which the test turns."""

    def setUp(self) -> None:
        """Make a device with lines."""
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.device = Device(Path(folder.name))
        self.settings = SerialSettings(str(self.device.path))
        self.clock = Loose()
        Lined.lines = dict.fromkeys(Lined.lines, False)
        Lined.gone = False

    def turn(self, **lines: bool) -> None:
        """Move lines, and let the time pass in which that is noticed."""
        Lined.lines.update(lines)
        self.clock.advance(LINE_POLL)

    def test_reopens(self) -> None:
        """A server whose device goes comes back with a new protocol when the device does, and not after it stopped."""
        lines = Line(), Line(), Line()
        endpoint = SerialServerEndpoint(self.clock, self.settings, openSerial)  # type: ignore[arg-type]
        port = self.successResultOf(endpoint.listen(factoryOf(*lines)))
        lines[0].transport.abortConnection()
        self.device.unplug()
        self.clock.advance(0)
        assert len(lines[0].losses) == 1
        self.clock.advance(RETRY_DELAY)
        assert self.clock.readers == []
        self.device.plug()
        self.clock.advance(RETRY_DELAY)
        assert self.clock.readers == [lines[1].transport]
        lines[1].transport.abortConnection()
        self.clock.advance(0)
        self.successResultOf(cast("Deferred[None]", port.stopListening()))
        self.clock.advance(RETRY_DELAY)
        assert (self.clock.readers, self.clock.getDelayedCalls()) == ([], [])
        self.device.unplug()

    def test_settings(self) -> None:
        """The device gets the speed, stop bits and flow control of its settings."""
        settings = SerialSettings(str(self.device.path), 19200, stopbits=2, rtscts=True, xonxoff=True)
        with openSerial(settings) as port:
            iflag, _, cflag, _, ispeed, ospeed, _ = termios.tcgetattr(port.fileno())
        assert (ispeed, ospeed) == (termios.B19200, termios.B19200)
        assert cflag & (termios.CSTOPB | termios.CRTSCTS) == termios.CSTOPB | termios.CRTSCTS
        assert iflag & (termios.IXON | termios.IXOFF) == termios.IXON | termios.IXOFF
        self.device.unplug()

    def test_moduleLines(self) -> None:
        """A module on a serial line hears of DTR and RTS over a null modem cable, and drives carrier."""
        line = Line()
        endpoint = SerialServerEndpoint(self.clock, self.settings, openLined)  # type: ignore[arg-type]
        port = self.successResultOf(endpoint.listen(factoryOf(line)))
        transport: object = line.transport
        assert isinstance(transport, IModemLines)
        self.turn(dsr=True)
        self.turn(cts=True)
        self.turn(dsr=False, cd=True)
        self.turn()
        assert line.events == [("DTR", True), ("RTS", True), ("DTR", False)]
        transport.setCarrier(False)
        assert line.transport._port.dtr is False  # type: ignore[attr-defined]
        stopped = cast("Deferred[None]", port.stopListening())
        assert line.losses == []
        self.clock.advance(0)
        self.successResultOf(stopped)
        assert self.clock.getDelayedCalls() == []
        self.device.unplug()

    def test_peerLines(self) -> None:
        """A peer hears of the module's four lines, drives DTR and RTS, and loses the line with its device."""
        line = Line()
        endpoint = SerialClientEndpoint(self.clock, self.settings, openLined)  # type: ignore[arg-type]
        self.successResultOf(endpoint.connect(factoryOf(line)))
        transport: object = line.transport
        assert isinstance(transport, IPeerLines)
        for name in ("dsr", "cd", "ri", "cts"):
            self.turn(**{name: True})
        assert line.events == [("DSR", True), ("DCD", True), ("RI", True), ("CTS", True)]
        transport.setDTR(False)
        transport.setRTS(False)
        port = line.transport._port  # type: ignore[attr-defined]
        assert (port.dtr, port.rts) == (False, False)
        Lined.gone = True
        self.turn()
        assert len(line.losses) == 1
        assert (self.clock.readers, self.clock.getDelayedCalls()) == ([], [])
        self.device.unplug()
