"""
Plays one dialogue, step by step, and stops at the first difference.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from atrunproto.testing.dialogue import AnyLines, Dialogue, Event, Expect, Given, Send, Step, octetsOf
from atrunproto.testing.matching import Verdict
from atrunproto.testing.quietclock import QuietClock
from atrunproto.testing.replaying.ftpscript import Script
from atrunproto.testing.replaying.mailservers import MailServers
from atrunproto.testing.replaying.ports import Peer, Port

LIMIT: Final = 10.0
"""Seconds of module time for an expected line or event, unless the dialogue says otherwise."""

REBOOT_LIMIT: Final = 60.0
"""Seconds of module time for a restart, unless the dialogue says otherwise."""

GIVEN_LIMIT: Final = 200.0
"""Seconds of module time for a command of the header; the longest of the commands has 180."""

GUARD_SILENCE: Final = 1.5
"""Seconds of module time before and after the escape sequence; the factory value of the guard time is one second."""

AGAIN: Final = 1.0
"""Seconds of module time after which a peer that was refused tries again, where the dialogue gives it time."""

DROPPED: Final = 5.0
"""Seconds of module time that an attempt to connect has to stay without an answer."""

LONG_SETTLING: Final = 0.05
"""Seconds of real time without anything moving, before it is said that something has not come."""

_FINAL: Final = re.compile(r"OK|0|ERROR|4|[+#]CM[ES] ERROR: .*|NO CARRIER|CONNECT.*")


class Surroundings(Protocol):
    """What the player needs of the world round the module."""

    quiet: QuietClock
    mail: MailServers

    def port(self, name: str) -> Port:
        """An end of the dialogue."""

    def connect(self, peer: Port, event: Event) -> None:
        """Let a peer begin to connect to the module."""

    def listen(self, peer: Port) -> None:
        """Let a peer wait for the module; raises OSError or CannotListenError where the machine refuses."""

    def unlisten(self, peer: Port) -> None:
        """Let a peer wait no more."""

    def takesStrangers(self) -> str:
        """Why an attempt that must stay without answer is answered on this machine; empty where it isn't."""

    async def reboot(self, limit: float) -> bool:
        """Wait until the module has restarted and is ready; false where it hasn't within the limit."""

    async def powerCycle(self) -> None:
        """Take the power from the module and give it back, and wait until it is ready."""

    def deactivate(self, cid: int) -> None:
        """The network deactivates a context."""

    @property
    def ftp(self) -> Script:
        """What happens with the FTP server."""

    def stored(self, path: str) -> bytes | None:
        """A file on the FTP server, if it is there."""


class Difference(Exception):
    """
    What the module did isn't what the dialogue says.

    @ivar line: the line of the dialogue.
    @ivar what: the difference, in one line.
    @ivar context: the last lines exchanged, what was expected, what came.
    """

    def __init__(self, line: int, what: str, context: tuple[str, ...] = ()) -> None:
        super().__init__(f"{line}: {what}")
        self.line = line
        self.what = what
        self.context = context


class Skipped(Exception):
    """The machine or its user can't show what the dialogue wants to see; the reason is told."""


class NotSupported(Exception):
    """The dialogue needs something that doesn't exist yet; the reason says what."""


