"""
One message of a Telit module, handed to a server by SMTP.

Twisted's own sender of data doubles no dot that comes first in a chunk, so L{atrunproto.mail.letter.Lines} does that
here. As to importing this module, see L{atrunproto.mail.session}.

Source: reference 9; TEL-EXA-03.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.mail import smtp

from .letter import Base64, Letter, Lines
from .session import Session

#: how the module calls itself (A)
_IDENTITY = b"module"
_METHODS = (smtp.CramMD5ClientAuthenticator, smtp.LOGINAuthenticator, smtp.PLAINAuthenticator)


class Sender(Session):
    """
    Sends one message, whose attachment is typed.
    """

    def __init__(
        self, clock: IReactorTime, letter: Letter, user: str, password: str, heard: Callable[[str], None]
    ) -> None:
        """
        @param heard: called with each answer of the server.
        """
        super().__init__(clock, _IDENTITY, user, password, _METHODS, heard)
        self._letter = letter
        self._lines = Lines()
        self._base64 = Base64()

    def getMailFrom(self) -> bytes:
        return self._letter.sender.encode("ascii")

    def getMailTo(self) -> list[bytes]:
        return [self._letter.recipient.encode("ascii")]

    def compose(self) -> None:
        head = self._lines.take(self._letter.head())
        if self._letter.attachment is None:
            self.complete(head + self._lines.end())
        else:
            self.write(head)
            self.expectTyping()

    # -- the attachment

    def attach(self, data: bytes) -> None:
        """
        Send more of the attachment.
        """
        assert self._letter.attachment is not None
        if self.connected:
            part = data if self._letter.attachment.isText else self._base64.take(data)
            self.write(self._lines.take(part))

    def finish(self) -> None:
        """
        The attachment is complete.
        """
        if self.connected:
            rest = self._base64.end() + self._letter.tail()
            self.complete(self._lines.take(rest) + self._lines.end())
