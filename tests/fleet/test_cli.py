"""The command atrun, run as a program against a host on loopback."""

from __future__ import annotations

import json
import os
import sys

from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import TestCase

from atrunproto import __version__
from atrunproto.at.errors import CommandFailed
from atrunproto.at.peerlines import Response
from atrunproto.at.results import PLAIN_ERROR
from atrunproto.fleet.api import API
from atrunproto.fleet.host import Host
from atrunproto.fleet.links import addressText
from atrunproto.fleet.store import SQLiteStore, WorkerThread
from atrunproto.http import JSONSite
from atrunproto.secret import Secret

from .doubles import IDENTIFY, IMEI, OTHER, FakeClient

TOKEN = "s3cret-token"


class AnsweringClient(FakeClient):
    """A module that answers by itself."""

    def __init__(self, imei: str) -> None:
        super().__init__()
        self.answers = {
            IDENTIFY: (imei, "HE910", "12.00.004"),
            "AT": (),
            "AT+CSQ": ("+CSQ: 20,0",),
            "AT+CMGL": ("+CMGL: 1", "+CMGL: 2"),
        }

    def execute(self, line: str, timeout: float | None = None) -> Deferred[Response]:
        answer: Deferred[Response] = Deferred()
        if line in self.answers:
            answer.callback(Response(self.answers[line], "OK"))
        else:
            answer.errback(CommandFailed(line, PLAIN_ERROR))
        return answer


