"""
The mail servers of a dialogue: one for SMTP that remembers what it was told, one for POP3 with a mailbox.

Source: RFC 5321 and RFC 1939, as far as the dialogues go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.basic import LineReceiver

from atrunproto.testing.dialogue import Fact, octetsOf
from atrunproto.testing.replaying.ports import closed

_SAID: Final = re.compile(
    r"""(?:(?P<key>helo|from|rcpt|subject)=(?:"(?P<quoted>[^"]*)"|(?P<bare>\S+))"""
    r"""|header\ (?P<header>\S+)\ contains\ "(?P<part>[^"]*)\""""
    r"""|body\ (?P<contains>contains\ )?"(?P<body>[^"]*)")(?:\s+|$)""",
    re.VERBOSE,
)
"""What C{@smtp has} can say, one thing after the other."""


@dataclass
class Mail:
    """
    A mail that was delivered.
    """

    helo: str
    sender: str
    recipients: list[str] = field(default_factory=list)
    content: bytes = b""

    def lacks(self, text: str) -> Iterator[str]:
        """What of the things in a text isn't so, in words."""
        message: Any = message_from_bytes(self.content, policy=policy.default)
        body = str(message.get_content()).replace("\r\n", "\n").rstrip("\n")
        place = 0
        while place < len(text):
            said = _SAID.match(text, place)
            if said is None:
                yield f"what is meant by {text[place:]!r}"
                return
            place = said.end()
            if said["key"]:
                found = {
                    "helo": self.helo,
                    "from": self.sender,
                    "rcpt": ",".join(self.recipients),
                    "subject": str(message["Subject"]),
                }[said["key"]]
                holds = found == (said["bare"] if said["quoted"] is None else said["quoted"])
            elif said["header"]:
                found = str(message[said["header"]])
                holds = said["part"] in found
            else:
                found = body
                holds = said["body"] in found if said["contains"] else said["body"] == found
            if not holds:
                yield f"{said[0].strip()}: it is {found!r}"


