"""The FTP server of a dialogue: what stands on it, and what must."""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from atrunproto.testing.replaying.report import Status
from atrunproto.testing.replaying.run import replay
from atrunproto.testing.replaying.surroundings import EmulatedSurroundings

DIALOGUE = """# A file that is there
# product: HE863 family
# topic: ftp
# ports: at1
# @world ftp 199.188.25.77:2121 user pass
# @world ftp-file docs/a.txt one<CR><LF>
# @given at1 AT+CGDCONT=1,"IP","internet"
# @given at1 AT#SGACT=1,1

PORT at1
> AT#FTPOPEN="199.188.25.77:2121","user","pass",1
< OK
> AT#FTPGET="docs/a.txt"
< CONNECT
< one
< NO CARRIER
# @within 5
# @ftp has docs/a.txt one<CR><LF>
"""


class ReplayTests(TestCase):
    """Dialogues with files."""

    async def test_there(self) -> None:
        """A file of the header can be fetched, and is found unchanged."""
        Path("a.txt").write_text(DIALOGUE)
        result = await replay(reactor, "a.txt", EmulatedSurroundings)
        self.assertEqual((result.status, result.what), (Status.PASS, ""))

    async def test_other(self) -> None:
        """A file with other content, or none at all, fails the dialogue, with what was found."""
        for path, found in (("docs/a.txt", "b'one\\r\\n'"), ("docs/b.txt", "no such file")):
            Path("a.txt").write_text(DIALOGUE.replace("has docs/a.txt one", f"has {path} two"))
            result = await replay(reactor, "a.txt", EmulatedSurroundings)
            self.assertEqual((result.status, result.line), (Status.FAIL, 18))
            self.assertEqual(result.what, f"{path} on the FTP server is another file")
            self.assertIn(found, result.context[1])

    async def test_orders(self) -> None:
        """What the server was told can be asked for, and what it wasn't."""
        told = DIALOGUE + "# @ftp used PASV\n# @ftp used RETR docs/a.txt\n# @ftp unused PORT\n# @ftp unused PAS\n"
        for more, what in (
            ("", ""),
            ("# @ftp used PORT\n", "the FTP server wasn't told PORT"),
            ("# @ftp unused TYPE\n", "the FTP server was told TYPE"),
            ("# @ftp unused\n", "the FTP server was told"),
        ):
            Path("a.txt").write_text(told + more)
            result = await replay(reactor, "a.txt", EmulatedSurroundings)
            self.assertEqual((result.status, result.what), (Status.FAIL if what else Status.PASS, what))

    async def test_faults(self) -> None:
        """A server can refuse an order, hang up in the middle of a file, or be closed by the dialogue."""
        head, _, _ = DIALOGUE.partition("\n\n")
        opening = """PORT at1
> AT#FTPOPEN="199.188.25.77:2121","user","pass",1
< OK
"""
        cut = """> AT#FTPGET="docs/a.txt"
< CONNECT
...
< NO CARRIER
> AT#FTPPWD
< ERROR
"""
        refuses = """> AT#FTPGET="docs/a.txt"
< NO CARRIER
> AT#FTPTYPE=1
< OK
"""
        closes = """# @close ftp
> AT#FTPPWD
< ERROR
"""
        for fact, body in (
            ("# @world ftp-cut docs/a.txt after on", cut),
            ("# @world ftp-refuses RETR", refuses),
            ("# @world operator Test", closes),
        ):
            Path("a.txt").write_text(f"{head}\n{fact}\n\n{opening}{body}")
            result = await replay(reactor, "a.txt", EmulatedSurroundings)
            self.assertEqual((result.status, result.what, result.context), (Status.PASS, "", ()))

    async def test_nobodyThere(self) -> None:
        """A server to which nobody is connected can't be closed."""
        head, _, _ = DIALOGUE.partition("\n\n")
        Path("a.txt").write_text(f"{head}\n\nPORT at1\n# @close ftp\n")
        result = await replay(reactor, "a.txt", EmulatedSurroundings)
        self.assertEqual((result.status, result.what), (Status.FAIL, "nobody is connected to the FTP server"))
