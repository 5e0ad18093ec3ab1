"""The emulator as a program: real processes, ports and terminals."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import DeferredList
from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from tests.programs import PATIENCE, TWISTD, Program, freePort, start, twistd

from .terminal import Terminal

READY = "modules switched on"
#: how twistd ends when it is asked to, after everything has stopped
TERMINATED = -signal.SIGTERM


class DaemonTests(TestCase):
    """From the command line to an answer, and to a clean end."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.port = freePort()
        self.place = f"tcp:{self.port}:interface=127.0.0.1"

    def start(self, *arguments: str) -> Program:
        """Start the daemon."""
        program = twistd(self.folder, "atrun-module", "--time-scale", "0", *arguments)
        self.addCleanup(program.signal, "KILL")
        return program

    async def module(self, *arguments: str) -> Program:
        """Start the daemon with a module at the port, and wait until it is on."""
        program = self.start("--at", f"1={self.place}", *arguments)
        await program.whenPrinted(READY)
        return program

    async def connect(self, endpoint: str | None = None) -> Terminal:
        """Connect to a port."""
        terminal = Terminal()
        await connectProtocol(clientFromString(reactor, endpoint or f"tcp:127.0.0.1:{self.port}"), terminal)
        self.addCleanup(lambda: terminal.lost)
        self.addCleanup(terminal.transport.abortConnection)
        return terminal

    async def test_tcp(self) -> None:
        """A module answers at a TCP port; on SIGTERM the program hangs up and ends."""
        program = await self.module("--product", "GE865-QUAD")
        terminal = await self.connect()
        answer = await terminal.ask("AT+CGMM;+CSQ")
        self.assertEqual(answer, "AT+CGMM;+CSQ\r\r\nGE865\r\n\r\n+CSQ: 20,0\r\n\r\nOK\r\n")
        self.assertEqual(await program.signal("TERM"), TERMINATED)
        await terminal.lost
        self.assertIn("the modules have ended", program.output)
        self.assertNotIn("Traceback", program.output)

    async def test_pty(self) -> None:
        """A module answers on a pseudo terminal, whose link is gone when the program has ended."""
        link = self.folder / "at2"
        program = await self.module("--at", "2=pty:at2")
        terminal = await self.connect(f"pty:{link}")
        self.assertIn("\r\n357000000000001\r\n", await terminal.ask("AT+CGSN"))
        self.assertEqual(await program.signal("TERM"), TERMINATED)
        self.assertFalse(os.path.lexists(link))

    async def test_muteSerialPort(self) -> None:
        """A serial port without an AT instance takes what comes, and says nothing."""
        serial = freePort()
        await self.module("--serial", f"1=tcp:{serial}:interface=127.0.0.1")
        mute = await self.connect(f"tcp:127.0.0.1:{serial}")
        mute.transport.write(b"AT\r" * 1000)
        terminal = await self.connect()
        await terminal.ask("AT")
        self.assertEqual((mute.heard, mute.lost.called), (b"", False))

    async def test_takenPort(self) -> None:
        """A port that is taken ends the start with one line that names it, and no link stays behind."""
        await self.module()
        program = self.start("--at", "1=pty:at1", "--at", f"2={self.place}")
        self.assertEqual(await program.ended, 1)
        self.assertIn(f"atrun-module: --at 2={self.place}: Couldn't listen on 127.0.0.1:{self.port}: ", program.output)
        self.assertNotIn("Traceback", program.output)
        self.assertEqual(list(self.folder.iterdir()), [])

    async def test_takenPortInBackground(self) -> None:
        """In the background the start ends as well, with the reason on the terminal, and no pid file stays behind."""
        await self.module()
        program = start(
            self.folder, "-c", TWISTD, "--logfile=log", "--pidfile=pid", "atrun-module", "--at", f"1={self.place}"
        )
        self.addCleanup(program.signal, "KILL")
        self.assertEqual(await program.ended, 1)
        self.assertIn(f"atrun-module: --at 1={self.place}: ", program.output)
        while (self.folder / "pid").exists():
            # the daemon clears up when it has told its parent
            await deferLater(reactor, 0.02)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["log"])

    async def test_takenControlPort(self) -> None:
        """The same holds for the control port."""
        await self.module()
        program = self.start("--at", "1=pty:at1", "--control", self.place)
        self.assertEqual(await program.ended, 1)
        self.assertIn(f"atrun-module: --control: Couldn't listen on 127.0.0.1:{self.port}: ", program.output)
        self.assertEqual(list(self.folder.iterdir()), [])

    async def test_unwritableMemory(self) -> None:
        """A memory that cannot be written, or a folder that isn't there, ends the start with one line."""
        (self.folder / "taken").mkdir()
        for path, reason in (("missing/nvm", "No such file or directory"), ("taken", "Is a directory")):
            program = self.start("--at", f"1={self.place}", "--nvm", path)
            self.assertEqual(await program.ended, 1)
            self.assertIn("atrun-module: --nvm: ", program.output)
            self.assertIn(reason, program.output)
            self.assertNotIn("Traceback", program.output)

    async def test_badOption(self) -> None:
        """An option that cannot be used is named on the terminal, and nothing is left behind."""
        program = self.start("--at", "1=tcp:many", "--nvm", "module.nvm")
        self.assertEqual(await program.ended, 1)
        self.assertIn("--at: 'tcp:many' cannot be used", program.output)
        self.assertEqual(list(self.folder.iterdir()), [])

    async def test_restart(self) -> None:
        """What was set up once works again after a restart without a local command (TEL-SRV-08, TEL-AUT-01)."""
        service = freePort()
        program = await self.module("--nvm", "module.nvm")
        terminal = await self.connect()
        for line in (
            'AT+CGDCONT=1,"IP","internet"',
            "AT#SGACTCFG=1,3",
            "AT#SCFG=1,1,300,90,600,1",
            f'AT#TCPATRUNCFG=1,2,{service},1024,""',
            'AT#TCPATRUNFRWL=1,"127.0.0.1","255.0.0.0"',
            'AT#TCPATRUNAUTH=1,"me","s3cret-w0rd"',
            "AT#TCPATRUNL=1",
        ):
            await terminal.ask(line)
        self.assertEqual(await program.signal("TERM"), TERMINATED)
        program = await self.module("--nvm", "module.nvm")
        remote = await self.reach(f"tcp:127.0.0.1:{service}")
        remote.transport.write(b"me\rs3cret-w0rd\r")
        self.assertIn("\r\n357000000000001\r\n", await remote.ask("AT+CGSN"))
        self.assertNotIn("s3cret-w0rd", program.output)

    async def reach(self, endpoint: str) -> Terminal:
        """Connect as soon as somebody listens."""
        for _ in range(PATIENCE * 20):
            try:
                return await self.connect(endpoint)
            except ConnectError:
                await deferLater(reactor, 0.05)
        raise AssertionError(f"nobody listens at {endpoint}")

    async def whenWritten(self, times: int) -> None:
        """Wait until the memory has been written a few times more."""
        memory = self.folder / "module.nvm"
        for _ in range(times):
            before = memory.stat().st_mtime_ns
            while memory.stat().st_mtime_ns == before:
                await deferLater(reactor, 0)

    async def test_killed(self) -> None:
        """Killed while it writes, a module finds one of the states that it has stored (TEL-SCF-10)."""
        stored = 10
        for attempt in range(3):
            program = await self.module("--nvm", "module.nvm")
            terminal = await self.connect()
            answer = await terminal.ask("AT#SCFG?")
            self.assertIn(f"#SCFG: 1,1,{300 if attempt == 0 else stored},90,600,50\r\n", answer)
            first = stored + 1
            await terminal.ask(f"AT#SCFG=1,1,{first},90,600,50")
            terminal.transport.write(b"".join(b"AT#SCFG=1,1,%d,90,600,50\r" % (first + n) for n in range(1, 400)))
            await self.whenWritten(1 + 5 * attempt)
            await program.signal("KILL")
            await terminal.lost
            program = await self.module("--nvm", "module.nvm")
            terminal = await self.connect()
            answer = await terminal.ask("AT#SCFG?")
            stored = int(answer.partition("#SCFG: 1,1,")[2].partition(",")[0])
            self.assertTrue(first <= stored < first + 399, answer)
            self.assertNotIn("damaged", program.output)
            await program.signal("TERM")

    async def test_damagedMemory(self) -> None:
        """A damaged memory is reported and kept under another name; the module begins as from the factory."""
        (self.folder / "module.nvm").write_bytes(b"\xff\x00 nothing sensible")
        program = await self.module("--nvm", "module.nvm")
        self.assertIn("module.nvm is damaged", program.output)
        self.assertEqual((self.folder / "module.nvm.damaged-1").read_bytes(), b"\xff\x00 nothing sensible")
        terminal = await self.connect()
        self.assertIn("\r\n#SCFG: 1,1,300,90,600,50\r\n", await terminal.ask("AT#SCFG?"))

    async def test_count(self) -> None:
        """Fifty modules in one process answer at fifty terminals, each as itself."""
        program = self.start("--count", "50", "--at", "1=pty:at{n}", "--startup", "ATE0")
        await program.whenPrinted(f"{READY}: 50")
        terminals = [await self.connect(f"pty:{self.folder}/at{n}") for n in range(1, 51)]
        answers = await DeferredList([terminal.ask("AT+CGSN") for terminal in terminals])
        self.assertEqual(
            [answer for _, answer in answers],
            [f"\r\n{357000000000000 + n}\r\n\r\nOK\r\n" for n in range(1, 51)],
        )
        self.assertEqual(await program.signal("TERM"), TERMINATED)
        self.assertEqual(list(self.folder.iterdir()), [])
