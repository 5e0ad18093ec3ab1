"""Jobs by short message: they cost money, take minutes, and go over a modem that may be lost."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from atrunproto.at.errors import CommandFailed, CommandTimeout, LinkLost, Misuse
from atrunproto.at.results import PLAIN_ERROR, ErrorFamily, Reason
from atrunproto.fleet.dispatcher import CALL_IN_SECONDS
from atrunproto.fleet.executions import Job, Order, State, Via
from atrunproto.fleet.gateway import MAX_DISCARDED, MAX_TEXT, PAUSE_SECONDS, PLACES
from atrunproto.fleet.numbers import ASKED
from atrunproto.sms.peer import NoNetwork, Rejected
from atrunproto.smsatrun.digest import Password
from atrunproto.smsatrun.peer import TIMEOUT, Discarded, Why

from .doubles import IDENTIFY, IMEI, NUMBER, OTHER, OTHER_NUMBER, FakeRunner, Fleet, FleetTestCase

PASSWORD = Password("1234567890123456")


class JobTests(FleetTestCase):
    """What becomes of jobs that may go by short message."""

    via = Via.SMS
    deadline = 3600.0

    def setUp(self) -> None:
        self.path = self.mktemp()
        self.fleet = Fleet(self.path, gateway="serial:/dev/ttyUSB0")
        self.addCleanup(lambda: self.fleet.store.close())

    def end(self, job: Job, imei: str = IMEI) -> tuple[State, str]:
        """State and error of an execution, once everything is stored."""
        self.fleet.settle()
        record = self.stored(job, imei)
        return record.state, record.error

    def ready(self) -> FakeRunner:
        """A gateway, and a module with a number."""
        self.fleet.number(NUMBER)
        return self.fleet.runner()

    def test_done(self) -> None:
        """A module that was never connected runs a job by short message, line after line (TEL-SMS-01)."""
        runner = self.ready()
        job = self.submit("AT+COPS?", "AT+CSQ")
        self.assertEqual(runner.lines(), [(NUMBER, "AT+COPS?")])
        self.assertEqual((runner.sent[0].timeout, runner.sent[0].password), (TIMEOUT, None))
        self.assertEqual(self.stored(job).state, State.RUNNING)
        self.fleet.clock.advance(30)
        runner.answer('+COPS: 0,0,"vodafone IT"')
        runner.answer("+CSQ: 20,0")
        self.assertEqual(self.end(job), (State.DONE, ""))
        self.assertEqual(
            [(a.command, a.lines, a.result, a.seconds) for a in self.stored(job).answers],
            [("AT+COPS?", ('+COPS: 0,0,"vodafone IT"',), "OK", 30), ("AT+CSQ", ("+CSQ: 20,0",), "OK", 0)],
        )
        module = self.fleet.host.roster.get(IMEI)
        assert module is not None
        self.assertEqual(module.lastSeen, self.fleet.clock.seconds())

    def test_password(self) -> None:
        """A module with a password gets digest messages, and a job's own timeout (TEL-SMS-02)."""
        self.fleet.number(NUMBER, password=PASSWORD)
        runner = self.fleet.runner()
        self.submit("AT", timeout=90)
        self.assertEqual((runner.sent[0].password, runner.sent[0].timeout), (PASSWORD, 90))

    def test_onlyIfAsked(self) -> None:
        """A job that does not speak of short messages never causes one, however long its module is away."""
        runner = self.ready()
        job = self.submit("AT+CSQ", via=Via.TCP, deadline=60)
        self.fleet.clock.advance(60)
        self.assertEqual((self.end(job), runner.sent), ((State.FAILED, "not connected for 60 s"), []))

    def test_any(self) -> None:
        """A job that may go either way takes a connection if there is one, and a short message if there is none."""
        runner, client = self.ready(), self.fleet.connect()
        self.fleet.clock.advance(CALL_IN_SECONDS)
        first = self.submit("AT+CSQ", via=Via.ANY)
        self.assertEqual((client.lines, runner.sent), (["AT+CSQ"], []))
        client.lose(sent=False)
        self.fleet.settle()
        self.assertEqual(runner.lines(), [(NUMBER, "AT+CSQ")])
        runner.answer()
        self.assertEqual(self.end(first), (State.DONE, ""))

    def test_anyAtTheStart(self) -> None:
        """When a host starts, modules have a minute to call in before a job that may go either way costs a message."""
        runner = self.ready()
        self.fleet.number(OTHER_NUMBER, OTHER)
        self.submit("AT+CSQ", imeis=(IMEI, OTHER), via=Via.ANY)
        self.fleet.clock.advance(CALL_IN_SECONDS - 1)
        self.assertEqual((self.fleet.connect().lines, runner.sent), (["AT+CSQ"], []))
        self.fleet.clock.advance(1)
        self.fleet.settle()
        self.assertEqual(runner.lines(), [(OTHER_NUMBER, "AT+CSQ")])

    def test_waysAreApart(self) -> None:
        """A module that is connected runs a job by short message too; neither way waits for the other."""
        runner, client = self.ready(), self.fleet.connect()
        jobs = [self.submit(line, via=via) for line, via in (("AT#1", Via.SMS), ("AT#2", Via.TCP), ("AT#3", Via.SMS))]
        self.assertEqual((runner.lines(), client.lines), ([(NUMBER, "AT#1")], ["AT#2"]))
        runner.answer()
        self.fleet.settle()
        self.assertEqual((runner.lines()[1:], client.lines), ([(NUMBER, "AT#3")], ["AT#2"]))
        client.answer()
        runner.answer()
        self.assertEqual([self.end(job)[0] for job in jobs], [State.DONE] * 3)

    def test_wakesWhatIsAway(self) -> None:
        """A short message goes though a job for a connection waits before it: it may make the module call in."""
        runner = self.ready()
        self.submit("AT+CSQ", via=Via.TCP)
        self.submit("AT#TCPATRUND=1")
        self.assertEqual(runner.lines(), [(NUMBER, "AT#TCPATRUND=1")])
        self.assertEqual(self.fleet.connect().lines, ["AT+CSQ"])

    def test_refused(self) -> None:
        """An error of the module fails the job, as over a connection."""
        runner = self.ready()
        job = self.submit("AT+NONE")
        runner.fail(CommandFailed("AT+NONE", PLAIN_ERROR))
        self.assertEqual(self.end(job), (State.FAILED, "AT+NONE was answered by ERROR"))

    def test_misuse(self) -> None:
        """What no short message can carry fails and says why (TEL-SMS-49)."""
        runner = self.ready()
        job = self.submit("AT+CMGS=5")
        runner.fail(Misuse("+CMGS asks for data"))
        self.assertEqual(self.end(job), (State.FAILED, "+CMGS asks for data"))

    def test_timeout(self) -> None:
        """A command without an answer is unknown, for the module may have run it; the next job goes on."""
        runner = self.ready()
        job = self.submit("AT#1")
        self.submit("AT#2")
        self.assertEqual(len(runner.sent), 1)
        runner.fail(CommandTimeout("AT#1", TIMEOUT))
        self.assertEqual(self.end(job), (State.UNKNOWN, "AT#1 got no final result within 420 s"))
        self.assertEqual(runner.lines(), [(NUMBER, "AT#1"), (NUMBER, "AT#2")])

    def test_safeToRepeat(self) -> None:
        """A command without an answer is sent again if its job is safe to repeat, before what was queued later."""
        runner = self.ready()
        job = self.submit("AT#1", safeToRepeat=True)
        self.submit("AT#2")
        runner.fail(CommandTimeout("AT#1", TIMEOUT))
        self.fleet.settle()
        runner.answer()
        self.assertEqual(self.end(job), (State.DONE, ""))
        self.assertEqual([line for _, line in runner.lines()], ["AT#1", "AT#1", "AT#2"])

    def test_gatewayLost(self) -> None:
        """When the gateway is lost, what had left is unknown; what had not is queued and goes when it is back."""
        runner = self.ready()
        self.fleet.number(OTHER_NUMBER, OTHER)
        sent, waiting = self.submit("AT#1"), self.submit("AT#2", imeis=(OTHER,))
        self.fleet.host.gateway.closed("the SMS gateway was lost")
        runner.fail(LinkLost("AT#1", True))
        runner.fail(LinkLost("AT#2", False))
        self.assertEqual(self.end(sent), (State.UNKNOWN, "the link was lost while AT#1 ran"))
        self.assertEqual(self.end(waiting, OTHER)[0], State.QUEUED)
        runner = self.fleet.runner()
        self.assertEqual(runner.lines(), [(OTHER_NUMBER, "AT#2")])
        runner.answer()
        self.assertEqual(self.end(waiting, OTHER), (State.DONE, ""))

    def test_lostBeforeStored(self) -> None:
        """A gateway that goes while a job is being stored as running has sent nothing of it."""
        runner = self.ready()
        now = self.fleet.clock.seconds()
        order = Order(("AT#1",), now, now + 60, None, False, Via.SMS)
        self.successResultOf(Deferred.fromCoroutine(self.fleet.host.dispatcher.submit(order, [IMEI])))
        self.fleet.host.gateway.closed("the SMS gateway was lost")
        self.fleet.settle()
        self.assertEqual((runner.sent, self.fleet.host.gateway.underWay), ([], 0))
        self.assertEqual(self.fleet.runner().lines(), [(NUMBER, "AT#1")])

    def test_noGateway(self) -> None:
        """A job that no gateway takes in time fails, and says what was missing."""
        self.fleet.number(NUMBER)
        job, other = self.submit("AT", deadline=60), self.submit("AT", imeis=(OTHER,), deadline=60)
        either = self.submit("AT", imeis=(OTHER,), via=Via.ANY, deadline=60)
        self.fleet.clock.advance(60)
        self.assertEqual(self.end(job), (State.FAILED, "without an SMS gateway for 60 s"))
        self.assertEqual(self.end(other, OTHER), (State.FAILED, "without a telephone number for 60 s"))
        self.assertEqual(self.end(either, OTHER), (State.FAILED, "not connected for 60 s"))

    def test_noNetwork(self) -> None:
        """A gateway without a network loses no job: it pauses, and sends what waits when that is over."""
        runner = self.ready()
        job = self.submit("AT#1")
        runner.fail(NoNetwork("AT+CMGS=20", Reason(ErrorFamily.CMS, 331, "no network service")))
        self.assertEqual(self.end(job), (State.QUEUED, "the SMS gateway cannot send: +CMS ERROR: no network service"))
        self.assertFalse(self.fleet.host.gateway.isReady)
        self.fleet.clock.advance(PAUSE_SECONDS - 1)
        self.assertEqual(len(runner.sent), 1)
        self.fleet.clock.advance(1)
        self.fleet.settle()
        runner.answer()
        self.assertEqual((self.end(job), len(runner.sent)), ((State.DONE, ""), 2))

    def test_rejected(self) -> None:
        """A message that the network refuses fails its job, which the module has not run."""
        runner = self.ready()
        job = self.submit("AT#1")
        runner.fail(Rejected("AT+CMGS=20", Reason(ErrorFamily.CMS, 1, "unassigned number")))
        problem = "the SMS gateway did not send it: +CMS ERROR: unassigned number"
        self.assertEqual(self.end(job), (State.FAILED, problem))

    def test_places(self) -> None:
        """Only some executions are under way at a time; the others are queued, and modules take turns."""
        runner = self.fleet.runner()
        imeis = tuple(f"35693803564{number:04}" for number in range(PLACES + 3))
        for number, imei in enumerate(imeis):
            self.fleet.number(f"+39335{number:07}", imei)
        job = self.submit("AT#1", imeis=imeis)
        self.submit("AT#2", imeis=imeis[:1])
        gateway = self.fleet.host.gateway
        self.assertEqual((len(runner.sent), gateway.underWay, gateway.waiting), (PLACES, PLACES, 3))
        self.assertEqual(self.end(job, imeis[-1])[0], State.QUEUED)
        runner.answer()
        self.fleet.settle()
        self.assertEqual((runner.sent[-1].number, gateway.waiting), (f"+39335{PLACES:07}", 3))
        while runner.pending:
            runner.answer()
            self.fleet.settle()
        self.assertEqual(runner.lines()[-1], ("+393350000000", "AT#2"))
        self.assertEqual((len(runner.sent), gateway.underWay, gateway.waiting), (PLACES + 4, 0, 0))

    def test_expiredWhileWaiting(self) -> None:
        """A module whose job has expired leaves its turn to the next one."""
        self.fleet.number(NUMBER)
        self.fleet.number(OTHER_NUMBER, OTHER)
        self.submit("AT#1", deadline=10)
        self.submit("AT#2", imeis=(OTHER,))
        self.fleet.clock.advance(10)
        self.fleet.settle()
        self.assertEqual(self.fleet.runner().lines(), [(OTHER_NUMBER, "AT#2")])

    def test_stopped(self) -> None:
        """When the host stops, what was sent is unknown, and what waited goes on waiting after the next start."""
        self.ready()
        sent, waiting = self.submit("AT#1"), self.submit("AT#2")
        stopped = self.fleet.host.stopService()
        self.fleet.settle()
        self.successResultOf(stopped)
        self.fleet = Fleet(self.path, self.fleet.clock, gateway="serial:/dev/ttyUSB0")
        self.assertEqual(self.end(sent), (State.UNKNOWN, "the host stopped"))
        self.assertEqual(self.end(waiting)[0], State.QUEUED)
        self.assertEqual(self.fleet.runner().lines(), [(NUMBER, "AT#2")])

    def test_killed(self) -> None:
        """A host that is killed while a short message is under way does not send it again."""
        self.ready()
        job = self.submit("AT#1")
        self.successResultOf(self.fleet.store.close())
        self.fleet = Fleet(self.path, self.fleet.clock, gateway="serial:/dev/ttyUSB0")
        self.assertEqual(self.end(job), (State.UNKNOWN, "the host ended while it ran"))
        self.assertEqual(self.fleet.runner().sent, [])

    def test_numberRemoved(self) -> None:
        """When its number is removed, what a module runs is unknown, and its queue waits for another number."""
        runner = self.ready()
        running, waiting = self.submit("AT#1"), self.submit("AT#2")
        mobile = self.fleet.host.numbers.get(NUMBER)
        assert mobile is not None
        self.successResultOf(Deferred.fromCoroutine(self.fleet.host.numbers.remove(mobile)))
        self.assertEqual(self.end(running), (State.UNKNOWN, "its number was changed or removed"))
        self.assertEqual((self.end(waiting)[0], self.fleet.host.gateway.underWay), (State.QUEUED, 0))
        self.fleet.number(OTHER_NUMBER)
        self.fleet.settle()
        self.assertEqual(runner.lines()[1:], [(OTHER_NUMBER, "AT#2")])

    def test_lateAnswer(self) -> None:
        """An answer that comes too late changes nothing; it is kept to be looked at, up to a bound."""
        runner = self.ready()
        job = self.submit("AT#1")
        runner.fail(CommandTimeout("AT#1", TIMEOUT))
        gateway = self.fleet.host.gateway
        for number in range(MAX_DISCARDED + 1):
            gateway.discarded(Discarded(NUMBER, None, Why.LATE, b"%d\r\nOK" % number + b"x" * MAX_TEXT))
        self.assertEqual(self.end(job)[0], State.UNKNOWN)
        self.assertEqual((len(gateway.strays), gateway.strays[0].text[:5]), (MAX_DISCARDED, "1\r\nOK"))
        self.assertEqual((gateway.strays[0].why, len(gateway.strays[0].text)), ("late", MAX_TEXT))


