"""
The SIM card in its holder.

Source: reference 11 (+CPIN, #QSS, #SIMDET, #CCID), 2.2 for the error numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrunproto.at.results import CME, Reason

if TYPE_CHECKING:
    from .module import EmulatedModule

#: tries before the card wants its PUK, and before the PUK is blocked (3GPP TS 11.11)
PIN_TRIES = 3
PUK_TRIES = 10
#: PIN2 of a card that nothing else is said of (A)
FIRST_PIN2 = "1234"
#: the mode of #SIMDET that looks at the pin of the holder
BY_PIN = 2


class Sim:
    """
    One card; the holder may be empty.

    @ivar pin: the PIN it asks for, or C{None}.
    @ivar pin2: the PIN that switches fixed dialling; it may be tried without end (A).
    @ivar inserted: whether it is in the holder.
    @ivar detect: #SIMDET: 0 taken for missing, 1 taken for inserted, 2 by the pin of the holder.
    """

    __slots__ = ("_module", "_pinTries", "_pukTries", "detect", "imsi", "inserted", "pin", "pin2", "puk", "unlocked")

    def __init__(self, module: EmulatedModule) -> None:
        self._module = module
        self.inserted = True
        self.detect = BY_PIN
        self.imsi = module.network.home.code + module.imei[-10:]
        self.pin: str | None = None
        self.puk = "12345678"
        self.pin2 = FIRST_PIN2
        self.unlocked = False
        self._pinTries = PIN_TRIES
        self._pukTries = PUK_TRIES

    def powerOff(self) -> None:
        """
        The card forgets that it was unlocked, and the module what #SIMDET has told it.
        """
        self.unlocked = False
        self.detect = BY_PIN

    @property
    def iccid(self) -> str:
        """
        The number of the card, the same by every way of asking.
        """
        return "8939" + self._module.imei

    @property
    def isPresent(self) -> bool:
        """
        Whether the module takes the card for inserted.
        """
        return self.detect == 1 or (self.detect == BY_PIN and self.inserted)

    @property
    def isReady(self) -> bool:
        """
        Whether the card is there and unlocked.
        """
        return self.isPresent and self.inserted and (self.pin is None or self.unlocked)

    @property
    def state(self) -> str:
        """
        What +CPIN? answers: C{READY}, C{SIM PIN}, C{SIM PUK}.
        """
        if self.isReady:
            return "READY"
        return "SIM PIN" if self._pinTries else "SIM PUK"

    @property
    def qss(self) -> int:
        """
        What #QSS tells: 0 absent, 1 inserted, 3 ready.
        """
        return 0 if not self.isPresent else 3 if self.isReady else 1

    def problem(self) -> Reason | None:
        """
        Why the card can't be used, or C{None}.
        """
        if self.isReady:
            return None
        if not self.isPresent or not self.inserted:
            return CME[10]
        return CME[11] if self._pinTries else CME[12]

    def enter(self, secret: str, newPin: str | None) -> Reason | None:
        """
        Try a PIN, or with a new PIN the PUK.

        @return: why it was refused, or C{None}.
        """
        if not self.isPresent or not self.inserted:
            return CME[10]
        if self.isReady:
            return CME[3]
        if self._pinTries:
            if newPin is not None or secret != self.pin:
                self._pinTries -= 1
                return CME[16]
        else:
            if newPin is None or not self._pukTries:
                return CME[12]
            if secret != self.puk:
                self._pukTries -= 1
                return CME[16]
            self.pin = newPin
        self._pinTries = PIN_TRIES
        self.unlocked = True
        self.changed()
        return None

    def remove(self) -> None:
        """
        Take the card out.
        """
        self.inserted = self.unlocked = False
        self.changed()

    def insert(self) -> None:
        """
        Put the card in.
        """
        self.inserted = True
        self.changed()

    def changed(self) -> None:
        """
        Tell #QSS where it is wanted, and let the radio see what follows.
        """

        def tell(at: object) -> None:
            mode = at.settings.value("#QSS")  # type: ignore[attr-defined]
            if mode == 1 and self.qss in (0, 1, 3):
                at.notify(f"#QSS: {min(self.qss, 1)}")  # type: ignore[attr-defined]
            elif mode == 2:
                at.notify(f"#QSS: {self.qss}")  # type: ignore[attr-defined]

        if self._module.isRunning and "#QSS" in self._module.commands.rows:
            self._module.switchboard.forEach(tell)
        self._module.radioChanged()
