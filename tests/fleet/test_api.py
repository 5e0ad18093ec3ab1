"""The HTTP/JSON interface, as bytes on a connection."""

from __future__ import annotations

from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from atrunproto import __version__
from atrunproto.fleet import numbers, roster
from atrunproto.fleet.api import API
from atrunproto.http import MAX_BODY, JSONSite
from atrunproto.secret import Secret
from atrunproto.smsatrun.peer import Discarded, Why
from tests.requests import Pending, ask, send

from .doubles import IMEI, NUMBER, OTHER, OTHER_NUMBER, Fleet

TOKEN = "s3cret-token"


class Asking(SynchronousTestCase):
    """Asks a host by its interface."""

    gateway = ""

    def setUp(self) -> None:
        self.fleet = Fleet(self.mktemp(), gateway=self.gateway)
        self.addCleanup(lambda: self.fleet.store.close())
        self.site = JSONSite(API(self.fleet.host, Secret(TOKEN)).resource, self.fleet.clock)

    def send(self, data: bytes) -> Pending:
        pending = send(self.site, data)
        self.fleet.settle()
        return pending

    def request(self, method: str, path: str, body: object = None, token: str | None = TOKEN) -> Pending:
        pending = ask(self.site, method, path, body, token)
        self.fleet.settle()
        return pending

    def refused(self, pending: Pending) -> tuple[int, str]:
        """Give status and text of an error, which is always JSON with that one key."""
        self.assertEqual(list(pending.body), ["error"])
        return pending.status, pending.body["error"]

    def job(self, **changes: object) -> Pending:
        return self.request("POST", "/api/jobs", {"commands": ["AT+CSQ"], "modules": [IMEI], **changes})


