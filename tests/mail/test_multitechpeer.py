"""The host's driver for the mails of Multi-Tech modems, on an emulated one and on what the guide prints."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from atrunproto.at.errors import LinkLost, Misuse, PeerViolation
from atrunproto.at.peertransfer import TooLong, TransferBroken
from atrunproto.mail.endmark import END
from atrunproto.mail.multitech import SILENCE
from atrunproto.mail.multitechpeer import MultitechMailbox, MultitechMailClient, Sender
from atrunproto.mail.submission import TIMEOUT
from atrunproto.multitech import errors
from atrunproto.multitech.peererrors import (
    BadCommand,
    BadConfiguration,
    Busy,
    CannotConnect,
    ClosedByPeer,
    ConnectionEnded,
    LoginRefused,
    NameUnknown,
    NoConnection,
    NoResponse,
    Refused,
    TransferFailed,
)
from atrunproto.multitech.peerparameters import PAUSE
from atrunproto.multitech.stack import State
from atrunproto.secret import Secret
from atrunproto.testing.link import HIGH_WATER
from tests.multitech.talks import (
    FORMS,
    OK,
    SERVER,
    WAITING,
    Connected,
    Full,
    Sated,
    Slow,
    Talk,
    Unfinished,
    broken,
    failed,
)

SENDER = Sender(SERVER, "module@domain.com")
MAIL = "\r\nOk_Info_Mail\r\n"
#: octets of a mail that is longer than all buffers on its way
LARGE = 2_000_000

READY = (b"220 here", b"250 box", b"250 ok", b"250 ok", b"354 go")
"""What a server says until it waits for the body of a mail to one recipient."""
FOUND = (b"+OK here", b"+OK", b"+OK", b"+OK 2 999", b"+OK here it comes")
"""What a server says until it sends a mail."""
LETTER = b"From: a@b.com\r\nSubject: Hi\r\n\r\nData\r\n..dots\r\n"


def boxOf(modem: Any) -> MultitechMailbox:
    """A driver that knows a mailbox."""
    return MultitechMailbox(modem, SERVER, "me", Secret("s3cret"))


class Stage(Connected):
    """A program, its modem that is connected, and a mail server that a test plays."""

    def __init__(self, *lines: str, **facts: Any) -> None:
        super().__init__(*lines, **facts)
        self._servers = {number: self.host.memory.host(number, SERVER) for number in (25, 110)}
        self.mail = MultitechMailClient(self.host.modem, SENDER)
        self.box = boxOf(self.host.modem)

    def begin(self, call: Any) -> Deferred[Any]:
        """Call, and wait until the server is called."""
        before = self._calls
        waiting = self.start(call)
        while self._calls == before:
            assert not self.found
            self.wait(0.1)
        return waiting

    @property
    def _calls(self) -> int:
        """How often the server was called."""
        return sum(len(server.callers) for server in self._servers.values())

    def serve(self, number: int, *answers: bytes) -> bytes:
        """Let the server say its lines, each to what was said; what the modem has said to it."""
        said = bytearray()
        for answer in answers:
            said += self.server(number).say(answer + b"\r\n")
            self.wait(0.1)
        return bytes(said + self.server(number).heard())

    def server(self, number: int) -> Any:
        """The server's end of the last connection."""
        return self._servers[number].callers[-1]


# -- out


@pytest.mark.parametrize("form", FORMS)
def test_sent(form: str) -> None:
    """
    A mail with dots goes to its recipient, and counts when the modem has said OK, in words or numbers.

    MTS-SMTP-04, MTS-SMTP-07, MTS-SMTP-08, MTS-SMTP-19, MTS-SMTP-20, MTS-SER-08, MTS-GAP-53, MTS-GAP-54.
    """
    stage, passed = Stage(form), list[int]()
    stage.begin(stage.mail.send("one@there", "A subject", b"first\n.\n..dots\r\n", progress=passed.append))
    said = stage.serve(25, *READY)
    assert said.startswith(b"EHLO domain.com\r\nMAIL FROM:<module@domain.com>\r\nRCPT TO:<one@there>\r\nDATA\r\n")
    assert said.endswith(b"Subject: A subject\r\n\r\nfirst\r\n..\r\n...dots\r\n.\r\n")
    assert stage.found == []
    stage.serve(25, b"250 taken", b"221 bye")
    assert stage.outcome() == 16 == passed[-1]
    assert stage.state() == [State.CONNECTED]


