"""
The mail servers of a dialogue: one for SMTP that remembers what it was told, one for POP3 with a mailbox.

Source: RFC 5321 and RFC 1939, as far as the dialogues go.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any, ClassVar, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.basic import LineReceiver

from atrunproto.testing.dialogue import Fact, octetsOf
from atrunproto.testing.matching import asText
from atrunproto.testing.replaying.ports import closed

_SAID: Final = re.compile(
    r"""(?:(?P<key>helo|from|rcpt|to|cc|subject)=(?:"(?P<quoted>[^"]*)"|(?P<bare>\S+))"""
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
        body = asText((b"\r\n" + self.content).partition(b"\r\n\r\n")[2]).rstrip("\r\n")
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
                    "to": str(message["To"] or ""),
                    "cc": str(message["Cc"] or ""),
                    "subject": str(message["Subject"]),
                }[said["key"]]
                holds = found == (said["bare"] if said["quoted"] is None else said["quoted"])
            elif said["header"]:
                found = str(message[said["header"]])
                holds = said["part"] in found
            else:
                found, told = body, asText(octetsOf(said["body"]))
                holds = told in found if said["contains"] else told.rstrip("\r\n") == found
            if not holds:
                yield f"{said[0].strip()}: it is {found!r}"


@dataclass(frozen=True)
class Terms:
    """
    Whom a server knows, and what it refuses.

    @ivar account: the user and the password; C{None}: anybody may come.
    @ivar refused: orders.
    @ivar addresses: those of which these orders are refused; none: whatever they are about.
    """

    account: tuple[str, str] | None = None
    refused: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    def refuses(self, order: str, address: str = "") -> bool:
        """Whether this order is refused."""
        return order in self.refused and (not self.addresses or address in self.addresses)

    def knows(self, user: str) -> bool:
        """Whether somebody has this name."""
        return self.account is None or self.account[0] == user

    def admits(self, user: str, password: str) -> bool:
        """Whether this login is good."""
        return self.account is None or self.account == (user, password)


def termsOf(text: str, words: Mapping[str, str], whose: str) -> Terms:
    """
    Read C{[USER PASSWORD] [refuses WHAT]}.

    @param words: how the words begin that stand for orders, in small letters.
    @param whose: the order that is meant where only its address is said.
    """
    login, _, what = f"{text} ".partition("refuses ")
    account = login.split()
    told = what.split()
    orders = {order for word in told for begin, order in words.items() if word.lower().startswith(begin)}
    addresses = frozenset(word for word in told if "@" in word)
    return Terms(
        (account[0], account[1]) if len(account) > 1 else None,
        frozenset(orders or {whose} if addresses else orders),
        addresses,
    )


class _Server(LineReceiver):
    """
    A connection to one of the servers.

    @cvar words: what C{refuses} may say, as of L{termsOf}.
    @cvar whose: the order that an address alone stands for.
    """

    words: ClassVar[Mapping[str, str]]
    whose = ""

    transport: Any
    servers: MailServers
    terms = Terms()
    _handlers: dict[str, Callable[[str], str]]

    def connectionMade(self) -> None:
        """Greet."""
        self.servers.connections.append(self)
        if self.terms.refuses("CONNECT"):
            self.say(self.no)
            self.transport.loseConnection()
        else:
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
        if handler is not None and self.terms.refuses(word.upper(), _address(rest)):
            self.say(self.no)
        else:
            self.say(self.unknown if handler is None else handler(rest))

    unknown = ""
    no = ""


class SMTPServer(_Server):
    """
    Takes mails, but for what it refuses.
    """

    unknown = "500 what?"
    no = "550 no"
    words: ClassVar[Mapping[str, str]] = {
        "connect": "CONNECT",
        "helo": "HELO",
        "ehlo": "EHLO",
        "auth": "AUTH",
        "login": "AUTH",
        "user": "USER",
        "pass": "PASS",
        "mail": "MAIL",
        "sender": "MAIL",
        "rcpt": "RCPT",
        "recipient": "RCPT",
        "data": "DATA",
        "body": "DATA",
        "message": "MESSAGE",
        "quit": "QUIT",
    }
    whose = "RCPT"

    def __init__(self) -> None:
        self._mail = Mail("", "")
        self._lines: list[bytes] | None = None
        self._user: str | None = None
        self._asks: Callable[[str], str] | None = None
        self._handlers = {
            "EHLO": self._hello,
            "HELO": self._hello,
            "AUTH": self._login,
            "MAIL": self._from,
            "RCPT": self._to,
            "DATA": self._data,
            "QUIT": self._quit,
        }

    def greeting(self) -> str:
        """The first words."""
        return "220 at your service"

    def lineReceived(self, line: bytes) -> None:
        """Take a line of a mail or of a login, or obey an order."""
        if self._asks is not None:
            asks, self._asks = self._asks, None
            self.say(asks(_decoded(line)))
        elif self._lines is None:
            self.servers.orders.append(line.decode("latin-1"))
            super().lineReceived(line)
        elif line != b".":
            self._lines.append(line[1:] if line.startswith(b".") else line)
        else:
            self._mail.content = b"".join(each + b"\r\n" for each in self._lines)
            self._lines = None
            if self.terms.refuses("MESSAGE"):
                self.say(self.no)
            else:
                self.servers.mails.append(self._mail)
                self.say("250 taken")

    def _hello(self, rest: str) -> str:
        self._mail.helo = rest
        return "250-box\r\n250 AUTH PLAIN LOGIN"

    def _login(self, rest: str) -> str:
        method, _, given = rest.partition(" ")
        if method.upper() == "LOGIN":
            self._asks = self._name
            return "334 VXNlcm5hbWU6"
        if given:
            return self._plain(_decoded(given.encode("latin-1")))
        self._asks = self._plain
        return "334 "

    def _plain(self, given: str) -> str:
        _, user, password = f"{given}\0\0".split("\0")[:3]
        return self._name(user) if self._isRefused(user) else self._password(password)

    def _isRefused(self, user: str) -> bool:
        self._user = user
        return self.terms.refuses("USER") or not self.terms.knows(user)

    def _name(self, user: str) -> str:
        if self._isRefused(user):
            return "535 no"
        self._asks = self._password
        return "334 UGFzc3dvcmQ6"

    def _password(self, password: str) -> str:
        isGood = not self.terms.refuses("PASS") and self.terms.admits(self._user or "", password)
        return "235 welcome" if isGood else "535 no"

    def _from(self, rest: str) -> str:
        self._mail.sender = _address(rest)
        return "250 ok"

    def _to(self, rest: str) -> str:
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


