"""Jobs on modules: in order, one at a time, and honest about what nobody can know."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from unittest import mock

from twisted.internet.defer import Deferred

from atrunproto.at.errors import CommandTimeout, Misuse
from atrunproto.fleet import dispatcher
from atrunproto.fleet.dispatcher import QueueFull
from atrunproto.fleet.executions import Execution, Order, State
from atrunproto.fleet.ledger import RETRY_SECONDS
from atrunproto.fleet.store import ModuleRecord

from .doubles import IMEI, OTHER, Fleet, FleetTestCase


class DispatcherTests(FleetTestCase):
    """What becomes of jobs."""

    def setUp(self) -> None:
        self.path = self.mktemp()
        self.fleet = Fleet(self.path)
        self.addCleanup(lambda: self.fleet.store.close())

    def test_done(self) -> None:
        """Commands run in order, each when the one before was answered, and all answers are stored."""
        client = self.fleet.connect()
        job = self.submit("AT+CMGF=1", "AT+CSQ", timeout=7.5)
        self.assertEqual((client.lines, client.timeouts), (["AT+CMGF=1"], [7.5]))
        client.answer()
        self.assertEqual(client.lines, ["AT+CMGF=1", "AT+CSQ"])
        self.fleet.clock.advance(2)
        client.answer("+CSQ: 20,0")
        self.fleet.settle()
        record = self.stored(job)
        self.assertEqual((record.state, record.error, record.attempts), (State.DONE, "", 1))
        self.assertEqual(
            [(a.command, a.lines, a.result, a.seconds) for a in record.answers],
            [("AT+CMGF=1", (), "OK", 0), ("AT+CSQ", ("+CSQ: 20,0",), "OK", 2)],
        )
        self.assertFalse(self.fleet.host.dispatcher.isOpen(job.id))

    def test_storedBeforeSent(self) -> None:
        """A command is stored as running before its first byte is sent: while the disk holds it up, nothing leaves."""
        client = self.fleet.connect()
        held: Deferred[None] = Deferred()
        save = self.fleet.store.save

        async def hold(executions: Sequence[Execution], modules: Sequence[ModuleRecord]) -> None:
            await held
            await save(executions, modules)

        with mock.patch.object(self.fleet.store, "save", lambda *rows: Deferred.fromCoroutine(hold(*rows))):
            job = self.submit("AT+CSQ")
            self.assertEqual((client.lines, self.stored(job).state), ([], State.QUEUED))
            held.callback(None)
        self.assertEqual((client.lines, self.stored(job).state), (["AT+CSQ"], State.RUNNING))

    def test_failed(self) -> None:
        """A command that the module refuses ends the execution; what would follow is not sent."""
        client = self.fleet.connect()
        job = self.submit("AT+CMGF=9", "AT+CSQ")
        client.refuse()
        self.fleet.settle()
        record = self.stored(job)
        self.assertEqual((record.state, client.lines), (State.FAILED, ["AT+CMGF=9"]))
        self.assertEqual((record.answers[0].result, record.error), ("ERROR", "AT+CMGF=9 was answered by ERROR"))

    def test_asksForData(self) -> None:
        """A command that cannot be run like this, since it wants data, has failed and says so."""
        client = self.fleet.connect()
        job = self.submit("AT+CMGS=5")
        client.fail(Misuse("AT+CMGS=5 asks for data, and there are none"))
        self.fleet.settle()
        record = self.stored(job)
        self.assertEqual((record.state, record.error), (State.FAILED, "AT+CMGS=5 asks for data, and there are none"))

    def test_neverInterleave(self) -> None:
        """Two jobs for one module run one after the other, never mixed, while another module runs at the same time."""
        client, other = self.fleet.connect(), self.fleet.connect(OTHER)
        self.submit("AT#1", "AT#2")
        self.submit("AT#3", "AT#4", imeis=(IMEI, OTHER))
        self.assertEqual((client.lines, other.lines), (["AT#1"], ["AT#3"]))
        for count in range(1, 5):
            self.assertEqual((len(client.lines), len(client.pending)), (count, 1))
            client.answer()
            self.fleet.settle()
        self.assertEqual(client.lines, ["AT#1", "AT#2", "AT#3", "AT#4"])

    def test_waitsForModule(self) -> None:
        """A command for a module that is away is run when it calls in."""
        client = self.fleet.connect()
        client.lose()
        job = self.submit("AT+CSQ")
        self.fleet.clock.advance(59)
        client = self.fleet.connect()
        self.assertEqual(client.lines, ["AT+CSQ"])
        client.answer("+CSQ: 20,0")
        self.fleet.settle()
        self.assertEqual(self.stored(job).state, State.DONE)

    def test_deadline(self) -> None:
        """A command for a module that stays away fails at the deadline, and isn't run when it comes after all."""
        self.fleet.connect().lose()
        job = self.submit("AT+CSQ")
        self.fleet.clock.advance(60)
        self.fleet.settle()
        record = self.stored(job)
        self.assertEqual((record.state, record.error), (State.FAILED, "not connected for 60 s"))
        self.assertEqual(self.fleet.connect().lines, [])
        self.assertEqual(self.fleet.host.dispatcher.unsettled, 0)

    def test_deadlineWhileBusy(self) -> None:
        """What is running goes on after the deadline; what waits behind it fails and says why."""
        client = self.fleet.connect()
        first, second = self.submit("AT+COPS=?"), self.submit("AT+CSQ")
        self.fleet.clock.advance(60)
        self.fleet.settle()
        self.assertEqual(self.stored(second).error, "busy with other jobs for 60 s")
        client.answer()
        self.fleet.settle()
        self.assertEqual((self.stored(first).state, client.lines), (State.DONE, ["AT+COPS=?"]))

    def test_lost(self) -> None:
        """A command whose link is lost is unknown and isn't run again."""
        client = self.fleet.connect()
        job = self.submit("AT#REBOOT")
        client.lose()
        self.fleet.settle()
        record = self.stored(job)
        self.assertEqual((record.state, record.error), (State.UNKNOWN, "the link was lost while AT#REBOOT ran"))
        self.assertEqual(self.fleet.connect().lines, [])

    def test_lostUnsent(self) -> None:
        """A command of which no byte has left is queued again and runs on the next link, whatever its job says."""
        client = self.fleet.connect()
        job = self.submit("AT#REBOOT")
        client.lose(sent=False)
        self.fleet.settle()
        self.assertEqual(self.stored(job).state, State.QUEUED)
        self.assertEqual(self.fleet.connect().lines, ["AT#REBOOT"])

    def test_lostUnsentInTheMiddle(self) -> None:
        """When an earlier command of the same execution has run, the loss makes it unknown."""
        client = self.fleet.connect()
        job = self.submit("AT#1", "AT#2")
        client.answer()
        client.lose(sent=False)
        self.fleet.settle()
        record = self.stored(job)
        self.assertEqual((record.state, [a.command for a in record.answers]), (State.UNKNOWN, ["AT#1"]))

    def test_lostUnsentAfterDeadline(self) -> None:
        """What comes back to the queue after its deadline fails at once."""
        client = self.fleet.connect()
        job = self.submit("AT")
        self.fleet.clock.advance(61)
        client.lose(sent=False)
        self.fleet.settle()
        self.assertEqual(self.stored(job).state, State.FAILED)
        self.assertFalse(self.fleet.host.dispatcher.isOpen(job.id))

    def test_safeToRepeat(self) -> None:
        """A job that is safe to repeat runs again after a loss, before what was queued later."""
        client = self.fleet.connect()
        job = self.submit("AT+CSQ", safeToRepeat=True)
        self.submit("AT+CREG?")
        client.lose()
        self.fleet.settle()
        self.assertTrue(self.fleet.host.dispatcher.isOpen(job.id))
        client = self.fleet.connect()
        self.assertEqual(client.lines, ["AT+CSQ"])
        client.answer("+CSQ: 20,0")
        self.fleet.settle()
        record = self.stored(job)
        self.assertEqual((record.state, record.attempts, record.error), (State.DONE, 2, ""))
        self.assertEqual(client.lines, ["AT+CSQ", "AT+CREG?"])

    def test_timeout(self) -> None:
        """A command without an answer is unknown, for the module may have run it; the next job goes on."""
        client = self.fleet.connect()
        job = self.submit("AT+CSQ")
        self.submit("AT+CREG?")
        client.fail(CommandTimeout("AT+CSQ", 10))
        self.fleet.settle()
        record = self.stored(job)
        self.assertEqual((record.state, record.error), (State.UNKNOWN, "AT+CSQ got no final result within 10 s"))
        self.assertEqual(client.lines, ["AT+CSQ", "AT+CREG?"])

    def test_replaced(self) -> None:
        """What ran on a connection that its module has replaced is unknown; the new one takes the next job."""
        older = self.fleet.connect()
        job, after = self.submit("AT#1"), self.submit("AT#2")
        newer = self.fleet.connect()
        record = self.stored(job)
        self.assertEqual((record.state, record.error), (State.UNKNOWN, "replaced by a newer connection of the module"))
        self.assertEqual((older.lines, newer.lines), (["AT#1"], ["AT#2"]))
        newer.answer()
        self.fleet.settle()
        self.assertEqual(self.stored(after).state, State.DONE)

    def test_brokenClient(self) -> None:
        """An error of our own is logged and makes one execution unknown; the next job goes on."""
        client = self.fleet.connect()
        job = self.submit("AT#1")
        client.fail(ZeroDivisionError())
        self.fleet.settle()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.stored(job).state, State.UNKNOWN)
        self.submit("AT#2")
        self.assertEqual(client.lines, ["AT#1", "AT#2"])

    def test_storeFails(self) -> None:
        """While the disk is full nothing is sent, and when it has room again nothing is missing."""
        client = self.fleet.connect()
        failing = mock.patch.object(
            self.fleet.store, "save", side_effect=lambda *_: Deferred.fromCoroutine(self.diskFull())
        )
        with failing:
            job = self.submit("AT+CSQ")
            self.fleet.clock.advance(RETRY_SECONDS)
            self.assertEqual((client.lines, self.fleet.host.ledger.failing), ([], True))
        self.fleet.clock.advance(RETRY_SECONDS)
        self.assertEqual((client.lines, self.fleet.host.ledger.failing), (["AT+CSQ"], False))
        client.answer()
        self.fleet.settle()
        self.assertEqual(self.stored(job).state, State.DONE)

    async def diskFull(self) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    def test_crash(self) -> None:
        """After a crash, what ran is unknown; what is safe to repeat, and what waited, runs on the next call."""
        self.fleet.connect()
        self.fleet.connect(OTHER)
        ran = self.submit("AT#1")
        waited = self.submit("AT#2", imeis=(IMEI,))
        safe = self.submit("AT#3", imeis=(OTHER,), safeToRepeat=True)
        # The process dies: nobody gets to write anything more.
        self.successResultOf(self.fleet.store.close())
        self.fleet = Fleet(self.path, self.fleet.clock)
        record = self.stored(ran)
        self.assertEqual((record.state, record.error), (State.UNKNOWN, "the host ended while it ran"))
        self.assertEqual(self.stored(waited).state, State.QUEUED)
        self.assertEqual(self.stored(safe, OTHER).state, State.QUEUED)
        self.assertEqual(self.fleet.connect().lines, ["AT#2"])
        self.assertEqual(self.fleet.connect(OTHER).lines, ["AT#3"])

    def test_crashAfterDeadline(self) -> None:
        """What waited through a crash until after its deadline fails at the start."""
        self.fleet.connect().lose()
        job = self.submit("AT+CSQ")
        self.successResultOf(self.fleet.store.close())
        self.fleet.clock.advance(3600)
        self.fleet = Fleet(self.path, self.fleet.clock)
        self.assertEqual(self.stored(job).state, State.FAILED)

    def test_crashBeforeModuleWasStored(self) -> None:
        """A job whose module was never stored finds the module again when it calls."""
        self.fleet.connect().lose()
        self.submit("AT+CSQ")
        self.successResultOf(self.fleet.store.close())
        connection = sqlite3.connect(self.path)
        connection.execute("DELETE FROM modules")
        connection.commit()
        connection.close()
        self.fleet = Fleet(self.path, self.fleet.clock)
        self.assertEqual(self.fleet.connect().lines, ["AT+CSQ"])

    def test_stop(self) -> None:
        """A host that ends in good order stores what is in flight as unknown and leaves in the queue what waits."""
        self.fleet.connect()
        ran, waited = self.submit("AT#1"), self.submit("AT#2")
        stopped = self.fleet.host.stopService()
        self.fleet.settle()
        self.successResultOf(stopped)
        self.assertEqual(self.fleet.clock.getDelayedCalls(), [])
        self.fleet = Fleet(self.path, self.fleet.clock)
        record = self.stored(ran)
        self.assertEqual((record.state, record.error), (State.UNKNOWN, "the host stopped"))
        self.assertEqual(self.stored(waited).state, State.QUEUED)

    def test_stopBeforeSending(self) -> None:
        """What was claimed but not sent when the host ended waits for the next start."""
        self.fleet.connect()
        now = self.fleet.clock.seconds()
        submitted = Deferred.fromCoroutine(
            self.fleet.host.dispatcher.submit(Order(("AT",), now, now + 60, None, False), [IMEI])
        )
        stopped = self.fleet.host.stopService()
        self.fleet.settle()
        self.successResultOf(stopped)
        self.fleet = Fleet(self.path, self.fleet.clock)
        self.assertEqual(self.stored(self.successResultOf(submitted)).state, State.QUEUED)

    def test_whenEnded(self) -> None:
        """Whoever waits for a job hears of its end, or that the time is over."""
        client = self.fleet.connect()
        job = self.submit("AT")
        short = self.fleet.host.dispatcher.whenEnded(job.id, 5)
        long = self.fleet.host.dispatcher.whenEnded(job.id, 50)
        given = self.fleet.host.dispatcher.whenEnded(job.id, 50)
        given.addErrback(lambda _: None)
        given.cancel()
        self.fleet.clock.advance(5)
        self.successResultOf(short)
        self.assertNoResult(long)
        client.answer()
        self.fleet.settle()
        self.successResultOf(long)
        self.successResultOf(self.fleet.host.dispatcher.whenEnded(job.id, 50))
        self.assertEqual(self.fleet.clock.getDelayedCalls(), [])

    def test_queueFull(self) -> None:
        """A job that would fill the memory is refused."""
        self.fleet.connect().lose()
        with mock.patch.object(dispatcher, "MAX_QUEUED", 1):
            self.submit("AT")
            now = self.fleet.clock.seconds()
            order = Order(("AT",), now, now + 60, None, False)
            self.failureResultOf(Deferred.fromCoroutine(self.fleet.host.dispatcher.submit(order, [IMEI])), QueueFull)
