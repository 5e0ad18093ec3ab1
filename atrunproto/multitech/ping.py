"""
Echo requests to a host, and what is told of each.

Source: reference guide S000333C, chapter 7; MTS-PING-01 to MTS-PING-09.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from atrunproto.at.results import Reason, refuse

from .errors import NO_LINK
from .parameters import Parameters
from .stack import Stack

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

    from .surroundings import MultitechSurroundings

#: what claims the stack
SERVICE = "ping"


class Pings:
    """
    The echo requests of one module.
    """

    __slots__ = ("_module",)

    def __init__(self, module: MultitechSurroundings) -> None:
        self._module = module

    async def run(self, at: ATInstance) -> None:
        """
        Send the requests, a delay apart, and write a line for each; the delay is also how long a reply is waited for.

        @raise CommandFailed: there is no connection or it is lost, another service runs, or the host has no address.
        """
        stack, parameters = at.part(Stack), Parameters(self._module.settings)
        module, link = self._module, stack.needLink()
        claim = stack.claim(SERVICE)
        waiting: Deferred[Any] | None = None
        end: list[Reason] = []

        def lost(reason: Reason | None) -> None:
            end.append(reason or NO_LINK)
            if waiting is not None:
                waiting.cancel()

        forget = link.watch(lost)
        try:
            remote = parameters.needed("PINGREMOTE")
            resolving = Deferred.fromCoroutine(link.resolve(remote))
            waiting = resolving
            address = await resolving
            delay, count = float(parameters["PINGDELAY"]), parameters["PINGNUM"]
            for number in range(1, count + 1):
                began = module.clock.seconds()
                link.touch()
                answer = module.echo(link.address or "", address, number, delay)
                waiting = answer
                took = await answer
                if took is None:
                    at.say(f'NO answer from "{remote}"')
                else:
                    link.touch()
                    at.say(f'"{remote}" is alive : time = {took * 1000:.0f} ms')
                left = began + delay - module.clock.seconds()
                if number < count and left > 0:
                    pause: Deferred[None] = deferLater(module.clock, left)
                    waiting = pause
                    await pause
        except CancelledError:
            if end:
                raise refuse(end[0]) from None
            raise
        finally:
            forget()
            claim.release()
