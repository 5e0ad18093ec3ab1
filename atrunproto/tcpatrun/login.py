"""
The login of server mode, automatic or step by step.

Source: Running AT Commands Remotely Rev. 9, 3.2.2 (S); the exact prompts as in Rev. 3, 3.7.1 (TEL-CON-16);
the length of the waiting time is assumed (TEL-GAP-04).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from enum import Enum

#: seconds that the module waits for name and password (A)
LOGIN_TIMEOUT = 60.0
#: characters of a name or password (TEL-EXT-09)
LONGEST_ITEM = 50

_CR = b"\r"
#: what Telnet programs send behind a CR
_BEHIND_CR = b"\n\0"


class Verdict(Enum):
    """
    How a login stands.
    """

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class LoginReader:
    """
    Reads name and password, each ended by CR; the bytes behind them are C{rest}.

    @ivar verdict: how it stands.
    @ivar rest: once accepted: what followed the password in the same chunk.
    """

    __slots__ = ("_held", "_pairs", "_stepByStep", "_take", "_user", "rest", "verdict")

    def __init__(self, pairs: Sequence[tuple[str, str]], stepByStep: bool) -> None:
        """
        @param pairs: the legal names with their passwords.
        @param stepByStep: prompts are sent, and an unknown name is refused before the password.
        """
        self._pairs = [(user.encode("latin-1"), password.encode("latin-1")) for user, password in pairs]
        self._stepByStep = stepByStep
        self._held = b""
        self._user = b""
        self._take = self._takeUser
        self.verdict = Verdict.WAITING
        self.rest = b""

    def greeting(self) -> bytes:
        """
        What the module says first.
        """
        return b"Username:\r\n" if self._stepByStep else b""

    def feed(self, data: bytes) -> bytes:
        """
        Take what the client sent; give what to answer.
        """
        held, answer = self._held + data, b""
        while self.verdict is Verdict.WAITING:
            held = held.lstrip(_BEHIND_CR)
            item, cr, rest = held.partition(_CR)
            if len(item) > LONGEST_ITEM:
                self.verdict = Verdict.REFUSED
            elif not cr:
                break
            else:
                held = rest
                answer += self._take(item)
        self._held = held if self.verdict is Verdict.WAITING else b""
        self.rest = held if self.verdict is Verdict.ACCEPTED else b""
        return answer

    def _takeUser(self, item: bytes) -> bytes:
        self._user = item
        self._take = self._takePassword
        if not self._stepByStep:
            return b""
        if not any(hmac.compare_digest(user, item) for user, _ in self._pairs):
            self.verdict = Verdict.REFUSED
            return b""
        return b"Password:\r\n"

    def _takePassword(self, item: bytes) -> bytes:
        offered = (self._user, item)
        matches = [
            hmac.compare_digest(user, offered[0]) & hmac.compare_digest(password, offered[1])
            for user, password in self._pairs
        ]
        self.verdict = Verdict.ACCEPTED if any(matches) else Verdict.REFUSED
        accepted = self.verdict is Verdict.ACCEPTED and self._stepByStep
        return b"Login successful.\r\n" if accepted else b""
