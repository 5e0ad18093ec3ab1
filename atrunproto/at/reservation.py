"""
The AT instance that a run-AT service keeps as long as it is enabled, and what is remembered of that over a restart.

Source: Running AT Commands Remotely Rev. 9, 2.1, 2.2, 3.2 (S); reference 1.5.
TEL-SMS-17 to TEL-SMS-20, TEL-SMS-24, TEL-SRV-08, TEL-SRV-10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import CommandFailed
from .results import refuse

if TYPE_CHECKING:
    from .module import ATInstance
    from .surroundings import ServiceSurroundings


class Reservation:
    """
    What one service has of its instance.

    (none) enable, hold: -> held; not yet by C{enable} if it comes from that very instance, which has to answer first.
    (held) release, forget: -> none.

    @ivar number: the instance that is held; 0: none.
    """

    __slots__ = ("_service", "_surroundings", "number")

    def __init__(self, service: str, surroundings: ServiceSurroundings) -> None:
        """
        @param service: its name, by which the memory knows it too.
        """
        self._service = service
        self._surroundings = surroundings
        self.number = 0

    @property
    def kept(self) -> Any:
        """
        What the service was left enabled with, or C{None}.
        """
        return self._surroundings.memory.get(self._service)

    @property
    def isHeld(self) -> bool:
        """
        Whether the service has its instance; an update may have taken it away (TEL-SMS-25).
        """
        return self.number != 0 and self._surroundings.reservedBy(self.number) == self._service

    def enable(self, number: int, by: int, kept: object) -> None:
        """
        Take an instance, and remember it; it is nobody's if it can't be remembered.

        @param by: the instance on which the service is enabled.
        @raise CommandFailed: another service has it, or the memory can't be written.
        """
        if self._surroundings.reservedBy(number) not in (None, self._service):
            raise refuse()
        if number != by:
            self.hold(number)
        try:
            self._surroundings.memory.put(self._service, kept)
        except CommandFailed:
            self.release()
            raise

    def disable(self) -> None:
        """
        Remember that the service is off; the instance is still held.
        """
        self._surroundings.memory.put(self._service, None)

    def hold(self, number: int) -> ATInstance:
        """
        Take an instance, and give it.

        @raise CommandFailed: another service has it.
        """
        instance = self._surroundings.reserve(number, self._service)
        if not self.number:
            # an instance off the ports begins without echo (reference 1.5)
            instance.settings.set("E", (0,))
            instance.settingsChanged()
        self.number = number
        return instance

    def release(self) -> None:
        """
        Give the instance back.
        """
        if self.isHeld:
            self._surroundings.release(self.number)
        self.number = 0

    def forget(self) -> None:
        """
        The power is gone, and every reservation with it.
        """
        self.number = 0
