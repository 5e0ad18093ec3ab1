"""
The module's side of an AT line: one AT instance.

It is an L{IProtocol} that outlives the transports it is attached to, one after the other.
What comes to it and goes from it is told in L{atrunproto.at.port}, how it runs a command line in
L{atrunproto.at.running}; here it goes online and comes back.

A handler gets the instance (C{at}) and the converted arguments.
It may return C{None}, a line, several lines, a final L{ResultCode} of its own, L{Later<atrunproto.at.results.Later>},
or an L{Online}; or a coroutine that gives one of these.
It raises what L{refuse<atrunproto.at.results.refuse>} makes to answer an error.
It may C{await at.prompt(...)} and C{await at.takes(name)}. It never writes to a transport.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from .bearer import LOCAL
from .commands import CommandSet
from .online import ChannelTransport, Escaped, LineDropped, Online, Unplugged
from .results import OK, Reason, ResultCode
from .running import CommandRunner
from .surroundings import Surroundings


@implementer(IProtocol)
class ATInstance(CommandRunner):
    """
    One AT instance of a module.
    """

    __slots__ = ("_spell", "_suspended")

    def __init__(self, number: int, commands: CommandSet, module: Surroundings, longest: int = 400) -> None:
        """
        @param number: 1 to 3.
        @param longest: octets of a command line.
        """
        super().__init__(number, commands, module, longest)
        self._spell: ChannelTransport | None = None
        self._suspended: Online | None = None

    def _stop(self) -> None:
        """
        Return to command mode with nothing under way; an online channel is lost.
        """
        if self._spell is not None:
            self.leaveOnline(self._spell, Failure(Unplugged()))
        super()._stop()

    def stop(self) -> None:
        """
        The power goes: forget everything that isn't a setting.
        """
        self._stop()
        self._body = b""
        suspended = self.takeSuspended()
        if suspended is not None and suspended.hangUp is not None:
            suspended.hangUp()

    @property
    def isOnline(self) -> bool:
        """
        Whether a channel has the line.
        """
        return self._spell is not None

    def answer(self, make: Callable[[ATInstance], Online]) -> bool:
        """
        Go online unasked, where the DTE is in command mode on a local port; a line that it has begun is forgotten.

        @return: whether the instance is online now.
        """
        if self.transport is None or self.bearer is not LOCAL or self._take != self._takeCommand or self._outputFull:
            return False
        self._editor.clear()
        self._goOnline(make(self))
        return True

    def _goOnline(self, online: Online) -> None:
        self._out += self._framing.result(online.announcement)
        self._flush()
        self._suspended = None
        spell = self._spell = ChannelTransport(self, online)
        self._take = spell.received
        if self.bearer.isInteractive:
            self._cancelLimit()
            if self.bearer is not LOCAL:
                self.bearer.finished()
        self._setCarrier(True)
        spell.begin()

    def leaveOnline(self, spell: ChannelTransport, reason: Failure, *results: ResultCode | Reason) -> None:
        """
        End an online spell, if it is the one under way: told to its channel by C{reason}, to the DTE by C{results},
        of which the last is final.
        """
        if spell is not self._spell:
            return
        transport = self.transport
        if isinstance(reason.value, Escaped) and spell.online.resume is not None:
            self._suspended = spell.online
        self._spell = None
        self._channelFull = False
        self._take = self._takeBusy
        spell.end(reason)
        self._setCarrier(False)
        if results and self.transport is transport:
            self._finish(b"".join(map(self._shown, results)))
            self._regulate()

    def _shown(self, result: ResultCode | Reason) -> bytes:
        framing = self._framing
        return framing.failure(result, self._cmee) if isinstance(result, Reason) else framing.result(result)

    def lineRaised(self) -> None:
        """
        DTR has come on: what was told in the meantime and is still held was told to nobody.
        """
        self._notices = None

    def lineDropped(self) -> None:
        """
        DTR has gone off. What that means is told by &D: 0 nothing, 1 command mode, 2 and 5 the connection is ended.
        """
        mode = self.settings.value("&D") if "&D" in self.commands.rows else 0
        spell = self._spell
        if spell is None or mode not in (1, 2, 5):
            return
        if mode == 1 and (spell.online.survives or spell.online.resume is not None):
            self.leaveOnline(spell, Failure(Escaped()), OK)
        else:
            self.leaveOnline(spell, Failure(LineDropped()), spell.online.lost)

    def takeSuspended(self) -> Online | None:
        """
        The channel left by an escape, for ATO and ATH to go on with; it is no longer the instance's.
        """
        suspended, self._suspended = self._suspended, None
        return suspended

    def writeOnline(self, data: bytes) -> None:
        """
        Output of the channel.
        """
        if self.transport is not None:
            self.transport.write(data)

    def registerChannelProducer(self, producer: Any, streaming: bool) -> None:
        """
        The channel's producer takes the place of the instance's own.
        """
        if self.transport is not None:
            self.transport.unregisterProducer()
            self.resumeProducing()
            self.transport.registerProducer(producer, streaming)

    def unregisterChannelProducer(self) -> None:
        """
        Give the place back.
        """
        if self.transport is not None:
            self.transport.unregisterProducer()
            self.transport.registerProducer(self, True)

    def setChannelFull(self, isFull: bool) -> None:
        """
        The channel can't take more from the DTE, or has room again.
        """
        self._channelFull = isFull
        self._regulate()

    def _setCarrier(self, on: bool) -> None:
        """
        Show the carrier on DCD where the transport has modem lines; &C0 keeps it on.
        """
        setCarrier = getattr(self.transport, "setCarrier", None)
        if setCarrier is not None:
            follows = self.settings.value("&C") if "&C" in self.commands.rows else 1
            setCarrier(on or follows == 0)
