"""
E-mail through a Multi-Tech modem, as its host uses it: out by SMTP, with a body from the host or a stored one, in by
POP3.

Source: reference guide S000333C, chapter 3 and appendix B; MTS-MAIL, MTS-SMTP, MTS-POP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from twisted.internet.task import deferLater

from atrunproto.at.errors import Misuse, PeerViolation
from atrunproto.at.peeronline import SILENCE
from atrunproto.at.peertransfer import Progress, Sending, Sink, Source, Taking
from atrunproto.multitech.answers import Key, Value
from atrunproto.multitech.errors import Message
from atrunproto.multitech.parameters import SEPARATOR
from atrunproto.multitech.peerfiles import FileSession
from atrunproto.secret import Secret

from .dots import Dots
from .multitech import SILENCE as BODY_SILENCE
from .multitechcommands import commands
from .peer import Account

if TYPE_CHECKING:
    from atrunproto.multitech.peer import MultitechClient

#: octets of a mail that L{MultitechMailbox.get} holds in memory, unless told otherwise
LIMIT = 1024 * 1024
#: the mails that a modem stores
STORED = (1, 2, 3)
#: seconds that a modem may take for the result: the server's three minutes (MTS-SMTP-13), and the way (A)
VERDICT = 240.0

_LONGEST = commands.rows["#PUTMAIL"].longest


@dataclass(frozen=True, slots=True)
class Sender(Account):
    """
    How a Multi-Tech modem sends e-mail; there is no login without a password.

    @ivar name: what stands in front of the address.
    @ivar domain: what the modem calls itself; empty: what stands behind the C{@} of the address.
    @ivar port: of the server.
    """

    name: str = ""
    domain: str = ""
    port: int = 25


class _BodySession(FileSession):
    """
    The body of a mail. One that isn't whole is given up by silence, so that nobody gets it (MTS-SMTP-14).
    """

    def giveUp(self) -> None:
        self._client.resultWithin(BODY_SILENCE + self._patience)


class MultitechMailClient:
    """
    The mails of one sender, through a modem that is connected to the network.

    What is called while another call runs waits for it. Server, login and sender are written to the modem where they
    aren't there yet, and kept by it.

    Every call may raise L{MultitechError<atrunproto.multitech.peererrors.MultitechError>}, whose subclasses tell why,
    and the errors of L{ATClient.execute<atrunproto.at.peer.ATClient.execute>} where the line to the modem fails.
    """

    def __init__(self, modem: MultitechClient, sender: Sender) -> None:
        self._modem = modem
        self._sender: dict[Key, Value] = {
            "SMTPSERV": sender.server,
            "SMTPPORT": sender.port,
            "SMTPUN": sender.user,
            "SMTPPW": sender.password or Secret(""),
            "SENDERADDR": sender.address,
            "SENDERNAME": sender.name,
            "DOMAIN": sender.domain or sender.address.rpartition("@")[2],
        }

    async def send(
        self,
        recipients: str | Sequence[str],
        subject: str,
        body: Source,
        copy: str = "",
        progress: Progress | None = None,
    ) -> int:
        """
        Send a mail, and wait until the server has it (#PUTMAIL). Recipients, copy and subject are those of the stored
        mail 1 afterwards.

        Its lines end with CR LF; an LF alone is sent as that. Dots need no care. A source that says nothing for 50 s
        ends in an error. If the source fails or the call is cancelled nobody gets the mail, but the port is busy until
        the modem has noticed that, which takes these 50 s.

        @param recipients: one, or up to ten.
        @param body: its text, of any length.
        @param copy: who gets a carbon copy.
        @param progress: is told how many octets of the body the line has taken so far.
        @return: the octets of the body.
        @raise BadCommand: an address or the subject is too long, or there are too many recipients.
        @raise Refused: the server doesn't take the sender, a recipient or the body.
        @raise TransferBroken: the modem has stopped taking the body.
        """
        session = _BodySession(self._modem, Sending(body, progress), Dots(), Message.WAITING_FOR_DATA, VERDICT)
        wanted = {**self._sender, **_header(1, recipients, subject, copy)}
        octets = await session.run(wanted, "AT#PUTMAIL", _LONGEST)
        if octets is None:
            raise PeerViolation("AT#PUTMAIL was answered before the mail")
        return octets

    async def store(self, mail: int, recipients: str | Sequence[str], subject: str, body: str, copy: str = "") -> None:
        """
        Have the modem keep a mail, whoever will be its sender; it is sent by L{sendStored} (#BODY1 to #BODY3).

        @param mail: 1 to 3.
        @param body: up to 120 characters, of which the end of a line takes two.
        @raise BadCommand: something is too long, or there are too many recipients.
        @see: L{send} for the others.
        """
        _checkStored(mail)
        async with self._modem.preparing:
            await self._modem.ensure(_header(mail, recipients, subject, copy))
            # what is shown of a body may look like a result, so it isn't read
            await self._modem.write(f"BODY{mail}", body)

    async def sendStored(self, mail: int) -> None:
        """
        Send a mail that the modem keeps, and wait until the server has it (#SENDMAIL1 to #SENDMAIL3).

        @param mail: 1 to 3.
        @raise Refused: as L{send}.
        """
        _checkStored(mail)
        async with self._modem.preparing:
            await self._modem.ensure(self._sender)
            await self._modem.execute(f"AT#SENDMAIL{mail}", _LONGEST)


def _header(mail: int, recipients: str | Sequence[str], subject: str, copy: str) -> dict[Key, Value]:
    several = [recipients] if isinstance(recipients, str) else recipients
    return {f"REC{mail}": SEPARATOR.join(several), f"CCREC{mail}": copy, f"SUBJ{mail}": subject}


def _checkStored(mail: int) -> None:
    if mail not in STORED:
        raise Misuse(f"there is no stored mail {mail}")


class MultitechMailbox:
    """
    A mailbox, through a modem that is connected to the network.

    A modem fetches the first mail of the box, and deletes it there when it has all of it. So a mail that goes wrong at
    the host is gone: one that is too long, whose sink fails, or whose call is cancelled. Its rest is dropped as it
    comes, and what is called next waits for its end. Where the modem tells an error the mail is still in the box (A).

    @see: L{MultitechMailClient} for what is true of every call.
    """

    def __init__(
        self,
        modem: MultitechClient,
        server: str,
        user: str,
        password: Secret,
        port: int = 110,
        withHeader: bool = True,
    ) -> None:
        """
        @param server: its name or address.
        @param withHeader: the modem shows the header too, of which it may leave out all but sender, copies and subject.
        """
        self._modem = modem
        self._wanted: dict[Key, Value] = {
            "POP3SERV": server,
            "POP3PORT": port,
            "POP3UN": user,
            "POP3PW": password,
            "POP3HEADERMODE": int(withHeader),
        }

    async def get(self, progress: Progress | None = None, limit: int = LIMIT) -> bytes | None:
        """
        Fetch a mail into memory (#GETMAIL).

        @param progress: is told how many octets have come so far.
        @param limit: octets that it may have.
        @return: the mail as the modem shows it, without the end of its last line: header, an empty line, and body, or
            the body alone. C{None}: there is none.
        @raise TooLong: it has more octets.
        @raise TransferFailed: it can't be had, or not all of it.
        """
        mail = BytesIO()
        octets = await self._fetch(Taking(mail, progress, limit))
        return None if octets is None else mail.getvalue()

    async def getTo(self, sink: Sink, progress: Progress | None = None) -> int | None:
        """
        Fetch a mail of any size; otherwise as L{get}.

        @param sink: an open file, or a consumer, which may hold the modem back; untouched where there is no mail.
        @return: the octets; C{None}: there is no mail.
        @raise TransferBroken: the consumer wanted no more.
        """
        return await self._fetch(Taking(sink, progress))

    async def _fetch(self, taking: Taking) -> int | None:
        session = FileSession(self._modem, taking, Dots(), Message.MAIL, VERDICT)
        octets = await session.run(self._wanted, "AT#GETMAIL", _LONGEST)
        if octets is None:
            # an OK may follow, which must not answer the next command (MTS-GAP-39)
            await deferLater(self._modem.client.clock, SILENCE)
        return octets