class _Server(LineReceiver):
    """
    A connection to one of the servers.
    """

    transport: Any
    servers: MailServers
    _handlers: dict[str, Callable[[str], str]]

    def connectionMade(self) -> None:
        """Greet."""
        self.servers.connections.append(self)
        self.say(self.greeting())

    def connectionLost(self, reason: Any = None) -> None:
        """Nobody is there any more."""
        self.servers.connections.remove(self)

    def greeting(self) -> str:
        """The first words."""
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Say a line."""
        if text:
            self.transport.write(text.encode("latin-1") + b"\r\n")

    def lineReceived(self, line: bytes) -> None:
        """Obey an order."""
        word, _, rest = line.decode("latin-1").partition(" ")
        handler = self._handlers.get(word.upper())
        self.say(self.unknown if handler is None else handler(rest))

    unknown = ""


class SMTPServer(_Server):
    """
    Takes mails, but for what it refuses.
    """

    unknown = "500 what?"

    def __init__(self) -> None:
        self._mail = Mail("", "")
        self._lines: list[bytes] | None = None
        self._handlers = {
            "EHLO": self._hello,
            "HELO": self._hello,
            "AUTH": lambda rest: "235 welcome",
            "MAIL": self._from,
            "RCPT": self._to,
            "DATA": self._data,
            "QUIT": self._quit,
        }

    def greeting(self) -> str:
        """The first words."""
        return "220 at your service"

    def lineReceived(self, line: bytes) -> None:
        """Take a line of a mail, or obey an order."""
        if self._lines is None:
            self.servers.orders.append(line.decode("latin-1"))
            super().lineReceived(line)
        elif line != b".":
            self._lines.append(line[1:] if line.startswith(b".") else line)
        else:
            self._mail.content = b"".join(each + b"\r\n" for each in self._lines)
            self.servers.mails.append(self._mail)
            self._lines = None
            self.say("250 taken")

    def _hello(self, rest: str) -> str:
        self._mail.helo = rest
        return "250-box\r\n250 AUTH PLAIN LOGIN"

    def _from(self, rest: str) -> str:
        self._mail.sender = _address(rest)
        return "550 no" if self.servers.refuses == f"sender {self._mail.sender}" else "250 ok"

    def _to(self, rest: str) -> str:
        if self.servers.refuses == _address(rest):
            return "550 no"
        self._mail.recipients.append(_address(rest))
        return "250 ok"

    def _data(self, rest: str) -> str:
        self._lines = []
        return "354 go ahead"

    def _quit(self, rest: str) -> str:
        self.say("221 bye")
        self.transport.loseConnection()
        return ""


def _address(text: str) -> str:
    """The address out of C{FROM:<...>}."""
    return text.partition("<")[2].partition(">")[0]


class POP3Server(_Server):
    """
    Shows the mails of a mailbox.
    """

    unknown = "-ERR what?"

    def __init__(self) -> None:
        self._deleted: set[int] = set()
        self._user = ""
        self._handlers = {
            "USER": self._name,
            "PASS": self._password,
            "STAT": self._count,
            "RETR": self._show,
            "DELE": self._delete,
            "QUIT": self._quit,
        }

    def greeting(self) -> str:
        """The first words."""
        return "+OK at your service"

    def _name(self, rest: str) -> str:
        self._user = rest
        return "-ERR no" if self.servers.account == ("refuses", "USER") else "+OK"

    def _password(self, rest: str) -> str:
        return "+OK" if (self._user, rest) == self.servers.account else "-ERR no"

    def _count(self, rest: str) -> str:
        return f"+OK {len(self.servers.mailbox)} {sum(map(len, self.servers.mailbox))}"

    def _show(self, rest: str) -> str:
        mail = self.servers.mailbox[int(rest) - 1]
        if not mail.endswith(b"\r\n"):
            mail += b"\r\n"
        if self.servers.isCut:
            head, _, body = mail.partition(b"\r\n\r\n")
            self.transport.write(b"+OK\r\n" + head + b"\r\n\r\n" + body.partition(b"\r\n")[0] + b"\r\n")
            self.transport.loseConnection()
        else:
            stuffed = b"".join(b"." + line if line.startswith(b".") else line for line in mail.splitlines(True))
            self.transport.write(b"+OK\r\n" + stuffed + b".\r\n")
        return ""

    def _delete(self, rest: str) -> str:
        self._deleted.add(int(rest) - 1)
        return "+OK"

    def _quit(self, rest: str) -> str:
        box = self.servers.mailbox
        box[:] = [mail for number, mail in enumerate(box) if number not in self._deleted]
        self.say("+OK bye")
        self.transport.loseConnection()
        return ""


class MailServers:
    """
    What a dialogue says of mail.

    @ivar mails: what was delivered by SMTP.
    @ivar orders: all orders that the SMTP server got.
    @ivar refuses: the recipient that it refuses; or C{sender} and who that is.
    @ivar mailbox: what POP3 shows.
    @ivar account: the user and the password of the mailbox; or C{refuses} and what.
    @ivar isCut: the connection breaks after the first line of a body.
    @ivar connections: those that are there.
    """

    def __init__(self, reactor: Any) -> None:
        self.mails: list[Mail] = []
        self.orders: list[str] = []
        self.refuses = ""
        self.mailbox: list[bytes] = []
        self.account: tuple[str, str] = ("", "")
        self.isCut = False
        self.connections: list[_Server] = []
        self._reactor = reactor
        self._places: list[tuple[str, int, type[_Server]]] = []
        self._listening: list[IListeningPort] = []

    def take(self, fact: Fact) -> None:
        """Make a fact true, if it is one about mail."""
        text = fact.values.get("text") or ""
        if fact.word in ("smtp", "pop3"):
            kind = SMTPServer if fact.word == "smtp" else POP3Server
            self._places.append((fact.values["host"], int(fact.values["number"]), kind))
        if fact.word == "smtp":
            self.refuses = text.removeprefix("refuses ")
        elif fact.word == "pop3":
            user, _, password = text.partition(" ")
            self.account = user, password
        elif fact.word == "pop3-mail":
            self.mailbox.append(octetsOf(text))
        elif fact.word == "pop3-cut":
            self.isCut = True

    def start(self) -> None:
        """
        Let the servers listen.

        @raise CannotListenError: an address is in use, or a port number isn't for this user.
        """
        for host, number, kind in self._places:
            self._listening.append(self._reactor.listenTCP(number, _Connections(self, kind), interface=host))

    def stop(self) -> list[Deferred[None]]:
        """End them; what is given fires when nobody listens any more."""
        self.close()
        return list(map(closed, self._listening))

    def close(self) -> None:
        """End the connections that are there."""
        for connection in tuple(self.connections):
            connection.transport.loseConnection()

    def lacks(self, text: str) -> str:
        """What of the things in a text no mail has, in words; empty: one has them all."""
        found = ["; ".join(mail.lacks(text)) for mail in self.mails]
        return "" if "" in found else "\n".join(found) or "no mail has been delivered"

    def used(self, what: str) -> bool:
        """Whether the SMTP server got this order, or any where it isn't said which."""
        return any(order.upper().startswith(what.upper()) for order in self.orders)


class _Connections(Factory):
    """
    The connections to one of the servers.
    """

    noisy = False

    def __init__(self, servers: MailServers, kind: type[_Server]) -> None:
        self._servers = servers
        self._kind = kind

    def buildProtocol(self, addr: Any) -> Protocol:
        """Take a connection."""
        made = self._kind()
        made.servers = self._servers
        return made
