"""The modem of the SMS gateway, an emulated one, and modules beside it that take commands by short message."""

from __future__ import annotations

from twisted.internet.error import ConnectionLost

from atrunproto.fleet.executions import Job, State, Via
from atrunproto.fleet.modem import Modem
from atrunproto.fleet.store import ExecutionRecord
from atrunproto.sms.centre import Faults
from atrunproto.smsatrun.digest import Password
from atrunproto.testing.emulated import MemoryModule
from tests.sms.mobiles import OURS, module

from .doubles import IMEI, NUMBER, OTHER, OTHER_NUMBER, Fleet, FleetTestCase, Port

PASSWORD = Password("1234567890123456")


class ModemTests(FleetTestCase):
    """A host with a gateway, and two modules: one takes simple messages, one digest messages."""

    via = Via.SMS
    deadline = 3600.0

    def setUp(self) -> None:
        self.near = module()
        self.clock = self.near.clock
        self.module(NUMBER, IMEI, f'AT#SMSATWL=0,1,0,"{OURS}"')
        self.module(OTHER_NUMBER, OTHER, f'AT#SMSATWL=0,1,1,"{PASSWORD.reveal()}"')
        self.fleet = Fleet(self.mktemp(), self.clock, gateway="serial:/dev/ttyUSB0")
        self.addCleanup(lambda: self.fleet.store.close())
        self.port = Port(self.near)
        self.modem = Modem(self.clock, self.port, self.fleet.host.gateway, lambda failures: 10.0 * failures)
        self.modem.startService()
        self.addCleanup(self.modem.stopService)
        self.clock.advance(1)
        self.assertTrue(self.fleet.host.gateway.isReady)

    def module(self, number: str, imei: str, rule: str) -> None:
        """A module that takes commands by short message."""
        far = MemoryModule("HE910-EUR", self.near, imei=imei, number=number, timeScale=0.0)
        for line in (rule, "AT#SMSATRUN=1"):
            self.assertEqual(far.port().execute(line)[-1], "OK")

    def after(self, seconds: float, job: Job, imei: str = IMEI) -> ExecutionRecord:
        """An execution, after some time."""
        self.clock.advance(seconds)
        self.fleet.settle()
        return self.stored(job, imei)

    def test_run(self) -> None:
        """A job runs by simple and by digest messages, on two modules at the same time (TEL-SMS-01, TEL-SMS-02)."""
        self.fleet.number(NUMBER)
        self.fleet.number(OTHER_NUMBER, OTHER, PASSWORD)
        job = self.submit("AT+CGSN", "AT+NONE", imeis=(IMEI, OTHER))
        for record in (self.after(60, job), self.after(0, job, OTHER)):
            self.assertEqual((record.state, record.error), (State.FAILED, "AT+NONE was answered by ERROR"))
            self.assertEqual(record.answers[0].lines, (record.imei,))

    def test_wrongPassword(self) -> None:
        """A digest message with a password that the module lacks is unknown: it is never answered (TEL-DIG-13)."""
        self.fleet.number(OTHER_NUMBER, OTHER, Password("another password"))
        record = self.after(1000, self.submit("AT", imeis=(OTHER,)), OTHER)
        self.assertEqual((record.state, record.error), (State.UNKNOWN, "AT got no final result within 420 s"))

    def test_asked(self) -> None:
        """A module of which only the number is known tells who it is."""
        self.fleet.number(NUMBER, "")
        self.clock.advance(60)
        self.fleet.settle()
        mobile = self.fleet.host.numbers.get(NUMBER)
        assert mobile is not None
        self.assertEqual((mobile.imei, mobile.error), (IMEI, ""))

    def test_late(self) -> None:
        """An answer that comes after its time is kept apart, and its execution stays unknown."""
        self.fleet.number(OTHER_NUMBER, OTHER, PASSWORD)
        self.near.network.centre.faults = Faults(delay=50.0)
        job = self.submit("AT+CGSN", imeis=(OTHER,), timeout=60)
        self.assertEqual(self.after(90, job, OTHER).state, State.UNKNOWN)
        self.assertEqual(self.after(60, job, OTHER).state, State.UNKNOWN)
        (stray,) = self.fleet.host.gateway.strays
        self.assertEqual((stray.number, stray.why), (OTHER_NUMBER, "late"))
        self.assertIn(OTHER, stray.text)

    def test_lostAndBack(self) -> None:
        """A gateway that is lost comes back after a pause: what had left is unknown, what waited is sent."""
        self.near.network.centre.faults = Faults(delay=5.0)
        self.fleet.number(NUMBER)
        sent = self.submit("AT+CGSN")
        self.assertEqual(self.after(1, sent).state, State.RUNNING)
        waiting = self.submit("AT+CGMM")
        self.port.links[-1].breakOff(ConnectionLost())
        self.assertEqual(self.after(1, sent).state, State.UNKNOWN)
        self.assertEqual((self.after(0, waiting).state, self.fleet.host.gateway.isReady), (State.QUEUED, False))
        self.clock.advance(11)
        self.assertTrue(self.fleet.host.gateway.isReady)
        record = self.after(60, waiting)
        self.assertEqual((record.state, record.answers[0].lines), (State.DONE, ("HE910",)))

    def test_noNetwork(self) -> None:
        """A modem that is out of the network loses nothing: jobs go when it is back."""
        self.fleet.number(NUMBER)
        terminal = self.near.port(2)
        self.assertEqual(terminal.execute("AT+COPS=2")[-1], "OK")
        job = self.submit("AT+CGSN")
        self.assertEqual(self.after(30, job).state, State.QUEUED)
        self.assertEqual(terminal.execute("AT+COPS=0")[-1], "OK")
        self.assertEqual(self.after(120, job).state, State.DONE)

    def test_away(self) -> None:
        """A modem that isn't there is tried again, after pauses that grow until it is."""
        self.port.isAway = True
        self.port.links[-1].breakOff(ConnectionLost())
        tries = []
        for _ in range(70):
            self.clock.advance(1)
            tries.append(self.port.tries)
        self.assertEqual([tries.index(count) for count in (2, 3, 4)], [9, 29, 59])
        self.port.isAway = False
        self.clock.advance(40)
        self.assertTrue(self.fleet.host.gateway.isReady)
        self.port.links[-1].breakOff(ConnectionLost())
        self.clock.advance(11)
        self.assertTrue(self.fleet.host.gateway.isReady, "the pauses begin anew")

    def test_silent(self) -> None:
        """A modem that doesn't answer is left, and tried again."""
        self.port.isSilent = True
        self.port.links[-1].breakOff(ConnectionLost())
        self.clock.advance(300)
        self.assertGreater(self.port.tries, 2)
        self.assertFalse(self.fleet.host.gateway.isReady)
        self.port.isSilent = False
        self.clock.advance(600)
        self.assertTrue(self.fleet.host.gateway.isReady)

    def test_atPrompt(self) -> None:
        """A modem that a killed host has left at the prompt for a message is ready for the next host."""
        self.port.before = b"AT+CMGS=20\r"
        self.port.links[-1].breakOff(ConnectionLost())
        self.clock.advance(11)
        self.assertTrue(self.fleet.host.gateway.isReady)

    def test_stopped(self) -> None:
        """A host that ends closes the line, or gives up what it is waiting for, and leaves nothing behind."""
        for name in ("", "isAway", "isSlow", "isSilent"):
            if name:
                setattr(self.port, name, True)
                self.modem.startService()
                self.clock.advance(1)
            self.modem.stopService()
            self.clock.advance(1)
            tries = self.port.tries
            self.clock.advance(1000)
            self.assertEqual((self.port.tries, self.fleet.host.gateway.isReady), (tries, False), name)
            if name:
                setattr(self.port, name, False)
        self.assertEqual(self.port.lost, len(self.port.links))
