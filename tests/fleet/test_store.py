"""The SQLite store: on disk, after a crash, and when it cannot be used."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import msgspec
import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from atrunproto.fleet.executions import Answer, Event, Execution, Job, Order, State, Via
from atrunproto.fleet.store import (
    ModuleRecord,
    NumberRecord,
    Restored,
    SQLiteStore,
    StoreError,
    WorkerThread,
    storePath,
)
from atrunproto.secret import Secret

from .doubles import IMEI, OTHER, InlineWorker

MODULE = ModuleRecord(IMEI, "HE910", "12.00.004", "10.0.0.5:40000", "dial-in", 100.0, 200.0)
ORDER = Order(("AT+CSQ", 'AT+COPS=1,2,"22201"'), 1000.0, 1060.0, 5.0, True)


class StoreTests(SynchronousTestCase):
    """What is stored is there again."""

    def setUp(self) -> None:
        self.path = self.mktemp()
        self.store = SQLiteStore(self.path, InlineWorker())
        self.store.open(0)
        self.addCleanup(lambda: self.store.close())

    def add(self, order: Order = ORDER) -> list[Execution]:
        job = self.successResultOf(self.store.addJob(order, [IMEI, OTHER]))
        return [Execution(job, IMEI), Execution(job, OTHER)]

    def again(self, now: float) -> Restored:
        """Close the store and open its file anew."""
        self.successResultOf(self.store.close())
        store = SQLiteStore(self.path, InlineWorker())
        restored = store.open(now)
        self.successResultOf(store.close())
        self.store.open(now)
        return restored

    def test_modules(self) -> None:
        """A module is known after a restart as it was last seen."""
        self.successResultOf(self.store.save([], [MODULE]))
        self.successResultOf(
            self.store.save([], [ModuleRecord(IMEI, "HE910", "13", "10.0.0.6:1", "dial-out", 100.0, 300.0)])
        )
        restored = self.again(0)
        self.assertEqual(restored.modules, [ModuleRecord(IMEI, "HE910", "13", "10.0.0.6:1", "dial-out", 100.0, 300.0)])

    def test_job(self) -> None:
        """A job and its answers are read back exactly, quotation marks and odd characters included."""
        one, two = self.add()
        one.apply(Event.CLAIMED, 1001.0)
        one.apply(
            Event.SUCCEEDED, 1001.5, answers=(Answer("AT+CSQ", ('+COPS: 0,0,"vodafone \u20ac"', "\t'"), "OK", 0.5),)
        )
        two.apply(Event.EXPIRED, 1060.0, 'not "connected"')
        self.successResultOf(self.store.save([one, two], []))
        found = self.successResultOf(self.store.readJob(one.job.id))
        assert found is not None
        self.assertEqual(found[0], one.job)
        self.assertEqual(found[0], Job(ORDER.commands, 1000.0, 1060.0, 5.0, True, id=1))
        first, second = found[1]
        self.assertEqual(
            (first.state, first.attempts, first.startedAt, first.finishedAt), (State.DONE, 1, 1001.0, 1001.5)
        )
        self.assertEqual(first.answers, one.answers)
        self.assertEqual((second.state, second.error, second.startedAt), (State.FAILED, 'not "connected"', None))
        self.assertIsNone(self.successResultOf(self.store.readJob(99)))

    def test_unsettledComesBack(self) -> None:
        """A host that starts finds what waited and what was running, and nothing that has ended."""
        running, queued = self.add()
        done, failed = self.add()
        running.apply(Event.CLAIMED, 1001.0)
        done.apply(Event.CLAIMED, 1001.0)
        done.apply(Event.SUCCEEDED, 1002.0)
        failed.apply(Event.EXPIRED, 1060.0)
        self.successResultOf(self.store.save([running, done, failed], []))
        restored = self.again(1010.0)
        self.assertEqual(
            [(e.job.id, e.imei, e.state, e.attempts) for e in restored.executions],
            [(1, IMEI, State.RUNNING, 1), (1, OTHER, State.QUEUED, 0)],
        )
        self.assertEqual(restored.executions[0].job, running.job)
        self.assertEqual(queued.state, State.QUEUED)

    def test_via(self) -> None:
        """Which way a job may take is known after a restart."""
        jobs = [self.add(msgspec.structs.replace(ORDER, via=via))[0].job for via in Via]
        self.assertEqual([e.job.via for e in self.again(0).executions[::2]], list(Via))
        found = self.successResultOf(self.store.readJob(jobs[1].id))
        assert found is not None
        self.assertEqual(found[0].via, Via.SMS)

    def test_numbers(self) -> None:
        """A number is stored with all that is known of it; a module has one, and a number one module."""
        one, two = (NumberRecord(f"+3933500{n}", imei, Secret("x" * 16), "") for n, imei in ((1, IMEI), (2, OTHER)))
        nobody = [NumberRecord(f"+3933510{n}", "", Secret(""), "it's silent") for n in range(2)]
        for record in (one, two, *nobody):
            self.successResultOf(self.store.saveNumber(record))
        self.assertEqual(self.again(0).numbers, [one, two, *nobody])
        moved = NumberRecord(one.number, OTHER, Secret(""), "")
        self.successResultOf(self.store.saveNumber(moved))
        self.successResultOf(self.store.removeNumber(nobody[0].number))
        self.successResultOf(self.store.removeNumber("+1"))
        self.assertEqual(self.again(0).numbers, [moved, nobody[1]])

    def test_olderSchema(self) -> None:
        """A store of the first form is brought up to date, and its jobs go over connections as they did."""
        self.add()
        self.successResultOf(self.store.close())
        for statement in (
            "DELETE FROM schema_version WHERE version > 1",
            "ALTER TABLE jobs DROP COLUMN via",
            "DROP TABLE numbers",
        ):
            self.setSchema(statement)
        restored = self.store.open(0)
        self.assertEqual(([e.job.via for e in restored.executions], restored.numbers), ([Via.TCP, Via.TCP], []))

    def test_unknownComesBackOnlyIfItMayBeRepeated(self) -> None:
        """What is unknown is found again only while its job allows to repeat it."""
        for order in (ORDER, Order(("ATZ",), 1000.0, 1060.0, None, False)):
            for execution in self.add(order):
                execution.apply(Event.CLAIMED, 1001.0)
                execution.apply(Event.LOST, 1002.0)
                self.successResultOf(self.store.save([execution], []))
        self.assertEqual({e.job.id for e in self.again(1059.0).executions if e.state is State.UNKNOWN}, {1})
        self.assertEqual([e for e in self.again(1061.0).executions if e.state is State.UNKNOWN], [])

    def test_secondHost(self) -> None:
        """A second host on the same store is told so, since it would take the first one's work for lost."""
        with self.assertRaisesRegex(StoreError, "another host uses this store"):
            SQLiteStore(self.path, InlineWorker()).open(0)

    def test_transactionIsWhole(self) -> None:
        """A job of which one module cannot be stored leaves nothing behind."""
        self.failureResultOf(self.store.addJob(ORDER, [IMEI, IMEI]), sqlite3.IntegrityError)
        self.assertIsNone(self.successResultOf(self.store.readJob(1)))
        self.add()

    def test_private(self) -> None:
        """Only its owner can read the store, since command lines may contain passwords."""
        self.successResultOf(self.store.save([], [MODULE]))
        for name in (self.path, self.path + "-wal", self.path + "-shm"):
            self.assertEqual(stat.S_IMODE(os.stat(name).st_mode), 0o600, name)

    def test_newerSchema(self) -> None:
        """A store that a newer version has made is not touched."""
        self.successResultOf(self.store.close())
        self.setSchema("INSERT INTO schema_version VALUES (99)")
        with self.assertRaisesRegex(StoreError, "made by a newer version"):
            SQLiteStore(self.path, InlineWorker()).open(0)
        self.setSchema("DELETE FROM schema_version WHERE version = 99")
        self.store.open(0)

    def setSchema(self, statement: str) -> None:
        """Change the file behind the store's back."""
        connection = sqlite3.connect(self.path)
        connection.execute(statement)
        connection.commit()
        connection.close()


