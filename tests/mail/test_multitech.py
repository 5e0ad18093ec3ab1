"""E-mail of Multi-Tech modems, against a server whose every word the test decides."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from atrunproto.mail.endmark import END
from atrunproto.mail.multitech import SILENCE
from atrunproto.mail.submission import TIMEOUT
from atrunproto.mail.surroundings import CONNECTING
from atrunproto.testing.emulated import Wire
from atrunproto.testing.link import HIGH_WATER
from tests.mail.links import SERVER, Mailer
from tests.multitech.modems import OK, failed

WAITING = b"\r\nOk_Info_WaitingForData\r\n"
MAIL = b"\r\nOk_Info_Mail\r\n"
NO_MAIL = b"\r\nOk_Info_NoMail\r\n"

SENDER = (
    'AT#SMTPSERV="mail.box"',
    'AT#DOMAIN="domain.com"',
    'AT#SENDERNAME="Test module"',
    'AT#SENDERADDR="module@domain.com"',
    'AT#REC1="one@there"',
    'AT#CCREC1="copy@there"',
    'AT#SUBJ1="A subject"',
)
HEADER = [
    b'From: "Test module" <module@domain.com>',
    b"To: one@there",
    b"Cc: copy@there",
    b"Subject: A subject",
    b"",
]
ORDERS = [
    b"EHLO domain.com",
    b"MAIL FROM:<module@domain.com>",
    b"RCPT TO:<one@there>",
    b"RCPT TO:<copy@there>",
    b"DATA",
]
#: what the server says until it waits for the body
READY = (b"220 here", b"250 box", b"250 ok", b"250 ok", b"250 ok", b"354 go")


def sender(*lines: str) -> Mailer:
    """A modem with a mail to send."""
    return Mailer(25, *SENDER, *lines)


def typing(*lines: str) -> Mailer:
    """The same, with the server waiting for the body."""
    mailer = sender(*lines)
    assert mailer.say("AT#PUTMAIL") == b""
    mailer.serve(*READY)
    assert mailer.heard() == WAITING
    return mailer


class Flood:
    """Writes more and more, as much as is taken."""

    def __init__(self, wire: Wire, piece: bytes, whole: int) -> None:
        """
        @param whole: octets at most.
        """
        transport: Any = wire.transport
        self.sent = 0
        self._transport = transport
        self._piece = piece
        self._whole = whole
        self._isPaused = False
        self._transport.registerProducer(self, True)
        self.resumeProducing()

    def pauseProducing(self) -> None:
        """Write no more."""
        self._isPaused = True

    def resumeProducing(self) -> None:
        """Write on."""
        self._isPaused = False
        while not self._isPaused and self.sent < self._whole:
            self.sent += len(self._piece)
            self._transport.write(self._piece)

    def stopProducing(self) -> None:
        """The end."""
        self._isPaused = True


class TestPutmail:
    """A mail whose body is typed."""

    def test_sent(self) -> None:
        """
        The body goes to the server as it is typed and isn't echoed, its end is; OK comes when the server has taken it.

        MTS-SMTP-04, MTS-SMTP-06, MTS-SMTP-07, MTS-SMTP-08, MTS-SER-07, MTS-SER-08, MTS-MAIL-01..04.
        """
        mailer = sender("ATE1")
        mailer.say("AT#PUTMAIL")
        assert mailer.serve(*READY).split(b"\r\n") == [*ORDERS, *HEADER, b""]
        assert mailer.heard().endswith(WAITING)
        assert mailer.port.say(b"first\r\n..dots\r\n.\r") == b""
        assert mailer.port.say(b"\nAT\r") == END
        assert mailer.serve(b"250 taken") == b"first\r\n..dots\r\n.\r\nQUIT\r\n"
        assert mailer.heard() == b""
        mailer.serve(b"221 bye")
        assert mailer.heard() == OK
        assert mailer.closed()
        assert b'#STATE: "CONNECTED"' in mailer.say("AT#VSTATE")

    def test_endSplit(self) -> None:
        """The end of the body counts octet by octet too (MTS-SMTP-07)."""
        mailer = typing()
        heard = b"".join(mailer.port.say(bytes([octet])) for octet in b"text" + END)
        assert heard == END
        assert mailer.serve(b"250 taken", b"221 bye").endswith(b"QUIT\r\n")
        assert mailer.heard() == OK

    def test_noEscape(self) -> None:
        """The escape sequence is text like any other (MTS-SER-13)."""
        mailer = typing()
        mailer.after(2)
        mailer.port.say(b"+++")
        assert mailer.after(2) == b""
        mailer.port.say(END)
        assert mailer.serve(b"250 ok").startswith(b"+++\r\n.\r\n")

    def test_silence(self) -> None:
        """After 50 s without an octet the mail is given up with the error alone (MTS-SMTP-12, MTS-SMTP-14)."""
        mailer = typing()
        mailer.after(SILENCE - 1)
        mailer.port.say(b"text\r\n")
        assert mailer.after(SILENCE - 1) == b""
        assert mailer.after(1) == failed(38017)
        assert mailer.closed()
        assert b"\r\n.\r\n" not in mailer.host.callers[-1].heard().partition(b"Subject")[2]
        assert mailer.say("AT") == OK

    def test_traffic(self) -> None:
        """A body that is typed slowly keeps the connection from being idle (MTS-DIAL-10)."""
        mailer = typing("AT#PHYTIMEOUT=1")
        for _ in range(5):
            assert mailer.after(40) == b""
            mailer.port.say(b"slow\r\n")
        mailer.after(40)
        assert mailer.port.say(END) == END
        mailer.serve(b"250 ok", b"221 bye")
        assert mailer.heard() == OK
        assert mailer.after(61) == failed(35862)

    def test_serverGoes(self) -> None:
        """A server that breaks off during the body is told by the error alone (MTS-SMTP-12, MTS-ERR-23)."""
        mailer = typing()
        mailer.port.say(b"first line\r\n")
        mailer.host.callers[-1].close()
        assert mailer.heard() == failed(37966)
        assert mailer.say("AT") == OK

    def test_connectionGoes(self) -> None:
        """The loss of the connection ends the typing with its error (MTS-ERR-07)."""
        mailer = typing()
        assert mailer.lose() == failed(35841)
        assert mailer.closed()

    def test_unplugged(self) -> None:
        """A mail whose body is not complete when the line goes is not delivered."""
        mailer = typing()
        mailer.port.say(b"half\r\n")
        mailer.port.close()
        assert mailer.closed()
        assert not mailer.host.callers[-1].heard().endswith(END)

    def test_backPressure(self) -> None:
        """While the server takes no more, the port takes no more, and the 50 s don't run (MTS-SMTP-14)."""
        mailer = typing()
        server = mailer.host.callers[-1]
        server.transport.pauseProducing()  # type: ignore[union-attr]
        flood = Flood(mailer.port, b"x" * 998 + b"\r\n", 1_000_000)
        mailer.memory.clock.settle()
        assert 2 * HIGH_WATER > flood.sent - mailer.port.transport._size > HIGH_WATER / 2  # type: ignore[union-attr]
        mailer.after(SILENCE * 2)
        server.transport.resumeProducing()  # type: ignore[union-attr]
        mailer.memory.clock.settle()
        assert flood.sent == 1_000_000
        mailer.port.say(END)
        assert len(server.heard()) > 1_000_000
        mailer.serve(b"250 ok", b"221 bye")
        assert mailer.heard().endswith(OK)

    def test_stalled(self) -> None:
        """A server that takes no more of a body for three minutes is given up (MTS-SMTP-13)."""
        mailer = typing()
        mailer.host.callers[-1].transport.pauseProducing()  # type: ignore[union-attr]
        Flood(mailer.port, b"x" * 998 + b"\r\n", 1_000_000)
        assert mailer.after(TIMEOUT + 1).startswith(failed(37964))


