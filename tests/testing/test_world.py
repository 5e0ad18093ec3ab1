"""The surroundings of an emulated modem: what they must show, and what they must not let pass."""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from atrunproto.testing.replaying.report import Result, Status
from atrunproto.testing.replaying.run import replay
from atrunproto.testing.replaying.surroundings import EmulatedSurroundings

MAIL = """# @world smtp 127.0.2.25:25
# @given at1 AT#SMTPSERV="127.0.2.25"
# @given at1 AT#DOMAIN="domain.com"
# @given at1 AT#SENDERADDR="me@domain.com"
# @given at1 AT#REC1="you@domain.com"
"""


async def played(body: str, header: str = "") -> Result:
    """The result of a dialogue of a connected modem."""
    head = "# A modem\n# product: MTCBA-G\n# topic: world\n# ports: at1\n# @world link gprs\n"
    Path("a.txt").write_text(f"{head}{header}\nPORT at1\n{body}")
    return await replay(reactor, "a.txt", EmulatedSurroundings)


class WorldTests(TestCase):
    """Dialogues that the surroundings must fail."""

    async def fails(self, what: str, body: str, header: str = "") -> None:
        """The dialogue fails at its last line, for this reason."""
        result = await played(body, header)
        self.assertEqual((result.status, result.line), (Status.FAIL, 6 + header.count("\n") + body.count("\n") + 1))
        self.assertIn(what, result.what)

    async def test_orders(self) -> None:
        """An order that a mail server must have got, or not, is missed or found."""
        sent = "> AT#SENDMAIL1\n< OK\n# @smtp used MAIL FROM:<me@domain.com>\n"
        self.assertEqual((await played(sent, MAIL)).status, Status.PASS)
        await self.fails("the SMTP server wasn't asked: AUTH", sent + "# @smtp used AUTH\n", MAIL)
        await self.fails("the SMTP server was asked: RCPT", sent + "# @smtp unused RCPT\n", MAIL)

    async def test_nobodyThere(self) -> None:
        """A mail server to which nobody is connected can't hang up."""
        await self.fails("nobody is connected to a mail server", "# @close pop3\n", MAIL)

    async def test_secondRestart(self) -> None:
        """A second restart is another one: the first doesn't count twice."""
        once = "> AT+CFUN=1\n< OK\n# @reboot\n"
        self.assertEqual((await played(once + once)).status, Status.PASS)
        await self.fails("hasn't restarted", once + "# @reboot\n")

    async def test_nobodyListens(self) -> None:
        """Nobody can call a modem that doesn't wait."""
        result = await played("# @connect sock from 127.0.2.77\n")
        self.assertEqual(
            (result.status, result.what), (Status.UNSUPPORTED, "no socket listens to which sock could connect")
        )

    async def test_openStack(self) -> None:
        """The stack is open unless the dialogue says otherwise."""
        self.assertEqual((await played("> AT#PINGNUM?\n< #PINGNUM: 4\n< OK\n")).status, Status.PASS)
        await self.fails("unexpected line", "> AT#PINGNUM?\n< #PINGNUM: 4\n", "# @world stack closed\n")
