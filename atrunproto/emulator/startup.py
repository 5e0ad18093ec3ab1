"""
The command lines that a module runs by itself at power-on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from atrunproto.at.bearer import Bearer
from atrunproto.at.module import ATInstance
from atrunproto.at.unpeered import Unpeered

if TYPE_CHECKING:
    from .module import EmulatedModule

#: seconds that the lines wait for the registration, since most of them are of no use before
REGISTRATION = 30.0
#: seconds that one line may take
LONGEST = 180.0


class StartupScript(Unpeered, Bearer):
    """
    Runs lines on instance 1 one after the other; a line that fails is logged, not fatal.

    It is the transport of the instance and its bearer at the same time.
    """

    _log = Logger()

    def __init__(self, module: EmulatedModule, lines: Sequence[str]) -> None:
        self._module = module
        self._lines = list(lines)
        self._count = len(lines)
        self._line = ""
        self._answer = b""
        self._instance: ATInstance | None = None
        self._begun = False
        self._done: Deferred[None] = Deferred()
        self._call: IDelayedCall | None = None
        self._unwatch: Callable[[], None] = lambda: None
        self.bearer = self

    def run(self) -> Deferred[None]:
        """
        @return: fires when the last line has come to its end.
        """
        module = self._module
        self._unwatch = module.radio.watch(self._registered)
        self._call = module.clock.callLater(REGISTRATION * module.timeScale, self._begin)
        self._registered()
        return self._done

    def _registered(self) -> None:
        if self._call is not None and not self._begun and self._module.radio.isAttached:
            self._call.reset(0)

    def _begin(self) -> None:
        self._call = None
        self._unwatch()
        self._begun = True
        self._next()

    def _next(self) -> None:
        self._call = None
        if not self._lines:
            self._leave()
            self._done.callback(None)
            return
        self._line = self._lines.pop(0)
        self._answer = b""
        instance = self._take()
        instance.dataReceived(self._line.encode("latin-1") + bytes([instance.settings.value("S3")]))

    def _take(self) -> ATInstance:
        """
        Instance 1, or where a service has that one, the next that is free.
        """
        reservedBy = self._module.switchboard.reservedBy
        number = next((number for number in (1, 2, 3) if reservedBy(number) is None), 1)
        instance = self._module.instance(number)
        if instance is not self._instance:
            self._leave()
            self._instance = instance
            instance.makeConnection(self)
        return instance

    def finished(self) -> None:
        if b"ERROR" in self._answer:
            text = self._answer.decode("latin-1").split()
            self._log.warn(
                "start-up line {number} of module {imei} answered {answer}",
                number=self._count - len(self._lines),
                imei=self._module.imei,
                answer=text[-1],
            )
        self._call = self._module.clock.callLater(0, self._next)

    def limit(self) -> float | None:
        return LONGEST

    def expired(self) -> None:
        self._log.error("a start-up line of module {imei} has no end", imei=self._module.imei)
        self._lines.clear()
        self._leave()
        self._done.callback(None)

    def _leave(self) -> None:
        instance, self._instance = self._instance, None
        if instance is not None and instance.transport is self:
            instance.detach()

    def stop(self) -> None:
        """
        The power goes.
        """
        if self._call is not None:
            self._call.cancel()
            self._call = None
        if not self._begun:
            self._unwatch()
        self._leave()

    def write(self, data: bytes) -> None:
        """
        Something that the instance answers; the end of it tells how the line went.
        """
        self._answer = (self._answer + data)[-1024:]