def test_empty() -> None:
    """A mail may have no body."""
    stage = Stage()
    stage.begin(stage.mail.send("one@there", "A subject", b""))
    assert stage.serve(25, *READY).endswith(b"Subject: A subject\r\n\r\n" + END)
    stage.serve(25, b"250 taken", b"221 bye")
    assert stage.outcome() == 0


@pytest.mark.parametrize("form", FORMS)
def test_everybody(form: str) -> None:
    """
    A mail goes to ten recipients and a copy, from a sender with a name, by a login, at a port of its own.

    MTS-MAIL-01..05, MTS-MAIL-07, MTS-MAIL-09, MTS-SMTP-01..03, MTS-SMTP-09.
    """
    stage = Stage(form)
    sender = Sender(SERVER, "module@domain.com", "me", Secret("s3cret"), "Pump 3", "here.box", 110)
    mail = MultitechMailClient(stage.host.modem, sender)
    recipients = [f"recipient{number}@there.example" for number in range(10)]
    for _ in range(2):
        stage.begin(mail.send(recipients, "A subject", b"body", "copy@there"))
        said = stage.serve(110, b"220 here", b"250-box\r\n250 AUTH PLAIN", b"235 in", *[b"250 ok"] * 12, b"354 go")
        assert said.startswith(b"EHLO here.box\r\nAUTH PLAIN ")
        assert [line for line in said.split(b"\r\n") if line.startswith(b"RCPT")] == [
            *(b"RCPT TO:<%s>" % each.encode() for each in recipients),
            b"RCPT TO:<copy@there>",
        ]
        assert b'\r\nFrom: "Pump 3" <module@domain.com>\r\n' in said
        assert b"\r\nCc: copy@there\r\n" in said
        stage.serve(110, b"250 taken", b"221 bye")
        assert stage.outcome() == 4
    shown = stage.host.do(stage.host.modem.show("VMAIL1"))
    assert shown == {"REC1": ",".join(recipients), "CCREC1": "copy@there", "SUBJ1": "A subject"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_stored(form: str, number: int) -> None:
    """
    Each of three mails is kept and sent when it is wanted, by one sender for all.

    MTS-MAIL-10, MTS-MAIL-11, MTS-SMTP-15, MTS-SMTP-16.
    """
    stage = Stage(form)
    for each in (1, 2, 3):
        recipients = [f"{each}@there", f"more{each}@there"]
        stage.host.do(stage.mail.store(each, recipients, f"Subject {each}", f"Body {each}\n.\nOK\n", "c@d"))
    stage.begin(stage.mail.sendStored(number))
    said = stage.serve(25, b"220 here", b"250 box", *[b"250 ok"] * 4, b"354 go")
    assert b"RCPT TO:<%d@there>\r\nRCPT TO:<more%d@there>\r\nRCPT TO:<c@d>\r\n" % (number, number) in said
    assert said.endswith(b"Subject: Subject %d\r\n\r\nBody %d\r\n..\r\nOK\r\n.\r\n" % (number, number))
    assert stage.found == []
    stage.serve(25, b"250 taken", b"221 bye")
    assert stage.outcome() is None


def test_nothingStored() -> None:
    """A mail that nobody gets isn't sent, and there is no fourth one (MTS-SMTP-17)."""
    stage = Stage()
    with pytest.raises(BadConfiguration):
        stage.host.do(stage.mail.sendStored(2))
    for call in (stage.mail.sendStored(4), stage.mail.store(0, "one@there", "A subject", "body")):
        with pytest.raises(Misuse):
            stage.host.do(call)


@pytest.mark.parametrize(
    ("recipients", "subject", "copy"),
    [
        (["one@there"] * 11, "A subject", ""),
        (["one@there", "x" * 121], "A subject", ""),
        ("x" * 121, "A subject", ""),
        ("one@there", "x" * 121, ""),
        ("one@there", "A subject", "x" * 121),
    ],
)
def test_tooMuch(recipients: Any, subject: str, copy: str) -> None:
    """What a modem would cut or refuse isn't sent (MTS-MAIL-03, MTS-MAIL-05, MTS-MAIL-08, MTS-MAIL-09)."""
    talk = Talk()
    mail = MultitechMailClient(talk.modem, SENDER)
    with pytest.raises(BadCommand):
        talk.scripted.do(mail.send(recipients, subject, b"body", copy))
    with pytest.raises(BadCommand):
        talk.scripted.do(mail.store(1, recipients, subject, "body", copy))
    with pytest.raises(BadCommand):
        talk.scripted.do(mail.store(1, "one@there", "A subject", "x" * 121))
    assert "AT#PUTMAIL" not in talk.scripted.lines
    assert not any(line.startswith("AT#BODY") for line in talk.scripted.lines)


def test_parameters() -> None:
    """What is set already isn't written again, and what is takes its pause (MTS-PAR-13)."""
    stage = Stage(pause=PAUSE)
    for writes in (5, 0):
        begun = stage.clock.seconds()
        stage.begin(stage.mail.send("one@there", "A subject", b"body"))
        assert writes * PAUSE <= stage.clock.seconds() - begun < writes * PAUSE + 1
        stage.serve(25, b"554 no", b"221 bye")
        with pytest.raises(CannotConnect):
            stage.outcome()


@pytest.mark.parametrize(
    "announcement",
    [WAITING, "\r\nOK_Info_WaitingForData\r\n", "\r\nOK_Info_WaitingForDate\r\n", "\r1028\r", "AT#PUTMAIL\r" + WAITING],
)
@pytest.mark.parametrize("end", ["\r\n.\r\n" + OK, OK, "\r\n.\r\n\r0\r", "\r0\r"])
def test_sentSpelled(announcement: str, end: str) -> None:
    """
    A body is sent behind any spelling of the announcement, and its end may be echoed or not.

    MTS-SMTP-06, MTS-SMTP-07, MTS-SER-08, MTS-RES-09, MTS-GAP-05, MTS-GAP-07, MTS-GAP-54.
    """
    talk = Talk(PUTMAIL=announcement)
    talk.begin(MultitechMailClient(talk.modem, SENDER).send("one@there", "A subject", b".\r\n"), "AT#PUTMAIL")
    talk.scripted.clock.advance(1)
    assert talk.said() == b"..\r\n.\r\n"
    assert not talk.found
    talk.comes(end)
    assert talk.outcome() == 3


@pytest.mark.parametrize("end", [failed(37966), "\r\n#CME ERROR : 37966 \r\n", "\r\n.\r\n" + failed(37966)])
@pytest.mark.parametrize("isComplete", [False, True])
def test_sentBroken(end: str, isComplete: bool) -> None:
    """
    A mail that wasn't taken is an error, told in the midst of the body or behind it, with the end mark or alone.

    MTS-SMTP-11, MTS-SMTP-12.
    """
    talk = Talk(PUTMAIL=WAITING)
    body: Any = b"text" if isComplete else Unfinished()
    talk.begin(MultitechMailClient(talk.modem, SENDER).send("one@there", "A subject", body), "AT#PUTMAIL")
    talk.scripted.clock.advance(1)
    assert talk.said() == b"text" + (END if isComplete else b"")
    talk.comes(end)
    with pytest.raises(ClosedByPeer):
        talk.outcome()
    # what was sent may lie in the command line of the modem
    Deferred.fromCoroutine(talk.modem.state()).addErrback(lambda _: None)
    assert talk.said() == b"\x1bAT\r"


def test_takenNoMore() -> None:
    """A modem that says OK before the body is at its end hasn't taken it, nor has one that doesn't ask for it."""
    talk = Talk(PUTMAIL=WAITING)
    mail = MultitechMailClient(talk.modem, SENDER)
    talk.begin(mail.send("one@there", "A subject", Unfinished()), "AT#PUTMAIL")
    talk.comes(OK)
    with pytest.raises(TransferBroken, match="after 4 octets"):
        talk.outcome()
    talk.scripted.answers["AT#PUTMAIL"] = OK
    with pytest.raises(PeerViolation):
        talk.scripted.do(mail.send("one@there", "A subject", b"body"))


@pytest.mark.parametrize("line", ["PUTMAIL", "SENDMAIL1", "GETMAIL"])
@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (35867, NoConnection),
        (36929, BadConfiguration),
        (37122, Busy),
        (37964, NoResponse),
        (37966, ClosedByPeer),
        (38016, CannotConnect),
        (38017, TransferFailed),
        (38025, TransferFailed),
        (38026, TransferFailed),
        (38027, NameUnknown),
        (38028, Refused),
        (38029, Refused),
        (38030, Refused),
        (38031, Refused),
        (38080, LoginRefused),
        (38081, LoginRefused),
    ],
)
def test_refused(line: str, number: int, kind: type[Exception]) -> None:
    """
    What keeps a mail from being sent or fetched is told by its kind.

    MTS-SMTP-05, MTS-SMTP-10, MTS-SMTP-11, MTS-SMTP-17, MTS-SMTP-18, MTS-POP-12, MTS-POP-13.
    """
    talk = Talk(**{line: failed(number)})
    mail = MultitechMailClient(talk.modem, SENDER)
    calls = {
        "PUTMAIL": lambda: mail.send("one@there", "A subject", b"body"),
        "SENDMAIL1": lambda: mail.sendStored(1),
        "GETMAIL": lambda: boxOf(talk.modem).get(),
    }
    with pytest.raises(kind):
        talk.scripted.do(calls[line]())