class TestRefusals:
    """What a server or the network refuses."""

    @pytest.mark.parametrize(
        ("answers", "number"),
        [
            pytest.param((b"554 no",), 38016, id="greeting"),
            pytest.param((b"220 here", b"502 no", b"502 no"), 38016, id="helo"),
            pytest.param((b"220 here", b"250 box", b"550 no"), 38028, id="sender"),
            pytest.param((b"220 here", b"250 box", b"250 ok", b"550 no"), 38029, id="recipient"),
            pytest.param((b"220 here", b"250 box", b"250 ok", b"250 ok", b"550 no"), 38030, id="copy"),
            pytest.param((b"220 here", b"250 box", b"250 ok", b"250 ok", b"250 ok", b"554 no"), 38031, id="data"),
        ],
    )
    def test_steps(self, answers: tuple[bytes, ...], number: int) -> None:
        """
        Each thing that a server can refuse has its error, and there is no end mark before it.

        MTS-SMTP-11, MTS-SMTP-18, MTS-ERR-24, MTS-ERR-33..36, MTS-ERR-47.
        """
        for line in ("AT#PUTMAIL", "AT#SENDMAIL1"):
            mailer = sender()
            mailer.say(line)
            said = mailer.serve(*answers)
            if number != 38016:
                assert said.endswith(b"QUIT\r\n")
                mailer.serve(b"221 bye")
            assert mailer.heard() == failed(number)
            assert mailer.closed()

    def test_body(self) -> None:
        """A body that the server doesn't want at its end is error 38031 (MTS-ERR-36)."""
        mailer = typing()
        mailer.port.say(b"text" + END)
        mailer.serve(b"554 spam", b"221 bye")
        assert mailer.heard() == failed(38031)

    def test_silentServer(self) -> None:
        """A server that says nothing for three minutes is given up (MTS-SMTP-13, MTS-ERR-22)."""
        mailer = sender()
        mailer.say("AT#PUTMAIL")
        mailer.serve(b"220 here")
        assert mailer.after(TIMEOUT - 1) == b""
        assert mailer.after(1) == failed(37964)
        assert mailer.closed()

    def test_nobody(self) -> None:
        """A server that refuses the connection, or never answers, has its error (MTS-SMTP-11, MTS-ERR-24)."""
        mailer = sender("AT#SMTPPORT=26")
        assert mailer.say("AT#PUTMAIL") == failed(38016)
        mailer.memory.clock.unreachable.add(SERVER)
        mailer.say("AT#PUTMAIL")
        assert mailer.after(CONNECTING - 1) == b""
        assert mailer.after(1) == failed(37964)
        assert mailer.stack.service is None

    @pytest.mark.parametrize("line", ["AT#PUTMAIL", "AT#SENDMAIL1", "AT#GETMAIL"])
    def test_unknownName(self, line: str) -> None:
        """A server whose name has no address is error 38027 (MTS-SMTP-10, MTS-SMTP-18, MTS-POP-12, MTS-ERR-32)."""
        mailer = sender('AT#SMTPSERV="no.where"', 'AT#POP3SERV="no.where"')
        assert mailer.say(line) == failed(38027)
        assert mailer.stack.service is None

    @pytest.mark.parametrize("line", ["AT#PUTMAIL", "AT#SENDMAIL1", "AT#SENDMAIL2", "AT#SENDMAIL3", "AT#GETMAIL"])
    def test_noConnection(self, line: str) -> None:
        """Without a connection there is no mail (MTS-SMTP-05, MTS-SMTP-20, MTS-POP-13, MTS-ERR-11)."""
        mailer = sender('AT#POP3SERV="mail.box"')
        assert mailer.lose() == failed(35841)
        assert mailer.say(line) == failed(35867)

    @pytest.mark.parametrize("line", ["AT#PUTMAIL", "AT#SENDMAIL1", "AT#GETMAIL"])
    def test_busy(self, line: str) -> None:
        """While another service runs there is no mail (MTS-SMTP-05, MTS-POP-13, MTS-ERR-19)."""
        mailer = sender('AT#POP3SERV="mail.box"')
        mailer.stack.claim("FTP")
        assert mailer.say(line) == failed(37122)

    @pytest.mark.parametrize("empty", ["SMTPSERV", "DOMAIN", "SENDERADDR", "REC1", "POP3SERV"])
    def test_missing(self, empty: str) -> None:
        """A mail that lacks what it needs is not begun (MTS-SMTP-17, MTS-ERR-16, MTS-GAP-37)."""
        mailer = sender('AT#POP3SERV="mail.box"', f'AT#{empty}=""')
        line = "AT#GETMAIL" if empty == "POP3SERV" else "AT#SENDMAIL1"
        assert mailer.say(line) == failed(36929)
        assert mailer.stack.service is None
        assert mailer.host.callers == []

    @pytest.mark.parametrize(("name", "number"), [("SENDERADDR", 38028), ("REC1", 38029), ("CCREC1", 38030)])
    def test_noAddress(self, name: str, number: int) -> None:
        """What can't be an address is rejected before a server is asked (MTS-SMTP-11)."""
        assert sender(f'AT#{name}="a b<c"').say("AT#SENDMAIL1") == failed(number)

    def test_malformed(self) -> None:
        """The commands have no value, no read form and no test form (MTS-PAR-19)."""
        mailer = sender()
        for line in ("AT#PUTMAIL=1", "AT#PUTMAIL?", "AT#GETMAIL=?", "AT#SENDMAIL1=2"):
            assert mailer.say(line) == failed(34819), line
        assert mailer.say("AT#SENDMAIL4") == failed(34817)


