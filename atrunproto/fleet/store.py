"""
What a host remembers over a restart: its modules, their numbers, jobs and executions.

L{Store} is what the host needs; L{SQLiteStore} keeps it in one file. A store decides nothing: the life of an execution
stands in L{atrunproto.fleet.executions}, and rows are gathered into batches by L{atrunproto.fleet.ledger}.

A batch crosses to SQLite as one JSON text and one statement, not row by row: each row of its own would let go of the
interpreter's lock and queue for it again, while the reactor is busy with ten thousand answers.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from importlib import resources
from typing import IO, Any, ParamSpec, Protocol, TypeVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from atrunproto.secret import Secret

from .executions import Answer, Execution, Job, Order, State, Via

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: seconds that a statement waits for somebody else's lock on the file (a backup, a shell)
BUSY_SECONDS = 10.0


class StoreError(Exception):
    """
    The store cannot be used; the text names it and says why.
    """


class ModuleRecord(msgspec.Struct, frozen=True):
    """
    What is known of a module, connected or not.
    """

    imei: str
    model: str
    revision: str
    #: where it was met last
    address: str
    #: how it was reached last: C{dial-in}, C{dial-out}, C{local} or C{sms}; empty: never
    reached: str
    #: seconds since the epoch
    firstSeen: float
    lastSeen: float


class NumberRecord(msgspec.Struct, frozen=True):
    """
    The telephone number of a module.
    """

    number: str
    #: empty: the module has not told it yet
    imei: str
    #: of digest messages; empty: simple ones
    password: Secret
    #: why the module has not told its IMEI, in one line; empty: it has, or was not asked yet
    error: str


class ExecutionRecord(msgspec.Struct, frozen=True):
    """
    An execution as it stands in the store.
    """

    imei: str
    state: State
    attempts: int
    startedAt: float | None
    finishedAt: float | None
    error: str
    answers: tuple[Answer, ...]


class Restored(msgspec.Struct, frozen=True):
    """
    What a store hands to a host that starts.
    """

    modules: list[ModuleRecord]
    #: every execution that is queued or running, and what is unknown but may be repeated
    executions: list[Execution]
    numbers: list[NumberRecord]


class Store(Protocol):
    """
    What the host needs of a store. All but L{open} work in the background; they may be called until L{close}.
    """

    def open(self, now: float) -> Restored:
        """
        Open it, bring its tables up to date and read what a starting host needs; this one blocks.

        @raise StoreError: if it cannot be used.
        """

    def addJob(self, order: Order, imeis: Sequence[str]) -> Deferred[Job]:
        """
        Store a job and a queued execution for each module, in one transaction.
        """

    def save(self, executions: Sequence[Execution], modules: Sequence[ModuleRecord]) -> Deferred[None]:
        """
        Store the present state of executions and modules, in one transaction; it fires when that is on disk.
        """

    def saveNumber(self, record: NumberRecord) -> Deferred[None]:
        """
        Store a number, in place of what was known of it, and of another number of its module.
        """

    def removeNumber(self, number: str) -> Deferred[None]:
        """
        Forget a number.
        """

    def readJob(self, number: int) -> Deferred[tuple[Job, list[ExecutionRecord]] | None]:
        """
        Read a job with its executions, ordered by IMEI; C{None} if there is no such job.
        """

    def close(self) -> Deferred[None]:
        """
        Finish what was asked for and close.
        """


class Worker(Protocol):
    """
    Runs a store's blocking calls, one at a time and in order.
    """

    def start(self) -> None: ...

    def run(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]: ...

    def stop(self) -> None: ...


class WorkerThread:
    """
    One thread, to which calls queue.
    """

    def __init__(self, reactor: IReactorFromThreads) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(minthreads=1, maxthreads=1, name="atrun-store")

    def start(self) -> None:
        self._pool.start()

    def run(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]:
        return deferToThreadPool(self._reactor, self._pool, call, *args, **kwargs)

    def stop(self) -> None:
        self._pool.stop()


class SQLiteStore:
    """
    A store in one SQLite file, written by one thread.

    Commits are synchronous in full: an execution that is stored as running stays so through a power cut, else a command
    might be sent twice. A lock file beside it keeps a second host away.
    """

    def __init__(self, path: str, worker: Worker) -> None:
        self._path = path
        self._worker = worker
        self._connection: sqlite3.Connection
        self._lock: IO[str]

    def open(self, now: float) -> Restored:
        try:
            with ExitStack() as onError:
                self._lock = onError.enter_context(_lockFile(self._path + ".lock"))
                # Command lines may contain passwords, so the file is its owner's; SQLite would let all read it.
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
                # Opened here, used by the worker alone from then on.
                self._connection = onError.enter_context(
                    closing(
                        sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
                    )
                )
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
                self._connection.execute("PRAGMA foreign_keys = ON")
                _migrate(self._connection)
                restored = self._restore(now)
                onError.pop_all()
        except BlockingIOError:
            raise StoreError(f"{self._path}: another host uses this store") from None
        except (OSError, sqlite3.Error, msgspec.MsgspecError) as error:
            raise StoreError(f"{self._path}: {error}") from error
        self._worker.start()
        return restored

    def addJob(self, order: Order, imeis: Sequence[str]) -> Deferred[Job]:
        return self._worker.run(self._addJob, order, msgspec.json.encode(imeis).decode())

    def save(self, executions: Sequence[Execution], modules: Sequence[ModuleRecord]) -> Deferred[None]:
        executionRows = [
            (e.job.id, e.imei, e.state, e.attempts, e.startedAt, e.finishedAt, e.error, e.answers) for e in executions
        ]
        moduleRows = [msgspec.structs.astuple(module) for module in modules]
        return self._worker.run(
            self._save, msgspec.json.encode(executionRows).decode(), msgspec.json.encode(moduleRows).decode()
        )

    def saveNumber(self, record: NumberRecord) -> Deferred[None]:
        return self._worker.run(self._saveNumber, record)

    def removeNumber(self, number: str) -> Deferred[None]:
        return self._worker.run(self._removeNumber, number)

    def readJob(self, number: int) -> Deferred[tuple[Job, list[ExecutionRecord]] | None]:
        return self._worker.run(self._readJob, number)

    def close(self) -> Deferred[None]:
        closed = self._worker.run(self._connection.close)
        closed.addBoth(self._closed)
        return closed

    def _closed(self, result: Any) -> Any:
        self._worker.stop()
        self._lock.close()
        return result

    # The rest runs on the worker, save for open.

    def _restore(self, now: float) -> Restored:
        modules = [
            ModuleRecord(*row)
            for row in self._connection.execute(
                "SELECT imei, model, revision, address, reached, first_seen, last_seen FROM modules"
            )
        ]
        jobs: dict[int, Job] = {}
        executions = []
        rows = self._connection.execute(
            "SELECT executions.job, executions.imei, executions.state, executions.attempts, executions.started_at"
            " FROM executions JOIN jobs ON jobs.id = executions.job WHERE state IN ('queued', 'running')"
            " OR (state = 'unknown' AND jobs.safe_to_repeat AND jobs.deadline_at > ?) ORDER BY executions.job",
            (now,),
        )
        for number, imei, state, attempts, startedAt in rows.fetchall():
            job = jobs.get(number)
            if job is None:
                job = jobs[number] = self._jobRow(number)
            execution = Execution(job, imei, State(state), attempts)
            execution.startedAt = startedAt
            executions.append(execution)
        numbers = [
            NumberRecord(number, imei, Secret(password), error)
            for number, imei, password, error in self._connection.execute(
                "SELECT number, imei, password, error FROM numbers"
            )
        ]
        return Restored(modules, executions, numbers)

    def _jobRow(self, number: int) -> Job:
        row = self._connection.execute(
            "SELECT commands, created_at, deadline_at, timeout, safe_to_repeat, via, id FROM jobs WHERE id = ?",
            (number,),
        ).fetchone()
        commands = msgspec.json.decode(row[0], type=tuple[str, ...])
        return Job(commands, row[1], row[2], row[3], bool(row[4]), Via(row[5]), id=row[6])

    def _addJob(self, order: Order, imeis: str) -> Job:
        with _Transaction(self._connection) as connection:
            number = connection.execute(
                "INSERT INTO jobs (created_at, deadline_at, timeout, safe_to_repeat, via, commands)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    order.createdAt,
                    order.deadlineAt,
                    order.timeout,
                    order.safeToRepeat,
                    order.via.value,
                    msgspec.json.encode(order.commands).decode(),
                ),
            ).lastrowid
            assert number is not None
            connection.execute(
                "INSERT INTO executions (job, imei, state) SELECT ?, value, ? FROM json_each(?)",
                (number, State.QUEUED.value, imeis),
            )
        return Job(**msgspec.structs.asdict(order), id=number)

    def _save(self, executions: str, modules: str) -> None:
        with _Transaction(self._connection) as connection:
            if executions != "[]":
                connection.execute(
                    "UPDATE executions SET state = json_extract(row.value, '$[2]'),"
                    " attempts = json_extract(row.value, '$[3]'), started_at = json_extract(row.value, '$[4]'),"
                    " finished_at = json_extract(row.value, '$[5]'), error = json_extract(row.value, '$[6]'),"
                    " answers = json_extract(row.value, '$[7]') FROM json_each(?) AS row"
                    " WHERE job = json_extract(row.value, '$[0]') AND imei = json_extract(row.value, '$[1]')",
                    (executions,),
                )
            if modules != "[]":
                connection.execute(
                    "INSERT OR REPLACE INTO modules (imei, model, revision, address, reached, first_seen, last_seen)"
                    " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),"
                    " json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),"
                    " json_extract(value, '$[6]') FROM json_each(?)",
                    (modules,),
                )

    def _saveNumber(self, record: NumberRecord) -> None:
        with _Transaction(self._connection) as connection:
            connection.execute(
                "DELETE FROM numbers WHERE number = ? OR (imei = ? AND imei <> '')", (record.number, record.imei)
            )
            connection.execute(
                "INSERT INTO numbers (number, imei, password, error) VALUES (?, ?, ?, ?)",
                (record.number, record.imei, record.password.reveal(), record.error),
            )

    def _removeNumber(self, number: str) -> None:
        with _Transaction(self._connection) as connection:
            connection.execute("DELETE FROM numbers WHERE number = ?", (number,))

    def _readJob(self, number: int) -> tuple[Job, list[ExecutionRecord]] | None:
        if self._connection.execute("SELECT 1 FROM jobs WHERE id = ?", (number,)).fetchone() is None:
            return None
        rows = self._connection.execute(
            "SELECT imei, state, attempts, started_at, finished_at, error, answers FROM executions"
            " WHERE job = ? ORDER BY imei",
            (number,),
        )
        answers = msgspec.json.Decoder(tuple[Answer, ...])
        return self._jobRow(number), [
            ExecutionRecord(row[0], State(row[1]), row[2], row[3], row[4], row[5], answers.decode(row[6]))
            for row in rows.fetchall()
        ]


class _Transaction:
    """
    C{BEGIN IMMEDIATE} to C{COMMIT}, or to C{ROLLBACK} if the block raises.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is None:
            try:
                self._connection.execute("COMMIT")
                return
            except sqlite3.Error:
                self._rollBack()
                raise
        self._rollBack()

    def _rollBack(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _lockFile(path: str) -> IO[str]:
    """
    Take a lock that ends with the process, however it ends.

    @raise BlockingIOError: if another process has it.
    """
    lock = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600), "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        lock.close()
        raise
    return lock


def _migrations() -> list[str]:
    folder = resources.files("atrunproto.fleet") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / name).read_text("utf-8") for name in names]


def _migrate(connection: sqlite3.Connection) -> None:
    """
    Run the numbered migrations that this file has not seen, each in a transaction of its own.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
    version = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()[0]
    migrations = _migrations()
    if version > len(migrations):
        raise sqlite3.DatabaseError(f"made by a newer version (schema {version}, this one knows {len(migrations)})")
    for number, script in enumerate(migrations[version:], version + 1):
        try:
            connection.executescript(f"BEGIN; {script}; INSERT INTO schema_version VALUES ({number}); COMMIT;")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


#: what a store URL may begin with
SQLITE_URL = "sqlite:///"


def storePath(url: str) -> str:
    """
    Read the path out of a store URL: C{sqlite:///fleet.db} is relative, C{sqlite:////var/lib/fleet.db} absolute.

    @raise ValueError: if it is no such URL.
    """
    if not url.startswith(SQLITE_URL) or len(url) == len(SQLITE_URL):
        raise ValueError(f"a store URL is {SQLITE_URL}PATH, as in {SQLITE_URL}fleet.db")
    return url[len(SQLITE_URL) :]
