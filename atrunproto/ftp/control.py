"""
The control connection of an FTP session: Twisted's client, and what that lacks.

To import it installs the reactor, since the module of Twisted does; so it is imported when a session is opened.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.ftp import ConnectionLost, FTPClientBasic, FTPCommand, FTPError, decodeHostPort
from twisted.python.failure import Failure

from atrunproto.at.results import Reason, refuse

from .reasons import Reasons

#: lines of one reply; a server that says more is cut off
REPLY_LINES = 200
#: characters of a reply that are kept for #FTPMSG (A)
KEPT = 200

_COMPLETE = re.compile(r"\d{3} ")


class Control(FTPClientBasic):
    """
    A control connection: orders and their replies, one after the other.

    Twisted's client drops the 1xx replies, though an upload that ends before one came is an empty file for nobody.

    @ivar patience: seconds that a reply may take.
    @ivar told: the last reply, without control characters.
    """

    def __init__(self, clock: IReactorTime, patience: float, reasons: Reasons, lost: Callable[[], None]) -> None:
        """
        @param reasons: what is answered where the server doesn't do as it is told.
        @param lost: called when the connection is gone.
        """
        super().__init__()
        self.patience = patience
        self.told = ""
        self._clock = clock
        self._reasons = reasons
        self._whenLost = lost
        self._begun: tuple[FTPCommand, Deferred[None]] | None = None

    def lineReceived(self, line: bytes) -> None:
        """
        A line of a reply.
        """
        text = line.decode("latin-1")
        if len(self.response) >= REPLY_LINES:
            self.fail(Failure(ConnectionLost("the reply has no end")))
            return
        if _COMPLETE.match(text):
            self.told = "".join(character for character in text[:KEPT] if character.isprintable())
            if text[0] == "1":
                # what it leaves behind would stand in front of the next reply
                self.response.clear()
                self._mark()
                return
        super().lineReceived(line)

    def _mark(self) -> None:
        begun = self._begun
        if begun is not None and begun[0].deferred is self.nextDeferred and not begun[1].called:
            begun[1].callback(None)

    def fail(self, error: Any) -> None:
        """
        End the connection, and whatever waits for a reply.
        """
        self._fail(error)
        self.actionQueue.clear()
        if self.transport is not None:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self.actionQueue.clear()
        self._whenLost()

    def _order(self, text: str) -> FTPCommand:
        command = FTPCommand("".join(character for character in text if character not in "\r\n\0"), public=1)
        if self._failed:
            command.fail(Failure(ConnectionLost("the control connection is gone")))
        else:
            self.queueCommand(command)
        return command

    async def ask(self, text: str) -> str:
        """
        Give an order and wait for the end of its reply.

        @raise CommandFailed: the server refuses, or says nothing in time. What it says later is kept in C{told}.
        """
        command = self._order(text)
        try:
            lines: list[str] = await command.deferred.addTimeout(self.patience, self._clock)
        except TimeoutError as error:
            raise refuse(self._reasons.silent) from error
        except FTPError as error:
            raise refuse(self._why(text, error)) from error
        finally:
            if command in self.actionQueue:
                self.actionQueue.remove(command)
        return lines[-1]

    def _why(self, text: str, error: BaseException | None) -> Reason:
        """
        Why an order had no success.
        """
        return self._reasons.gone if isinstance(error, ConnectionLost) else self._reasons.ofRefusal(text)

    def begin(self, text: str) -> tuple[Deferred[None], Deferred[Reason | None]]:
        """
        Give an order that moves data.

        @return: what fires when the server begins, or fails when it refuses; what tells at the end why the server isn't
            content, C{None} if it is.
        """
        command = self._order(text)
        begun: Deferred[None] = Deferred()
        done: Deferred[Reason | None] = Deferred()
        self._begun = command, begun

        def over(result: Any) -> None:
            why = self._why(text, result.value) if isinstance(result, Failure) else None
            if not begun.called:
                begun.callback(None) if why is None else begun.errback(refuse(why))
            if not done.called:
                done.callback(why)

        command.deferred.addBoth(over)
        return begun, done

    async def passive(self) -> tuple[str, int]:
        """
        Ask for a port to connect to.

        @raise CommandFailed: the server refuses, or names none.
        """
        reply = await self.ask("PASV")
        try:
            host, port = decodeHostPort(reply[4:])
        except ValueError as error:
            raise refuse(self._reasons.refused) from error
        return host, port