class CommandTests(TestCase):
    """What a person at a terminal gets."""

    def setUp(self) -> None:
        clock, threads = IReactorTime(reactor), IReactorFromThreads(reactor)
        self.host = Host(clock, SQLiteStore(self.mktemp(), WorkerThread(threads)))
        self.host.startService()
        self.addCleanup(self.host.stopService)
        site = JSONSite(API(self.host, Secret(TOKEN)).resource, clock)
        port = self.successResultOf(serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(site))
        self.addCleanup(port.stopListening)
        self.url = f"http://{addressText(port.getHost())}"

    def connect(self, imei: str) -> FakeClient:
        client = AnsweringClient(imei)
        self.host.reception.dialledIn(client, IPv4Address("TCP", "10.0.0.5", 40000))
        return client

    async def atrun(self, *arguments: str, **environment: str) -> tuple[str, str, int]:
        """Run the command; give what it prints, its errors and its exit status."""
        variables = {**os.environ, "ATRUN_URL": self.url, "ATRUN_TOKEN": TOKEN, **environment}
        variables["PYTHONPATH"] = os.pathsep.join(sys.path)
        program = "from atrunproto.fleet.cli import main; main()"
        out, err, status = await getProcessOutputAndValue(sys.executable, ["-c", program, *arguments], variables)
        return out.decode(), err.decode(), status

    async def test_modules(self) -> None:
        """`atrun modules` lists modules, as a table or as JSON."""
        self.connect(IMEI)
        self.connect(OTHER).lose()
        out, _, status = await self.atrun("modules")
        lines = out.splitlines()
        self.assertEqual(lines[0].split(), ["IMEI", "MODEL", "REVISION", "LINK", "ADDRESS", "LAST", "SEEN", "NUMBER"])
        self.assertEqual(lines[1].split()[:5], [IMEI, "HE910", "12.00.004", "dial-in", "10.0.0.5:40000"])
        self.assertEqual(lines[2].split()[:4], [OTHER, "HE910", "12.00.004", "none"])
        self.assertEqual((len(lines), status), (3, 0))
        out, _, status = await self.atrun("modules", "--json")
        self.assertEqual(([module["connected"] for module in json.loads(out)], status), ([True, False], 0))

    async def test_runAll(self) -> None:
        """`atrun run --all` prints what each module answers and ends with status 0."""
        self.connect(IMEI)
        self.connect(OTHER)
        out, err, status = await self.atrun("run", "--all", "AT+CMGL")
        self.assertEqual(
            [line.split() for line in out.splitlines()],
            [
                ["IMEI", "STATE", "SECONDS", "ANSWER"],
                [IMEI, "done", secondsOf(out, 1), "+CMGL:", "1"],
                ["+CMGL:", "2"],
                [OTHER, "done", secondsOf(out, 3), "+CMGL:", "1"],
                ["+CMGL:", "2"],
            ],
        )
        self.assertEqual((err, status), ("job 1: 2 done\n", 0))

    async def test_runSeveral(self) -> None:
        """Several command lines are told apart; the first error ends them, and the exit status is 1."""
        self.connect(IMEI)
        out, err, status = await self.atrun("run", "--module", IMEI, "AT", "AT+CSQ", "AT+NONE", "AT")
        self.assertEqual(
            [line.split(None, 3)[-1] if IMEI in line else line.strip() for line in out.splitlines()[1:]],
            ["AT:", "OK", "AT+CSQ:", "+CSQ: 20,0", "AT+NONE:", "AT+NONE was answered by ERROR"],
        )
        self.assertEqual((err, status), ("job 1: 1 failed\n", 1))

    async def test_json(self) -> None:
        """`--json` prints the job as the interface gives it."""
        self.connect(IMEI)
        out, _, status = await self.atrun("run", "--connected", "--json", "AT+CSQ")
        job = json.loads(out)
        self.assertEqual((job["executions"][0]["answers"][0]["lines"], job["ended"], status), (["+CSQ: 20,0"], True, 0))

    async def test_later(self) -> None:
        """A job can be started, left alone and looked at later."""
        self.connect(IMEI).lose()
        out, _, status = await self.atrun("run", "--no-wait", "--all", "AT+CSQ")
        self.assertEqual((out, status), ("1\n", 0))
        out, err, status = await self.atrun("job", "--no-wait", "1")
        self.assertEqual((out.splitlines()[1].split(), err, status), ([IMEI, "queued"], "job 1: 1 queued\n", 1))
        waiting = ensureDeferred(self.atrun("job", "1"))
        self.connect(IMEI)
        out, err, status = await waiting
        self.assertEqual((err, status), ("job 1: 1 done\n", 0))

    async def test_deadline(self) -> None:
        """A module that is away makes the job fail after the deadline that was given."""
        self.connect(IMEI).lose()
        out, _, status = await self.atrun("run", "--deadline", "0.1", "--all", "AT+CSQ")
        self.assertEqual((out.splitlines()[1].split(None, 2), status), ([IMEI, "failed", "not connected for 0.1 s"], 1))

    async def test_trouble(self) -> None:
        """What cannot be done is one line on the error output, and exit status 2."""
        for arguments, environment, message in (
            (["run", "--all", "AT"], {}, "atrun: no module is known yet\n"),
            (["run", "--module", "1234", "AT"], {}, "atrun: no module with IMEI '1234' is known\n"),
            (["run", "--all", "--via", "sms", "AT"], {}, "atrun: this host has no SMS gateway: start it with"),
            (["add-number", "0335"], {}, "atrun: a telephone number is international, with a plus sign"),
            (["add-number", "+39335", "--password-file", "none"], {}, "atrun: no password: [Errno 2] No such file"),
            (["remove-number", "+39335"], {}, "atrun: the number +39335 is not known\n"),
            (["remove-number", "x/ y"], {}, "atrun: there is nothing at /api/numbers/x%2F%20y\n"),
            (["job", "7"], {}, "atrun: there is no job 7\n"),
            (["modules"], {"ATRUN_TOKEN": "wrong"}, "atrun: the token is missing or wrong"),
            (["modules", "--token-file", "none"], {}, "atrun: no token: [Errno 2] No such file or directory: 'none'\n"),
            (["modules"], {"ATRUN_TOKEN": ""}, "atrun: no token: "),
            (["modules", "--url", "http://127.0.0.1:1"], {}, "atrun: no host at http://127.0.0.1:1: "),
            (["modules", "--url", "nonsense"], {}, "atrun: no usable answer from nonsense: "),
        ):
            out, err, status = await self.atrun(*arguments, **environment)
            self.assertEqual((out, err[: len(message)], err.count("\n"), status), ("", message, 1, 2))

    async def test_usage(self) -> None:
        """A command line that isn't understood ends with status 2 and says what is missing."""
        for arguments, message in (
            ([], "the following arguments are required: COMMAND"),
            (["run", "AT"], "one of the arguments --all --connected --module is required"),
            (["run", "--all"], "the following arguments are required: LINE"),
            (["run", "--all", "--connected", "AT"], "not allowed with argument"),
        ):
            _, err, status = await self.atrun(*arguments)
            self.assertIn(message, err)
            self.assertEqual(status, 2)

    async def test_version(self) -> None:
        """`atrun --version` prints the version."""
        self.assertEqual(await self.atrun("--version"), (f"atrun {__version__}\n", "", 0))


def secondsOf(out: str, line: int) -> str:
    """Take the time from a line of output, which nobody can predict."""
    return out.splitlines()[line].split()[2]
