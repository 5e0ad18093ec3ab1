"""
The parameters of a Multi-Tech modem, as its host reads and writes them.

Source: reference guide S000333C, chapters 2 to 8, appendix B; MTS-PAR, MTS-DISP, MTS-OPEN-06 to MTS-OPEN-08.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from twisted.internet.defer import DeferredLock
from twisted.internet.task import deferLater

from atrunproto.at.errors import CommandFailed, Misuse, PeerViolation
from atrunproto.at.peercalls import callText
from atrunproto.at.results import MULTITECH
from atrunproto.secret import Secret

from .answers import Key, Value, readDisplay
from .commands import earlier, parameters
from .displays import DISPLAYS
from .entries import entryOf
from .generations import Generation
from .parameters import BY_NAME, Kind, Row
from .peererrors import asMultitechError

if TYPE_CHECKING:
    from atrunproto.at.peer import ATClient
    from atrunproto.at.peerlines import Response

#: seconds of silence before a parameter is written (MTS-PAR-13)
PAUSE = 1.0

#: the commands that a stack before 3.02 has in another form, in place of those
_EARLIER = {**parameters.rows, **earlier.rows}


class ParameterClient:
    """
    The commands of a modem's stack, one after the other, and its parameters.

    @ivar client: the AT client.
    @ivar generation: of the stack.
    @ivar preparing: held by whoever begins a service, since its parameters and its command belong together.
    """

    def __init__(self, client: ATClient, pause: float = PAUSE, generation: Generation = Generation.V3_02) -> None:
        """
        @param pause: seconds of silence before a parameter is written.
        @param generation: of the stack; those before 3.02 have one TCP socket, without a number.
        """
        self.client = client
        self.generation = generation
        self.preparing = DeferredLock()
        self._pause = pause
        self._lock = DeferredLock()
        self._rows = parameters.rows if generation.numbersSockets else _EARLIER

    # -- its commands

    async def execute(self, line: str, patience: float | None = None) -> Response:
        """
        Give a command line of the stack, for which there is no call.

        @param patience: seconds that it may take; C{None}: as its rows say.
        """
        async with self._lock:
            return await self._execute(line, patience)

    async def _execute(self, line: str, timeout: float | None = None, data: bytes | None = None) -> Response:
        """
        @param data: lines that are entered behind the command, without a prompt.
        """
        try:
            return await self.client.execute(line, timeout, data, isPrompted=data is None)
        except CommandFailed as failure:
            raise self.judged(failure) from None

    def judged(self, failure: CommandFailed) -> CommandFailed:
        """
        An error of a command by its kind.
        """
        return asMultitechError(failure)

    # -- the parameters

    async def read(self, name: str, socket: int | None = None) -> Value:
        """
        Read a parameter.

        @param name: its mnemonic: C{"APNSERV"}.
        @param socket: 1 or 2, where each socket has its own.
        @return: an C{int} of numbers, a L{Secret} of passwords, else a C{str}, with commas between several recipients
            and without the empty lines of a body.
        @raise PeerViolation: the modem tells something else.
        @raise Misuse: there is no such parameter.
        """
        row = self._rowOf(name, socket)
        async with self._lock:
            answer = await self._execute(f"AT{row.command}" + ("?" if socket is None else f"={socket}"))
        key: Key = row.name if socket is None else (row.name, socket)
        values = readDisplay(answer.lines)
        if key not in values:
            raise PeerViolation(f"the value of {row.name} is not told")
        return values[key]

    async def write(self, name: str, value: Value, socket: int | None = None) -> None:
        """
        Write a parameter, after the silence that the modem wants. It is kept over a restart.

        Modes of C{ANSWERMODE} above 0 switch C{S0} off, so that the two don't compete (MTS-DIAL-03).

        @param value: an empty text empties it; several recipients have commas between them.
        @raise BadCommand: the value isn't allowed; the modem wasn't asked.
        @see: L{read} for the others.
        """
        row = self._rowOf(name, socket)
        plain = value.reveal() if isinstance(value, Secret) else value
        data: bytes | None = None
        try:
            entry = entryOf(row, plain) if isinstance(plain, str) else None
            if entry is not None:
                line, data = entry
            else:
                values = [plain] if socket is None else [socket, plain]
                line = callText(self._rows[row.command], values, {}, MULTITECH)
        except CommandFailed as error:
            raise asMultitechError(error) from None
        async with self._lock:
            if row.name == "ANSWERMODE" and value != 0:
                await self._execute("ATS0=0")
            await deferLater(self.client.clock, self._pause)
            await self._execute(line, data=data)

    async def configure(self, values: Mapping[Key, Value]) -> None:
        """
        Write several parameters, in their order.

        @param values: by name, or by name and socket, as L{showAll} gives them.
        """
        for key, value in values.items():
            name, socket = (key, None) if isinstance(key, str) else key
            await self.write(name, value, socket)

    async def ensure(self, values: Mapping[Key, Value]) -> None:
        """
        Have parameters at these values. What is so already isn't written, which spares its pause.

        @param values: as for L{configure}.
        """
        for key, value in values.items():
            name, socket = (key, None) if isinstance(key, str) else key
            if await self.read(name, socket) != value:
                await self.write(name, value, socket)

    async def show(self, display: str) -> dict[Key, Value]:
        """
        Read a group of parameters by its display.

        @param display: C{"VPHY"}, C{"VPPP"}, C{"VGPRS"}, C{"VDNS"}, C{"VFTP"}, C{"VPOP3"}, C{"VSMTP"}, C{"VMAIL1"} to
            C{"VMAIL3"}, C{"VUDP"} or C{"VPING"}.
        @raise Misuse: there is no such display.
        """
        if f"#{display}" not in DISPLAYS:
            raise Misuse(f"there is no display {display}")
        return await self._show(f"AT#{display}")

    async def showSocket(self, socket: int | None = None) -> dict[Key, Value]:
        """
        Read the parameters of a TCP socket.

        @param socket: 1 or 2; C{None} where there is only one.
        """
        return await self._show("AT#VTCP" if socket is None else f"AT#VTCP={socket}")

    async def showAll(self) -> dict[Key, Value]:
        """
        Read all parameters.

        A mail body that has a line of C{OK} would end what is shown, for the modem shows bodies as they are.
        """
        return await self._show("AT#VALL")

    async def _show(self, line: str) -> dict[Key, Value]:
        async with self._lock:
            return readDisplay((await self._execute(line)).lines)

    def has(self, name: str) -> bool:
        """
        Whether the stack has a parameter, by its generation.
        """
        row = BY_NAME.get(name.upper())
        return row is not None and row.since <= self.generation

    def _rowOf(self, name: str, socket: int | None) -> Row:
        """
        A parameter that can be read and written.

        @raise Misuse: there is no such one, or the socket is missing, or is none of this parameter's business.
        """
        row = BY_NAME.get(name.upper())
        if row is None or not self.has(name) or (row.kind is Kind.MULTILINE and row.name.endswith("ADD")):
            raise Misuse(f"there is no parameter {name}")
        row = row.of(self.generation)
        if row.perSocket != (socket is not None):
            raise Misuse(f"{row.name} {'is of one socket: say which' if row.perSocket else 'is not of one socket'}")
        return row
