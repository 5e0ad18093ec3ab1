"""
The login of server mode as the host sees it.

Nothing on the wire tells automatic mode from step-by-step mode until the module says C{Username:} (TEL-AUT-12); so a
host that isn't told the mode waits a little for that word.
Source: Running AT Commands Remotely Rev. 9, 3.2.2 (S). Prompts are known by their words alone (TEL-CON-16).
"""

from __future__ import annotations

from dataclasses import dataclass

from atrunproto.secret import Secret

#: seconds to wait for C{Username:} where the mode isn't known; a prompt needs one round trip over a slow bearer (A)
PROMPT_WAIT = 3.0
#: octets of greeting and prompts that are kept; they are a few dozen
MAX_HELD = 512

_USERNAME, _PASSWORD, _SUCCESS = b"username:", b"password:", b"login successful"


@dataclass(frozen=True, slots=True)
class Login:
    """
    A name and password for a module in server mode.

    @ivar stepByStep: the module's authMode; C{None}: found out.
    """

    user: str
    password: Secret
    stepByStep: bool | None = None


class LoginWriter:
    """
    Says name and password when they are due.

    @ivar isDone: the module takes commands; in automatic mode that isn't proven before the first answer.
    @ivar rest: what came behind the login.
    """

    __slots__ = ("_expected", "_held", "_login", "isDone", "rest")

    def __init__(self, login: Login) -> None:
        self._login = login
        self._held = b""
        self._expected = _USERNAME
        self.isDone = False
        self.rest = b""

    def begin(self) -> bytes:
        """
        What to send at once.
        """
        return self._both() if self._login.stepByStep is False else b""

    def waited(self) -> bytes:
        """
        What to send when L{PROMPT_WAIT} is over and nothing came: the module is in automatic mode.
        """
        unknown = self._login.stepByStep is None and not self.isDone and self._expected is _USERNAME
        return self._both() if unknown else b""

    def _both(self) -> bytes:
        self.isDone = True
        return self._user() + self._password()

    def _user(self) -> bytes:
        return self._login.user.encode("latin-1") + b"\r"

    def _password(self) -> bytes:
        return self._login.password.reveal().encode("latin-1") + b"\r"

    def feed(self, data: bytes) -> bytes:
        """
        Take what the module says; give what to send.

        @raise ValueError: it says something else than a login does.
        """
        held, answer = self._held + data, b""
        while not self.isDone:
            at = held.lower().find(self._expected)
            if at < 0:
                break
            held = held[at + len(self._expected) :]
            if self._expected is _USERNAME:
                answer, self._expected = answer + self._user(), _PASSWORD
            elif self._expected is _PASSWORD:
                answer, self._expected = answer + self._password(), _SUCCESS
            else:
                self.isDone = True
        if len(held) > MAX_HELD:
            raise ValueError("the module talks without a login prompt")
        self._held = b"" if self.isDone else held
        self.rest = held.lstrip(b".\r\n") if self.isDone else b""
        return answer
