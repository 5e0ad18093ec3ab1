"""The emulated service centre: what becomes of messages between mobiles, and with numbers outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from atrunproto.at.errors import Misuse
from atrunproto.sms.centre import (
    BROKEN,
    CONGESTED,
    DEFAULT_NUMBER,
    DEFAULT_VALIDITY,
    DELIVERED,
    EXPIRED,
    Faults,
    Receipt,
    ServiceCentre,
)
from atrunproto.sms.errors import SMSError
from atrunproto.sms.fields import (
    ALPHANUMERIC,
    NO_PLAN,
    Address,
    EnhancedValidity,
    RelativeValidity,
    TimeStamp,
    Validity,
)
from atrunproto.sms.outside import Outgoing
from atrunproto.sms.tpdu import Deliver, StatusReport, Submit
from atrunproto.sms.userdata import UserData
from atrunproto.testing.quietclock import ModuleClock

ANNA, BERT, NOBODY = "+393401112233", "+393468686711", "+41790000000"
ROME = timezone(timedelta(hours=1))
#: seconds of the clock at the beginning of the tests
BEGIN = datetime(2024, 3, 1, 12, 0, 0, tzinfo=ROME).timestamp()
MINUTES = RelativeValidity.atLeast(600)


class Mobile:
    """A mobile that takes what it gets, unless told otherwise."""

    def __init__(self, number: str) -> None:
        self.number = number
        self.receipt = Receipt.TAKEN
        self.got: list[Deliver | StatusReport] = []
        self.centres: list[str] = []

    def receiveMessage(self, centre: Address, unit: Deliver | StatusReport) -> Receipt:
        """Take a message, or not."""
        self.centres.append(str(centre))
        if self.receipt is Receipt.TAKEN:
            self.got.append(unit)
        return self.receipt

    @property
    def texts(self) -> list[str]:
        """The texts of the messages."""
        return [unit.userData.text() for unit in self.got if isinstance(unit, Deliver)]

    @property
    def statuses(self) -> list[int]:
        """What reports say."""
        return [unit.status for unit in self.got if isinstance(unit, StatusReport)]


def deliver(text: str, wantsReport: bool = False, origin: str = NOBODY) -> Deliver:
    """A message from outside."""
    return Deliver(
        Address.parse(origin),
        UserData.of(text),
        TimeStamp.of(datetime(2024, 1, 1, tzinfo=ROME)),
        wantsReport=wantsReport,
    )


class Stage:
    """A centre with two mobiles."""

    def __init__(self, faults: Faults | None = None, seed: int = 1, mostEach: int = 100, mostInAll: int = 1000) -> None:
        self.clock = ModuleClock()
        self.clock.advance(BEGIN)
        self.anna, self.bert = Mobile(ANNA), Mobile(BERT)
        self.mobiles = {ANNA: self.anna, BERT: self.bert}
        self.centre = ServiceCentre(
            self.clock,
            self.mobiles.get,
            faults=faults or Faults(),
            random=Random(seed),
            zone=ROME,
            mostEach=mostEach,
            mostInAll=mostInAll,
        )

    def submit(
        self,
        text: str,
        to: str = BERT,
        validity: Validity | None = None,
        wantsReport: bool = False,
        reference: int = 0,
    ) -> None:
        """Anna sends a message."""
        unit = Submit(Address.parse(to), UserData.of(text), reference, validity, wantsReport=wantsReport)
        self.centre.submit(ANNA, unit)

    def advance(self, seconds: float = 0) -> None:
        """Let time pass, with whatever is due at once in between."""
        self.clock.advance(seconds)
        for _ in range(5):
            self.clock.advance(0)


class CentreTests(SynchronousTestCase):
    """Messages between mobiles."""

    def setUp(self) -> None:
        self.begin()

    def begin(self, faults: Faults | None = None, mostEach: int = 100, mostInAll: int = 1000) -> None:
        """Begin with other faults or bounds."""
        self.stage = Stage(faults, mostEach=mostEach, mostInAll=mostInAll)
        self.anna, self.bert, self.centre = self.stage.anna, self.stage.bert, self.stage.centre
        self.submit, self.advance = self.stage.submit, self.stage.advance

    def test_messageArrives(self) -> None:
        """A message that one mobile sends is with the other one as it was sent, with number and time."""
        self.submit("hello")
        self.assertEqual(self.bert.got, [])
        self.advance()
        stamp = TimeStamp.of(datetime(2024, 3, 1, 12, 0, 0, tzinfo=ROME))
        self.assertEqual(self.bert.got, [Deliver(Address.parse(ANNA), UserData.of("hello"), stamp)])
        self.assertEqual((str(stamp), self.bert.centres), ("24/03/01,12:00:00+04", [DEFAULT_NUMBER]))

    def test_sendFromOutside(self) -> None:
        """A message from outside may come from a name instead of a number."""
        shop = Address("SHOP", ALPHANUMERIC, NO_PLAN)
        unit = Deliver(shop, UserData.of("hello"), self.centre.stamp())
        self.assertTrue(self.centre.send("SHOP", BERT, unit))
        self.advance()
        self.assertEqual(self.bert.got, [unit])
        self.assertRaises(SMSError, self.centre.send, ANNA, "SHOP", unit)

    def test_numberWithoutPlus(self) -> None:
        """A number with and without its plus sign is the same when it comes to what waits for it."""
        self.bert.receipt = Receipt.ABSENT
        self.submit("one")
        self.advance()
        self.bert.receipt = Receipt.TAKEN
        self.centre.reachable(BERT[1:])
        self.advance()
        self.assertEqual(self.bert.texts, ["one"])

    def test_numberOfTheSameCountry(self) -> None:
        """A number without its country, as the guide dials it, is that of a mobile in the sender's."""
        self.submit("hello", BERT.removeprefix("+39"))
        for number in ("3468686712", "468686711", "68686711", "00" + BERT[1:]):
            self.submit("nobody", number)
        self.advance()
        self.assertEqual(self.bert.texts, ["hello"])
        self.assertEqual(len(self.centre.outside.after(0)), 4)

    def test_outside(self) -> None:
        """A message to a number that nobody has leaves the network, where it is shown and told of."""
        heard: list[Outgoing] = []
        stop = self.centre.outside.watch(heard.append)
        self.submit("one", to=NOBODY, wantsReport=True, reference=7)
        self.advance()
        (entry,) = self.centre.outside.after(0)
        assert isinstance(entry.unit, Deliver)
        self.assertEqual((entry.sequence, entry.sender, entry.destination), (1, ANNA, NOBODY))
        self.assertEqual((entry.unit.userData.text(), heard), ("one", [entry]))
        self.assertEqual(self.anna.statuses, [DELIVERED])
        stop()
        self.submit("two", to=NOBODY)
        self.advance()
        self.assertEqual([each.sequence for each in self.centre.outside.after(1)], [2])
        self.assertEqual((len(heard), self.centre.outside.last), (1, 2))

    def test_failingWatcher(self) -> None:
        """A program that fails on a message outside doesn't keep it from others."""
        heard: list[Outgoing] = []

        def fail(message: Outgoing) -> None:
            raise ValueError("no")

        self.centre.outside.watch(fail)
        self.centre.outside.watch(heard.append)
        self.submit("one", to=NOBODY)
        self.advance()
        self.assertEqual(len(heard), 1)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_absent(self) -> None:
        """Messages for a mobile that is off wait until it is reachable, and then come in their order."""
        self.bert.receipt = Receipt.ABSENT
        for text in ("one", "two", "three"):
            self.submit(text)
            self.advance(60)
        self.assertEqual(len(self.bert.centres), 1, "nothing is tried in vain")
        self.assertEqual(self.centre.underWay, {BERT: 3})
        self.bert.receipt = Receipt.TAKEN
        self.centre.reachable(BERT)
        self.assertEqual(self.bert.texts, [])
        self.advance()
        self.assertEqual(self.bert.texts, ["one", "two", "three"])
        self.assertEqual(self.centre.underWay, {})

    def test_full(self) -> None:
        """Messages for a mobile without room wait until there is some, as many as have room."""
        self.bert.receipt = Receipt.FULL
        self.submit("one")
        self.submit("two")
        self.advance()
        self.centre.reachable(BERT)
        self.advance()
        self.assertEqual((self.bert.texts, self.centre.underWay), ([], {BERT: 2}))
        self.bert.receipt = Receipt.TAKEN
        self.centre.reachable(BERT)
        self.advance()
        self.assertEqual(self.bert.texts, ["one", "two"])

    def test_othersGoOn(self) -> None:
        """A mobile that is off holds up nobody else's messages."""
        self.bert.receipt = Receipt.ABSENT
        self.submit("one")
        self.submit("two", to=ANNA)
        self.advance()
        self.assertEqual(self.anna.texts, ["two"])

    def test_isLast(self) -> None:
        """The mobile is told with each message whether more wait."""
        self.submit("one")
        self.submit("two")
        self.advance()
        self.assertEqual([unit.isLast for unit in self.bert.got], [False, True])

    def test_reports(self) -> None:
        """Who asks for a status report is told that and when the message was delivered."""
        self.bert.receipt = Receipt.ABSENT
        self.submit("one", wantsReport=True, reference=77)
        self.submit("two", reference=78)
        self.advance(30)
        self.assertEqual(self.anna.got, [])
        self.bert.receipt = Receipt.TAKEN
        self.centre.reachable(BERT)
        self.advance()
        noon = datetime(2024, 3, 1, 12, 0, 0, tzinfo=ROME)
        sent, done = TimeStamp.of(noon), TimeStamp.of(noon + timedelta(seconds=30))
        self.assertEqual(self.anna.got, [StatusReport(77, Address.parse(BERT), sent, done, DELIVERED)])

    def test_reportToOutside(self) -> None:
        """Who sends from outside gets the status report outside."""
        self.centre.send(NOBODY, BERT, deliver("one", wantsReport=True), reference=5)
        self.advance()
        (entry,) = self.centre.outside.after(0)
        assert isinstance(entry.unit, StatusReport)
        self.assertEqual((entry.destination, entry.sender, entry.unit.reference), (NOBODY, BERT, 5))

    def test_expired(self) -> None:
        """A message is given up when its validity period is over, and its sender told; the next one stays."""
        self.bert.receipt = Receipt.ABSENT
        self.submit("one", validity=MINUTES, wantsReport=True)
        self.submit("two")
        self.advance(599)
        self.assertEqual(self.anna.statuses, [])
        self.advance(1)
        self.assertEqual(self.anna.statuses, [EXPIRED])
        self.bert.receipt = Receipt.TAKEN
        self.centre.reachable(BERT)
        self.advance()
        self.assertEqual(self.bert.texts, ["two"])

    def test_validityPeriods(self) -> None:
        """A validity period may be given in each of the formats, and not at all; one try there is always."""
        hour = datetime(2024, 3, 1, 13, 0, 0, tzinfo=ROME)
        for validity, seconds in (
            (None, DEFAULT_VALIDITY),
            (TimeStamp(b"\xff" * 7), DEFAULT_VALIDITY),
            (TimeStamp.of(hour), 3600),
            (TimeStamp.of(hour - timedelta(hours=2)), 0),
            (RelativeValidity(0), 300),
            (EnhancedValidity(b"\2\x1e\0\0\0\0\0"), 30),
            (EnhancedValidity(b"\0\0\0\0\0\0\0"), DEFAULT_VALIDITY),
        ):
            self.begin()
            self.bert.receipt = Receipt.ABSENT
            self.submit("one", validity=validity)
            if seconds:
                self.advance(seconds - 1)
                self.assertEqual(self.centre.underWay, {BERT: 1}, validity)
            self.advance(1)
            self.assertEqual(self.centre.underWay, {}, validity)

    def test_tooManyForOne(self) -> None:
        """A mobile that stays off has a bounded number of messages: the newest is refused, and its sender told."""
        self.begin(mostEach=2)
        self.bert.receipt = Receipt.ABSENT
        for text in ("one", "two", "three"):
            self.submit(text, wantsReport=True)
        self.assertFalse(self.centre.send(NOBODY, BERT, deliver("four")))
        self.advance()
        self.assertEqual((self.anna.statuses, self.centre.refused), ([CONGESTED], 2))
        self.bert.receipt = Receipt.TAKEN
        self.centre.reachable(BERT)
        self.advance()
        self.assertEqual(self.bert.texts, ["one", "two"])
        self.assertTrue(self.centre.send(NOBODY, BERT, deliver("five")))
        self.advance()

    def test_tooManyInAll(self) -> None:
        """The centre as a whole has a bounded number of messages, and room again when they have gone."""
        self.begin(Faults(delay=1), mostInAll=3)
        for number in (ANNA, BERT, NOBODY):
            self.assertTrue(self.centre.send(NOBODY, number, deliver("one")))
        self.assertFalse(self.centre.send(NOBODY, "+1234567", deliver("two")))
        self.advance(1)
        self.assertTrue(self.centre.send(NOBODY, "+1234567", deliver("three")))

    def test_delay(self) -> None:
        """A message takes as long as the network is slow; a change applies to the messages after it."""
        self.centre.faults = Faults(delay=5)
        self.submit("one")
        self.centre.faults = Faults()
        self.submit("two")
        self.advance(4)
        self.assertEqual(self.bert.texts, [])
        self.advance(1)
        self.assertEqual(self.bert.texts, ["one", "two"], "order is kept")

    def test_loss(self) -> None:
        """A message that the network loses never comes, and nobody tells its sender."""
        self.centre.faults = Faults(loss=1)
        self.submit("one", wantsReport=True)
        self.centre.faults = Faults()
        self.submit("two")
        self.advance(2 * DEFAULT_VALIDITY)
        self.assertEqual((self.bert.texts, self.anna.got, self.centre.lost), (["two"], [], 1))

    def test_lostReport(self) -> None:
        """A status report can be lost as well."""
        self.submit("one", wantsReport=True)
        self.centre.faults = Faults(loss=1)
        self.advance()
        self.assertEqual((self.bert.texts, self.anna.got, self.centre.lost), (["one"], [], 1))

    def test_duplicate(self) -> None:
        """A message may come twice; its status report comes once."""
        self.centre.faults = Faults(duplicate=1)
        self.submit("one", wantsReport=True)
        self.centre.faults = Faults()
        self.advance()
        self.assertEqual((self.bert.texts, self.anna.statuses), (["one", "one"], [DELIVERED]))

    def test_jitterKeepsOrder(self) -> None:
        """Messages that take differently long keep their order."""
        self.begin(Faults(jitter=30))
        texts = [f"{number}" for number in range(20)]
        for text in texts:
            self.submit(text)
        self.advance(30)
        self.assertEqual(self.bert.texts, texts)

    def test_reorder(self) -> None:
        """Messages overtake each other where the network is to do that; all come."""
        self.begin(Faults(jitter=30, reorder=True))
        texts = [f"{number}" for number in range(20)]
        for text in texts:
            self.submit(text)
        self.advance(30)
        self.assertNotEqual(self.bert.texts, texts)
        self.assertEqual(sorted(self.bert.texts), sorted(texts))

    def test_sameSeed(self) -> None:
        """The same seed provokes the same faults again."""
        faults = Faults(jitter=5, loss=0.3, duplicate=0.3, reorder=True)
        runs = []
        for _ in range(2):
            self.begin(faults)
            for number in range(30):
                self.submit(f"{number}")
            self.advance(5)
            runs.append(self.bert.texts)
        self.assertEqual(*runs)
        self.assertNotEqual(len(runs[0]), 30)

    def test_impossibleFaults(self) -> None:
        """Faults that make no sense are refused."""
        for name in ("delay", "jitter", "loss", "duplicate"):
            for value in (-1.0, float("nan"), float("inf")):
                self.assertRaises(Misuse, Faults, **{name: value})
        self.assertRaises(Misuse, Faults, loss=1.1)

    def test_brokenMobile(self) -> None:
        """A message that breaks a mobile's program isn't tried again, and doesn't hold up the next one."""
        take = self.bert.receiveMessage

        def breaking(centre: Address, unit: Deliver | StatusReport) -> Receipt:
            if isinstance(unit, Deliver) and unit.userData.text() == "one":
                raise ValueError("no")
            return take(centre, unit)

        self.bert.receiveMessage = breaking  # type: ignore[method-assign]
        self.submit("one", wantsReport=True)
        self.submit("two")
        self.advance()
        self.assertEqual((self.bert.texts, self.anna.statuses), (["two"], [BROKEN]))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_answersAtOnce(self) -> None:
        """A mobile may send, or say that it is reachable, while it gets a message."""
        take = self.bert.receiveMessage

        def answering(centre: Address, unit: Deliver | StatusReport) -> Receipt:
            if len(self.bert.got) < 3:
                self.stage.submit("again")
            self.centre.reachable(BERT)
            return take(centre, unit)

        self.bert.receiveMessage = answering  # type: ignore[method-assign]
        self.submit("one")
        self.advance()
        self.assertEqual(self.bert.texts, ["one", "again", "again", "again"])

    def test_neverAnEnd(self) -> None:
        """A mobile that answers itself for ever stops nobody else: each message has a turn of its own."""
        take = self.bert.receiveMessage

        def answering(centre: Address, unit: Deliver | StatusReport) -> Receipt:
            self.stage.submit("again")
            return take(centre, unit)

        self.bert.receiveMessage = answering  # type: ignore[method-assign]
        self.submit("one")
        for turn in range(1, 4):
            self.stage.clock.advance(0)
            self.assertEqual(len(self.bert.got), turn)

    def test_stop(self) -> None:
        """A centre that is stopped leaves nothing behind, even from within a delivery."""
        self.bert.receipt = Receipt.ABSENT
        self.submit("one")
        self.submit("two", to=ANNA)
        self.centre.stop()
        self.assertEqual((self.stage.clock.getDelayedCalls(), self.centre.underWay), ([], {}))

        def stopping(centre: Address, unit: Deliver | StatusReport) -> Receipt:
            self.centre.stop()
            return Receipt.ABSENT

        self.bert.receiveMessage = stopping  # type: ignore[method-assign]
        self.submit("three")
        self.advance()
        self.assertEqual((self.stage.clock.getDelayedCalls(), self.centre.underWay), ([], {}))
        self.assertEqual(self.anna.texts, [])