class APITests(Asking):
    """What callers of the interface get."""

    # Access

    def test_token(self) -> None:
        """Without the token nothing is answered, not even whether a path exists."""
        self.fleet.connect()
        for token in (None, "", "s3cret-toke", "s3cret-token2", "\xe9"):
            for method, path in (("GET", "/api/modules"), ("POST", "/api/jobs"), ("GET", "/nowhere")):
                pending = self.request(method, path, token=token)
                self.assertEqual(self.refused(pending)[0], 401)
                self.assertIn(b"WWW-Authenticate: Bearer", pending.head)

    def test_otherScheme(self) -> None:
        """The token under another scheme is no token, and the name of the scheme has no case."""
        head = "GET /api/modules HTTP/1.1\r\nHost: x\r\nAuthorization: {} " + TOKEN + "\r\n\r\n"
        self.assertEqual(self.send(head.format("Basic").encode()).status, 401)
        self.assertEqual(self.send(head.format("bearer").encode()).status, 200)

    def test_health(self) -> None:
        """Whoever watches over the host needs no token, and hears when the store fails."""
        pending = self.request("GET", "/api/health", token=None)
        self.assertEqual((pending.status, pending.body), (200, {"status": "ok", "version": __version__}))
        self.fleet.host.ledger.failing = True
        self.assertEqual(self.request("GET", "/api/health").status, 503)

    def test_unknownPath(self) -> None:
        """A path that isn't there, and a method that a path doesn't take, are told apart."""
        self.assertEqual(self.refused(self.request("GET", "/")), (404, "there is nothing at /"))
        self.assertEqual(self.refused(self.request("DELETE", "/api/jobs")), (405, "/api/jobs takes POST"))

    # Modules

    def test_modules(self) -> None:
        """Modules are listed by IMEI with what is known of them."""
        self.fleet.connect(OTHER)
        self.fleet.connect(IMEI).lose()
        first, second = self.request("GET", "/api/modules").body["modules"]
        self.assertEqual((first["imei"], first["connected"]), (IMEI, False))
        self.assertEqual(
            second,
            {
                "imei": OTHER,
                "model": "HE910",
                "revision": "12.00.004",
                "connected": True,
                "reached": "dial-in",
                "address": "10.0.0.5:40000",
                "firstSeen": self.fleet.clock.seconds(),
                "lastSeen": self.fleet.clock.seconds(),
                "queued": 0,
                "number": "",
            },
        )
        self.assertEqual(self.request("GET", f"/api/modules/{OTHER}").body, second)

    def test_unknownModule(self) -> None:
        """A module that nobody has seen is not found."""
        self.assertEqual(
            self.refused(self.request("GET", "/api/modules/1234")), (404, "no module with IMEI '1234' is known")
        )

    # Jobs

    def test_job(self) -> None:
        """A job is taken, run, and shown with all its answers."""
        client = self.fleet.connect()
        made = self.job(commands=["AT+CSQ", "AT+CREG?"], timeout=5)
        self.assertEqual((made.status, made.body), (201, {"id": 1, "executions": 1}))
        self.assertIn(b"Location: /api/jobs/1", made.head)
        self.assertEqual(self.request("GET", "/api/jobs/1").body["ended"], False)
        client.answer("+CSQ: 20,0")
        client.refuse()
        self.fleet.settle()
        now = self.fleet.clock.seconds()
        self.assertEqual(
            self.request("GET", "/api/jobs/1").body,
            {
                "id": 1,
                "commands": ["AT+CSQ", "AT+CREG?"],
                "createdAt": now,
                "deadlineAt": now + 60,
                "timeout": 5.0,
                "safeToRepeat": False,
                "via": "tcp",
                "ended": True,
                "counts": {"queued": 0, "running": 0, "done": 0, "failed": 1, "unknown": 0},
                "executions": [
                    {
                        "imei": IMEI,
                        "state": "failed",
                        "attempts": 1,
                        "seconds": 0.0,
                        "error": "AT+CREG? was answered by ERROR",
                        "answers": [
                            {"command": "AT+CSQ", "lines": ["+CSQ: 20,0"], "result": "OK", "seconds": 0.0},
                            {"command": "AT+CREG?", "lines": [], "result": "ERROR", "seconds": 0.0},
                        ],
                    }
                ],
            },
        )

    def test_wait(self) -> None:
        """A request that waits is answered when the job has ended, or when its time is over."""
        client = self.fleet.connect()
        self.job()
        waiting, impatient = self.request("GET", "/api/jobs/1?wait=50"), self.request("GET", "/api/jobs/1?wait=5")
        self.assertFalse(waiting.done)
        self.fleet.clock.advance(5)
        self.assertFalse(waiting.done)
        self.assertFalse(impatient.body["ended"])
        client.answer()
        self.fleet.settle()
        self.assertTrue(waiting.body["ended"])

    def test_waiterGoes(self) -> None:
        """A caller that goes while it waits leaves nothing behind."""
        self.fleet.connect().lose()
        self.job()
        before = len(self.fleet.clock.getDelayedCalls())
        waiting = self.request("GET", "/api/jobs/1?wait=50")
        waiting.channel.connectionLost(mock.Mock())
        self.fleet.settle()
        self.assertFalse(waiting.done)
        self.assertEqual(len(self.fleet.clock.getDelayedCalls()), before)

    def test_chosen(self) -> None:
        """A job is for all modules, for those that are connected, or for some, each once."""
        self.fleet.connect(IMEI).lose()
        self.fleet.connect(OTHER)
        for modules, imeis in (
            (["all"], [IMEI, OTHER]),
            (["connected"], [OTHER]),
            ([IMEI, IMEI], [IMEI]),
            (["connected", IMEI, "all"], [IMEI, OTHER]),
        ):
            number = self.job(modules=modules).body["id"]
            shown = self.request("GET", f"/api/jobs/{number}").body
            self.assertEqual([execution["imei"] for execution in shown["executions"]], imeis)

    def test_nobody(self) -> None:
        """A job for nobody is refused."""
        self.assertEqual(self.refused(self.job(modules=["all"])), (409, "no module is known yet"))
        self.fleet.connect().lose()
        self.assertEqual(self.refused(self.job(modules=["connected"])), (409, "no module is connected"))

    def test_badJobs(self) -> None:
        """A job that cannot be run is refused, with the place of what is wrong."""
        self.fleet.connect()
        for changes, message in (
            ({"command": ["AT"]}, "Object contains unknown field `command`"),
            ({"commands": "AT"}, "Expected `array`, got `str` - at `$.commands`"),
            ({"commands": []}, "Expected `array` of length >= 1 - at `$.commands`"),
            ({"commands": ["AT"] * 101}, "Expected `array` of length <= 100 - at `$.commands`"),
            ({"commands": ["AT", "+CSQ"]}, "a command line begins with AT - at `$.commands[1]`"),
            (
                {"commands": ["AT\r\nAT#REBOOT"]},
                "a command line is printable ASCII, without CR or LF - at `$.commands[0]`",
            ),
            ({"commands": ["AT\u20ac"]}, "a command line is printable ASCII, without CR or LF - at `$.commands[0]`"),
            ({"commands": ["AT" * 600]}, "a command line has at most 1024 characters - at `$.commands[0]`"),
            ({"modules": ["1234"]}, "no module with IMEI '1234' is known"),
            ({"modules": []}, "Expected `array` of length >= 1 - at `$.modules`"),
            ({"timeout": 0}, "Expected `float` > 0.0 - at `$.timeout`"),
            ({"timeout": "5"}, "Expected `float | null`, got `str` - at `$.timeout`"),
            ({"deadline": 1e9}, "Expected `float` <= 2592000.0 - at `$.deadline`"),
            ({"safeToRepeat": 1}, "Expected `bool`, got `int` - at `$.safeToRepeat`"),
        ):
            self.assertEqual(self.refused(self.job(**changes)), (400, message))
        self.assertEqual(self.request("GET", "/api/jobs/1").status, 404)

    def test_blocking(self) -> None:
        """A command that takes a module off the host for good is run only when that is asked for (TEL-NOT-07)."""
        self.fleet.connect()
        for line in ("AT#SHDN", "AT+CSQ;+CGATT=0", "ATQ1", 'AT+CGCLASS="CC"'):
            status, message = self.refused(self.job(commands=["AT", line]))
            self.assertEqual(status, 409)
            self.assertIn("for good; `force` runs it all the same - at `$.commands[1]`", message)
            self.assertEqual(self.job(commands=[line], force=True).status, 201)

    def test_dataMode(self) -> None:
        """What no job comes back from on a Multi-Tech modem is run only when that is asked for (MTS-SER-13)."""
        self.fleet.connect()
        for line in ("AT#OTCP=1", "AT#PUTMAIL"):
            status, message = self.refused(self.job(commands=[line]))
            self.assertEqual(status, 409)
            self.assertIn("leads into data mode, out of which no job comes back; `force` runs it all the same", message)
            self.assertEqual(self.job(commands=[line], force=True).status, 201)
        self.assertEqual(self.job(commands=["AT#FTPGET"]).status, 201)

    def test_badBodies(self) -> None:
        """A body that is no JSON, or no object, is refused and harms nobody."""
        for body in (b"", b"{", b"\xff\xfe", b"[]", b"null", b"[" * 100_000):
            status, message = self.refused(self.request("POST", "/api/jobs", body))
            self.assertEqual(status, 400, message)

    def test_longBody(self) -> None:
        """A body beyond the limit is refused and not kept."""
        pending = self.request("POST", "/api/jobs", b" " * (MAX_BODY + 1))
        self.assertEqual(self.refused(pending), (413, f"the body is longer than {MAX_BODY} bytes"))

    def test_badQuery(self) -> None:
        """A parameter that a path doesn't know, and a value that is no time, are refused."""
        self.assertEqual(
            self.refused(self.request("GET", "/api/jobs/1?weight=5")),
            (400, "unknown parameter 'weight': expected wait"),
        )
        for value in ("x", "-1", "61", "nan", "inf", ""):
            self.assertEqual(self.request("GET", f"/api/jobs/1?wait={value}").status in (400, 404), True, value)
        self.assertEqual(
            self.refused(self.request("GET", "/api/jobs/1?wait=nan")), (400, "wait is a number of seconds from 0 to 60")
        )

    def test_noJob(self) -> None:
        """A job that there never was is not found, also with a number beyond all numbers."""
        self.assertEqual(self.refused(self.request("GET", "/api/jobs/7")), (404, "there is no job 7"))
        self.assertEqual(self.request("GET", "/api/jobs/" + "9" * 18).status, 404)
        self.assertEqual(self.request("GET", "/api/jobs/" + "9" * 30).status, 404)

    def test_storeFails(self) -> None:
        """An error of the host is its log's affair; the caller learns no more than that."""
        with mock.patch.object(self.fleet.store, "readJob", side_effect=OSError("/etc/shadow")):
            pending = self.request("GET", "/api/jobs/1")
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertEqual(self.refused(pending), (500, "an error of the program; see its log"))