def test_slowBody() -> None:
    """A source that says nothing for 50 s loses its mail, and one that says something doesn't (MTS-SMTP-14)."""
    stage, body = Stage(), Unfinished()
    stage.begin(stage.mail.send("one@there", "A subject", body))
    stage.serve(25, *READY)
    stage.wait(SILENCE - 10)
    body.consumer.write(b"more")
    stage.wait(SILENCE - 10)
    assert stage.found == []
    stage.wait(15)
    with pytest.raises(TransferFailed):
        stage.outcome()
    assert END not in stage.server(25).heard().partition(b"Subject")[2]
    assert stage.state() == [State.CONNECTED]


def test_silentServer() -> None:
    """A server has the modem's three minutes for its verdict (MTS-SMTP-13)."""
    stage = Stage()
    stage.begin(stage.mail.send("one@there", "A subject", b"body"))
    stage.serve(25, *READY)
    stage.wait(TIMEOUT - 10)
    assert stage.found == []
    stage.wait(15)
    with pytest.raises(NoResponse):
        stage.outcome()


@pytest.mark.parametrize("how", ["cancelled", "source", "progress", "before"])
def test_givenUp(how: str) -> None:
    """
    A mail that is given up goes to nobody: nothing more is said until the modem has noticed, and then it is free.

    MTS-SMTP-14, MTS-GAP-38.
    """
    stage, body = Stage(), Unfinished()

    def passed(octets: int) -> None:
        if how == "progress":
            raise ValueError("wrong")

    source: Any = broken if how == "source" else body
    waiting = stage.begin(stage.mail.send("one@there", "A subject", source, progress=passed))
    if how == "before":
        waiting.cancel()
    stage.serve(25, *READY)
    if how == "cancelled":
        waiting.cancel()
    stage.wait(1)
    with pytest.raises({"source": OSError, "progress": ValueError}.get(how, CancelledError)):
        stage.outcome()
    state = stage.state()
    stage.wait(SILENCE - 5)
    assert state == []
    assert not stage.server(25).isClosed
    stage.wait(6)
    assert stage.server(25).isClosed
    assert state == [State.CONNECTED]
    assert END not in stage.server(25).heard().partition(b"Subject")[2]