#: what may happen: a message of so many minutes to somebody, somebody's state, time
_sent = st.tuples(st.just("send"), st.sampled_from([ANNA, BERT, NOBODY]), st.sampled_from([1, 3, None]))
_state = st.tuples(st.just("state"), st.sampled_from([ANNA, BERT]), st.sampled_from(list(Receipt)))
_told = st.tuples(st.just("tell"), st.sampled_from([ANNA, BERT]), st.none())
_time = st.tuples(st.just("time"), st.none(), st.sampled_from([0, 1, 60, 299, 300, 1000]))


@given(
    st.lists(_sent | _state | _told | _time, max_size=40),
    st.sampled_from([Faults(), Faults(delay=2), Faults(delay=1, jitter=200)]),
)
def test_nothingIsLostOrInvented(steps: Sequence[tuple[str, str | None, object]], faults: Faults) -> None:
    """Whatever happens, each message comes once and in order, or its sender is told that it expired; as is written."""
    stage = Stage(faults)
    sent: dict[str, list[str]] = {ANNA: [], BERT: [], NOBODY: []}
    for number, (what, who, value) in enumerate(steps):
        if what == "send":
            assert who is not None
            validity = RelativeValidity(value) if isinstance(value, int) else None
            unit = deliver(f"{number}", wantsReport=True)
            assert stage.centre.send("SHOP", who, unit, reference=number, validity=validity)
            sent[who].append(f"{number}")
        elif what == "state":
            assert who is not None
            assert isinstance(value, Receipt)
            stage.mobiles[who].receipt = value
            if value is Receipt.TAKEN:
                stage.centre.reachable(who)
        elif what == "tell":
            assert who is not None
            stage.centre.reachable(who)
        else:
            assert isinstance(value, int)
            stage.advance(value)
    for mobile in stage.mobiles.values():
        mobile.receipt = Receipt.TAKEN
        stage.centre.reachable(mobile.number)
    for _ in range(3):
        stage.advance(1000)
    reports: dict[str, int] = {}
    left: list[str] = []
    for entry in stage.centre.outside.after(0):
        if isinstance(entry.unit, StatusReport):
            assert f"{entry.unit.reference}" not in reports
            reports[f"{entry.unit.reference}"] = entry.unit.status
        else:
            left.append(entry.unit.userData.text())
    for who, got in ((ANNA, stage.anna.texts), (BERT, stage.bert.texts), (NOBODY, left)):
        assert got == [text for text in sent[who] if reports[text] == DELIVERED]
    assert set(reports) == {text for texts in sent.values() for text in texts}
    assert set(reports.values()) <= {DELIVERED, EXPIRED}
    assert stage.centre.underWay == {}
    assert stage.clock.getDelayedCalls() == []
