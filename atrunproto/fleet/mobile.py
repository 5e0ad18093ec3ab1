"""
A mobile: the telephone number of a module, by which it is reached where it has no connection.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from atrunproto.at.errors import Misuse
from atrunproto.secret import Secret
from atrunproto.smsatrun.digest import Password

from .store import NumberRecord

if TYPE_CHECKING:
    from .gateway import SMSLink

#: an international number (E.164)
_NUMBER = re.compile(r"\+[1-9][0-9]{3,14}")
_IMEI = re.compile(r"[0-9]{14,16}")


class Mobile:
    """
    A number, and who answers there.
    """

    __slots__ = ("error", "imei", "link", "number", "password")

    def __init__(self, number: str, imei: str, password: Password | None, error: str = "") -> None:
        """
        @param imei: empty: not known yet.
        @param password: of digest messages; C{None}: simple ones.
        @param error: why the module has not told its IMEI; it is not asked again then.
        """
        self.number = number
        self.imei = imei
        self.password = password
        self.error = error
        #: the link over which something runs just now
        self.link: SMSLink | None = None

    @classmethod
    def restored(cls, record: NumberRecord) -> Mobile:
        """
        Take over what the store knows.
        """
        password = Password(record.password.reveal()) if record.password else None
        return cls(record.number, record.imei, password, record.error)

    def record(self) -> NumberRecord:
        """
        Give what the store keeps of it.
        """
        return NumberRecord(self.number, self.imei, self.password or Secret(""), self.error)


def makeMobile(number: str, imei: str, password: Secret) -> Mobile:
    """
    Make a mobile of what somebody says.

    @param imei: empty: not known.
    @param password: empty: there is none.
    @raise Misuse: a part of it cannot be used.
    """
    if _NUMBER.fullmatch(number) is None:
        raise Misuse("a telephone number is international, with a plus sign: +393351234567")
    if imei and _IMEI.fullmatch(imei) is None:
        raise Misuse("an IMEI has 14 to 16 digits")
    return Mobile(number, imei, Password(password.reveal()) if password else None)
