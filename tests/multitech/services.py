"""A Multi-Tech modem that is connected, and somebody at the other end of each of its services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from atrunproto.testing.dialogue import Fact
from atrunproto.testing.emulated import DatagramWire, Wire
from atrunproto.testing.replaying.mailservers import MailServers
from tests.ftp.scripted import Server
from tests.multitech.modems import OK, Modem

HOME, SERVER, NAME = "127.0.0.1", "127.0.0.5", "all.example"
LETTER = "From: a@b.c<CR><LF>Subject: Hi<CR><LF><CR><LF>The letter"
ETX, END = b"\x03", b"\r\n.\r\n"

#: what has each service find its server
LINES = (
    *(f'AT#{service}SERV="{NAME}"' for service in ("SMTP", "POP3", "FTP")),
    *('AT#POP3UN="user"', 'AT#POP3PW="secret"', 'AT#FTPUN="user"', 'AT#FTPPW="secret"'),
    *('AT#DOMAIN="b.c"', 'AT#SENDERADDR="a@b.c"', 'AT#REC1="d@e.f"', 'AT#BODY1="The letter"'),
    *('AT#FTPGETFILENAME="in.txt"', 'AT#FTPPUTFILENAME="out.txt"'),
)
#: what the older stacks don't have, or have in another form
SOCKETS = (f'AT#TCPSERV=1,"{NAME}"', "AT#TCPPORT=1,23", 'AT#TCPSERV=2,"255.255.255.255"', "AT#TCPPORT=2,2024")
DATAGRAMS = (f'AT#UDPSERV="{NAME}"', "AT#UDPPORT=5001", f'AT#PINGREMOTE="{NAME}"')


class Served(Modem):
    """
    A modem that is connected, and servers that it knows by their name.

    @ivar mail: the mail servers, with one letter.
    @ivar ftp: the FTP server.
    @ivar tcp: the TCP server.
    @ivar datagrams: somebody who speaks UDP.
    """

    def __init__(self, *lines: str, services: Sequence[str] = (*SOCKETS, *DATAGRAMS), **facts: Any) -> None:
        """
        @param services: further commands that are run first, as the stack has them.
        """
        super().__init__('AT#APNSERV="internet"', *LINES, *services, *lines, **facts)
        clock = self.memory.clock
        self.memory.network.hosts[NAME] = SERVER
        self.memory.network.echoes[SERVER] = frozenset()
        self.mail = MailServers(clock)
        self.mail.take(Fact(0, "smtp", {"host": SERVER, "number": "25"}))
        self.mail.take(Fact(0, "pop3", {"host": SERVER, "number": "110", "text": "user secret"}))
        self.mail.take(Fact(0, "pop3-mail", {"text": LETTER}))
        self.mail.start()
        self.ftp = Server()
        clock.listenTCP(21, self.ftp, interface=SERVER)
        self.tcp = self.memory.host(23, SERVER)
        self.datagrams = DatagramWire(clock)
        clock.listenUDP(5001, self.datagrams, SERVER)
        self.connection = self.do("AT#CONNECTIONSTART")

    def wait(self, seconds: float = 10.0) -> bytes:
        """What comes in this time."""
        self.memory.advance(seconds)
        return self.port.heard()

    def do(self, line: str) -> bytes:
        """What comes for a line, with some time to it."""
        return self.say(line) + self.wait()

    def type(self, data: bytes) -> bytes:
        """What comes for octets, with some time to it."""
        return self.port.say(data) + self.wait()

    def move(self, command: str) -> tuple[bytes, Wire]:
        """Begin with a file: what comes for the command, and the server's end of the data connection."""
        assert self.do(command) == b""
        file = self.memory.call(0, HOME, source=SERVER)
        return self.wait(), file

    def moved(self, file: Wire, reply: bytes = b"226 done") -> bytes:
        """The server has sent a file, or got it: what comes of it."""
        file.close()
        self.ftp.say(reply)
        return self.wait()

    def listen(self, *commands: str) -> None:
        """Wait for a peer."""
        for command in commands:
            assert self.say(command) == OK

    def call(self, port: int = 2024) -> Wire:
        """Call the modem."""
        return self.memory.call(port, HOME, source="127.0.2.77")
