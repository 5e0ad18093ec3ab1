"""
The messages that come to a modem, as its peer takes them: told by +CMTI and read, shown by +CMT, or found in its store.

A message is handed on when it has been read, and deleted then. If the line breaks between the two, the deletion is made
up for on the next line, and the message isn't handed on again; only a program that ends in between reads it twice.
Source: reference 12; 3GPP 27.005 3.4.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from atrunproto.at.errors import CommandFailed, LinkLost
from atrunproto.at.peer import ATClient

from .errors import SMSError
from .pdumode import PDU
from .tpdu import Deliver, StatusReport, decode

#: seconds after which the store is looked through though nothing was told (A)
INTERVAL = 60.0
#: the same for a modem that tells nothing (A)
POLL = 5.0
#: places of which a modem has told that are still to be read; beyond, the whole store is looked through
MAX_TOLD = 64
#: messages whose deletion isn't known to have happened; as many as the largest stores have places
MAX_UNDELETED = 1000
#: memories that are looked through: SM, ME, SR and the like
MAX_MEMORIES = 8

#: seconds for reading, deleting and listing; a full store at 9600 baud takes its time
_READING, _LISTING = 20.0, 60.0
#: what modems take as +CNMI, the best first: all is stored, or it is shown; then without status reports
_FORMS = ("2,1,0,2,0", "2,1,0,1,0", "1,1,0,2,0", "1,1,0,1,0", "2,2,0,1,0", "1,2,0,1,0", "2,1", "1,1", "2,2", "1,2")

_TOLD = re.compile(r'\+C[MD][TS]I: ?"?(\w+)"?, ?(\d{1,5})\s*', re.ASCII).fullmatch
_READ = re.compile(r"\+CMGR: ?(\d)\D", re.ASCII).match
_LISTED = re.compile(r"\+CMGL: ?(\d{1,5}), ?(\d)\D", re.ASCII).match
_MEMORIES = re.compile(r'"(\w+)"').findall
#: states of messages that have come; the others were written to be sent
_RECEIVED = ("0", "1")

Unit = Deliver | StatusReport


class Inbox:
    """
    Takes what comes to a modem.

    (detached) attach: the modem is prepared, its store looked through -> attached.
    (attached) a notice, or the interval: what is told, or all, is read, handed on and deleted.
    (attached) detach: -> detached.
    """

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, take: Callable[[Unit], object], memory: str | None, interval: float | None
    ) -> None:
        """
        @param take: gets each message once it is read.
        @param memory: where messages are to be stored (C{"SM"}); C{None}: where the modem does.
        @param interval: seconds between two looks at the store; C{None}: as the modem needs it.
        """
        self._clock = clock
        self._take = take
        self._wanted = memory
        self._interval = interval
        self._client: ATClient | None = None
        self._subscriptions: list[Callable[[], None]] = []
        self._timer: IDelayedCall | None = None
        self._told: deque[tuple[str, int]] = deque()
        self._memories: list[str] = []
        #: the memory that is read from; empty: that isn't known
        self._memory = ""
        self._isDue = False
        self._isBusy = False
        #: memory, index and digits
        self._undeleted: dict[tuple[str, int, str], None] = {}

    # -- the line

    async def attach(self, client: ATClient) -> None:
        """
        Prepare a modem, and take what lies in its store.

        @raise CommandFailed: it has no PDU mode, or not the memory that is wanted.
        @raise ATError: the line fails.
        """
        self.detach()
        self._client = client
        self._isBusy = True
        listen = client.onNotice
        self._subscriptions = [
            *(listen(name, self._isTold) for name in ("+CMTI", "+CDSI")),
            *(listen(name, self._isShown) for name in ("+CMT", "+CDS")),
        ]
        try:
            await client.execute("AT+CMGF=0")
            await self._accepts(client, "AT+CSMS=0")
            await self._chooseMemory(client)
            isTold = await self._chooseForm(client)
        finally:
            if client is self._client:
                self._isBusy = False
        if client is not self._client:
            raise LinkLost("the preparation of the modem", True)
        if self._interval is None:
            interval = INTERVAL if isTold else POLL
        else:
            interval = self._interval
        self._isDue = True
        self._tick(client, interval)
        await self._work(client)

    def detach(self) -> None:
        """
        Hear of nothing any more.
        """
        self._client = None
        for cancel in self._subscriptions:
            cancel()
        self._subscriptions = []
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self._told.clear()
        self._memories = []
        self._memory = ""
        self._isDue = self._isBusy = False

    async def _accepts(self, client: ATClient, line: str) -> bool:
        try:
            await client.execute(line)
        except CommandFailed:
            return False
        return True

    async def _chooseMemory(self, client: ATClient) -> None:
        """
        Messages are read from where they are stored.
        """
        wanted = self._wanted
        if wanted is not None:
            await client.execute(f'AT+CPMS="{wanted}","{wanted}","{wanted}"')
            self._reads(wanted)
            return
        try:
            answer = await client.execute("AT+CPMS?")
        except CommandFailed:
            # there is one, without a name
            self._reads("")
            return
        memories = _MEMORIES(answer.lines[0]) if answer.lines else []
        self._reads(memories[0] if memories else "")
        if memories and memories[-1] not in self._memories:
            self._memories.append(memories[-1])

    def _reads(self, memory: str) -> None:
        self._memory = memory
        if memory not in self._memories:
            self._memories.append(memory)

    async def _chooseForm(self, client: ATClient) -> bool:
        for form in _FORMS:
            if await self._accepts(client, f"AT+CNMI={form}"):
                return True
        self._log.info("the modem tells of no messages; its store is looked through all the time")
        return False

    # -- when there is something to do

    def _isTold(self, notice: str) -> None:
        found = _TOLD(notice)
        if found is None or len(self._told) >= MAX_TOLD:
            self._isDue = True
        else:
            # a modem that names none where it is asked has one
            memory = found.group(1) if self._memory else ""
            if memory not in self._memories and len(self._memories) < MAX_MEMORIES:
                self._memories.append(memory)
            self._told.append((memory, int(found.group(2))))
        self._wake()

    def _isShown(self, notice: str) -> None:
        self._hand(notice.partition("\n")[2])

    def _tick(self, client: ATClient, interval: float) -> None:
        def passed() -> None:
            self._isDue = True
            self._tick(client, interval)
            self._wake()

        self._timer = self._clock.callLater(interval, passed)

    def _wake(self) -> None:
        client = self._client
        if client is not None and not self._isBusy:
            Deferred.fromCoroutine(self._work(client)).addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        if failure.check(LinkLost) is None:
            self._log.warn("the messages of a modem can't be read now: {why}", why=failure.getErrorMessage())

    # -- reading

    async def _work(self, client: ATClient) -> None:
        self._isBusy = True
        try:
            while client is self._client and (self._isDue or self._told):
                if not self._isDue:
                    await self._fetch(client, *self._told.popleft())
                    continue
                self._isDue = False
                self._told.clear()
                for memory in tuple(self._memories):
                    await self._list(client, memory)
        finally:
            if client is self._client:
                self._isBusy = False

    async def _fetch(self, client: ATClient, memory: str, index: int) -> None:
        """
        Take the message at a place; if there is none, it has been taken already.
        """
        try:
            await self._select(client, memory)
            answer = await client.execute(f"AT+CMGR={index}", _READING)
        except CommandFailed:
            return
        lines = answer.lines
        found = _READ(lines[0] + ",") if lines else None
        if found is not None and found.group(1) in _RECEIVED:
            await self._taken(client, memory, index, lines[1] if len(lines) > 1 else "")

    async def _list(self, client: ATClient, memory: str) -> None:
        """
        Take all that lies in a memory.
        """
        try:
            await self._select(client, memory)
            answer = await client.execute("AT+CMGL=4", _LISTING)
        except CommandFailed as error:
            self._log.warn("the store of a modem can't be looked through now: {why}", why=str(error))
            return
        found = list(_entries(answer.lines))
        there = {(memory, index, digits) for index, _, digits in found}
        for key in [key for key in self._undeleted if key[0] == memory and key not in there]:
            del self._undeleted[key]
        for index, status, digits in found:
            if status in _RECEIVED:
                await self._taken(client, memory, index, digits)

    async def _select(self, client: ATClient, memory: str) -> None:
        if memory and memory != self._memory:
            await client.execute(f'AT+CPMS="{memory}"')
            self._memory = memory

    async def _taken(self, client: ATClient, memory: str, index: int, digits: str) -> None:
        """
        Hand a message on that was read, and delete it.
        """
        if client is not self._client:
            return
        key = (memory, index, digits)
        if key not in self._undeleted:
            if len(self._undeleted) >= MAX_UNDELETED:
                del self._undeleted[next(iter(self._undeleted))]
            self._undeleted[key] = None
            self._hand(digits)
        try:
            await client.execute(f"AT+CMGD={index}", _READING)
        except CommandFailed as error:
            self._log.warn("a message can't be deleted now: {why}", why=str(error))
            return
        self._undeleted.pop(key, None)

    def _hand(self, digits: str) -> None:
        try:
            unit = decode(PDU.decode(digits).unit)
        except SMSError as error:
            self._log.warn("a message can't be read, and is dropped: {where}", where=error.where)
            return
        if isinstance(unit, Deliver | StatusReport):
            with self._log.failuresHandled("the receiver of a message failed"):
                self._take(unit)


def _entries(lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """
    Index, status and digits of what was listed.
    """
    for head, digits in zip(lines, (*lines[1:], ""), strict=False):
        found = _LISTED(head + ",")
        if found is not None:
            yield int(found.group(1)), found.group(2), "" if digits.startswith("+CMGL:") else digits