def test_serverGoes() -> None:
    """What still comes when a server has gone is no command, and the next one is answered (MTS-SMTP-12)."""
    stage = Stage()
    stage.host.link.peer.delay = 0.2
    stage.begin(stage.mail.send("one@there", "A subject", BytesIO(b"AT#VST\r\nAT" * 50_000)))
    stage.serve(25, *READY[:-1])
    stage.server(25).transport.pauseProducing()
    stage.server(25).say(b"354 go\r\n")
    stage.wait(1)
    stage.server(25).close()
    stage.wait()
    with pytest.raises(ClosedByPeer):
        stage.outcome()
    assert stage.host.do(stage.host.modem.state()) is State.CONNECTED


# -- in


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("withHeader", "mail"),
    [(True, b"From: a@b.com\r\nSubject: Hi\r\n\r\nData\r\n.dots"), (False, b"Data\r\n.dots")],
)
def test_fetched(form: str, withHeader: bool, mail: bytes) -> None:
    """
    A mail comes with its header or without it, with its dots as they were, and counts when the modem has said OK.

    MTS-POP-03, MTS-POP-04, MTS-POP-05, MTS-POP-06, MTS-POP-09, MTS-GAP-53, MTS-GAP-71.
    """
    stage, passed = Stage(form), list[int]()
    box = MultitechMailbox(stage.host.modem, SERVER, "me", Secret("s3cret"), 25, withHeader)
    stage.begin(box.get(passed.append))
    assert stage.serve(25, *FOUND) == b"USER me\r\nPASS s3cret\r\nSTAT\r\nRETR 1\r\n"
    assert stage.serve(25, LETTER + b".") == b"DELE 1\r\n"
    assert (stage.found, passed[-1]) == ([], len(mail))
    stage.serve(25, b"+OK", b"+OK")
    assert stage.outcome() == mail
    assert stage.state() == [State.CONNECTED]


