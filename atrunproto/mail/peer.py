"""
E-mail through a module, as its peer uses it.

Source: reference 9 (P R10); TEL-SCF-08, TEL-EXA-03, TEL-EXA-04.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import DeferredLock

from atrunproto.at.commands import Command
from atrunproto.at.errors import CommandFailed, Misuse
from atrunproto.at.peer import ATClient
from atrunproto.at.peercalls import callText
from atrunproto.at.peerlines import Response
from atrunproto.at.peertransfer import Progress, Sending, ServerError, Source
from atrunproto.at.results import TELIT
from atrunproto.secret import Secret

from .commands import commands

#: octets of a body that every module takes; those with software 10.0x.xx3 or later take 1500 (reference 9)
BODY = 1024
#: characters of an address and of a subject; a module cuts off what is longer
SHORT = 100

#: what a command line can't hold, or an address or subject shouldn't
_CONTROL = re.compile(r"[\x00-\x1f\x7f]").search
#: what ends or gives up a text at a prompt, or edits it
_EDITS = re.compile(rb"[\x08\x1a\x1b]").search
_CODE = re.compile(r"^\s*([1-5]\d\d)\b").search


class MailError(ServerError):
    """
    A message was not sent.
    """


class NoContext(MailError):
    """
    Context 1 is not active, and can't be activated.
    """


class WrongState(MailError):
    """
    The module is busy with a message, or the context is somebody else's.
    """


class NotTaken(MailError):
    """
    The server can't be reached, or refuses the login or the message; or the module has no server or sender.
    """


#: by the number of a +CME ERROR (reference 2.2 and 9)
_ERRORS: dict[int, type[MailError]] = {
    550: NotTaken,
    551: WrongState,
    553: WrongState,
    555: NoContext,
    556: NoContext,
}


@dataclass(frozen=True, slots=True)
class Account:
    """
    How a module sends e-mail.

    @ivar server: the name or address of the SMTP server.
    @ivar address: that of the sender.
    @ivar user: the login at the server; empty: none.
    """

    server: str
    address: str
    user: str = ""
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """
    What goes with a message.

    @ivar source: octets, an open file or a function that produces them.
    @ivar filename: what the recipient sees.
    @ivar isText: it goes as it is, in lines of at most 998 octets; else in base64.
    """

    source: Source
    filename: str
    isText: bool = False


class MailClient:
    """
    The e-mail of a module, over one AT client.

    What is called while another call runs waits for it. With C{AT+CMEE=1} the errors tell more.

    Every call may raise L{MailError}, whose subclasses tell why, and the errors of
    L{ATClient.execute<atrunproto.at.peer.ATClient.execute>} where the line to the module fails.
    """

    def __init__(self, client: ATClient, longestBody: int = BODY) -> None:
        """
        @param longestBody: octets that the module takes as the text of a message.
        """
        self._client = client
        self._longestBody = longestBody
        self._lock = DeferredLock()

    # -- the settings

    async def configure(self, account: Account, stored: bool = False) -> None:
        """
        Set server, sender and login (#ESMTP, #EADDR, #EUSER, #EPASSW).

        @param stored: keep them over a power cycle (#ESAV).
        """
        await self._call("#ESMTP", account.server)
        await self._call("#EADDR", account.address)
        await self._call("#EUSER", account.user)
        await self._call("#EPASSW", account.password.reveal() if account.password is not None else "")
        if stored:
            await self._call("#ESAV")

    async def account(self) -> Account:
        """
        Server, sender and user; the password can't be read.
        """
        values = [(await self._client.read(commands.rows[name]))[0] for name in ("#ESMTP", "#EADDR", "#EUSER")]
        return Account(*values)

    async def reset(self) -> None:
        """
        Forget server, sender and login, in the NVM too (#ERST).
        """
        await self._call("#ERST")

    # -- the context

    async def open(self) -> None:
        """
        Have context 1 active (#EMAILACT=1); it must be defined.
        """
        await self._call("#EMAILACT", 1)

    async def close(self) -> None:
        """
        Close context 1 if it was L{open} that has activated it (#EMAILACT=0).
        """
        await self._call("#EMAILACT", 0)

    # -- messages

    async def send(self, recipient: str, subject: str, body: bytes) -> None:
        """
        Send a message; context 1 must be active, and stays so (#EMAILD).

        @param body: its text, lines ended by CR LF; octets that are not ASCII go as they are.
        @raise Misuse: something is longer than a module takes, or can't be said to one.
        @raise NotTaken: the server hasn't taken it.
        """
        await self._say("#EMAILD", recipient, subject, body)

    async def sendAlone(self, recipient: str, subject: str, body: bytes) -> None:
        """
        Send a message; the module activates context 1 for it, and deactivates it afterwards (#SEMAIL).

        Otherwise as L{send}.
        """
        await self._say("#SEMAIL", recipient, subject, body)

    async def sendWith(
        self, recipient: str, subject: str, body: bytes, attachment: Attachment, progress: Progress | None = None
    ) -> int:
        """
        Send a message with an attachment of any size; context 1 must be active (#SMTPCL).

        The module sends what there is when the source fails or the call is cancelled. A server that refuses the message
        at its end is noticed if that is its last word; a module that shows its farewell (221) doesn't tell (A).

        @param progress: is told how many octets of the attachment the line has taken so far.
        @return: the octets of the attachment.
        @raise NotTaken: the server hasn't taken it.
        @raise TransferBroken: the module has stopped taking the attachment.
        """
        kind = 1 if attachment.isText else 2
        values = (recipient, subject, kind, attachment.filename, kind - 1)
        row, line = self._checked("#SMTPCL", values, recipient, subject, body)
        async with self._lock:
            try:
                sent = await Sending(attachment.source, progress).run(self._client, line, row.longest, body)
            except CommandFailed as error:
                raise await self._error(error) from error
            told = await self._told()
            found = _CODE(told)
            if found is not None and found.group(1)[0] != "2":
                raise NotTaken("the message was not taken", told)
            return sent

    async def message(self) -> str:
        """
        The server's last reply, in its own words (#EMAILMSG).
        """
        return await self._told()

    # -- how it is said

    def _checked(
        self, name: str, values: tuple[Any, ...], recipient: str, subject: str, body: bytes
    ) -> tuple[Command, str]:
        """
        The row and the command line of a message that a module sends whole.
        """
        for what, text in (("an address", recipient), ("a subject", subject)):
            if len(text) > SHORT or _CONTROL(text):
                raise Misuse(f"{what} has no more than {SHORT} characters, and they can be shown")
        if len(body) > self._longestBody:
            raise Misuse(f"a body has no more than {self._longestBody} octets")
        if _EDITS(body):
            raise Misuse("a body holds ^Z, ESC or BS")
        row = commands.rows[name]
        return row, callText(row, values, {}, TELIT)

    async def _say(self, name: str, recipient: str, subject: str, body: bytes) -> None:
        row, line = self._checked(name, (recipient, subject), recipient, subject, body)
        async with self._lock:
            await self._ask(line, row.longest, body)

    async def _call(self, name: str, *values: Any) -> Response:
        row = commands.rows[name]
        async with self._lock:
            return await self._ask(callText(row, values, {}, TELIT), row.longest)

    async def _ask(self, line: str, patience: float, body: bytes | None = None) -> Response:
        try:
            return await self._client.execute(line, patience, body)
        except CommandFailed as error:
            raise await self._error(error) from error

    async def _error(self, error: CommandFailed) -> MailError:
        """
        What an error of the module means.
        """
        try:
            reply = await self._told()
        except CommandFailed:
            reply = ""
        return _ERRORS.get(error.reason.number, MailError)(str(error), reply)

    async def _told(self) -> str:
        answer = await self._client.execute("#EMAILMSG", commands.rows["#EMAILMSG"].longest)
        return answer.lines[0].partition(":")[2].strip() if answer.lines else ""