class Player:
    """Plays dialogues in their surroundings."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._quiet = surroundings.quiet
        self._sending = ""
        self._events: dict[str, Callable[[Event], Awaitable[None]]] = {
            "connect": self._connect,
            "dropped": self._dropped,
            "refused": self._refused,
            "listen": self._listen,
            "unlisten": self._unlisten,
            "accept": self._accept,
            "close": self._close,
            "closed": self._closed,
            "reset": self._reset,
            "vanish": self._vanish,
            "silent": self._silent,
            "wait": self._wait,
            "reboot": self._reboot,
            "power cycle": self._powerCycle,
            "network deactivate": self._deactivate,
            "ftp has": self._ftpHas,
            "ftp used": self._ftpUsed,
            "ftp unused": self._ftpUnused,
            "smtp has": self._smtpHas,
            "smtp used": self._smtpUsed,
            "smtp unused": self._smtpUnused,
        }

    async def play(self, dialogue: Dialogue) -> None:
        """
        Give what is given, then go through the steps.

        @raise Difference: at the first one.
        @raise Skipped: if this machine can't show it.
        """
        for given in dialogue.given:
            await self._give(given)
        await self._quiet.settle()
        for name in {given.port for given in dialogue.given}:
            self._surroundings.port(name).stream.clear()
        for step in dialogue.steps:
            await self._do(step)

    async def _give(self, given: Given) -> None:
        port = self._surroundings.port(given.port)
        port.history.append(f"> {given.command}")
        port.send(given.command.encode() + b"\r")
        port.stream.allowAny()
        line = await self._next(Expect(given.line, given.port, "a final result", _FINAL, GIVEN_LIMIT))
        if line not in ("OK", "0"):
            raise self._difference(given.line, port, f"{given} must end with OK", expected="OK", got=line)

    async def _do(self, step: Step) -> None:
        if isinstance(step, Event) or (isinstance(step, Send) and step.port != self._sending):
            # Whoever acts has seen what came of the step before, as people would; only lines of one run don't wait.
            await self._quiet.settle()
        self._sending = step.port if isinstance(step, Send) else ""
        if isinstance(step, Event):
            await self._events[step.word](step)
        elif isinstance(step, AnyLines):
            self._surroundings.port(step.port).stream.allowAny()
        elif isinstance(step, Expect):
            await self._next(step)
        else:
            await self._send(step)

    # lines

    async def _send(self, step: Send) -> None:
        port = await self._connected(step, step.port, LIMIT)
        port.history.append(str(step))
        for octets, guarded in step.pieces:
            if guarded:
                await self._quiet.advance(GUARD_SILENCE)
            if not port.connected:
                raise self._difference(step.line, port, f"can't send on {port.name}: {port.why}")
            port.send(octets)
            if guarded:
                await self._quiet.advance(GUARD_SILENCE)

    async def _next(self, expect: Expect) -> str:
        """Wait for an expected line, and give it."""
        port = self._surroundings.port(expect.port)
        limit = LIMIT if expect.within is None else expect.within
        end = self._quiet.seconds() + limit
        settled = last = False
        while True:
            outcome = port.stream.take(expect, settled)
            if outcome.verdict is Verdict.MATCHED:
                port.history.append(f"< {outcome.line}")
                return outcome.line
            if outcome.verdict is Verdict.UNEXPECTED:
                raise self._difference(
                    expect.line, port, f"unexpected line on {port.name}", expected=str(expect), got=f"< {outcome.line}"
                )
            if last:
                break
            if settled:
                last = port.ended or self._quiet.seconds() >= end
                if not last:
                    self._quiet.jump(end)
            settled = await self._stays(port, LONG_SETTLING if last else None)
            last = last and settled
        rest = port.stream.pending()
        got = f"< {rest[0]}" if rest else port.why if not port.connected else "nothing"
        raise self._difference(
            expect.line, port, f"missing line on {port.name} within {limit:g} s", expected=str(expect), got=got
        )

    async def _stays(self, port: Port, settling: float | None) -> bool:
        """Wait until all is quiet or something arrives on a port; tell whether nothing has."""
        before = port.arrived
        await self._quiet.settle(lambda: port.arrived != before, settling)
        return port.arrived == before

    async def _silent(self, step: Event) -> None:
        port = self._surroundings.port(step.values["target"])
        before = port.stream.pending() if port.stream.anyAllowed else []
        if not await self._quiet.advance(float(step.values["seconds"]), lambda: port.stream.pending() != before):
            await self._quiet.settle(settling=LONG_SETTLING)
        if port.stream.pending() != before:
            raise self._difference(
                step.line, port, f"{port.name} isn't silent", expected="nothing", got=f"< {port.stream.pending()[-1]}"
            )

    # connections

    async def _connected(self, step: Step, name: str, limit: float) -> Port:
        """Give a port when it has its connection."""
        port = self._surroundings.port(name)
        if not port.connected:
            await self._quiet.advance(limit, lambda: port.connected or port.ended)
        if not port.connected:
            raise self._difference(step.line, port, f"no connection on {name}: {port.why}")
        port.fresh = False
        return port

    async def _connect(self, step: Event) -> None:
        peer = self._surroundings.port(step.values["target"])
        peer.history.append(str(step))
        end = self._quiet.seconds() + (step.within or 0.0)
        while True:
            self._surroundings.connect(peer, step)
            await self._quiet.settle(lambda: peer.connected or peer.ended, LONG_SETTLING)
            if not peer.refused or self._quiet.seconds() >= end:
                return
            await self._quiet.advance(AGAIN)

    async def _dropped(self, step: Event) -> None:
        peer = self._surroundings.port(step.values["target"])
        if not isinstance(peer, Peer) or not (peer.attempting or peer.connected or peer.ended):
            raise self._difference(step.line, peer, f"no attempt was made on {peer.name}")
        await self._quiet.advance(DROPPED, lambda: peer.ended or bool(peer.stream.pending()))
        await self._quiet.settle(settling=LONG_SETTLING)
        if peer.ended or (peer.connected and not peer.attempting):
            reason = self._surroundings.takesStrangers()
            if reason and not peer.stream.pending():
                raise Skipped(reason)
            what = peer.why if peer.ended else "a connection"
            raise self._difference(step.line, peer, f"the attempt on {peer.name} was answered", "no answer", what)
        peer.stop()
        peer.ended = False

    async def _refused(self, step: Event) -> None:
        peer = self._surroundings.port(step.values["target"])
        self._surroundings.connect(peer, step)
        await self._quiet.advance(_limit(step), lambda: peer.ended)
        if not peer.ended or peer.stream.pending():
            raise self._difference(step.line, peer, f"the attempt on {peer.name} wasn't refused")
        peer.ended = False

    async def _listen(self, step: Event) -> None:
        peer = self._surroundings.port(step.values["target"])
        self._surroundings.listen(peer)

    async def _unlisten(self, step: Event) -> None:
        self._surroundings.unlisten(self._surroundings.port(step.values["target"]))
        await self._quiet.settle()

    async def _accept(self, step: Event) -> None:
        peer = self._surroundings.port(step.values["target"])
        if not await self._quiet.advance(_limit(step), lambda: peer.fresh):
            raise self._difference(step.line, peer, f"no connection from the module on {peer.name}", got=peer.why)
        peer.fresh = False
        peer.history.append(str(step))

    async def _close(self, step: Event) -> None:
        if step.values["target"] in ("smtp", "pop3"):
            if not self._surroundings.mail.close():
                raise Difference(step.line, "nobody is connected to a mail server")
            return
        if step.values["target"] == "ftp":
            if not self._surroundings.ftp.hangUp():
                raise Difference(step.line, "nobody is connected to the FTP server")
            return
        peer = await self._connected(step, step.values["target"], LIMIT)
        peer.history.append(str(step))
        peer.hangUp()

    async def _reset(self, step: Event) -> None:
        peer = await self._connected(step, step.values["target"], LIMIT)
        peer.history.append(str(step))
        peer.reset()

    async def _vanish(self, step: Event) -> None:
        peer = await self._connected(step, step.values["target"], LIMIT)
        if not isinstance(peer, Peer):
            raise self._difference(step.line, peer, f"{peer.name} can't vanish: it has no connection")
        peer.history.append(str(step))
        peer.vanish()

    async def _closed(self, step: Event) -> None:
        peer = self._surroundings.port(step.values["target"])
        limit = _limit(step)
        if not await self._quiet.advance(limit, lambda: peer.ended) or peer.refused:
            what = f"the module didn't close the connection on {peer.name} within {limit:g} s"
            raise self._difference(step.line, peer, what, got=peer.why)
        rest = peer.stream.pending(unfinished=False)
        if rest and not peer.stream.anyAllowed:
            raise self._difference(
                step.line, peer, f"unexpected line on {peer.name}", expected=str(step), got=f"< {rest[0]}"
            )
        peer.history.append(str(step))
        peer.ended = False

    # the module and time

    async def _wait(self, step: Event) -> None:
        await self._quiet.advance(float(step.values["seconds"]))
        await self._quiet.settle(settling=LONG_SETTLING)

    async def _reboot(self, step: Event) -> None:
        limit = REBOOT_LIMIT if step.within is None else step.within
        if not await self._surroundings.reboot(limit):
            raise Difference(step.line, f"the module hasn't restarted within {limit:g} s")

    async def _powerCycle(self, step: Event) -> None:
        await self._surroundings.powerCycle()

    async def _deactivate(self, step: Event) -> None:
        self._surroundings.deactivate(int(step.values["cid"]))

    async def _ftpHas(self, step: Event) -> None:
        path, content = step.values["path"], octetsOf(step.values.get("content", ""))
        if not await self._quiet.advance(_limit(step), lambda: self._surroundings.stored(path) == content):
            got = self._surroundings.stored(path)
            context = (f"expected: {content!r}", f"got:      {'no such file' if got is None else repr(got)}")
            raise Difference(step.line, f"{path} on the FTP server is another file", context)

    async def _ftpUsed(self, step: Event) -> None:
        what, script = step.values["what"], self._surroundings.ftp
        if not await self._quiet.advance(_limit(step), lambda: script.used(what)):
            raise Difference(step.line, f"the FTP server wasn't told {what}", (f"got:      {script.orders}",))

    async def _ftpUnused(self, step: Event) -> None:
        what, script = step.values["what"], self._surroundings.ftp
        if script.used(what):
            raise Difference(step.line, f"the FTP server was told {what}".rstrip(), (f"got:      {script.orders}",))

    async def _smtpHas(self, step: Event) -> None:
        mail, text = self._surroundings.mail, step.values["text"]
        if not await self._quiet.advance(_limit(step), lambda: not mail.lacks(text)):
            raise Difference(step.line, "the SMTP server has no such mail", tuple(mail.lacks(text).split("\n")))

    async def _smtpUsed(self, step: Event) -> None:
        what, mail = step.values["what"], self._surroundings.mail
        if not await self._quiet.advance(_limit(step), lambda: mail.used(what)):
            raise Difference(step.line, f"the SMTP server wasn't asked: {what}", (f"got:      {mail.orders}",))

    async def _smtpUnused(self, step: Event) -> None:
        if self._surroundings.mail.used(step.values["what"]):
            raise Difference(step.line, f"the SMTP server was asked: {step.values['what']}")

    def _difference(self, line: int, port: Port, what: str, expected: str = "", got: str = "") -> Difference:
        context = [f"    {each}" for each in port.history]
        context += [f"expected: {expected}"] if expected else []
        context += [f"got:      {got}"] if got else []
        return Difference(line, what, tuple(context))


def _limit(step: Event) -> float:
    return LIMIT if step.within is None else step.within