def encoded(text: bytes) -> bytes:
    """A step of a login."""
    return base64.b64encode(text)


class TestLogin:
    """Logging in at the SMTP server."""

    def login(self, *lines: str) -> tuple[Mailer, bytes]:
        """A modem that may log in, and what it says to the offer."""
        mailer = sender(*lines)
        mailer.say("AT#SENDMAIL1")
        return mailer, mailer.serve(b"220 here", b"250-box\r\n250 AUTH PLAIN LOGIN CRAM-MD5").partition(b"\r\n")[2]

    @pytest.mark.parametrize("line", ['AT#SMTPUN="me"', 'AT#SMTPPW="secret"'])
    def test_onlyWithBoth(self, line: str) -> None:
        """Without a user name or without a password there is no login (MTS-SMTP-03)."""
        assert self.login(line)[1] == b"MAIL FROM:<module@domain.com>\r\n"

    def test_login(self) -> None:
        """With both the modem logs in by LOGIN, where that is offered (MTS-SMTP-03, MTS-GAP-52)."""
        mailer, said = self.login('AT#SMTPUN="me"', 'AT#SMTPPW="secret"')
        assert said == b"AUTH LOGIN\r\n"
        assert mailer.serve(b"334 " + encoded(b"Username:")) == encoded(b"me") + b"\r\n"
        assert mailer.serve(b"334 " + encoded(b"Password:")) == encoded(b"secret") + b"\r\n"
        assert mailer.serve(b"235 in") == b"MAIL FROM:<module@domain.com>\r\n"

    @pytest.mark.parametrize(("steps", "number"), [(0, 38080), (1, 38080), (2, 38081)])
    def test_refused(self, steps: int, number: int) -> None:
        """A server refuses the user or the password, each with its error (MTS-SMTP-11, MTS-ERR-37, MTS-ERR-38)."""
        mailer, _ = self.login('AT#SMTPUN="me"', 'AT#SMTPPW="secret"')
        prompts = [b"334 " + encoded(b"Username:"), b"334 " + encoded(b"Password:")]
        mailer.serve(*prompts[:steps], b"535 no", b"221 bye")
        assert mailer.heard() == failed(number)

    def test_plain(self) -> None:
        """A server that offers PLAIN alone gets that; a refusal means the password (MTS-GAP-52)."""
        mailer = sender('AT#SMTPUN="me"', 'AT#SMTPPW="secret"')
        mailer.say("AT#SENDMAIL1")
        assert b"AUTH PLAIN " in mailer.serve(b"220 here", b"250-box\r\n250 AUTH PLAIN")
        mailer.serve(b"535 no", b"535 no", b"221 bye")
        assert mailer.heard() == failed(38081)

    @pytest.mark.parametrize("answer", [b"250 box", b"502 what?"])
    def test_noneOffered(self, answer: bytes) -> None:
        """A server that knows no login gets no mail of one who has to log in (A)."""
        mailer = sender('AT#SMTPUN="me"', 'AT#SMTPPW="secret"')
        mailer.say("AT#SENDMAIL1")
        mailer.serve(b"220 here", answer, b"221 bye")
        assert mailer.heard() == failed(38080)


