"""gammu, as the tests run it: one command, or several in one session, since beginning one takes it four seconds."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from atrunproto.testing.emulated import LiveModule

#: seconds until a session that doesn't end fails a test
PATIENCE = 30.0
#: what it reads its settings from
SETTINGS = "gammurc"
#: what precedes the output of each command of a session
_HEAD = re.compile(r'^-+\nExecuting batch "standard input" - command \d+: .*\n', re.MULTILINE)
_TAIL = "Information: Batch processed, terminating.\n"


def onPty(path: str) -> str:
    """Settings by which it talks to a pseudo terminal."""
    return f"device={path}\nconnection=at115200\n"


def throughSocat(module: LiveModule) -> str:
    """Settings by which it talks to a module over TCP."""
    return f"device=socat - TCP:127.0.0.1:{module.address()[1]}\nconnection=proxyat\n"


def configure(settings: str) -> tuple[str, ...]:
    """Write its settings; give how it is called then."""
    Path(SETTINGS).write_text(f"[gammu]\n{settings}")
    return ("gammu", "-c", SETTINGS)


def run(settings: str, *arguments: str, typed: str = "") -> str:
    """Run it, which must succeed; give what it prints."""
    done = subprocess.run(
        [*configure(settings), *arguments],
        input=typed.encode(),
        capture_output=True,
        timeout=PATIENCE,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": str(Path.cwd())},
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    return done.stdout.decode()


def session(settings: str, *commands: tuple[str, ...]) -> list[str]:
    """Run several commands, which must all succeed; give what each prints."""
    typed = "".join(shlex.join(command).replace("'", '"') + "\n" for command in commands)
    head, *printed = _HEAD.split(run(settings, "batch", typed=typed))
    assert (head, len(printed)) == ("", len(commands))
    assert printed[-1].endswith(_TAIL), printed
    return [*printed[:-1], printed[-1].removesuffix(_TAIL)]


def fields(text: str) -> dict[str, str]:
    """The lines C{name : value} that it prints."""
    return {found[1]: found[2] for found in re.finditer(r"^(\S[^:\n]*?) *: (.*?) *$", text, re.MULTILINE)}
