"""
The parent's end of the processes that are measured: each is started pinned to a CPU, asked, and measured from outside.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

#: of the checkout, where C{bench} can be imported
ROOT = Path(__file__).resolve().parent.parent
#: the CPUs of servers and of clients; on a machine with one CPU they are the same
_CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU, CLIENT_CPU = _CPUS[0], _CPUS[-1]
PAGE = os.sysconf("SC_PAGE_SIZE")


class Child:
    """
    A process of L{bench.servers}; it ends when this end of its standard input is closed.

    @ivar facts: what it has told when it was ready.
    """

    def __init__(self, kind: str, cpu: int = SERVER_CPU, **options: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.servers", kind, str(cpu), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.facts = self._read()
        self.idle = self.memory()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a measured process has ended too early; see above")
        return json.loads(line)

    def ask(self, what: str, **options: Any) -> Any:
        """
        Have it do something, and give its answer.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([what, options]) + "\n")
        self._process.stdin.flush()
        return self._read()

    def cpu(self) -> float:
        """
        The CPU time that all its threads have used, in seconds.
        """
        # the kernel's number for "CPU time of that process" (clock_getcpuclockid(3)), exact to the nanosecond
        return time.clock_gettime(~self._process.pid << 3 | 2)

    def memory(self) -> int:
        """
        The memory it has resident, in octets.
        """
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * PAGE

    def grown(self) -> int:
        """
        The memory it has resident above what it had when it was ready, in octets.
        """
        return self.memory() - self.idle

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