class NumberTests(SynchronousTestCase):
    """Which numbers there are, and whose."""

    def setUp(self) -> None:
        self.path = self.mktemp()
        self.fleet = Fleet(self.path, gateway="serial:/dev/ttyUSB0")
        self.addCleanup(lambda: self.fleet.store.close())

    def known(self) -> list[tuple[str, str, str]]:
        """Number, IMEI and problem of all."""
        self.fleet.settle()
        return [(mobile.number, mobile.imei, mobile.error) for mobile in self.fleet.host.numbers]

    def again(self, *mobiles: object) -> None:
        """Kill the host, and start it anew."""
        self.successResultOf(self.fleet.store.close())
        self.fleet = Fleet(self.path, self.fleet.clock, gateway="serial:/dev/ttyUSB0", mobiles=mobiles)  # type: ignore[arg-type]

    def test_restart(self) -> None:
        """Numbers and passwords are known after a restart, and so are modules that never were connected."""
        self.fleet.number(NUMBER, password=PASSWORD)
        self.fleet.number(OTHER_NUMBER, OTHER)
        self.again()
        self.assertEqual(self.known(), [(NUMBER, IMEI, ""), (OTHER_NUMBER, OTHER, "")])
        passwords = [mobile.password for mobile in self.fleet.host.numbers]
        self.assertEqual(passwords, [PASSWORD, None])
        module = self.fleet.host.roster.get(IMEI)
        assert module is not None
        assert module.mobile is not None
        self.assertEqual((module.mobile.number, module.reached, module.link), (NUMBER, "", None))

    def test_asked(self) -> None:
        """A module whose IMEI nobody knows is asked by short message, and is known from then on."""
        runner = self.fleet.runner()
        self.fleet.number(NUMBER, "", PASSWORD)
        self.assertEqual((runner.lines(), runner.sent[0].password), ([(NUMBER, IDENTIFY)], PASSWORD))
        self.assertEqual(self.known(), [(NUMBER, "", ASKED)])
        runner.answer(IMEI, "HE910", "12.00.004")
        self.assertEqual(self.known(), [(NUMBER, IMEI, "")])
        module = self.fleet.host.roster.get(IMEI)
        assert module is not None
        assert module.mobile is not None
        self.assertEqual((module.model, module.reached, module.address), ("HE910", "sms", NUMBER))
        self.again()
        self.assertEqual((self.known(), self.fleet.runner().sent), ([(NUMBER, IMEI, "")], []))

    def test_askedWhileConnected(self) -> None:
        """A number turns out to be that of a module that is connected, whose address stays."""
        self.fleet.connect()
        runner = self.fleet.runner()
        self.fleet.number(NUMBER, "")
        runner.answer(IMEI, "HE910", "12.00.004")
        self.fleet.settle()
        module = self.fleet.host.roster.get(IMEI)
        assert module is not None
        assert module.mobile is not None
        self.assertEqual((module.mobile.number, module.address), (NUMBER, "10.0.0.5:40000"))

    def test_noAnswer(self) -> None:
        """A module that does not tell its IMEI is not asked again, since that costs money, until it is added again."""
        runner = self.fleet.runner()
        self.fleet.number(NUMBER, "")
        runner.fail(CommandTimeout(IDENTIFY, TIMEOUT))
        problem = f"{IDENTIFY} got no final result within 420 s"
        self.assertEqual(self.known(), [(NUMBER, "", problem)])
        self.again(self.fleet.host.numbers.get(NUMBER))
        runner = self.fleet.runner()
        self.assertEqual((self.known(), runner.sent), ([(NUMBER, "", problem)], []))
        self.fleet.number(NUMBER, "")
        self.assertEqual(runner.lines(), [(NUMBER, IDENTIFY)])

    def test_killedWhileAsking(self) -> None:
        """A host that is killed while it asks does not ask again."""
        self.fleet.runner()
        self.fleet.number(NUMBER, "")
        self.again()
        self.assertEqual((self.fleet.runner().sent, self.known()), ([], [(NUMBER, "", ASKED)]))

    def test_askedLater(self) -> None:
        """A question that had not left when the gateway was lost is asked when it is back."""
        runner = self.fleet.runner()
        self.fleet.number(NUMBER, "")
        self.fleet.host.gateway.closed("the SMS gateway was lost")
        runner.fail(LinkLost(IDENTIFY, False))
        self.assertEqual(self.known(), [(NUMBER, "", "")])
        self.assertEqual(self.fleet.runner().lines(), [(NUMBER, IDENTIFY)])

    def test_noModule(self) -> None:
        """Somebody who answers but not with an IMEI is no module."""
        runner = self.fleet.runner()
        self.fleet.number(NUMBER, "")
        runner.answer("hello", "a", "b")
        self.assertEqual(self.known(), [(NUMBER, "", "answered 'hello' where its IMEI was expected")])

    def test_removedWhileAsked(self) -> None:
        """A number that is removed while it is asked stays removed."""
        runner = self.fleet.runner()
        mobile = self.fleet.number(NUMBER, "")
        self.successResultOf(Deferred.fromCoroutine(self.fleet.host.numbers.remove(mobile)))
        runner.pending.clear()
        self.assertEqual((self.known(), self.fleet.host.gateway.underWay), ([], 0))
        self.again()
        self.assertEqual(self.known(), [])

    def test_moved(self) -> None:
        """A SIM that goes into another module, and a module that gets another SIM, are known as they are now."""
        self.fleet.number(NUMBER, IMEI)
        self.fleet.number(NUMBER, OTHER)
        self.assertEqual(self.known(), [(NUMBER, OTHER, "")])
        self.fleet.number(OTHER_NUMBER, OTHER)
        self.assertEqual(self.known(), [(OTHER_NUMBER, OTHER, "")])
        self.again()
        self.assertEqual(self.known(), [(OTHER_NUMBER, OTHER, "")])
        modules = {module.imei: module.mobile for module in self.fleet.host.roster}
        self.assertIsNone(modules[IMEI])

    def test_configured(self) -> None:
        """Numbers of the configuration are added to those of the store; what the store knows of them stays."""
        runner = self.fleet.runner()
        one = self.fleet.number(NUMBER, "")
        runner.answer(IMEI, "HE910", "12.00.004")
        self.fleet.settle()
        self.assertEqual(one.imei, IMEI)
        again, other = type(one)(NUMBER, "", None), type(one)(OTHER_NUMBER, OTHER, PASSWORD)
        self.again(again, other)
        self.assertEqual(self.known(), [(NUMBER, IMEI, ""), (OTHER_NUMBER, OTHER, "")])
        self.assertEqual(self.fleet.runner().sent, [])
