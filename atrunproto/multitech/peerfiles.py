"""
A file that a host sends by a command of a Multi-Tech modem, or takes; a mail is one too.

Source: reference guide S000333C, appendix B (data mode); MTS-RES-11, MTS-RES-12, MTS-FTP-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from atrunproto.at.peertransfer import Sending, Taking

from .answers import Key, Value
from .coding import Coding
from .errors import Message
from .peerdata import DataSession, Way

if TYPE_CHECKING:
    from .peer import MultitechClient


class FileSession(DataSession):
    """
    The data of one command, as what carries a file.

    When the transfer is given up nobody waits any longer, but the port is busy until the modem is at its end.
    """

    def __init__(
        self, modem: MultitechClient, transfer: Sending | Taking, coding: Coding, message: Message, patience: float
    ) -> None:
        """
        @param patience: seconds for the result behind the file.
        @see: L{DataSession} for the others.
        """
        way = Way.OUT if isinstance(transfer, Sending) else Way.IN
        super().__init__(modem, coding, message, lambda: transfer, way, patience=patience)
        self._transfer = transfer

    async def run(self, wanted: Mapping[Key, Value], line: str, patience: float) -> int | None:
        """
        Set parameters, give the command, and wait until the modem has said that all is well.

        @param wanted: the parameters of the command.
        @param patience: seconds until the file begins.
        @return: its octets; C{None}: the command was answered without one.
        @raise CommandFailed: the modem can't, or the file hasn't passed whole.
        @raise TransferBroken: it has ended before its time.
        """
        async with self._modem.preparing:
            await self._modem.ensure(wanted)
            answer = await self.open(line, patience)
        return await self._transfer.whole() if answer is None else None
