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
