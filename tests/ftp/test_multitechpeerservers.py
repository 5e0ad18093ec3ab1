"""Files through a Multi-Tech modem by the host's driver, against servers of other people."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest

from atrunproto.ftp.multitechpeer import MultitechFTPClient
from atrunproto.ftp.peer import FileType
from atrunproto.multitech.peererrors import CannotConnect, LoginRefused, Refused, TransferFailed
from atrunproto.secret import Secret
from tests.ftp.live import contents, digest, stored
from tests.ftp.servers import Server
from tests.peers import MultitechProgram

LARGE = 10_000_000


@pytest.fixture
def host() -> Iterator[MultitechProgram]:
    """A program whose modem is connected."""
    made = MultitechProgram()
    yield made
    made.close()


def client(host: MultitechProgram, server: Server, password: str = "", passive: bool = True) -> MultitechFTPClient:
    """A driver that knows a server."""
    known = Secret(password or server.password)
    return MultitechFTPClient(host.modem, "127.0.0.1", server.user, known, server.port, passive)


@pytest.mark.parametrize("passive", [False, True])
def test_large(host: MultitechProgram, server: Server, passive: bool) -> None:
    """10 MB are sent and fetched unchanged, and told as they pass (MTS-FTP-03, MTS-FTP-10, MTS-FTP-15, MTS-FTP-21)."""
    ftp, data, heard = client(host, server, passive=passive), contents(LARGE), list[int]()
    assert host.run(ftp.put("large.bin", BytesIO(data), "files", heard.append)) == LARGE
    assert digest(stored(server, "large.bin", LARGE)) == digest(data)
    assert (heard, heard[-1]) == (sorted(heard), LARGE)
    heard.clear()
    file = BytesIO()
    assert host.run(ftp.getTo("large.bin", file, "files", heard.append)) == LARGE
    assert digest(file.getvalue()) == digest(data)
    assert (heard, heard[-1]) == (sorted(heard), LARGE)


def test_text(host: MultitechProgram, server: Server) -> None:
    """Text gets the line ends of the server, and loses its eighth bit (MTS-FTP-04, MTS-FTP-05)."""
    login = (server.user, Secret(server.password), server.port)
    ftp = MultitechFTPClient(host.modem, "127.0.0.1", *login, type=FileType.ASCII)
    host.run(ftp.put("text.txt", b"caf\xe9\r\ntwo\r\n", "files"))
    assert stored(server, "text.txt", 9) == b"cafi\ntwo\n"
    assert host.run(ftp.get("text.txt", "files")) == b"cafi\r\ntwo\r\n"


def test_refused(host: MultitechProgram, server: Server) -> None:
    """What the server refuses is told by its kind, and the next file passes (MTS-FTP-18)."""
    ftp = client(host, server)
    with pytest.raises(TransferFailed):
        host.run(ftp.get("no.bin", "files"))
    with pytest.raises(TransferFailed):
        host.run(ftp.put("no/where.bin", b"x", "files"))
    with pytest.raises(Refused):
        host.run(ftp.get("no.bin", "nowhere"))
    with pytest.raises(LoginRefused):
        host.run(MultitechFTPClient(host.modem, "127.0.0.1", "nobody", Secret("no"), server.port).get("x", "files"))
    with pytest.raises(CannotConnect):
        host.run(MultitechFTPClient(host.modem, "127.0.0.1", "user", Secret("no"), 1).get("x", "files"))
    assert host.run(ftp.put("yes.bin", b"x", "files")) == 1
    assert host.run(ftp.get("yes.bin", "files")) == b"x"