class TestSendmail:
    """Mails with stored bodies."""

    @pytest.mark.parametrize("mail", [1, 2, 3])
    def test_sent(self, mail: int) -> None:
        """
        Each of the three mails is sent to its recipients with its subject and body, and only OK is shown.

        MTS-SMTP-15, MTS-SMTP-16, MTS-SMTP-19, MTS-MAIL-05, MTS-MAIL-09..11.
        """
        mailer = sender(f'AT#REC{mail}="you@there"', f'AT#CCREC{mail}="c@d"', f'AT#SUBJ{mail}="Subject {mail}"')
        mailer.say(f"AT#BODY{mail}")
        assert mailer.port.say(b"Body\r\n.\r\nend\x1a") == OK
        assert mailer.say(f"AT#SENDMAIL{mail}") == b""
        said = mailer.serve(*READY)
        assert b"RCPT TO:<you@there>\r\nRCPT TO:<c@d>\r\nDATA\r\n" in said
        assert said.endswith(f"Subject: Subject {mail}\r\n\r\nBody\r\n..\r\nend\r\n.\r\n".encode())
        mailer.serve(b"250 taken", b"221 bye")
        assert mailer.heard() == OK
        assert mailer.closed()
        assert b"CONNECTED" in mailer.say("AT#VSTATE")

    def test_many(self) -> None:
        """A mail goes to ten recipients, and to nobody behind them (MTS-MAIL-05, MTS-MAIL-07, MTS-MAIL-08)."""
        mailer = sender('AT#CCREC1=""')
        mailer.say("AT#REC1ADD")
        mailer.port.say(b"".join(b"r%d@there\r\n" % number for number in range(11)) + b"\x1a")
        mailer.say("AT#SENDMAIL1")
        said = mailer.serve(b"220 here", b"250 box", *[b"250 ok"] * 11, b"354 go")
        assert [line for line in said.split(b"\r\n") if line.startswith(b"RCPT")] == [
            b"RCPT TO:<r%d@there>" % number for number in range(10)
        ]
        assert b"\r\nTo: " + b", ".join(b"r%d@there" % number for number in range(10)) + b"\r\nSubject" in said

    def test_silentFarewell(self) -> None:
        """A mail that is taken is sent, whatever comes of the leave-taking (A)."""
        mailer = sender()
        mailer.say("AT#SENDMAIL1")
        mailer.serve(*READY, b"250 taken")
        assert mailer.after(60) == OK


