"""The player obeys the dialogue: it passes what is as written, and stops at the first difference."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from xml.etree import ElementTree

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from atrunproto.testing.replay import run
from atrunproto.testing.replaying import run as replaying
from atrunproto.testing.replaying.report import Result, Status
from atrunproto.testing.replaying.run import replay
from tests.testing.stage import DIAL, HANGUP, LOOP, REBOOT, Answers, TableStage

HEADER = "# A title\n# product: HE863 family\n# topic: {topic}\n# ports: at1\n"

OK = "\r\nOK\r\n"

ANSWERS: Answers = {
    "AT": [(0, OK)],
    "AT+CSQ": [(0, "\r\n+CSQ: 20,0\r\n" + OK)],
    "ATV0": [(0, "\r0\r")],
    "SLOW": [(8.0, OK)],
    "SLOWER": [(30.0, OK)],
    "TWICE": [(0, OK), (3.0, "\r\nRING\r\n")],
    "PROMPT": [(0, "\r\n> ")],
    "text\x1a": [(0, OK)],
    "HALF": [(0, "\r\n+CSQ: 2")],
    "BYE": [(0, OK), (1.0, HANGUP)],
    "RUDE": [(0, "\r\nBYE\r\n"), (1.0, HANGUP)],
    "DIAL": [(0, OK), (20.0, DIAL)],
    "REBOOT": [(0, OK), (40.0, REBOOT)],
    "+++": [(0, OK)],
    "QUIET": [],
    "LOOP": [(0, OK), (0, LOOP)],
}


class PlayerTests(TestCase):
    """Dialogues of a few lines against a module that answers from a table."""

    def stage(self, **attributes: object) -> type[TableStage]:
        """The class of stages with a table and other settings."""
        return type("Stage", (TableStage,), {"answers": ANSWERS, **attributes})

    def written(self, body: str, header: str = "", topic: str = "sample") -> str:
        """The path of a file with this dialogue."""
        path = Path(f"dialogue{len(list(Path().iterdir()))}.txt")
        path.write_text(HEADER.format(topic=topic) + header + "\n" + body)
        return str(path)

    async def played(self, body: str, header: str = "", *, echo: bool = False, **attributes: object) -> Result:
        """The result of a dialogue."""
        return await replay(reactor, self.written(body, header), self.stage(**attributes), echo)

    async def passes(self, body: str, header: str = "", *, echo: bool = False, **attributes: object) -> None:
        """The dialogue passes."""
        result = await self.played(body, header, echo=echo, **attributes)
        assert result.status == Status.PASS, f"{result} {result.context}"

    async def fails(self, body: str, line: int, what: str, header: str = "", **attributes: object) -> Result:
        """The dialogue fails at a line of its body, counted from 1, for this reason."""
        result = await self.played(body, header, echo=False, **attributes)
        assert result.status == Status.FAIL, str(result)
        assert result.line == line + 5 + header.count("\n"), str(result)
        assert what in result.what
        return result

    async def test_asWritten(self) -> None:
        """Lines in order pass, with and without echo."""
        for echo in (False, True):
            await self.passes("PORT at1\n> AT\n< OK\n> AT+CSQ\n<? \\+CSQ: \\d+,\\d\n< OK\n", echo=echo)

    async def test_linesWithoutWaiting(self) -> None:
        """Lines that follow each other are sent without waiting for answers."""
        await self.passes("PORT at1\n> SLOW\n> AT\n< OK\n< OK\n")

    async def test_otherText(self) -> None:
        """Another text is a difference, told with what was exchanged before."""
        result = await self.fails("PORT at1\n> AT+CSQ\n< +CSQ: 21,0\n< OK\n", 3, "unexpected line on at1")
        assert result.context == ("    > AT+CSQ", "expected: < +CSQ: 21,0", "got:      < +CSQ: 20,0")

    async def test_missingLine(self) -> None:
        """A line too many in the dialogue is a difference, and so is one too few."""
        await self.fails("PORT at1\n> AT\n< OK\n< OK\n", 4, "missing line on at1 within 10 s")
        await self.fails("PORT at1\n> AT+CSQ\n< OK\n", 3, "unexpected line on at1")

    async def test_unfinishedLine(self) -> None:
        """Half a line is not the line, and is told."""
        result = await self.fails("PORT at1\n> HALF\n< +CSQ: 20\n", 3, "missing line")
        assert result.context[-1] == "got:      < +CSQ: 2"

    async def test_anyLines(self) -> None:
        """Three dots allow lines before the next expected one."""
        await self.passes("PORT at1\n> AT+CSQ\n...\n< OK\n")
        await self.passes("PORT at1\n...\n> AT+CSQ\n> AT\n< OK\n< OK\n")

    async def test_limits(self) -> None:
        """A line has ten seconds of module time, or what the dialogue gives it, and hardly any real time passes."""
        await self.passes("PORT at1\n> SLOW\n< OK\n")
        await self.fails("PORT at1\n> SLOWER\n< OK\n", 3, "within 10 s")
        await self.passes("PORT at1\n> SLOWER\n# @within 31\n< OK\n")
        await self.fails("PORT at1\n> SLOW\n# @within 7\n< OK\n", 4, "within 7 s")

    async def test_silence(self) -> None:
        """Nothing may arrive while there has to be silence, and nothing may have been left unread."""
        await self.passes("PORT at1\n> SLOW\n# @silent at1 7\n< OK\n")
        await self.passes("PORT at1\n> TWICE\n< OK\n# @silent at1 2\n< RING\n")
        await self.fails("PORT at1\n> TWICE\n< OK\n# @silent at1 4\n", 4, "at1 isn't silent")
        await self.fails("PORT at1\n> AT+CSQ\n< +CSQ: 20,0\n# @silent at1 1\n", 4, "at1 isn't silent")

    async def test_waiting(self) -> None:
        """Module time passes at the dialogue's word."""
        await self.passes("PORT at1\n> SLOWER\n# @wait 25\n< OK\n")
        await self.fails("PORT at1\n> SLOWER\n# @wait 15\n< OK\n", 4, "missing line")

    async def test_promptsAndPieces(self) -> None:
        """A prompt is a line without end; control characters are sent as they are."""
        await self.passes("PORT at1\n> PROMPT\n< >\n>| text<CTRL-Z><CR>\n< OK\n")

    async def test_escapeSequence(self) -> None:
        """Silence goes before and after the escape sequence."""
        await self.passes("PORT at1\n> SLOW\n>| <+++>\n>| <CR>\n< OK\n# @silent at1 4\n< OK\n")

    async def test_given(self) -> None:
        """What is given before has to end with OK; what it printed is gone."""
        await self.passes("PORT at1\n> AT\n< OK\n", "# @given at1 AT+CSQ\n")
        await self.passes("PORT at1\n> AT\n< OK\n", "# @given at1 ATV0\n")
        result = await self.played("PORT at1\n> AT\n< OK\n", "# @given at1 AT+NONE\n")
        assert (result.status, result.line) == (Status.FAIL, 5)
        assert "must end with OK" in result.what

    async def test_peerConnects(self) -> None:
        """A peer talks to the service from the address in the header, and either side may close."""
        header = "# @world address tcp 212.141.121.148\n"
        await self.passes("PORT tcp\n# @connect tcp\n> AT\n< OK\n> BYE\n< OK\n# @closed tcp\n", header)
        await self.passes("PORT tcp\n# @connect tcp\n> AT\n< OK\n# @close tcp\n# @connect tcp\n> AT\n< OK\n", header)
        await self.passes("PORT tcp\n# @connect tcp from 212.141.1.1\n> AT\n< OK\n# @reset tcp\n")

    async def test_closing(self) -> None:
        """The module has to close, in time, and not with a line that nobody expects."""
        body = "PORT tcp\n# @connect tcp\n> {}\n# @closed tcp\n"
        await self.fails(body.format("QUIET"), 4, "didn't close the connection on tcp within 10 s")
        await self.fails(body.format("RUDE"), 4, "unexpected line on tcp")
        await self.passes("PORT tcp\n# @connect tcp\n> RUDE\n...\n# @closed tcp\n")
        await self.fails("PORT tcp\n# @connect tcp\n> RUDE\n< BYE\n< OK\n", 5, "missing line on tcp")

    async def test_notConnected(self) -> None:
        """Nothing can be sent, closed or awaited on a port that has no connection."""
        await self.fails("PORT tcp\n> AT\n", 2, "no connection on tcp: nobody has connected")
        await self.fails("PORT tcp\n< OK\n", 2, "missing line on tcp")
        await self.fails("PORT tcp\n# @close tcp\n", 2, "no connection on tcp")
        await self.fails("PORT tcp\n# @dropped tcp\n", 2, "no attempt was made on tcp")
        for step in ("> AT", "# @closed sock"):
            result = await self.fails(f"PORT sock\n# @connect sock port 1\n{step}\n", 3, "")
            assert "refused" in " ".join([result.what, *result.context])

    async def test_moduleConnects(self) -> None:
        """The module calls a peer that listens; nobody else."""
        header = "# @world address tcp 212.141.125.127:12345\n"
        body = "# @listen tcp\nPORT at1\n> DIAL\n< OK\nPORT tcp\n# @within 30\n# @accept tcp\n> AT\n< OK\n"
        await self.passes(body, header)
        await self.fails(body.replace("# @within 30\n", ""), 6, "no connection from the module on tcp", header)
        await self.fails(body.replace("# @listen tcp\n", ""), 6, "no connection from the module on tcp", header)
        await self.fails(
            body.replace("PORT tcp", "# @unlisten tcp\nPORT tcp"), 8, "no connection from the module on tcp", header
        )
        await self.fails(body + "# @accept tcp\n", 10, "no connection from the module on tcp", header)

    async def test_peersAtOneAddress(self) -> None:
        """Peers at one address take the connections in their order; a name is as good as an address."""
        header = "# @world peer sock www.example.com:17001\n# @world peer sock2 www.example.com:17001\n"
        body = "PORT at1\n> DIAL\n< OK\n# @within 30\n# @accept sock\n> DIAL\n< OK\n# @within 30\n# @accept sock2\n"
        both = "PORT sock2\n>| AT<CR>\n< OK\n# @close sock2\nPORT sock\n>| AT<CR>\n< OK\n"
        await self.passes(body + both, header)
        await self.fails(body.replace("accept sock\n", "accept sock2\n"), 5, "no connection from the module", header)

    async def test_datagrams(self) -> None:
        """Each line is a datagram, to the address that the dialogue names or to who spoke last."""
        header = "# @world peer sock 127.0.0.1:17002 udp\n"
        body = "# @connect sock2 from 127.5.5.5 port 17002 udp\nPORT sock2\n>| hello\nPORT sock\n< hello\n>| back\n"
        await self.passes(body + "PORT sock2\n< back\n# @silent sock 1\n", header)
        await self.fails(body + "PORT sock2\n< forth\n", 8, "missing line on sock2", header)
        await self.fails("PORT sock\n>| hello\n", 2, "no connection on sock", header)

    async def test_addressInUse(self) -> None:
        """Where the machine refuses an address, that is told, and everything is taken down again."""
        header = "# @world echo 127.3.4.5:17003\n# @world peer sock 127.3.4.5:17003\n"
        result = await self.played("PORT at1\n> AT\n< OK\n", header)
        assert result.status is Status.FAIL
        assert "this machine refuses: Couldn't listen on 127.3.4.5:17003" in result.what

    async def test_dropped(self) -> None:
        """An attempt that must stay without answer is neither taken nor refused, where the machine can do that."""
        body = "PORT tcp\n# @connect tcp{}\n# @dropped tcp\n"
        for attempt in ("", " port 1"):
            await self.fails(body.format(attempt), 3, "the attempt on tcp was answered")
        result = await self.played(body.format(""), strangers="no filter here")
        assert (result.status, result.what) == (Status.SKIP, "no filter here")

    async def test_refused(self) -> None:
        """An attempt that must be refused isn't taken."""
        await self.passes("# @refused sock2 from 127.0.2.77 port 1\n")
        header = "# @world echo 127.3.4.5:7777\n"
        await self.passes("PORT at1\n> AT\n< OK\n# @connect sock\nPORT sock\n>| AT<CR>\n< OK\n", header)
        result = await self.played("# @refused sock2\n")
        assert "wasn't refused" in result.what

    async def test_vanish(self) -> None:
        """A peer that vanishes hears nothing any more and says nothing, not even that it ends."""
        result = await self.played("PORT tcp\n# @connect tcp\n> TWICE\n< OK\n# @vanish tcp\n# @wait 10\n< RING\n")
        assert (result.status, result.line) == (Status.FAIL, 12)

    async def test_restart(self) -> None:
        """The module has to restart, in time."""
        await self.passes("PORT at1\n> REBOOT\n< OK\n# @reboot\n> AT\n< OK\n# @power cycle\n# @network deactivate 1\n")
        await self.fails("PORT at1\n> REBOOT\n< OK\n# @reboot within 30\n", 4, "hasn't restarted within 30 s")

    async def test_neverQuiet(self) -> None:
        """A module that is never done with what is due ends the dialogue, not the replay."""
        self.patch(replaying, "REAL_LIMIT", 0.2)
        result = await self.played("PORT at1\n> LOOP\n< OK\n# @wait 1\n")
        assert (result.status, result.what) == (Status.FAIL, "no end after 0.2 s of real time")

    async def test_unsupported(self) -> None:
        """What isn't there yet is told, and is no pass."""
        for body, header, what in [
            ("PORT phone\n> AT\n", "", "port phone needs telephone calls"),
            ("PORT at1\n> AT\n", "# @world isp 123 always busy\n", "@world isp needs telephone calls"),
            ("PORT at1\n# @ppp open\n", "", "@ppp open needs data calls and PPP"),
        ]:
            result = await self.played(body, header)
            assert (result.status, result.what) == (Status.UNSUPPORTED, what)

    async def test_notADialogue(self) -> None:
        """A file that isn't a dialogue fails, with its line."""
        await self.fails("PORT at1\n> AT\nOK\n", 3, "a line is PORT")

    async def test_commandLine(self) -> None:
        """One line a file, the differences below, a summary, and a status that is 0 only if all passed."""
        good, bad = self.written("PORT at1\n> AT\n< OK\n"), self.written("PORT at1\n> AT\n< KO\n", topic="other")
        later = self.written("PORT phone\n> AT\n")
        junit = "junit.xml"
        for arguments, status, lines in [
            ([good], 0, [f"PASS {good}", "1 dialogues: 1 pass"]),
            (
                [good, bad, later, "--junit", junit],
                1,
                [
                    f"PASS {good}",
                    f"FAIL {bad}:8 unexpected line on at1",
                    "         > AT",
                    "     expected: < KO",
                    "     got:      < OK",
                    f"UNSUPPORTED {later} port phone needs telephone calls",
                    "3 dialogues: 1 pass, 1 fail, 1 unsupported",
                ],
            ),
            ([good, bad, "--select", "sample"], 0, [f"PASS {good}", "1 dialogues: 1 pass"]),
            ([good, bad, "--select", "none"], 2, ["0 dialogues: none"]),
            ([good + "x"], 2, []),
        ]:
            printed, complaint = io.StringIO(), io.StringIO()
            with redirect_stdout(printed), redirect_stderr(complaint):
                assert await run(reactor, arguments, self.stage()) == status
            assert printed.getvalue().splitlines() == lines
            assert ("no such file" in complaint.getvalue()) == (arguments == [good + "x"])
        suite = ElementTree.parse(junit).getroot()[0]
        assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
        assert ([[child.tag for child in case] for case in suite]) == [[], ["failure"], ["skipped"]]

    async def test_folders(self) -> None:
        """A folder stands for the dialogues below it; a name's beginning selects, too."""
        folder = Path("folder")
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "one-01-a.txt").write_text(HEADER.format(topic="x") + "\nPORT at1\n> AT\n< OK\n")
        (folder / "two.txt").write_text(HEADER.format(topic="y") + "\nPORT at1\n> AT\n< OK\n")
        (folder / "must-pass.txt").write_text("telit/x\n")
        for select, names in [([], ["deep/one-01-a", "two"]), (["one"], ["deep/one-01-a"]), (["y"], ["two"])]:
            printed = io.StringIO()
            with redirect_stdout(printed):
                await run(reactor, [str(folder), *(f"--select={each}" for each in select)], self.stage())
            assert printed.getvalue().splitlines()[:-1] == [f"PASS {folder}/{name}.txt" for name in names]
