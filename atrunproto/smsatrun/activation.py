"""
The special message that enables the service.

That there is one, and what it brings, is documented; what it looks like is not. So its form here is our own, and is
configured: a text with places for a password and a number, and who may send it.
Source: Running AT Commands Remotely Rev. 9, 2.5.2 note 11 (S). TEL-SMS-52.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from atrunproto.at.errors import Misuse
from atrunproto.sms.tpdu import Deliver

from .digest import Password
from .whitelist import NUMBER, PASSWORD, WhiteList, admits

_PLACES = {"{password}": r"(?P<password>\S{16})", "{number}": r"(?P<number>\+?[0-9]{1,20}\*?)"}
_PLACE = re.compile(r"(\{[^{}]*\})")


@dataclass(frozen=True, slots=True)
class Activation:
    """
    What the special message is like.

    >>> Activation("+39*", "RUN {password} {number}")
    Activation(sender='+39*', text='RUN {password} {number}')

    @ivar sender: who may send it, as in the white list.
    @ivar text: the message; C{{password}} stands for 16 characters without blanks, C{{number}} for a number of the
        white list.
    @ivar password: the one that a message without its own brings.
    """

    sender: str
    text: str
    password: Password | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """
        @raise Misuse: the sender is none, the text has other places or one twice, or there is no password.
        """
        WhiteList().add(1, NUMBER, self.sender)
        places = _PLACE.findall(self.text)
        if len(set(places)) != len(places) or not set(places) <= _PLACES.keys():
            raise Misuse(f"the text of an activation has {' and '.join(_PLACES)} for places, each once")
        if self.password is None and "{password}" not in places:
            raise Misuse("an activation has a password, in its text or beside it")

    def read(self, unit: Deliver) -> list[tuple[int, str]] | None:
        """
        The entries for the white list that a message brings; C{None}: it is another message.
        """
        origin = unit.origin
        if unit.userData.concatenation is not None or not (origin.isNumber and admits(self.sender, str(origin))):
            return None
        pattern = "".join(_PLACES.get(piece) or re.escape(piece) for piece in _PLACE.split(self.text))
        found = re.fullmatch(pattern, unit.userData.text())
        if found is None:
            return None
        values = found.groupdict()
        password = values.get("password") or (self.password.reveal() if self.password is not None else "")
        entries = [(PASSWORD, password)]
        if values.get("number"):
            entries.append((NUMBER, values["number"]))
        return entries
