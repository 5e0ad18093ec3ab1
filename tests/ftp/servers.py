"""FTP servers of other people, as they are run, for the module to talk to."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.programs import freePort, running


@dataclass
class Server:
    """A server, its directory C{files} that can be written to, and who may come in."""

    port: int
    folder: Path
    user: str = "user"
    password: str = "secret"


@contextmanager
def pyftpdlib(folder: Path) -> Iterator[Server]:
    """Run pyftpdlib."""
    server = Server(freePort(), folder / "files")
    server.folder.mkdir()
    address = ["-i", "127.0.0.1", "-p", str(server.port)]
    user = ["-u", server.user, "-P", server.password, "-d", str(folder), "-w"]
    with running(server.port, sys.executable, "-m", "pyftpdlib", *address, *user):
        yield server


@contextmanager
def vsftpd(folder: Path) -> Iterator[Server]:
    """Run vsftpd as root, where its user C{ftp} needs no password."""
    server = Server(freePort(), folder / "root" / "files", "ftp")
    empty = folder / "empty"
    empty.mkdir()
    server.folder.mkdir(parents=True)
    os.chown(server.folder, pwd.getpwnam("ftp").pw_uid, -1)
    for above in (server.folder, *server.folder.parents):
        if above.stat().st_uid == os.getuid() and not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)
    options = {
        "listen": "YES",
        "listen_ipv6": "NO",
        "listen_address": "127.0.0.1",
        "listen_port": server.port,
        "background": "NO",
        "seccomp_sandbox": "NO",
        "secure_chroot_dir": empty,
        "anonymous_enable": "YES",
        "anon_root": server.folder.parent,
        "anon_umask": "022",
        "anon_upload_enable": "YES",
        "anon_other_write_enable": "YES",
        "write_enable": "YES",
        "ascii_upload_enable": "YES",
        "ascii_download_enable": "YES",
    }
    configuration = folder / "vsftpd.conf"
    configuration.write_text("".join(f"{name}={value}\n" for name, value in options.items()))
    with running(server.port, "vsftpd", str(configuration)):
        yield server
