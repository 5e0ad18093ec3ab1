"""Modules that are attached to the host's machine: emulated ones in memory, of both vendors."""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionLost

from atrunproto.fleet import roster
from atrunproto.fleet.executions import Job, State
from atrunproto.fleet.links import Reached
from atrunproto.fleet.ports import LocalModule
from atrunproto.fleet.store import ExecutionRecord
from atrunproto.testing.emulated import MemoryModule

from .doubles import IMEI, OTHER, FakeClient, Fleet, FleetTestCase, Port


class LocalModuleTests(FleetTestCase):
    """A host with a Multi-Tech modem and a Telit module on its own ports."""

    def setUp(self) -> None:
        self.modem = MemoryModule("MTCBA-G", imei=IMEI)
        self.telit = MemoryModule("HE910-EUR", self.modem, imei=OTHER)
        self.clock = self.modem.clock
        self.path = self.mktemp()
        self.fleet = Fleet(self.path, self.clock)
        self.addCleanup(lambda: self.fleet.store.close())
        self.port = self.attach(self.modem)
        self.attach(self.telit)
        self.after(1)
        self.assertEqual(self.attached(), [IMEI, OTHER])

    def attach(self, emulated: MemoryModule, number: int = 1) -> Port:
        """Put an AT port of a module on a port of the host."""
        port = Port(emulated, number)
        local = LocalModule(self.clock, port, self.fleet.host.reception, lambda failures: 10.0 * failures)
        local.startService()
        self.addCleanup(local.stopService)
        return port

    def attached(self) -> list[str]:
        """The modules that have a link over a port of the host."""
        return [
            module.imei
            for module in self.fleet.host.roster
            if module.link is not None and module.reached is Reached.LOCAL
        ]

    def after(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)
        self.fleet.settle()

    def ended(self, job: Job, imei: str = IMEI, seconds: float = 1) -> ExecutionRecord:
        """An execution after some time."""
        self.after(seconds)
        return self.stored(job, imei)

    def answers(self, *commands: str) -> list[tuple[str, ...]]:
        """What the modem answers to the lines of a job."""
        record = self.ended(self.submit(*commands))
        self.assertEqual((record.state, record.error), (State.DONE, ""))
        return [answer.lines for answer in record.answers]

    def triesWithin(self, port: Port, seconds: int) -> list[int]:
        """After how many seconds the host has tried a port again, once for each time."""
        times = []
        for second in range(1, seconds + 1):
            before = port.tries
            self.after(1)
            times += [second] * (port.tries - before)
        return times

    def test_both(self) -> None:
        """Two local modules are in the roster by their IMEIs at once, and a job runs on both."""
        job = self.submit("AT+CGMM", imeis=(IMEI, OTHER))
        self.assertEqual(self.ended(job).answers[0].lines, ("MTCBA",))
        self.assertEqual(self.ended(job, OTHER).answers[0].lines, ("HE910",))

    def test_closedStack(self) -> None:
        """The ERROR of a modem whose stack is closed is the answer: the host does not open it by itself."""
        record = self.ended(self.submit("AT#VVERSION"))
        self.assertEqual((record.state, record.error), (State.FAILED, "AT#VVERSION was answered by ERROR"))
        self.assertEqual(self.modem.port(2).execute("AT+WOPEN?"), ["+WOPEN: 0", "OK"])

    def test_multitech(self) -> None:
        """The answers of a Multi-Tech modem come back whole, and so do its errors."""
        opened, version, everything, port = self.answers("AT+WOPEN=1", "AT#VVERSION", "AT#VALL", "AT#FTPPORT?")
        self.assertEqual((opened, port), ((), ("#FTPPORT: 21",)))
        self.assertEqual((len(version), version[0][:10]), (1, "#VERSION: "))
        terminal = self.modem.port(2)
        terminal.execute("ATE0")
        self.assertEqual([*everything, "OK"], terminal.execute("AT#VALL"))
        self.assertGreater(len(everything), 71)
        record = self.ended(self.submit("AT#FTPPORT=2121", "AT#FTPPORT=65536"))
        self.assertEqual(record.state, State.FAILED)
        self.assertEqual([answer.result for answer in record.answers], ["OK", "#CME ERROR: 34882"])
        self.assertEqual(self.answers("AT#FTPPORT?"), [("#FTPPORT: 2121",)])

    def test_connection(self) -> None:
        """A job connects a Multi-Tech modem to the Internet, though that does not end with OK (MTS-RES-11)."""
        self.answers("AT+WOPEN=1", 'AT#APNSERV="internet"')
        record = self.ended(self.submit("AT#CONNECTIONSTART", "AT#VSTATE"), seconds=10)
        self.assertEqual(record.state, State.DONE)
        started, state = record.answers
        self.assertEqual((started.result, state.lines), ("Ok_Info_GprsActivation", ('#STATE: "CONNECTED"',)))

    def test_powerOff(self) -> None:
        """Nobody knows what becomes of a command during which the power fails; the module serves when it is back."""
        self.answers("AT+WOPEN=1", 'AT#APNSERV="internet"')
        job = self.submit("AT#CONNECTIONSTART", timeout=20)
        self.after(1)
        self.modem.module.powerOff()
        record = self.ended(job, seconds=20)
        self.assertEqual(
            (record.state, record.error), (State.UNKNOWN, "AT#CONNECTIONSTART got no final result within 20 s")
        )
        waiting = self.submit("AT+CGMM", deadline=300)
        self.assertEqual(self.ended(waiting, seconds=100).state, State.QUEUED)
        self.assertEqual(self.attached(), [OTHER])
        self.modem.switchOn()
        self.assertEqual(self.ended(waiting, seconds=60).state, State.DONE)
        self.assertEqual(self.attached(), [IMEI, OTHER])

    def test_unplugged(self) -> None:
        """A module that is unplugged comes back: what it ran is unknown, what waited runs then."""
        running, waiting = self.submit("AT+COPS=?"), self.submit("AT+CGMM")
        self.port.isAway = True
        self.port.links[-1].breakOff(ConnectionLost())
        self.assertEqual(self.ended(running).state, State.UNKNOWN)
        self.assertEqual((self.ended(waiting).state, self.attached()), (State.QUEUED, [OTHER]))
        self.port.isAway = False
        self.assertEqual(self.ended(waiting, seconds=10).state, State.DONE)
        self.assertEqual(self.ended(running).state, State.UNKNOWN)

    def test_pauses(self) -> None:
        """A port that is not there, or silent, is tried again after pauses that grow, and begin anew once it serves."""
        for fault in ("isAway", "isSilent"):
            setattr(self.port, fault, True)
            self.port.links[-1].breakOff(ConnectionLost())
            times = self.triesWithin(self.port, 100)
            self.assertEqual(len(times), 4 if fault == "isAway" else 3, times)
            setattr(self.port, fault, False)
            self.after(60)
            self.assertEqual(self.attached(), [IMEI, OTHER])
        self.port.links[-1].breakOff(ConnectionLost())
        self.after(11)
        self.assertEqual(self.attached(), [IMEI, OTHER])

    def test_noModule(self) -> None:
        """Something that answers but tells no IMEI is left alone for pauses that grow."""
        port = self.attach(self.telit, 2)
        port.through = lambda data: data.replace(OTHER.encode(), b"a printer")
        self.assertEqual(self.triesWithin(port, 100), [11, 31, 61])
        self.assertEqual(port.lost, len(port.links))

    def test_calls(self) -> None:
        """A module that calls in is served there, and over its port again when the call is over."""
        client = FakeClient()
        self.fleet.host.reception.dialledIn(client, IPv4Address("TCP", "10.0.0.5", 40000))
        client.answer(IMEI, "MTCBA", "651")
        self.assertEqual((self.attached(), client.aborted), ([OTHER], False))
        self.after(100)
        self.assertEqual((self.attached(), client.aborted), ([OTHER], False))
        client.lose()
        self.after(60)
        self.assertEqual(self.attached(), [IMEI, OTHER])

    def test_twoPorts(self) -> None:
        """A module on two ports is served over one, and over the other when that is gone."""
        self.attach(self.modem, 2)
        self.after(100)
        self.assertEqual(self.port.lost, 0)
        self.port.isAway = True
        self.port.links[-1].breakOff(ConnectionLost())
        self.after(60)
        self.assertEqual(self.attached(), [IMEI, OTHER])

    def test_fullRoster(self) -> None:
        """A module for which there is no room is left, and tried again."""
        self.patch(roster, "MAX_MODULES", 2)
        port = self.attach(MemoryModule("GE865-QUAD", self.modem, imei="356938035643825"))
        self.assertEqual(self.triesWithin(port, 70), [11, 31, 61])
        self.assertEqual((port.lost, len(self.fleet.host.roster)), (len(port.links), 2))
        self.patch(roster, "MAX_MODULES", 3)
        self.after(60)
        self.assertEqual(len(self.attached()), 3)

    def test_stopped(self) -> None:
        """A host that ends closes its ports, and what ran there is unknown."""
        job = self.submit("AT+COPS=?")
        stopped = self.fleet.host.stopService()
        self.after(1)
        self.successResultOf(stopped)
        self.assertEqual(self.port.lost, 1)
        self.fleet = Fleet(self.path, self.clock)
        record = self.stored(job)
        self.assertEqual((record.state, record.error), (State.UNKNOWN, "the host stopped"))