def _decoded(line: bytes) -> str:
    """A line of a login."""
    return b64decode(line).decode("latin-1")


class POP3Server(_Server):
    """
    Shows the mails of a mailbox.
    """

    unknown = "-ERR what?"
    no = "-ERR no"
    words: ClassVar[Mapping[str, str]] = {
        "connect": "CONNECT",
        "user": "USER",
        "pass": "PASS",
        "stat": "STAT",
        "retr": "RETR",
        "mail": "RETR",
        "message": "RETR",
        "dele": "DELE",
        "quit": "QUIT",
    }

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
        return "+OK" if self.terms.knows(rest) else self.no

    def _password(self, rest: str) -> str:
        return "+OK" if self.terms.admits(self._user, rest) else self.no

    def _count(self, rest: str) -> str:
        return f"+OK {len(self.servers.mailbox)} {sum(map(len, self.servers.mailbox))}"

    def _show(self, rest: str) -> str:
        mail = self.servers.mailbox[int(rest) - 1]
        if not mail.endswith(b"\r\n"):
            mail += b"\r\n"
        if self.servers.cut:
            self.transport.write(b"+OK\r\n" + partOf(mail, self.servers.cut))
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


def partOf(mail: bytes, cut: str) -> bytes:
    """
    As much of a mail as is sent before the connection breaks.

    @param cut: where: C{in the header}, C{after the header}, C{after} what stands in the mail; else after the first
        line of the body.
    """
    head, _, body = mail.partition(b"\r\n\r\n")
    told = octetsOf(cut.removeprefix("after "))
    if "header" in cut:
        return head + b"\r\n\r\n" if cut.startswith("after") else head.partition(b"\r\n")[0] + b"\r\n"
    if told in mail:
        return mail[: mail.index(told) + len(told)]
    return head + b"\r\n\r\n" + body.partition(b"\r\n")[0] + b"\r\n"


class MailServers:
    """
    What a dialogue says of mail.

    @ivar mails: what was delivered by SMTP.
    @ivar orders: all orders that the SMTP server got.
    @ivar mailbox: what POP3 shows.
    @ivar cut: where the connection breaks while a mail is shown, as of L{partOf}; empty: nowhere.
    @ivar connections: those that are there.
    """

    def __init__(self, reactor: Any, addressOf: Callable[[str], str] = str) -> None:
        """
        @param addressOf: gives the address of a host.
        """
        self.mails: list[Mail] = []
        self.orders: list[str] = []
        self.mailbox: list[bytes] = []
        self.cut = ""
        self.connections: list[_Server] = []
        self._reactor = reactor
        self._addressOf = addressOf
        self._places: list[tuple[str, int, _Connections]] = []
        self._listening: list[IListeningPort] = []

    def take(self, fact: Fact) -> None:
        """Make a fact true, if it is one about mail."""
        text = fact.values.get("text") or ""
        if fact.word in ("smtp", "pop3"):
            kind = SMTPServer if fact.word == "smtp" else POP3Server
            connections = _Connections(self, kind, termsOf(text, kind.words, kind.whose))
            self._places.append((fact.values["host"], int(fact.values["number"]), connections))
        elif fact.word == "pop3-mail":
            self.mailbox.append(octetsOf(text))
        elif fact.word == "pop3-cut":
            self.cut = text

    def start(self) -> None:
        """
        Let the servers listen.

        @raise CannotListenError: an address is in use, or a port number isn't for this user.
        """
        for host, number, connections in self._places:
            self._listening.append(self._reactor.listenTCP(number, connections, interface=self._addressOf(host)))

    def stop(self) -> list[Deferred[None]]:
        """End them; what is given fires when nobody listens any more."""
        self.close()
        return list(map(closed, self._listening))

    def close(self) -> bool:
        """End the connections that are there; tell whether there was one."""
        connections = tuple(self.connections)
        for connection in connections:
            connection.transport.loseConnection()
        return bool(connections)

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

    def __init__(self, servers: MailServers, kind: type[_Server], terms: Terms) -> None:
        self._servers = servers
        self._kind = kind
        self._terms = terms

    def buildProtocol(self, addr: Any) -> Protocol:
        """Take a connection."""
        made = self._kind()
        made.servers, made.terms = self._servers, self._terms
        return made
