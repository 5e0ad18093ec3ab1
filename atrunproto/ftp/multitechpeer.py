"""
FTP through a Multi-Tech modem, as its host uses it: each command moves one file, and has a session of its own.

Source: reference guide S000333C, chapter 4 and appendix B; MTS-FTP.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Literal

from atrunproto.at.errors import PeerViolation
from atrunproto.at.peertransfer import Progress, Sending, Sink, Source, Taking
from atrunproto.multitech.answers import Key, Value
from atrunproto.multitech.coding import Coded
from atrunproto.multitech.errors import Message
from atrunproto.multitech.peerfiles import FileSession
from atrunproto.secret import Secret

from .multitech import commands
from .peer import LIMIT, FileType

if TYPE_CHECKING:
    from atrunproto.multitech.peer import MultitechClient

#: seconds that a modem may take for the result: what is still on its way, and the last replies of the server (A)
VERDICT = 300.0

_LONGEST = commands.rows["#FTPGET"].longest
_TYPES = {FileType.BINARY: "I", FileType.ASCII: "A"}


class MultitechFTPClient:
    """
    The files of one FTP server, through a modem that is connected to the network.

    What is called while another call runs waits for it. Server and login are written to the modem where they aren't
    there yet, and kept by it.

    Every call may raise L{MultitechError<atrunproto.multitech.peererrors.MultitechError>}, whose subclasses tell why,
    and the errors of L{ATClient.execute<atrunproto.at.peer.ATClient.execute>} where the line to the modem fails.
    """

    def __init__(
        self,
        modem: MultitechClient,
        server: str,
        user: str,
        password: Secret,
        port: int = 21,
        passive: bool = True,
        type: FileType = FileType.BINARY,
    ) -> None:
        """
        @param server: its name or address.
        @param passive: the modem opens the data connections; else the server does, which few operators let through. It
            always does with a stack before 3.02.
        @param type: how files are carried; as text, octets that are sent lose their top bit (MTS-FTP-05).
        """
        self._modem = modem
        self._server: dict[Key, Value] = {
            "FTPSERV": server,
            "FTPPORT": port,
            "FTPUN": user,
            "FTPPW": password,
            "FTPTYPE": _TYPES[type],
        }
        if modem.has("FTPMODE"):
            self._server["FTPMODE"] = int(passive)

    async def put(self, name: str, source: Source, directory: str = "", progress: Progress | None = None) -> int:
        """
        Write a file on the server (#FTPPUT), and wait until the server has it.

        The file ends where the source does: one that fails or is cancelled leaves the part that was sent.

        @param directory: where; empty: where the login leads.
        @param progress: is told how many octets the line has taken so far.
        @return: its octets.
        @raise Refused: the server doesn't know the directory.
        @raise TransferFailed: the server doesn't take the file, or not all of it.
        @raise TransferBroken: the modem has stopped taking it.
        """
        return await self._move("PUT", Sending(source, progress), Message.WAITING_FOR_DATA, name, directory)

    async def get(self, name: str, directory: str = "", progress: Progress | None = None, limit: int = LIMIT) -> bytes:
        """
        Fetch a file into memory (#FTPGET).

        A modem can't be stopped. So when a file is given up, because it is too long or the call is cancelled, its rest
        is dropped as it comes, and what is called next waits for its end.

        @param directory: as in L{put}.
        @param progress: is told how many octets have come so far.
        @param limit: octets that it may have.
        @raise Refused: the server doesn't know the directory.
        @raise TransferFailed: the file can't be had, or not all of it.
        @raise TooLong: it has more octets.
        """
        file = BytesIO()
        await self._get(name, Taking(file, progress, limit), directory)
        return file.getvalue()

    async def getTo(self, name: str, sink: Sink, directory: str = "", progress: Progress | None = None) -> int:
        """
        Fetch a file of any size (#FTPGET); otherwise as L{get}.

        @param sink: an open file, or a consumer, which may hold the modem back.
        @return: the octets.
        @raise TransferBroken: the consumer wanted no more.
        """
        return await self._get(name, Taking(sink, progress), directory)

    async def _get(self, name: str, taking: Taking, directory: str) -> int:
        return await self._move("GET", taking, Message.DATA_BEGIN, name, directory)

    async def _move(
        self, way: Literal["GET", "PUT"], transfer: Sending | Taking, message: Message, name: str, directory: str
    ) -> int:
        wanted = {**self._server, f"FTP{way}FILENAME": name, f"FTP{way}PATH": directory}
        session = FileSession(self._modem, transfer, Coded(), message, VERDICT)
        octets = await session.run(wanted, f"AT#FTP{way}", _LONGEST)
        if octets is None:
            raise PeerViolation(f"AT#FTP{way} was answered without a file")
        return octets