class ThreadTests(TestCase):
    """The store on its own thread."""

    async def test_order(self) -> None:
        """Calls are done in the order in which they were made, and closing waits for them."""
        store = SQLiteStore(self.mktemp(), WorkerThread(reactor))  # type: ignore[arg-type]
        store.open(0)
        job = await store.addJob(ORDER, [IMEI])
        execution = Execution(job, IMEI)
        execution.apply(Event.CLAIMED, 1001.0)
        saved: Deferred[None] = store.save([execution], [MODULE])
        read = store.readJob(job.id)
        await store.close()
        self.assertTrue(saved.called)
        found = await read
        assert found is not None
        self.assertEqual(found[1][0].state, State.RUNNING)


def test_noDatabase(tmp_path: Path) -> None:
    """A file that is no store is named in the error, and left alone."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(StoreError, match=r"letter\.txt: file is not a database"):
        SQLiteStore(str(path), InlineWorker()).open(0)
    assert path.read_text().startswith("Dear")


def test_noFolder(tmp_path: Path) -> None:
    """A store in a folder that isn't there is an error that names it."""
    with pytest.raises(StoreError, match="nowhere"):
        SQLiteStore(str(tmp_path / "nowhere" / "fleet.db"), InlineWorker()).open(0)


def test_storePath() -> None:
    """A store URL is read as elsewhere: three slashes relative, four absolute."""
    assert storePath("sqlite:///fleet.db") == "fleet.db"
    assert storePath("sqlite:////var/lib/fleet.db") == "/var/lib/fleet.db"
    for wrong in ("fleet.db", "sqlite://fleet.db", "postgresql://x", "sqlite:///"):
        with pytest.raises(ValueError, match="a store URL is sqlite:///PATH"):
            storePath(wrong)
