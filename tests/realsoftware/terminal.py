"""A program that somebody uses at a terminal, and what one says to it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from types import TracebackType

from tests.programs import environment

#: seconds until a program that doesn't say what it should fails a test
PATIENCE = 10.0
#: octets of one read
CHUNK = 4096


class Terminal:
    """
    A program on a terminal of its own.

    @ivar screen: all that it has shown.
    @ivar before: the settings of the terminal before the program came.
    """

    def __init__(self, *command: str) -> None:
        self.screen = b""
        self._read = 0
        self._fd, there = pty.openpty()
        self.before = termios.tcgetattr(there)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=there,
                stdout=there,
                stderr=there,
                start_new_session=True,
                cwd=os.getcwd(),
                env=environment(),
            )
        finally:
            os.close(there)

    def press(self, text: bytes) -> None:
        """Press keys."""
        os.write(self._fd, text)

    def expect(self, pattern: bytes) -> bytes:
        """Wait until the screen shows something that wasn't expected before; give what came up to its end."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.screen[self._read :], re.DOTALL)):
            if not self._more(end - time.monotonic()):
                raise AssertionError(f"{pattern!r} did not come, but {self.screen[self._read :]!r}")
        shown = self.screen[self._read : self._read + found.end()]
        self._read += found.end()
        return shown

    def ask(self, text: bytes) -> bytes:
        """Type a line, and give what the screen shows of it: the line, by whomever it is echoed, and the answer."""
        self.press(text + b"\r")
        return self.expect(rb"\r\n(OK|ERROR)\r\n")

    def settings(self) -> list[object]:
        """Give the settings of the terminal as they are."""
        return termios.tcgetattr(self._fd)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def hangUp(self) -> int:
        """Take the terminal away, wait for the program's end, and give its exit status."""
        os.close(self._fd)
        self._fd = -1
        return self._process.wait(PATIENCE)

    def ended(self) -> int:
        """Wait for the program's end, and give its exit status."""
        end = time.monotonic() + PATIENCE
        while self._more(end - time.monotonic()):
            pass
        return self._process.wait(max(0.1, end - time.monotonic()))

    def _more(self, seconds: float) -> bool:
        """Read what the program shows next; False: it ended, or it took too long."""
        if not select.select([self._fd], [], [], max(0.0, seconds))[0]:
            return False
        try:
            data = os.read(self._fd, CHUNK)
        except OSError:
            # Linux tells the end of the other side so
            return False
        self.screen += data
        return bool(data)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        if self._fd >= 0:
            os.close(self._fd)