class TestParametersMeanwhile:
    """Parameters while a mail is on its way."""

    def test_kept(self) -> None:
        """They can be written before and after, with the connection up (MTS-SMTP-09)."""
        mailer = typing()
        mailer.port.say(b"x" + END)
        mailer.serve(b"250 ok", b"221 bye")
        mailer.heard()
        assert mailer.say('AT#SUBJ1="Next"') == OK


@pytest.mark.parametrize("service", ["SMTP", "POP3"])
class TestServer:
    """Which server is called."""

    @pytest.mark.parametrize("name", ["mail.box", SERVER])
    def test_place(self, service: str, name: str) -> None:
        """
        A server is called by its name or its address, at another port than the usual where one is set.

        MTS-SMTP-01, MTS-SMTP-02, MTS-POP-01, MTS-POP-02.
        """
        for number in (2525, {"SMTP": 25, "POP3": 110}[service]):
            mailer = Mailer(number, *SENDER, f'AT#{service}SERV="{name}"')
            if number == 2525:
                assert mailer.say(f"AT#{service}PORT={number}") == OK
            assert mailer.say({"SMTP": "AT#SENDMAIL1", "POP3": "AT#GETMAIL"}[service]) == b""
            assert len(mailer.host.callers) == 1

    def test_limits(self, service: str) -> None:
        """A port has five digits at most and is at most 65535; 0 means that none is set (MTS-SMTP-01, MTS-POP-02)."""
        mailer = sender(f'AT#{service}SERV="mail.box"', f"AT#{service}PORT=65535", f"AT#{service}PORT=0")
        assert mailer.say(f"AT#{service}PORT=65536") == failed(34882)
        assert mailer.say({"SMTP": "AT#SENDMAIL1", "POP3": "AT#GETMAIL"}[service]) == failed(36929)
        assert mailer.say(f'AT#{service}SERV="{"x" * 120}"') == OK
        assert mailer.say(f'AT#{service}SERV="{"x" * 121}"') == failed(34882)


