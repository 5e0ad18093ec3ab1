"""What the tests of FTP have in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.ftp.servers import Server, pyftpdlib, vsftpd
from tests.support import requireProgram

ROOT = pytest.mark.skipif(os.getuid() != 0, reason="vsftpd wants to be run by root")


@pytest.fixture(params=["pyftpdlib", pytest.param("vsftpd", marks=[requireProgram("vsftpd"), ROOT])])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Each of the servers."""
    run: Callable[[Path], AbstractContextManager[Server]] = {"pyftpdlib": pyftpdlib, "vsftpd": vsftpd}[request.param]
    with run(tmp_path) as running:
        yield running