class NoGatewayTests(Asking):
    """A host that has no SMS gateway."""

    def test_noGateway(self) -> None:
        """A job by short message is refused, and nobody waits for what can't be."""
        self.fleet.connect()
        for via in ("sms", "any"):
            problem = "this host has no SMS gateway: start it with --sms-gateway"
            self.assertEqual(self.refused(self.job(via=via)), (409, problem))
        self.assertEqual(
            self.request("GET", "/api/sms-gateway").body,
            {"configured": False, "ready": False, "underWay": 0, "waiting": 0, "discarded": []},
        )


class SMSTests(Asking):
    """Short messages by the interface."""

    gateway = "serial:/dev/ttyUSB0"
    password = "1234567890123456"

    def add(self, **body: object) -> Pending:
        return self.request("POST", "/api/numbers", body)

    def test_numbers(self) -> None:
        """Numbers are added, shown and removed; a password is told to nobody (TEL-SMS-33)."""
        made = self.add(number=NUMBER, imei=IMEI, password=self.password)
        view = {"number": NUMBER, "imei": IMEI, "digest": True, "error": ""}
        self.assertEqual((made.status, made.body), (201, view))
        self.assertIn(f"Location: /api/numbers/{NUMBER}".encode(), made.head)
        other = self.add(number=OTHER_NUMBER, imei=OTHER).body
        self.assertEqual(other["digest"], False)
        self.assertEqual(self.request("GET", "/api/numbers").body, {"numbers": [view, other]})
        for path in (NUMBER, NUMBER.replace("+", "%2B")):
            self.assertEqual(self.request("GET", f"/api/numbers/{path}").body, view)
        self.assertEqual(self.request("GET", f"/api/modules/{IMEI}").body["number"], NUMBER)
        self.assertEqual(self.request("DELETE", f"/api/numbers/{NUMBER}").body, view)
        problem = f"the number {NUMBER} is not known"
        for method in ("GET", "DELETE"):
            self.assertEqual(self.refused(self.request(method, f"/api/numbers/{NUMBER}")), (404, problem))
        self.assertEqual(self.request("GET", f"/api/modules/{IMEI}").body["number"], "")

    def test_badNumbers(self) -> None:
        """A number, IMEI or password that cannot be used is refused, and a password isn't repeated (TEL-SMS-34)."""
        for body, message in (
            ({"number": "0335"}, "a telephone number is international, with a plus sign: +393351234567"),
            ({"number": NUMBER, "imei": "x"}, "an IMEI has 14 to 16 digits"),
            ({"number": NUMBER, "password": "s3cret"}, "a password has 16 characters of Latin-1"),
            ({"number": NUMBER, "password": 5}, "Expected `str`, got `int` - at `$.password`"),
            ({"imei": IMEI}, "Object missing required field `number`"),
        ):
            self.assertEqual(self.refused(self.add(**body)), (400, message))
        self.assertEqual(self.request("GET", "/api/numbers").body, {"numbers": []})

    def test_full(self) -> None:
        """A number too many is refused."""
        self.add(number=NUMBER, imei=IMEI)
        for patched, body in (
            (numbers, {"number": OTHER_NUMBER}),
            (roster, {"number": OTHER_NUMBER, "imei": OTHER}),
        ):
            with mock.patch.object(patched, "MAX_MODULES", 1):
                self.assertEqual(self.refused(self.add(**body))[0], 409)

    def test_job(self) -> None:
        """A job by short message is run and shown, and has an hour, since a modem sends one message after the other."""
        runner = self.fleet.runner()
        self.add(number=NUMBER, imei=IMEI)
        made = self.job(modules=[NUMBER], via="sms")
        self.assertEqual(made.status, 201)
        self.assertEqual(runner.lines(), [(NUMBER, "AT+CSQ")])
        self.assertEqual(self.request("GET", "/api/sms-gateway").body["underWay"], 1)
        runner.answer("+CSQ: 20,0")
        self.fleet.settle()
        shown = self.request("GET", "/api/jobs/1").body
        self.assertEqual((shown["via"], shown["counts"]["done"], shown["executions"][0]["imei"]), ("sms", 1, IMEI))
        self.assertEqual(shown["deadlineAt"] - shown["createdAt"], 3600)

    def test_chosen(self) -> None:
        """A job by short message is for modules with a number; one that is named must have one."""
        self.fleet.connect(IMEI)
        self.assertEqual(
            self.refused(self.job(modules=["all"], via="sms")), (409, "no such module has a telephone number")
        )
        self.assertEqual(self.refused(self.job(via="sms")), (409, f"no telephone number is known of module {IMEI}"))
        self.add(number=OTHER_NUMBER, imei=OTHER)
        self.assertEqual(self.job(modules=["all"], via="sms").body["executions"], 1)
        self.assertEqual(self.job(modules=["all"], via="any").body["executions"], 2)
        self.assertEqual(self.refused(self.job(modules=["connected"], via="sms"))[0], 409)
        self.assertEqual(self.refused(self.job(via="post"))[0], 400)

    def test_unknownModule(self) -> None:
        """A number whose module has not told its IMEI yet takes no job, and says why."""
        self.add(number=NUMBER)
        problem = f"the module at {NUMBER} has not told its IMEI: it was not asked yet"
        self.assertEqual(self.refused(self.job(modules=[NUMBER], via="sms")), (409, problem))

    def test_cautions(self) -> None:
        """What jams the exchange of messages is run only when that is asked for (TEL-SMS-43 to 46, TEL-SMS-49)."""
        self.add(number=NUMBER, imei=IMEI)
        for line in ("ATQ1", "AT+CMUX=0", "AT+CGSMS=0", "AT+COPS=2", 'AT+CMGS="+39335"'):
            status, message = self.refused(self.job(commands=[line], via="sms"))
            self.assertEqual(status, 409)
            self.assertIn("`force` runs it all the same", message)
        self.assertEqual(self.job(commands=["AT+CGATT=0"], via="sms").status, 201)
        self.assertEqual(self.refused(self.job(commands=["AT+CGATT=0"], via="any"))[0], 409)
        self.assertEqual(self.job(commands=["AT+COPS=2"], via="sms", force=True).status, 201)

    def test_discarded(self) -> None:
        """Answers that came too late are shown."""
        self.fleet.host.gateway.discarded(Discarded(NUMBER, None, Why.LATE, b"+CSQ: 20,0"))
        self.assertEqual(
            self.request("GET", "/api/sms-gateway").body["discarded"],
            [{"at": self.fleet.clock.seconds(), "number": NUMBER, "why": "late", "text": "+CSQ: 20,0"}],
        )