BOX = ('AT#POP3SERV="mail.box"', 'AT#POP3UN="me"', 'AT#POP3PW="secret"')
LETTER = b"Received: x\r\nFrom: a@b.com\r\nSubject: Hi\r\n\r\nData\r\n..dots\r\n"
#: what the server says until it sends the mail
FOUND = (b"+OK here", b"+OK", b"+OK", b"+OK 2 999")


def fetching(*lines: str) -> Mailer:
    """A modem that fetches a mail, up to the order for it."""
    mailer = Mailer(110, *BOX, *lines)
    assert mailer.say("AT#GETMAIL") == b""
    assert mailer.serve(*FOUND) == b"USER me\r\nPASS secret\r\nSTAT\r\nRETR 1\r\n"
    return mailer


class TestGetmail:
    """Mails that are fetched."""

    @pytest.mark.parametrize(
        ("mode", "shown"),
        [(1, b"From: a@b.com\r\nSubject: Hi\r\n\r\nData\r\n..dots"), (0, b"Data\r\n..dots")],
    )
    def test_fetched(self, mode: int, shown: bytes) -> None:
        """
        The first mail is shown with or without its header, as the server sends it, and deleted.

        MTS-POP-03..06, MTS-POP-08, MTS-POP-09, MTS-GAP-53.
        """
        mailer = fetching(f"AT#POP3HEADERMODE={mode}")
        assert mailer.serve(b"+OK 99 octets\r\n" + LETTER + b".") == b"DELE 1\r\n"
        assert mailer.heard() == MAIL + shown
        assert mailer.serve(b"+OK") == b"QUIT\r\n"
        mailer.serve(b"+OK bye")
        assert mailer.heard() == END + OK
        assert mailer.closed()
        assert b"CONNECTED" in mailer.say("AT#VSTATE")

    def test_piecemeal(self) -> None:
        """A mail is shown while it comes, however it is cut (MTS-POP-06)."""
        mailer = fetching("AT#POP3HEADERMODE=0")
        server = mailer.host.callers[-1]
        for octet in b"+OK\r\n" + LETTER + b".\r\n":
            server.say(bytes([octet]))
        assert mailer.heard() == MAIL + b"Data\r\n..dots"

    def test_none(self) -> None:
        """An empty mailbox is told, with nothing behind it (MTS-POP-07, MTS-GAP-39)."""
        mailer = Mailer(110, *BOX)
        mailer.say("AT#GETMAIL")
        assert mailer.serve(b"+OK", b"+OK", b"+OK", b"+OK 0 0").endswith(b"STAT\r\nQUIT\r\n")
        assert mailer.heard() == b""
        mailer.serve(b"+OK")
        assert mailer.heard() == NO_MAIL
        assert mailer.closed()

    def test_numbers(self) -> None:
        """Under ATV0 the messages are numbers (MTS-RES-09)."""
        mailer = Mailer(110, *BOX)
        mailer.say("ATV0")
        mailer.say("AT#GETMAIL")
        mailer.serve(b"+OK", b"+OK", b"+OK", b"+OK 0 0", b"+OK")
        assert mailer.heard() == b"\r3072\r"

    def test_typedMeanwhile(self) -> None:
        """Nothing that is typed stops a mail, nor is it run afterwards (MTS-POP-10)."""
        mailer = fetching()
        mailer.serve(b"+OK")
        assert mailer.heard() == MAIL
        assert mailer.port.say(b"\x03\x1a\x1b+++AT\r" + END) == b""
        mailer.serve(LETTER + b".", b"+OK", b"+OK")
        assert mailer.heard().endswith(b"..dots" + END + OK)

    def test_brokenOff(self) -> None:
        """A mail that breaks off ends with its mark, and then the error (MTS-POP-11, MTS-ERR-49, MTS-ERR-23)."""
        mailer = fetching("AT#POP3HEADERMODE=0")
        mailer.serve(b"+OK", b"From: a\r\n\r\nData")
        assert mailer.heard() == MAIL + b"Data"
        mailer.host.callers[-1].close()
        assert mailer.heard() == END + failed(37966)
        assert mailer.closed()

    def test_connectionGoes(self) -> None:
        """So it is when the connection is lost (MTS-POP-11, MTS-ERR-07)."""
        mailer = fetching()
        mailer.serve(b"+OK")
        assert mailer.heard() == MAIL
        assert mailer.lose() == END + failed(35841)

    def test_silence(self) -> None:
        """And when the server falls silent (MTS-POP-11, MTS-ERR-22)."""
        mailer = fetching()
        mailer.serve(b"+OK")
        assert mailer.after(TIMEOUT - 1) == MAIL
        assert mailer.after(1) == END + failed(37964)

    @pytest.mark.parametrize(
        ("answers", "number"),
        [
            pytest.param((b"-ERR no",), 38016, id="greeting"),
            pytest.param((b"+OK", b"-ERR no"), 38080, id="user"),
            pytest.param((b"+OK", b"+OK", b"-ERR no"), 38081, id="password"),
            pytest.param((b"+OK", b"+OK", b"+OK", b"-ERR no"), 38025, id="mailbox"),
            pytest.param((b"+OK", b"+OK", b"+OK", b"+OK what"), 38025, id="nonsense"),
            pytest.param((b"+OK", b"+OK", b"+OK", b"+OK 1 1", b"-ERR no"), 38025, id="mail"),
        ],
    )
    def test_refused(self, answers: tuple[bytes, ...], number: int) -> None:
        """Each thing that a server can refuse has its error (MTS-POP-12, MTS-ERR-30, MTS-ERR-37, MTS-ERR-38)."""
        mailer = Mailer(110, *BOX)
        mailer.say("AT#GETMAIL")
        assert mailer.serve(*answers).endswith(b"QUIT\r\n")
        mailer.serve(b"+OK")
        assert mailer.heard() == failed(number)
        assert mailer.closed()

    @pytest.mark.parametrize(("answers", "number"), [((b"-ERR no", b"+OK"), 38023), ((b"+OK", b"-ERR no"), 38018)])
    def test_notDeleted(self, answers: tuple[bytes, ...], number: int) -> None:
        """A mail that the server doesn't delete is shown, with an error in place of OK (MTS-ERR-26, MTS-ERR-28)."""
        mailer = fetching()
        mailer.serve(b"+OK", LETTER + b".")
        mailer.heard()
        mailer.serve(*answers)
        assert mailer.heard() == END + failed(number)

    def test_endlessHeader(self) -> None:
        """A header that doesn't end is an error (MTS-ERR-31)."""
        mailer = fetching()
        mailer.serve(b"+OK", b"X: " + b"x" * 70_000)
        assert mailer.heard() == MAIL + END + failed(38026)

    def test_backPressure(self) -> None:
        """While the port takes no more, the server isn't heard any more, and may wait for long (MTS-POP-06)."""
        mailer = fetching("AT#POP3HEADERMODE=0")
        mailer.serve(b"+OK", b"From: a\r\n")
        assert mailer.heard() == MAIL
        mailer.port.transport.pauseProducing()  # type: ignore[union-attr]
        server = mailer.host.callers[-1]
        flood = Flood(server, b"x" * 998 + b"\r\n", 1_000_000)
        mailer.after(TIMEOUT * 2)
        assert flood.sent < 4 * HIGH_WATER
        mailer.port.transport.resumeProducing()  # type: ignore[union-attr]
        mailer.memory.clock.settle()
        assert flood.sent == 1_000_000
        mailer.serve(b".", b"+OK", b"+OK")
        heard = mailer.heard()
        assert len(heard) == 1_000_000 - 2 + len(END + OK)
        assert heard.endswith(END + OK)
