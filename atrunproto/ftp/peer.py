"""
FTP through a module, as its peer uses it: the module talks to the server, files pass over the AT port.

Source: reference 8 (S IP Easy User Guide 3.3); TEL-FTP.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from enum import IntEnum
from io import BytesIO
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.internet.task import deferLater
from zope.interface import implementer

from atrunproto.at.errors import ATError, CommandFailed, PeerViolation
from atrunproto.at.peer import ATClient
from atrunproto.at.peercalls import callText, fieldsOf
from atrunproto.at.peerlines import Response
from atrunproto.at.peertransfer import Progress, Sending, Sink, Source, Taking
from atrunproto.at.results import TELIT
from atrunproto.secret import Secret

from .commands import commands, parts
from .peererrors import ERRORS, FTPError, TransferFailed

#: octets that L{FTPClient.get} and L{FTPClient.list} hold in memory, unless told otherwise
LIMIT = 1024 * 1024
#: octets of one #FTPRECV
PACKET = 3000
#: seconds between two looks at what hasn't come yet
POLL = 0.2
#: seconds that the server has to tell how an upload went (A)
VERDICT = 60.0

_ROWS = {**commands.rows, **parts.rows}


class FileType(IntEnum):
    """
    How files are carried (#FTPTYPE).
    """

    BINARY = 0
    ASCII = 1


#: what a server says on its own number, in whatever the module puts round it
_CODE = re.compile(r"(?<!\d)([1-5]\d\d)[ -]").search
_QUOTED = re.compile(r'"((?:[^"]|"")*)"').search
_RECEIVED = re.compile(r"#FTPRECV:\s*(\d{1,4})\s*$").match


def _octets(line: str) -> int:
    """
    How many octets follow a line of #FTPRECV.
    """
    found = _RECEIVED(line)
    return int(found.group(1)) if found else 0


def _said(answer: Response) -> str:
    """
    What an answer says behind the name of its command.
    """
    return answer.lines[0].partition(":")[2].strip() if answer.lines else ""


@implementer(IPushProducer)
class _Gate:
    """
    Lets a consumer hold back packets that are asked for one by one.
    """

    def __init__(self) -> None:
        self._open: Deferred[None] | None = None
        self.isStopped = False

    def pauseProducing(self) -> None:
        if self._open is None:
            self._open = Deferred()

    def resumeProducing(self) -> None:
        waiting, self._open = self._open, None
        if waiting is not None:
            waiting.callback(None)

    def stopProducing(self) -> None:
        self.isStopped = True
        self.resumeProducing()

    async def passed(self) -> None:
        """
        Wait until it is open.
        """
        if self._open is not None:
            await self._open


class FTPClient:
    """
    The FTP session of a module, over one AT client, which may be used for other commands between the calls.

    What is called while another call runs waits for it. Context 1 must be active
    (L{bringUp<atrunproto.ipeasy.peercontexts.bringUp>}). With C{AT+CMEE=1} the errors tell more.

    Every call may raise L{FTPError<atrunproto.ftp.peererrors.FTPError>}, whose subclasses tell why, and the errors of
    L{ATClient.execute<atrunproto.at.peer.ATClient.execute>} where the line to the module fails.
    """

    def __init__(self, client: ATClient) -> None:
        self._client = client
        self._lock = DeferredLock()
        self._type = FileType.BINARY

    # -- the session

    async def open(
        self,
        server: str,
        user: str,
        password: Secret,
        port: int = 21,
        passive: bool = True,
        patience: float | None = None,
    ) -> None:
        """
        Connect to a server and log in (#FTPOPEN).

        @param passive: the module opens the data connections; else the server does.
        @param patience: seconds that the server has for each connection and reply, 10 to 500 (#FTPTO); C{None}: as
            it is set.
        """
        async with self._lock:
            if patience is not None:
                await self._call("#FTPTO", round(patience * 10))
            await self._call("#FTPOPEN", f"{server}:{port}", user, password.reveal(), int(passive))
            self._type = FileType.BINARY

    async def close(self) -> None:
        """
        Take leave of the server (#FTPCLOSE).
        """
        async with self._lock:
            await self._call("#FTPCLOSE")

    async def setType(self, type: FileType) -> None:
        """
        Choose how files are carried from now on (#FTPTYPE); binary at first.
        """
        async with self._lock:
            await self._call("#FTPTYPE", int(type))
            self._type = type

    async def message(self) -> str:
        """
        The server's last reply, in its own words (#FTPMSG).
        """
        async with self._lock:
            return await self._told()

    # -- its directories

    async def changeDirectory(self, name: str) -> None:
        """
        Change the directory on the server (#FTPCWD).
        """
        async with self._lock:
            await self._call("#FTPCWD", name)

    async def directory(self) -> str:
        """
        The directory on the server (#FTPPWD).
        """
        async with self._lock:
            told = _said(await self._call("#FTPPWD"))
        found = _QUOTED(told)
        return found.group(1).replace('""', '"') if found else told

    async def size(self, name: str) -> int:
        """
        How many octets a file has (#FTPFSIZE).
        """
        async with self._lock:
            return await self._sizeOf(name)

    async def delete(self, name: str) -> None:
        """
        Delete a file (#FTPDELE).
        """
        async with self._lock:
            await self._call("#FTPDELE", name)

    async def list(self, name: str = "", limit: int = LIMIT) -> list[str]:
        """
        The lines of a listing, in the server's words (#FTPLIST).

        @param limit: octets that the listing may have.
        @raise TransferFailed: it can't be had.
        @raise TooLong: it has more.
        """
        listing = BytesIO()
        async with self._lock:
            await self._take(Taking(listing, limit=limit), "#FTPLIST", name or None)
        return listing.getvalue().decode("utf-8", "surrogateescape").splitlines()

    # -- files to the server

    async def put(self, name: str, source: Source, progress: Progress | None = None) -> int:
        """
        Write a file on the server (#FTPPUT), and wait until the server has it.

        The file ends where the source does: one that fails or is cancelled leaves the part that was sent.

        @param progress: is told how many octets the line has taken so far.
        @return: its octets.
        @raise TransferFailed: the server doesn't take it, or not all of it.
        @raise TransferBroken: the module has stopped taking it.
        """
        async with self._lock:
            return await self._send(name, source, progress, "#FTPPUT", 0)

    async def append(self, name: str, source: Source, progress: Progress | None = None) -> int:
        """
        Write on at the end of a file (#FTPAPP); otherwise as L{put}.
        """
        async with self._lock:
            before = await self._sizeOr(name, 0)
            return await self._send(name, source, progress, "#FTPAPP", before)

    async def _send(
        self, name: str, source: Source, progress: Progress | None, command: str, before: int | None
    ) -> int:
        sending = Sending(source, progress)
        await self._transfer(sending, command, name)
        sent = sending.octets
        await self._verdict()
        if before is not None:
            now = await self._sizeOr(name, None)
            if now is not None and now != before + sent:
                raise TransferFailed(f"the server has {now - before} octets of {name}, not {sent}")
        return sent

    # -- files from the server

    async def get(self, name: str, offset: int = 0, progress: Progress | None = None, limit: int = LIMIT) -> bytes:
        """
        Fetch a file into memory (#FTPGET).

        @param offset: the octet to begin with (#FTPREST).
        @param limit: octets that it may have.
        @raise TransferFailed: it can't be had, or not all of it.
        @raise TooLong: it has more.
        """
        file = BytesIO()
        async with self._lock:
            await self._fetch(name, offset, Taking(file, progress, limit))
        return file.getvalue()

    async def getTo(self, name: str, sink: Sink, offset: int = 0, progress: Progress | None = None) -> int:
        """
        Fetch a file of any size to an open file or a consumer, which may hold the module back (#FTPGET).

        A consumer gets a producer and is left by C{unregisterProducer}.

        @param offset: the octet to begin with (#FTPREST).
        @return: the octets that have come.
        @raise TransferFailed: it can't be had, or not all of it.
        """
        async with self._lock:
            return await self._fetch(name, offset, Taking(sink, progress))

    async def _fetch(self, name: str, offset: int, taking: Taking) -> int:
        whole = await self._begin(name, offset)
        await self._take(taking, "#FTPGET", name)
        return self._whole(name, offset, taking.octets, whole)

    async def getPackets(self, name: str, sink: Sink, offset: int = 0, progress: Progress | None = None) -> int:
        """
        Fetch a file piece by piece in command mode (#FTPGETPKT, #FTPRECV), so that other commands can go between.

        Otherwise as L{getTo}; but a module has no way to give it up, so the session is closed when it is cancelled or
        fails half way.
        """
        taking = Taking(sink, progress)
        gate = _Gate()
        async with self._lock:
            whole = await self._begin(name, offset)
            async with self._endedBy(CancelledError):
                await self._call("#FTPGETPKT", name, 0)
            async with self._endedBy(Exception):
                if not IConsumer.providedBy(sink):
                    await self._packets(taking, gate)
                else:
                    consumer: Any = sink
                    consumer.registerProducer(gate, True)
                    try:
                        await self._packets(taking, gate)
                    finally:
                        consumer.unregisterProducer()
            await self._verdict()
            return self._whole(name, offset, taking.octets, whole)

    @asynccontextmanager
    async def _endedBy(self, kind: type[Exception]) -> AsyncIterator[None]:
        """
        Close the session at such an error, since the module goes on fetching.
        """
        try:
            yield
        except kind:
            with suppress(ATError):
                await self._client.execute("#FTPCLOSE", _ROWS["#FTPCLOSE"].longest)
            raise

    async def _packets(self, taking: Taking, gate: _Gate) -> None:
        isLast = False
        while True:
            await gate.passed()
            if gate.isStopped:
                raise TransferFailed("the consumer wants no more")
            try:
                answer = await self._ask(f"#FTPRECV={PACKET}", block=_octets)
            except FTPError:
                # an empty buffer and no connection is an error
                if isLast or await self._hasEnded():
                    return
                raise
            if answer.data:
                taking.take(answer.data)
            elif isLast:
                return
            else:
                # what came between the two questions is asked for once more
                isLast = await self._hasEnded()
                if not isLast:
                    await deferLater(self._client.clock, POLL)

    async def _hasEnded(self) -> bool:
        """
        Whether all of the file of #FTPGETPKT is in the module.
        """
        answer = await self._ask("#FTPGETPKT?")
        return bool(answer.lines) and fieldsOf(answer.lines[0])[-1] == "1"

    # -- what all transfers need

    async def _begin(self, name: str, offset: int) -> int | None:
        """
        Choose where a file begins; tell how long it is, C{None} where that can't be known.
        """
        whole = await self._sizeOr(name, None)
        if offset:
            await self._call("#FTPREST", offset)
        return whole

    @staticmethod
    def _whole(name: str, offset: int, octets: int, whole: int | None) -> int:
        if whole is not None and octets != max(0, whole - offset):
            raise TransferFailed(f"{octets} octets of {name} have come, not {max(0, whole - offset)}")
        return octets

    async def _take(self, taking: Taking, command: str, name: str | None) -> None:
        await self._transfer(taking, command, name)
        await self._verdict()

    async def _transfer(self, transfer: Sending | Taking, command: str, name: str | None) -> None:
        row = _ROWS[command]
        line = callText(row, (name,), {}, TELIT)
        try:
            await transfer.run(self._client, line, row.longest)
        except CommandFailed as error:
            raise await self._error(error, TransferFailed) from error

    async def _verdict(self) -> None:
        """
        Wait until the server has told how a transfer went.

        @raise TransferFailed: not well.
        """
        end = self._client.clock.seconds() + VERDICT
        while True:
            told = await self._told()
            found = _CODE(told)
            if found is None or found.group(1)[0] == "2":
                # a module may tell it in other words
                return
            if found.group(1)[0] != "1":
                raise TransferFailed("the file has not passed whole", told)
            if self._client.clock.seconds() >= end:
                raise TransferFailed("the server doesn't tell whether the file has passed whole", told)
            await deferLater(self._client.clock, POLL)

    async def _sizeOf(self, name: str) -> int:
        told = _said(await self._call("#FTPFSIZE", name))
        if not (told.isascii() and told.isdecimal()):
            raise PeerViolation("#FTPFSIZE tells no size", told.encode("latin-1", "replace"))
        return int(told)

    async def _sizeOr(self, name: str, otherwise: int | None) -> int | None:
        """
        The size of a file that may not be there, or on a server that doesn't tell, or tells another one for text.
        """
        if self._type is not FileType.BINARY:
            return None
        try:
            return await self._sizeOf(name)
        except FTPError:
            return otherwise

    async def _told(self) -> str:
        return _said(await self._ask("#FTPMSG"))

    async def _call(self, name: str, *values: Any) -> Response:
        """
        Give a command, checked by its row.
        """
        row = _ROWS[name]
        return await self._ask(callText(row, values, {}, TELIT), row.longest)

    async def _ask(
        self, line: str, patience: float | None = None, block: Callable[[str], int] | None = None
    ) -> Response:
        """
        Give a command line; an error is one of ours, with the server's reply.
        """
        try:
            return await self._client.execute(line, patience, block=block)
        except CommandFailed as error:
            raise await self._error(error, FTPError) from error

    async def _error(self, error: CommandFailed, otherwise: type[FTPError]) -> FTPError:
        """
        What an error of the module means.
        """
        kind = ERRORS.get(error.reason.number, otherwise)
        try:
            reply = _said(await self._client.execute("#FTPMSG"))
        except CommandFailed:
            reply = ""
        return kind(str(error), reply)
