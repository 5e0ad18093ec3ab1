"""The demonstration, run as C{make run} does."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.trial.unittest import TestCase

from tests.programs import Program, freePort, start

from .terminal import Terminal


class DemoTests(TestCase):
    """From the start to Ctrl-C."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        #: what is usual in this test, for others may run at the same time
        self.ports = [freePort() for _ in range(5)]

    def start(self, code: str = "pass") -> Program:
        """Start it, after some changes."""
        code = f"import atrunproto.demo as demo; demo.USUAL = demo.Ports(*{self.ports}); {code}; demo.main()"
        program = start(self.folder, "-c", code, TMPDIR=str(self.folder))
        self.addCleanup(program.signal, "KILL")
        return program

    async def test_demonstration(self) -> None:
        """The modules answer through the host, one of them can be called, and Ctrl-C leaves nothing behind."""
        program = self.start()
        await program.whenPrinted("Ctrl-C ends the modules and the host")
        answers = re.findall(r"(\S+)  done +\S+ +(\w+)\n +\+CSQ: 20,0\n", program.output)
        self.assertEqual(
            answers,
            [("357000000000001", "GE865"), ("357000000000002", "HE910"), ("357000000000003", "GL865")],
        )
        found = re.search(r"telnet (\S+) (\d+)", program.output)
        assert found is not None
        terminal = Terminal()
        await connectProtocol(clientFromString(reactor, f"tcp:{found[1]}:{found[2]}"), terminal)
        self.addCleanup(lambda: terminal.lost)
        for answer, text in (("Password:\r\n", "me"), ("Login successful.\r\n", "demo"), ("\r\nOK\r\n", "AT+CGMM")):
            await terminal.ask(text, answer)
        self.assertIn("GE865", terminal.heard.decode())
        self.assertTrue(list(self.folder.glob("atrun-demo-*/he910")))
        self.assertEqual(await program.signal("INT"), 0)
        self.assertEqual(list(self.folder.iterdir()), [])
        self.assertNotIn("Traceback", program.output)

    async def test_failure(self) -> None:
        """What goes wrong is said, with the end of the log, and the exit status tells of it."""
        program = self.start("demo.PATIENCE = -1")
        self.assertEqual(await program.ended, 1)
        self.assertIn("the host has reached: nobody", program.output)
        self.assertIn("the store knows 0 modules", program.output)
        self.assertEqual(list(self.folder.iterdir()), [])

    async def test_second(self) -> None:
        """A second demonstration takes ports of its own, and runs beside the first."""
        programs = []
        for _ in range(2):
            program = self.start()
            await program.whenPrinted("job 1: 3 done")
            programs.append(program)
        for program in programs:
            self.assertEqual(await program.signal("INT"), 0)
