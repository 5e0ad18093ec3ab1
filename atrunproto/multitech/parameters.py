"""
The parameters of Multi-Tech's IP stack: one table, from which their commands, ranges and displays follow.

Services read them by L{Parameters}::

    parameters = Parameters(module.settings)
    port = parameters["TCPPORT", 1]
    server = parameters.needed("FTPSERV")

A parameter is a setting of the module, kept in its non-volatile memory at once (MTS-PAR-09). Its command is its name
behind a C{#}.
A row is the parameter as stack 3.02 has it. It also says since which generation there is one, and how it was before.
Source: reference guide S000333C, revision history, chapters 2 to 7 and appendix B; MTS-PAR, MTS-DIAL, MTS-MAIL,
MTS-OPEN-07, MTS-OPEN-08.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Any

from atrunproto.at.grammar import Argument
from atrunproto.at.parameters import BadValue, Choice, Int, Parameter, Text
from atrunproto.at.results import refuse
from atrunproto.at.settings import Settings

from .errors import BAD_CONFIGURATION
from .generations import Generation

#: characters of a command line (MTS-GAP-14)
LINE = 512
#: the sockets that a parameter may exist for
SOCKETS = (1, 2)
#: characters of a telephone number, its plus sign included (A)
PHONE_NUMBER = 21
#: recipients of one mail (MTS-MAIL-05)
RECIPIENTS = 10
#: what the server's parameter of a listener holds to admit every peer (MTS-TCP-04, MTS-UDP-02)
ANYBODY = "255.255.255.255"
#: what separates recipients where several are shown (MTS-GAP-40)
SEPARATOR = ","


class Kind(Enum):
    """
    What a parameter holds.
    """

    INT = "int"
    ENUM = "enum"
    STRING = "string"
    IP = "ip"
    #: a telephone number
    PHONE = "phone"
    #: entered in lines of its own, up to ^Z
    MULTILINE = "multiline"


@dataclass(frozen=True, slots=True)
class Row:
    """
    One parameter.

    @ivar name: its mnemonic, without the C{#}.
    @ivar group: the service that it is for.
    @ivar low: the least value.
    @ivar high: the greatest one.
    @ivar step: between the values from C{low} to C{high}.
    @ivar longest: characters at most; C{None}: as many as a command line holds.
    @ivar values: the values, where they are no range.
    @ivar perSocket: whether each of the L{SOCKETS} has its own.
    @ivar about: what it is for.
    @ivar since: the first generation that has it.
    @ivar shownSince: the first one whose displays show it.
    @ivar earlier: what it was before 3.02, if that differs otherwise than by the numbers of the sockets.
    """

    name: str
    group: str
    kind: Kind
    low: int | None = None
    high: int | None = None
    step: int | None = None
    longest: int | None = None
    default: int | str = ""
    perSocket: bool = False
    values: tuple[int | str, ...] = ()
    about: str = ""
    since: Generation = Generation.V2_00
    shownSince: Generation = Generation.V2_00
    earlier: Row | None = None

    def of(self, generation: Generation) -> Row:
        """
        The form that it has in a generation.
        """
        if generation >= Generation.V3_02:
            return self
        return self.earlier or replace(self, perSocket=False)

    def isShown(self, generation: Generation) -> bool:
        """
        Whether the displays of a generation show it.
        """
        return generation >= max(self.since, self.shownSince)

    @property
    def command(self) -> str:
        """
        The command that writes and reads it.
        """
        return f"#{self.name}"

    @property
    def isSecret(self) -> bool:
        """
        Whether it holds a password.
        """
        return self.name.endswith("PW")

    def parameter(self) -> Parameter:
        """
        How the values are written, checked and shown.
        """
        name = self.name.lower()
        if self.kind is Kind.IP:
            return Address(name, default=self.default)
        if self.kind is Kind.PHONE:
            return Phone(name, self.longest or LINE, [str(value) for value in self.values], default=self.default)
        if self.kind in (Kind.INT, Kind.ENUM):
            if self.values and isinstance(self.values[0], str):
                return Letter(name, [str(value) for value in self.values], default=self.default)
            return Number(name, self.ranges(), default=self.default, longest=self.longest)
        longest = LINE if self.longest is None else self.longest
        if self.name.startswith("REC"):
            return Recipients(name, longest, default=self.default)
        return Text(name, longest, default=self.default, required=True, secret=self.isSecret)

    def ranges(self) -> list[tuple[int, ...]]:
        """
        The numbers that it may hold.
        """
        if self.values:
            return [(int(value), int(value)) for value in self.values]
        assert self.low is not None
        assert self.high is not None
        step = self.step or 1
        whole: tuple[int, ...] = (self.low, self.high) if step == 1 else (self.low, self.high, step)
        return [(0, 0), whole] if self.name in ALSO_ZERO else [whole]


#: 0 means "at once" here, though the range leaves it out (MTS-GAP-20)
ALSO_ZERO = ("REDIALDELAY",)


def _number(
    group: str,
    name: str,
    low: int,
    high: int,
    default: int,
    about: str,
    kind: Kind = Kind.INT,
    step: int | None = 1,
    **more: Any,
) -> Row:
    return Row(name, group, kind, low, high, step, default=default, about=about, **more)


_choice = partial(_number, kind=Kind.ENUM)


def _port(group: str, name: str, default: int, about: str, low: int = 0, **more: Any) -> Row:
    return Row(name, group, Kind.INT, low, 65535, 1, 5, default, about=about, **more)


def _text(group: str, name: str, longest: int | None, about: str, default: str = "", **more: Any) -> Row:
    return Row(name, group, Kind.STRING, longest=longest, default=default, about=about, **more)


def _changed(row: Row, **earlier: Any) -> Row:
    """
    A parameter that was otherwise before 3.02.
    """
    return replace(row, earlier=replace(row, **earlier))


def _address(group: str, name: str, about: str) -> Row:
    return Row(name, group, Kind.IP, default="0.0.0.0", about=about)


def _mail(i: int) -> Iterator[Row]:
    group = f"mail{i}"
    yield Row(f"BODY{i}", group, Kind.MULTILINE, longest=120, about=f"The body of mail {i}.")
    yield _text(group, f"CCREC{i}", 120, f"Who gets a carbon copy of mail {i}.")
    yield _text(group, f"REC{i}", 120, f"Who gets mail {i}.")
    yield Row(
        f"REC{i}ADD",
        group,
        Kind.MULTILINE,
        1,
        RECIPIENTS,
        1,
        120,
        about=f"Enter all who get mail {i}, one a line.",
        since=Generation.V2_10,
    )
    yield _text(group, f"SUBJ{i}", 120, f"The subject of mail {i}.")


#: every parameter, in the order of the displays
ROWS: Sequence[Row] = (
    _choice(
        "physical", "ANSWERMODE", 0, 3, 0, "Ignore calls (0), answer them (1), or call back (2 static, 3 dynamic)."
    ),
    _number("physical", "CALLBACKTIMER", 2, 255, 2, "Seconds from the end of ringing until the call back."),
    _changed(
        _text("physical", "CALLSCREENNUM", 64, "Who may call: nobody (0), everybody (*), or one number.", "0"),
        kind=Kind.PHONE,
        longest=PHONE_NUMBER,
        values=("*",),
    ),
    _number("physical", "REDIALCOUNT", 0, 14, 5, "Further attempts after a call that failed."),
    _number("physical", "REDIALDELAY", 5, 14, 5, "Seconds between the attempts; 0: at once."),
    _number("physical", "PHYTIMEOUT", 1, 255, 15, "Minutes without data after which the connection is ended."),
    _number("physical", "RINGCOUNT", 0, 15, 0, "Rings before the modem does something by itself."),
    _text("physical", "DIALN1", None, "The first telephone number of the provider."),
    _text("physical", "DIALN2", None, "The second telephone number of the provider."),
    _choice("physical", "DIALSELECT", 1, 2, 1, "Which of the two numbers is dialled."),
    _choice("physical", "GPRSMODE", 0, 1, 1, "Connect by GSM (0) or by GPRS (1)."),
    _text("ppp", "ISPUN", 64, "The user name for the provider."),
    _text("ppp", "ISPPW", 64, "The password for the provider."),
    _changed(
        _choice(
            "ppp",
            "PPPMODE",
            1,
            9,
            1,
            "Be client or server as usual (1), the other way round (2), always client (3), always server (4).",
            step=None,
            values=(1, 2, 3, 4, 9),
        ),
        low=0,
        values=(0, 1, 2, 3, 4, 9),
        about="Be a modem without PPP (0); client or server as usual (1), the other way round (2), always client (3), "
        "always server (4).",
    ),
    _address("ppp", "PPPMYIP", "The address of the modem as PPP server."),
    _address("ppp", "PPPPEERIP", "The address that the modem as PPP server gives."),
    _text("ppp", "PPPSERVUN", 64, "The user name that a PPP client must tell."),
    _text("ppp", "PPPSERVPW", 64, "The password that a PPP client must tell."),
    _number("gprs", "GPRSCID", 1, 4, 1, "The context that is used."),
    _text("gprs", "APNPW", 120, "The password for the access point."),
    _text("gprs", "APNSERV", 120, "The name of the access point."),
    _text("gprs", "APNUN", 120, "The user name for the access point."),
    _address("dns", "DNSSERV1", "The first name server; 0.0.0.0: the operator's."),
    _address("dns", "DNSSERV2", "The second name server; 0.0.0.0: the operator's."),
    _text("ftp", "FTPSERV", 120, "The FTP server, by name or address."),
    _port("ftp", "FTPPORT", 21, "The port of the FTP server."),
    _choice(
        *("ftp", "FTPMODE", 0, 1, 0, "Data connections made by the server (0) or by the modem (1)."),
        since=Generation.V3_02,
    ),
    _text("ftp", "FTPUN", 64, "The user name for the FTP server."),
    _text("ftp", "FTPPW", 64, "The password for the FTP server."),
    Row(
        "FTPTYPE",
        "ftp",
        Kind.ENUM,
        longest=1,
        default="I",
        values=("A", "I"),
        about="Text of 7 bits (A) or octets (I).",
        # the revision history adds it to VFTP, and not to the parameters (A: so it was there, and not shown)
        shownSince=Generation.V3_02,
    ),
    _text("ftp", "FTPGETFILENAME", 120, "The file that is fetched."),
    _text("ftp", "FTPGETPATH", 120, "The directory that it is fetched from."),
    _text("ftp", "FTPPUTFILENAME", 120, "The file that is stored."),
    _text("ftp", "FTPPUTPATH", 120, "The directory that it is stored in."),
    _choice("pop3", "POP3HEADERMODE", 0, 1, 1, "Show mails without (0) or with (1) their header."),
    _port("pop3", "POP3PORT", 110, "The port of the POP3 server."),
    _text("pop3", "POP3PW", 64, "The password for the POP3 server."),
    _text("pop3", "POP3SERV", 120, "The POP3 server, by name or address."),
    _text("pop3", "POP3UN", 64, "The user name for the POP3 server."),
    _text("smtp", "DOMAIN", 120, "The domain that the SMTP server is told."),
    _text("smtp", "SENDERADDR", 120, "The address of the sender."),
    _text("smtp", "SENDERNAME", 120, "The name of the sender."),
    _port("smtp", "SMTPPORT", 25, "The port of the SMTP server."),
    _text("smtp", "SMTPPW", 64, "The password for the SMTP server."),
    _text("smtp", "SMTPSERV", 120, "The SMTP server, by name or address."),
    _text("smtp", "SMTPUN", 64, "The user name for the SMTP server."),
    *_mail(1),
    *_mail(2),
    *_mail(3),
    _choice("tcp", "DLEMODE", 0, 1, 1, "Whether ETX ends a TCP session (1) or is data (0).", perSocket=True),
    _text("tcp", "TCPSERV", 120, "The peer, by name or address; 255.255.255.255: any caller.", perSocket=True),
    _port("tcp", "TCPPORT", 0, "The port of the peer, or the one listened on.", perSocket=True),
    _number(
        *("tcp", "TCPTXDELAY", 0, 32760, 100, "Milliseconds for which data are gathered."),
        step=20,
        perSocket=True,
        since=Generation.V3_02,
    ),
    _port("udp", "UDPPORT", 0, "The port of the peer, or the one listened on.", low=1, since=Generation.V2_10),
    _text(
        *("udp", "UDPSERV", 120, "The peer, by name or address; 255.255.255.255: any sender."),
        since=Generation.V2_10,
        shownSince=Generation.V3_02,
    ),
    _number(
        *("udp", "UDPTXDELAY", 0, 32760, 100, "Milliseconds for which data are gathered."),
        step=20,
        since=Generation.V2_10,
    ),
    _number("ping", "PINGDELAY", 1, 255, 1, "Seconds between two echo requests.", since=Generation.V2_10),
    _number("ping", "PINGNUM", 1, 255, 4, "How many echo requests are sent.", since=Generation.V2_10),
    _text("ping", "PINGREMOTE", 120, "Who is asked for an echo, by name or address.", since=Generation.V2_10),
)

BY_NAME = {row.name: row for row in ROWS}


class Number(Int):
    """
    A number; quotes round it are let pass (MTS-PAR-05).
    """

    def __init__(self, name: str, ranges: Sequence[tuple[int, ...]], default: Any, longest: int | None = None) -> None:
        """
        @param longest: digits at most, leading zeros included.
        """
        super().__init__(name, default=default, required=True, ranges=ranges)
        self.longest = longest

    def parse(self, argument: Argument) -> int:
        if self.longest is not None and len(argument.text) > self.longest:
            raise BadValue(argument.text)
        return super().parse(Argument(argument.text))


class Letter(Choice):
    """
    One of a few letters, in any case, with quotes or without; shown bare (MTS-GAP-16).
    """

    def __init__(self, name: str, values: Sequence[str], default: Any) -> None:
        super().__init__(name, values, default=default, required=True)
        self.shownQuoted = False

    def parse(self, argument: Argument) -> str:
        return super().parse(Argument(argument.text.upper(), argument.quoted))


_PART = re.compile(r"[0-9]{1,3}")


class Address(Text):
    """
    An address in dotted form: four numbers up to 255 (MTS-GAP-57).
    """

    def __init__(self, name: str, default: Any) -> None:
        super().__init__(name, 15, default=default, required=True)

    def parse(self, argument: Argument) -> str:
        parts = argument.text.split(".")
        if len(parts) != 4 or not all(_PART.fullmatch(part) and int(part) < 256 for part in parts):
            raise BadValue(argument.text)
        return argument.text


_PHONE = re.compile(r"(\+?[0-9]+)?")


class Phone(Text):
    """
    A telephone number, with or without its plus sign, one of a few other values, or nothing.
    """

    def __init__(self, name: str, longest: int, values: Sequence[str], default: Any) -> None:
        """
        @param values: those that are no numbers.
        """
        super().__init__(name, longest, default=default, required=True)
        self._others = values

    def parse(self, argument: Argument) -> str:
        value = super().parse(argument)
        if value not in self._others and not _PHONE.fullmatch(value):
            raise BadValue(value)
        return value


class Recipients(Text):
    """
    Who gets a mail: one address where it is written, up to ten where they have been entered by lines.
    """

    def __init__(self, name: str, longest: int, default: Any) -> None:
        super().__init__(name, longest, default=default, required=True)

    def holds(self, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        each = value.split(SEPARATOR)
        return len(each) <= RECIPIENTS and all(map(super().holds, each))


class Parameters:
    """
    The values of the parameters, as services see them.

    They don't change while a service runs (MTS-PAR-12), so a service may read them when it needs them.
    """

    __slots__ = ("_settings",)

    def __init__(self, settings: Settings) -> None:
        """
        @param settings: those of the module.
        """
        self._settings = settings

    def __getitem__(self, name: str | tuple[str, int | None]) -> Any:
        """
        The value of a parameter: an C{int} of numbers, else a C{str}, empty where there is none. What the stack doesn't
        have yet is as it is in the factory state of a later one.

        @param name: the mnemonic without its C{#}; with the number of the socket where each has its own.
        @raise KeyError: there is no such parameter.
        """
        mnemonic, socket = (name, None) if isinstance(name, str) else name
        row = BY_NAME[mnemonic]
        return self._settings.value(row.command, socket) if self._settings.has(row.command) else row.default

    def needed(self, name: str | tuple[str, int | None]) -> Any:
        """
        The value of a parameter without which a service can't begin.

        @raise CommandFailed: it is empty, or port 0 (36929; MTS-GAP-36, MTS-GAP-37).
        """
        value = self[name]
        if value in ("", 0):
            raise refuse(BAD_CONFIGURATION)
        return value

    def recipients(self, mail: int) -> list[str]:
        """
        Who gets a mail.

        @param mail: 1 to 3.
        """
        value = str(self[f"REC{mail}"])
        return value.split(SEPARATOR) if value else []