@pytest.mark.parametrize("form", FORMS)
def test_noMail(form: str) -> None:
    """A box without mail gives none, which is no empty mail, and leaves a sink alone (MTS-POP-07, MTS-RES-11)."""
    stage, sink = Stage(form), BytesIO()
    for call in (stage.box.get(), stage.box.getTo(sink)):
        stage.begin(call)
        stage.serve(110, b"+OK here", b"+OK", b"+OK", b"+OK 0 0", b"+OK bye")
        stage.wait()
        assert stage.found == [None]
    assert sink.getvalue() == b""
    assert stage.state() == [State.CONNECTED]


@pytest.mark.parametrize("said", ["\r\nOk_Info_NoMail\r\n", "\r\nOK_Info_NoMail\r\n", "\r3072\r"])
@pytest.mark.parametrize("behind", [["\r\nOK\r\n"], ["", "\r\nOK\r\n"], ["", "\r0\r"], []])
def test_noMailSpelled(said: str, behind: list[str]) -> None:
    """
    That there is no mail is told in any spelling; an OK behind it answers nothing else.

    MTS-POP-07, MTS-RES-11, MTS-GAP-07, MTS-GAP-39.
    """
    talk = Talk(GETMAIL=said + "".join(behind[:1]), VSTATE='#STATE: "CONNECTED"\r\n' + OK)
    talk.begin(boxOf(talk.modem).get(), "AT#GETMAIL")
    talk.scripted.clock.advance(0.1)
    # a program that goes on at once would send its next command now
    assert not talk.found
    for piece in behind[1:]:
        talk.scripted.comes(piece)
    talk.scripted.clock.advance(0.3)
    assert talk.outcome() is None
    assert talk.scripted.do(talk.modem.state()) is State.CONNECTED


@pytest.mark.parametrize("announcement", [MAIL, "\r\nOK_Info_Mail\r\n", "\r3073\r", "AT#GETMAIL\r" + MAIL])
@pytest.mark.parametrize("end", [OK, "\r0\r"])
def test_fetchedSpelled(announcement: str, end: str) -> None:
    """
    A mail is taken behind any spelling of the announcement, its header lines as they come, to the end mark alone.

    MTS-POP-06, MTS-POP-11, MTS-RES-09, MTS-GAP-07, MTS-GAP-53, MTS-GAP-71.
    """
    talk = Talk(GETMAIL=announcement)
    talk.begin(boxOf(talk.modem).get(), "AT#GETMAIL")
    talk.comes("X-Mine: 1\r\nSubject: x\r\n\r\n.", ".\r\nOK\r\n", "..two\r\n", ".\r", "\n")
    assert not talk.found
    talk.comes(end)
    assert talk.outcome() == b"X-Mine: 1\r\nSubject: x\r\n\r\n.\r\nOK\r\n.two"


