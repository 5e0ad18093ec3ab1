"""
The line under an AT instance: what the octets that come mean at each moment, and how much of them is kept.

What the octets mean is told by a bound method, C{_take}:

    - C{_takeCommand}: command mode, collecting a line;
    - C{_takeBusy}: a command runs; what comes is lost, or queued where the bearer says so;
    - C{_takePrompt}: a command waits for data;
    - C{received} of a L{ChannelTransport<atrunproto.at.online.ChannelTransport>}: online, all goes to the channel
      but the escape sequence.

What a line does is told in L{atrunproto.at.running}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.logger import Logger
from twisted.python.failure import Failure

from .bearer import LOCAL, Bearer
from .editing import LineEditor, Prompt
from .errors import CommandFailed
from .notices import HeldNotices, Notice, framed
from .prompting import Prompting
from .results import PLAIN_ERROR, Framing
from .surroundings import Surroundings

#: octets of early lines kept under #TCPATCMDSEQ=1; beyond, the transport is paused (TEL-GAP-15)
QUEUED = 16384


class ATPort:
    """
    Where an instance meets its transport: echo, line editing, flow control, prompts and notices.

    @ivar number: 1 to 3.
    @ivar module: what stands round the instance.
    @ivar bearer: the rules of the transport it sits on now.
    """

    _log = Logger()

    __slots__ = (
        "_abort",
        "_channelFull",
        "_deaf",
        "_echo",
        "_editor",
        "_framing",
        "_notices",
        "_out",
        "_outputFull",
        "_prompting",
        "_queued",
        "_take",
        "bearer",
        "module",
        "number",
        "transport",
    )

    def __init__(self, number: int, module: Surroundings, longest: int) -> None:
        """
        @param longest: octets of a command line.
        """
        self.number = number
        self.module = module
        self.transport: Any = None
        self.bearer: Bearer = LOCAL
        self._editor = LineEditor(longest)
        self._echo = True
        self._framing: Framing
        self._out = b""
        self._take: Callable[[bytes], None] = self._takeCommand
        self._queued = b""
        self._abort: Deferred[Any] | None = None
        self._outputFull = False
        self._channelFull = False
        self._deaf = False
        self._notices: HeldNotices | None = None
        self._prompting: Prompting | None = None

    # -- what is built on it

    def settingsChanged(self) -> None:
        """
        Take over the settings that rule how the line is read and answered.
        """
        raise NotImplementedError

    def _line(self, echo: bytes, line: bytes) -> None:
        """
        A line has come.

        @param echo: what is to be shown in front of the answer.
        """
        raise NotImplementedError

    def _stop(self) -> None:
        """
        Forget what has come and what was to be said.
        """
        self._editor.clear()
        self._queued = self._out = b""
        self._outputFull = False
        self._notices = None

    # -- the transport

    def makeConnection(self, transport: Any) -> None:
        """
        Attach the instance to a transport.
        """
        self.transport = transport
        self._deaf = False
        self.bearer = getattr(transport, "bearer", LOCAL)
        self.settingsChanged()
        transport.registerProducer(self, True)

    def connectionMade(self) -> None:
        """
        Nothing: an instance says nothing by itself.
        """

    def dataReceived(self, data: bytes) -> None:
        """
        Octets from the DTE.
        """
        self._take(data)

    def connectionLost(self, reason: Failure) -> None:
        """
        The transport is gone; the instance lives on.
        """
        self.transport = None
        self._stop()
        self.bearer = LOCAL

    def detach(self) -> None:
        """
        Leave the transport: what runs is cancelled, what was typed is forgotten, an online channel is lost.
        """
        self._stop()
        transport, self.transport = self.transport, None
        self.bearer = LOCAL
        if transport is not None:
            transport.unregisterProducer()

    def getPeer(self) -> IAddress | None:
        """
        Who is on the other end of the transport.
        """
        peer: IAddress | None = None if self.transport is None else self.transport.getPeer()
        return peer

    def pauseProducing(self) -> None:
        """
        The transport can't take more output: stop reading, so that no more of it comes about.
        """
        self._outputFull = True
        self._regulate()

    def resumeProducing(self) -> None:
        """
        The transport has room again.
        """
        self._outputFull = False
        if self._notices and self._take == self._takeCommand:
            self._tellNotices()
        self._early()
        self._regulate()

    def stopProducing(self) -> None:
        """
        The transport takes no more output; its end follows.
        """

    def _regulate(self) -> None:
        """
        Read from the DTE as long as there is room for all that may come of it.
        """
        deaf = self._outputFull or self._channelFull or len(self._queued) >= QUEUED
        if deaf == self._deaf or self.transport is None:
            return
        self._deaf = deaf
        if deaf:
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()

    # -- command mode

    def _takeCommand(self, data: bytes) -> None:
        if self._queued:
            self._queued += data
            return
        transport = self.transport
        while data:
            echo, line, data = self._editor.take(data)
            if not self._echo:
                echo = b""
            if line is None:
                if echo:
                    transport.write(echo)
                return
            self._line(echo, line)
            if data and (self._take != self._takeCommand or self.transport is not transport):
                # a command has left the transport: what follows it there is for nobody
                if self.transport is transport:
                    self._take(data)
                return
            if data and self._outputFull:
                # a few octets can ask for a great deal: the next line waits until the DTE has read this answer
                self._queued = data
                return

    def claim(self, octet: int, body: bytes) -> Callable[[], None]:
        """
        Have a control character stand for a command line here, while a part of the module waits for something.

        @param body: the line behind its C{AT}.
        @return: call it to give the octet back; once is enough, more does no harm.
        """
        self._editor.claim(octet, body)
        return lambda: self._editor.unclaim(octet, body)

    def _takeBusy(self, data: bytes) -> None:
        """
        Lines that come too early: lost, or queued over a bearer that says so (TEL-SEQ-03, TEL-SEQ-04).
        """
        if self._abort is not None:
            # an LF alone still belongs to the CR of the line
            if data != b"\n":
                abort, self._abort = self._abort, None
                abort.cancel()
        elif self.bearer.queues():
            self._queued += data
            self._regulate()

    def _early(self) -> None:
        """
        Take what was queued while a command ran or the output was full: lines, or data for what a command has begun.
        """
        if self._queued and self._take != self._takeBusy:
            queued, self._queued = self._queued, b""
            self._take(queued)
            self._regulate()

    # -- prompts

    def prompt(self, reader: Prompt) -> Deferred[bytes]:
        """
        Ask for data: C{data = await at.prompt(TextPrompt(1024))}.

        Where the bearer can't show a prompt nothing more happens: the command hangs until the bearer puts an end to it.

        The Deferred fails with L{Abandoned<atrunproto.at.errors.Abandoned>} on ESC, and with L{CommandFailed} when the
        prompt's idle time is over.
        """
        if not self.bearer.isInteractive:
            return Deferred()
        prompt = self._framing.prompt(reader.text) if reader.text else b""
        reader.begin(prompt, self._echo)
        self._out += prompt
        self._flush()
        self._take = self._takePrompt
        self._prompting = prompting = Prompting(reader, self.module.clock, self._promptIdle)
        self._early()
        return prompting.done

    def _flush(self) -> None:
        if self._out and self.transport is not None:
            self.transport.write(self._out)
            self._out = b""

    def _takePrompt(self, data: bytes) -> None:
        prompting, transport = self._prompting, self.transport
        assert prompting is not None
        show, result, rest = prompting.take(data)
        if show:
            transport.write(show)
        if result is None:
            return
        self._endPrompt()
        prompting.tell(result)
        if rest and self.transport is transport:
            self._take(rest)

    def _promptIdle(self) -> None:
        prompting = self._endPrompt()
        assert prompting is not None
        prompting.tell(CommandFailed("", PLAIN_ERROR))

    def _endPrompt(self) -> Prompting | None:
        """
        Take no more data; give the prompt that was waiting.
        """
        self._take = self._takeBusy
        prompting, self._prompting = self._prompting, None
        if prompting is not None:
            prompting.end()
        return prompting

    # -- notices

    @property
    def hasTerminal(self) -> bool:
        """
        Whether somebody is attached who hears notices; by a short message there is nobody.
        """
        return self.transport is not None and self.bearer.isInteractive

    @property
    def holdsNotices(self) -> bool:
        """
        Whether notices wait.
        """
        return self._notices is not None

    def notify(self, notice: Notice) -> bool:
        """
        Tell an unsolicited result code: at once in command mode, else when that is back.

        It waits too where the DTE doesn't read what it gets. Where nobody is attached it is dropped.

        @param notice: a line; a code of V.250, which has a number under ATV0 (C{RING}, C{NO CARRIER}); an error, by its
            number; or what makes the lines when they can be told.
        @return: whether somebody is attached.
        """
        if not self.hasTerminal:
            return False
        if self._take == self._takeCommand and not self._outputFull:
            self._tell(notice)
            return True
        if self._notices is None:
            self._notices = HeldNotices()
        self._notices.add(notice)
        return True

    def _tell(self, notice: Notice) -> None:
        shown = framed(notice, self._framing)
        if shown:
            self.transport.write(shown)

    def _tellNotices(self) -> None:
        notices, self._notices = self._notices, None
        if notices is None:
            return
        if notices.dropped:
            self._log.warn(
                "{count} notices were dropped on instance {instance}", count=notices.dropped, instance=self.number
            )
        for notice in notices:
            self._tell(notice)
