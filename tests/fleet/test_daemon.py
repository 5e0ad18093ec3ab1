"""The host as a program: real processes and sockets on loopback."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import clientFromString, connectProtocol, serverFromString
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.utils import getProcessOutputAndValue
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from atrunproto.fleet.links import addressText
from atrunproto.testing.emulated import LiveModule
from tests.programs import Program, environment, freePort, twistd

from .doubles import IMEI, NUMBER, OTHER, OTHER_NUMBER


class Silent(Protocol):
    """A caller that says nothing."""

    transport: ITCPTransport

    def __init__(self) -> None:
        self.lost: Deferred[None] = Deferred()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """Tell that the connection is gone."""
        self.lost.callback(None)


Caller = TypeVar("Caller", bound=Silent)


class Module(Silent):
    """
    A module in client mode with echo on, as far as the host asks for one.

    @ivar lines: the command lines that it got.
    """

    def __init__(self, imei: str) -> None:
        super().__init__()
        self.imei = imei
        self.lines: list[str] = []
        self._heard: list[tuple[str, Deferred[None]]] = []
        self._buffer = b""

    def whenHeard(self, line: str) -> Deferred[None]:
        """Fire when a command line has come."""
        heard: Deferred[None] = Deferred()
        self._heard.append((line, heard))
        return heard

    def dataReceived(self, data: bytes) -> None:
        """Echo, and answer each line."""
        self.transport.write(data)
        *lines, self._buffer = (self._buffer + data).split(b"\r")
        for line in lines:
            self.lineReceived(line.decode("ascii"))

    def lineReceived(self, line: str) -> None:
        """Answer a line; one about +COPS never is."""
        self.lines.append(line)
        blocks = {
            "AT+CGSN;+CGMM;+CGMR": [self.imei, "HE910", "12.00.004"],
            "AT+CSQ": ["+CSQ: 20,0"],
            "AT": [],
        }.get(line)
        if blocks is not None:
            self.transport.write("".join(f"\r\n{text}\r\n" for text in [*blocks, "OK"]).encode())
        elif line != "AT+COPS=?":
            self.transport.write(b"\r\nERROR\r\n")
        for text, heard in [pair for pair in self._heard if pair[0] == line]:
            self._heard.remove((text, heard))
            heard.callback(None)


class ServingModule(Module):
    """A module in server mode, with the login step by step."""

    def __init__(self, imei: str) -> None:
        super().__init__(imei)
        self.login: list[str] = []

    def connectionMade(self) -> None:
        """Ask who it is."""
        self.transport.write(b"\r\nUsername: ")

    def dataReceived(self, data: bytes) -> None:
        """Take name and password, then commands."""
        if len(self.login) == 2:
            super().dataReceived(data)
            return
        self.login.append(data.decode("ascii").strip())
        self.transport.write(b"\r\nPassword: " if len(self.login) == 1 else b"\r\nLogin Successful!\r\n")


class DaemonTests(TestCase):
    """From the command line to the module and back."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.port, self.http = freePort(), freePort()

    def start(self, *arguments: str, http: int | None = None) -> Program:
        """Start the daemon."""
        endpoint = f"tcp:{http or self.http}:interface=127.0.0.1"
        program = twistd(self.folder, "atrun-host", "--http", endpoint, *arguments)
        self.addCleanup(program.signal, "KILL")
        self.kill: Callable[[], Deferred[int | None]] = lambda: program.signal("KILL")
        self.process = program.process
        return program

    async def host(self, *arguments: str) -> Program:
        """Start the daemon and wait until it works."""
        program = self.start("--listen", f"tcp:{self.port}:interface=127.0.0.1", *arguments)
        await program.whenPrinted("the store knows")
        return program

    async def connect(self, program: Program, imei: str) -> Module:
        """Have a module call in, and wait until the host knows it."""
        module = await self.call(Module(imei))
        await program.whenPrinted(f"module {imei} (HE910)")
        return module

    async def call(self, caller: Caller) -> Caller:
        """Have somebody call in."""
        await connectProtocol(clientFromString(reactor, f"tcp:127.0.0.1:{self.port}"), caller)
        self.addCleanup(self.hangUp, caller)
        return caller

    def hangUp(self, caller: Silent) -> Deferred[None]:
        """End a call; its own Deferred has fired if the host did so before."""
        caller.transport.abortConnection()
        return caller.lost

    async def atrun(self, *arguments: str) -> tuple[str, str, int]:
        """Run the command in the host's folder, where it finds the token by itself."""
        out, err, status = await getProcessOutputAndValue(
            sys.executable,
            [
                "-c",
                "from atrunproto.fleet.cli import main; main()",
                *arguments,
                "--url",
                f"http://127.0.0.1:{self.http}",
            ],
            environment(),
            str(self.folder),
        )
        return out.decode(), err.decode(), status

    async def test_run(self) -> None:
        """Modules call in, a command runs on all of them, and the answers come back (TEL-CLI-02, TEL-CLI-07)."""
        program = await self.host()
        await self.connect(program, IMEI)
        await self.connect(program, OTHER)
        out, err, status = await self.atrun("run", "--all", "AT+CSQ")
        rows = [line.split() for line in out.splitlines()[1:]]
        self.assertEqual(
            [(row[0], row[1], *row[3:]) for row in rows],
            [(IMEI, "done", "+CSQ:", "20,0"), (OTHER, "done", "+CSQ:", "20,0")],
        )
        self.assertEqual((err, status), ("job 1: 2 done\n", 0))

    async def test_dial(self) -> None:
        """A module in server mode is called, its login is done, and commands run on it (TEL-SRV-04, TEL-AUT-12)."""
        modules: list[ServingModule] = []

        def module() -> ServingModule:
            modules.append(ServingModule(IMEI))
            return modules[-1]

        factory = Factory.forProtocol(module)
        port = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(factory)
        self.addCleanup(lambda: modules[0].lost)
        self.addCleanup(port.stopListening)
        (self.folder / "me.password").write_text("s3cret-w0rd\n")
        program = self.start("--dial", f"tcp:{addressText(port.getHost())},user=me,password-file=me.password,mode=step")
        await program.whenPrinted(f"module {IMEI} (HE910)")
        out, _, status = await self.atrun("run", "--connected", "AT+CSQ")
        self.assertEqual((out.count("+CSQ: 20,0"), status), (1, 0))
        self.assertEqual(modules[0].login, ["me", "s3cret-w0rd"])
        self.assertIn("dial-out", (await self.atrun("modules"))[0])
        self.assertNotIn("s3cret-w0rd", program.output)
        await self.kill()

    async def test_sms(self) -> None:
        """Modules are reached by short message, and a password stays a secret (TEL-SMS-01, TEL-SMS-02)."""
        await self.serveBySMS("HE910-EUR")

    async def test_smsByMultitech(self) -> None:
        """A modem of another vendor serves as SMS gateway just as well."""
        await self.serveBySMS("MTCBA-G")

    async def serveBySMS(self, product: str) -> None:
        """Run jobs by short message; the gateway's modem is this product."""
        (self.folder / "modules.toml").write_text(f"""
time-scale = 0

[[module]]
number = "+393930000001"
product = "{product}"
at = {{1 = "tcp:{self.port}:interface=127.0.0.1"}}

[[module]]
number = "{NUMBER}"
imei = "{IMEI}"
startup = ['AT#SMSATWL=0,1,0,"+39393*"', "AT#SMSATRUN=1"]

[[module]]
number = "{OTHER_NUMBER}"
imei = "{OTHER}"
startup = ['AT#SMSATWL=0,1,1,"s3cret-w0rd-of16"', "AT#SMSATRUN=1"]
""")
        (self.folder / "sms.password").write_text("s3cret-w0rd-of16\n")
        modules = twistd(self.folder, "atrun-module", "--config", "modules.toml")
        self.addCleanup(modules.signal, "KILL")
        await modules.whenPrinted("modules switched on: 3")
        program = self.start("--sms-gateway", f"tcp:127.0.0.1:{self.port}")
        await program.whenPrinted("is ready")
        await self.atrun("add-number", NUMBER)
        out, err, status = await self.atrun(
            "add-number", OTHER_NUMBER, "--imei", OTHER, "--password-file", "sms.password"
        )
        self.assertEqual((out.splitlines()[1].split(), err, status), ([OTHER_NUMBER, OTHER, "digest"], "", 0))
        await program.whenPrinted(f"module {IMEI} (HE910) at {NUMBER}")
        out, _, status = await self.atrun("numbers")
        rows = [line.split() for line in out.splitlines()[1:]]
        self.assertEqual((rows, status), ([[NUMBER, IMEI, "simple"], [OTHER_NUMBER, OTHER, "digest"]], 0))
        out, err, status = await self.atrun("run", "--all", "--via", "sms", "AT+CGSN")
        rows = [line.split() for line in out.splitlines()[1:]]
        self.assertEqual([(row[0], row[1], row[3]) for row in rows], [(imei, "done", imei) for imei in (IMEI, OTHER)])
        self.assertEqual((err, status), ("job 1: 2 done\n", 0))
        self.assertIn(NUMBER, (await self.atrun("modules"))[0])
        out, _, status = await self.atrun("remove-number", NUMBER)
        self.assertEqual((NUMBER in out, status), (True, 0))
        _, err, status = await self.atrun("run", "--module", NUMBER, "--via", "sms", "AT")
        self.assertEqual((err, status), (f"atrun: no module with IMEI '{NUMBER}' is known\n", 2))
        self.assertNotIn("s3cret", program.output)
        self.process.signalProcess("TERM")
        await program.ended
        self.assertIn("the host has ended", program.output)
        self.assertNotIn("Traceback", program.output)

    def attach(self, product: str, imei: str, name: str) -> tuple[LiveModule, str]:
        """Attach a module to this machine; where it is, as an endpoint string."""
        place = f"pty:{self.folder / name}"
        module = LiveModule(product, {1: place}, imei=imei)
        self.addCleanup(module.close)
        return module, place

    async def test_local(self) -> None:
        """Modules attached to this machine are served, of both vendors at once, and their answers come back whole."""
        _, modem = self.attach("MTCBA-G", IMEI, "modem")
        _, telit = self.attach("HE910-EUR", OTHER, "telit")
        program = self.start("--local", modem, "--local", telit)
        for imei, model, name in ((IMEI, "MTCBA", "modem"), (OTHER, "HE910", "telit")):
            await program.whenPrinted(f"module {imei} ({model}) at {self.folder / name}\n")
        self.assertEqual((await self.atrun("modules"))[0].count(" local "), 2)
        out, err, status = await self.atrun("run", "--connected", "AT+CGSN")
        self.assertEqual([line.split()[3] for line in out.splitlines()[1:]], [IMEI, OTHER])
        self.assertEqual((err, status), ("job 1: 2 done\n", 0))
        out, err, status = await self.atrun("run", "--module", IMEI, "AT#VVERSION")
        self.assertIn("AT#VVERSION was answered by ERROR", out)
        out, err, status = await self.atrun("run", "--module", IMEI, "AT+WOPEN=1", "AT#VALL", "AT#FTPPORT=65536")
        self.assertIn("AT#FTPPORT=65536 was answered by #CME ERROR: 34882", out)
        self.assertEqual([out.count(f" #{name}: ") for name in ("ANSWERMODE", "UDPPORT", "PINGREMOTE")], [1, 1, 1])
        self.process.signalProcess("TERM")
        await program.ended
        self.assertIn("the host has ended", program.output)
        self.assertNotIn("Traceback", program.output)

    async def test_localLost(self) -> None:
        """A module attached to this machine is served again when its power, or its port, is back."""
        modem, place = self.attach("MTCBA-G", IMEI, "modem")
        program = self.start("--local", place)
        await program.whenPrinted(f"module {IMEI} (MTCBA)")
        modem.call(modem.module.powerOff)
        out, err, status = await self.atrun("run", "--all", "--timeout", "1", "AT+CGMM")
        self.assertIn("AT+CGMM got no final result within 1 s", out)
        self.assertEqual((err, status), ("job 1: 1 unknown\n", 1))
        modem.call(modem.module.powerOn)
        self.assertEqual((await self.atrun("run", "--all", "AT+CGMM"))[1:], ("job 2: 1 done\n", 0))
        modem.close()
        await program.whenPrinted("is gone")
        self.attach("MTCBA-G", IMEI, "modem")
        self.assertEqual((await self.atrun("run", "--all", "AT+CGMM"))[1:], ("job 3: 1 done\n", 0))
        await self.kill()

    async def test_silentCallers(self) -> None:
        """Callers that never say a word are bounded in number, and a module among them is served."""
        program = await self.host("--max-strangers", "20")
        early = await self.connect(program, IMEI)
        silent = [await self.call(Silent()) for _ in range(60)]
        await DeferredList([caller.lost for caller in silent[:40]])
        await self.connect(program, OTHER)
        out, _, status = await self.atrun("run", "--all", "AT+CSQ")
        self.assertEqual((out.count("+CSQ: 20,0"), status), (2, 0))
        self.assertFalse(early.lost.called)

    async def test_garbage(self) -> None:
        """A caller that sends garbage without end is sent away, and a module doesn't notice."""
        program = await self.host()
        module = await self.connect(program, IMEI)
        caller = await self.call(Silent())
        for _ in range(200):
            caller.transport.write(bytes(range(256)) * 64)
        await caller.lost
        await self.atrun("run", "--all", "AT+CSQ")
        self.assertEqual(module.lines[1:], ["AT+CSQ"])
        self.assertNotIn("Traceback", program.output)

    async def test_terminated(self) -> None:
        """On SIGTERM the host hangs up, stores what ran as unknown, and ends."""
        program = await self.host()
        module = await self.connect(program, IMEI)
        asked = module.whenHeard("AT+COPS=?")
        await self.atrun("run", "--all", "--no-wait", "AT+COPS=?")
        await asked
        self.process.signalProcess("TERM")
        await program.ended
        await module.lost
        self.assertIn("the host has ended", program.output)
        self.assertNotIn("Traceback", program.output)
        await self.host()
        out, err, status = await self.atrun("job", "1")
        self.assertIn("the host stopped", out)
        self.assertEqual((err, status), ("job 1: 1 unknown\n", 1))

    async def test_killed(self) -> None:
        """A host that is killed knows at its next start what it had sent, and does not send it again."""
        program = await self.host()
        module = await self.connect(program, IMEI)
        asked = module.whenHeard("AT+COPS=?")
        await self.atrun("run", "--all", "--no-wait", "AT+COPS=?")
        await asked
        await self.kill()
        program = await self.host()
        module = await self.connect(program, IMEI)
        out, err, status = await self.atrun("job", "1")
        self.assertIn("the host ended while it ran", out)
        self.assertEqual((err, status), ("job 1: 1 unknown\n", 1))
        await self.atrun("run", "--all", "AT+CSQ")
        self.assertEqual(module.lines, ["AT+CGSN;+CGMM;+CGMR", "AT+CSQ"])

    async def test_takenPort(self) -> None:
        """A port that is taken ends the start with one line that names it."""
        await self.host()
        endpoint = f"tcp:{self.port}:interface=127.0.0.1"
        program = self.start("--listen", endpoint, "--store", "sqlite:///other.db", http=freePort())
        self.assertEqual(await program.ended, 1)
        self.assertIn(f"atrun-host: Couldn't listen on 127.0.0.1:{self.port}: ", program.output)
        self.assertNotIn("Traceback", program.output)

    async def test_storeInUse(self) -> None:
        """A second host on the same store does not start, and the first does not notice."""
        first = await self.host()
        program = self.start("--listen", "tcp:0:interface=127.0.0.1", http=freePort())
        self.assertEqual(await program.ended, 1)
        self.assertIn("fleet.db: another host uses this store", program.output)
        self.assertFalse(first.ended.called)

    async def test_badOption(self) -> None:
        """An option that cannot be used is named on the terminal, and nothing is left behind."""
        program = self.start("--listen", "tcp:many")
        self.assertEqual(await program.ended, 1)
        self.assertIn("--listen: 'tcp:many' cannot be used", program.output)
        self.assertEqual(list(self.folder.iterdir()), [])

    async def test_secrets(self) -> None:
        """Neither the token nor a module's password gets into the log."""
        (self.folder / "me.password").write_text("s3cret-w0rd")
        program = self.start("--dial", f"tcp:127.0.0.1:{self.port},user=me,password-file=me.password")
        await program.whenPrinted("the store knows")
        token = (self.folder / "fleet.db.token").read_text().strip()
        out, err, status = await self.atrun("modules", "--token-file", "me.password")
        self.assertEqual((out, status), ("", 2), err)
        self.process.signalProcess("TERM")
        await program.ended
        self.assertNotIn(token, program.output)
        self.assertNotIn("s3cret-w0rd", program.output)