@pytest.mark.parametrize("number", [38025, 38023])
def test_fetchedBroken(number: int) -> None:
    """A mail whose rest is missing, or that can't be deleted, is an error behind the end mark (MTS-POP-11)."""
    talk = Talk(GETMAIL=MAIL)
    talk.begin(boxOf(talk.modem).get(), "AT#GETMAIL")
    talk.comes("all of it\r\n.\r\n")
    assert not talk.found
    talk.comes(failed(number))
    with pytest.raises(TransferFailed if number == 38025 else Refused):
        talk.outcome()


def test_slowSink() -> None:
    """A consumer that takes no more holds the modem back, and the modem the server (MTS-POP-06)."""
    stage, sink = Stage(), Slow()
    piece = stage.host.link.module.limit = 16384
    stage.begin(stage.box.getTo(sink))
    stage.serve(110, *FOUND, b"")
    line = b"x" * 98 + b"\r\n"
    for _ in range(LARGE // 50_000):
        stage.server(110).say(line * 500)
    stage.wait(60)
    assert 0 < sink.octets <= 2 * HIGH_WATER
    assert stage.host.link.module._size <= 2 * HIGH_WATER
    assert stage.server(110).transport._size > LARGE / 2
    assert sink.takeAll(LARGE, stage.wait) >= LARGE // piece
    stage.serve(110, b".", b"+OK", b"+OK")
    assert stage.outcome() == LARGE


@pytest.mark.parametrize("how", ["cancelled", "before", "long", "sink", "sated"])
def test_dropped(how: str) -> None:
    """A mail that goes wrong here is fetched to its end all the same, and deleted (MTS-POP-08, MTS-POP-10)."""
    stage = Stage()

    sinks: dict[str, Any] = {"sink": Full(), "sated": Sated()}
    waiting = stage.begin(stage.box.getTo(sinks[how]) if how in sinks else stage.box.get(limit=5))
    if how == "before":
        waiting.cancel()
    stage.serve(110, *FOUND)
    if how == "cancelled":
        waiting.cancel()
    stage.server(110).say(LETTER)
    stage.wait()
    kinds: dict[str, type[BaseException]] = {"long": TooLong, "sink": OSError, "sated": TransferBroken}
    with pytest.raises(kinds.get(how, CancelledError)):
        stage.outcome()
    state = stage.state()
    stage.server(110).say(b"OK\r\n")
    stage.wait()
    assert state == []
    assert stage.serve(110, b".", b"+OK", b"+OK") == b"DELE 1\r\nQUIT\r\n"
    stage.wait(1)
    assert state == [State.CONNECTED]


# -- both


CALLS: dict[str, Any] = {
    "out": lambda stage: stage.mail.send("one@there", "A subject", Unfinished()),
    "in": lambda stage: stage.box.get(),
}


@pytest.mark.parametrize("way", CALLS)
def test_linkLost(way: str) -> None:
    """The end of the connection to the network is told as what it is, to whoever wants to hear of it too."""
    stage, ended = Stage(), list[Any]()
    stage.host.modem.onEnd(ended.append)
    stage.begin(CALLS[way](stage))
    stage.serve(25, *READY) if way == "out" else stage.serve(110, *FOUND)
    stage.host.memory.module.contexts.lose(1)
    stage.wait()
    with pytest.raises(ConnectionEnded):
        stage.outcome()
    assert [error.reason for error in ended] == [errors.GPRS_LOST]


@pytest.mark.parametrize("way", CALLS)
def test_unplugged(way: str) -> None:
    """The loss of the cable is told as that."""
    stage = Stage()
    stage.begin(CALLS[way](stage))
    stage.serve(25, *READY) if way == "out" else stage.serve(110, *FOUND)
    stage.host.link.breakOff()
    stage.wait()
    with pytest.raises(LinkLost):
        stage.outcome()


def test_secrets() -> None:
    """No password is in an error (MTS-SMTP-03, MTS-POP-03)."""
    for name in ("SMTPPW", "POP3PW"):
        talk = Talk(**{f'{name}="s3cret"': failed(34824)})
        mail = MultitechMailClient(talk.modem, Sender(SERVER, "me@box", "me", Secret("s3cret")))
        box = boxOf(talk.modem)
        with pytest.raises(Exception, match="memory") as raised:
            talk.scripted.do(mail.sendStored(1) if name == "SMTPPW" else box.get())
        assert "s3cret" not in f"{raised.value} {raised.value!r} {mail!r} {box!r}"
