"""
The displays of the parameters: which lines, in which order. They differ as the guide prints them (MTS-GAP-73).

They are those of stack 3.02; earlier ones leave out what they don't have or don't show.
Source: reference guide S000333C; MTS-DISP-01 to MTS-DISP-17, MTS-OPEN-08.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from atrunproto.at.settings import Settings

from .generations import Generation
from .parameters import BY_NAME, SOCKETS

if TYPE_CHECKING:
    from atrunproto.at.commands import Command

#: each display of one group, by its command, with its parameters
DISPLAYS: Mapping[str, Sequence[str]] = {
    "#VPHY": (
        *("ANSWERMODE", "CALLBACKTIMER", "CALLSCREENNUM", "DIALN1", "DIALN2", "DIALSELECT"),
        *("GPRSMODE", "PHYTIMEOUT", "REDIALCOUNT", "REDIALDELAY", "RINGCOUNT"),
    ),
    "#VPPP": ("ISPUN", "ISPPW", "PPPMODE", "PPPMYIP", "PPPPEERIP", "PPPSERVUN", "PPPSERVPW"),
    "#VGPRS": ("GPRSCID", "APNPW", "APNSERV", "APNUN"),
    "#VDNS": ("DNSSERV1", "DNSSERV2"),
    "#VFTP": (
        *("FTPGETFILENAME", "FTPGETPATH", "FTPMODE", "FTPPORT", "FTPPUTFILENAME", "FTPPUTPATH"),
        *("FTPPW", "FTPSERV", "FTPTYPE", "FTPUN"),
    ),
    "#VPOP3": ("POP3HEADERMODE", "POP3PORT", "POP3PW", "POP3SERV", "POP3UN"),
    "#VSMTP": ("DOMAIN", "SENDERADDR", "SENDERNAME", "SMTPPORT", "SMTPPW", "SMTPSERV", "SMTPUN"),
    **{f"#VMAIL{i}": (f"REC{i}", f"CCREC{i}", f"SUBJ{i}") for i in (1, 2, 3)},
    "#VUDP": ("UDPSERV", "UDPPORT", "UDPTXDELAY"),
    "#VPING": ("PINGDELAY", "PINGNUM", "PINGREMOTE"),
}
#: what AT#VTCP=<id> shows of one socket
SOCKET = ("DLEMODE", "TCPSERV", "TCPPORT", "TCPTXDELAY")

#: the blocks of AT#VALL; of a socket with its number
BLOCKS: Sequence[tuple[Sequence[str], int | None]] = (
    (DISPLAYS["#VPHY"], None),
    (DISPLAYS["#VPPP"], None),
    (DISPLAYS["#VGPRS"], None),
    (DISPLAYS["#VDNS"], None),
    (
        (
            *("FTPSERV", "FTPPORT", "FTPMODE", "FTPUN", "FTPPW", "FTPTYPE"),
            *("FTPGETFILENAME", "FTPGETPATH", "FTPPUTFILENAME", "FTPPUTPATH"),
        ),
        None,
    ),
    (DISPLAYS["#VPOP3"], None),
    (DISPLAYS["#VSMTP"], None),
    *(((f"BODY{i}", f"CCREC{i}", f"REC{i}", f"SUBJ{i}"), None) for i in (1, 2, 3)),
    (SOCKET, 1),
    (SOCKET, 2),
    (("UDPPORT", "UDPSERV", "UDPTXDELAY"), None),
    (DISPLAYS["#VPING"], None),
)


def shown(names: Sequence[str], generation: Generation) -> Sequence[str]:
    """
    Those of the parameters of a display that a stack shows.
    """
    return [name for name in names if BY_NAME[name].isShown(generation)]


def lines(
    rows: Mapping[str, Command], settings: Settings, names: Sequence[str], socket: int | None = None
) -> list[str]:
    """
    The lines of one display.

    @param rows: the commands of the product.
    @param names: the parameters, without their C{#}.
    """
    commands = [f"#{name}" for name in names]
    return [rows[name].show(settings.get(name, socket), socket) for name in commands]


def blocks(generation: Generation) -> Iterator[tuple[Sequence[str], int | None]]:
    """
    The blocks of AT#VALL; of a socket with its number, where it has one.
    """
    for names, socket in BLOCKS:
        present = shown(names, generation)
        if generation.numbersSockets:
            yield present, socket
        elif present and socket in (None, SOCKETS[0]):
            yield present, None


def whole(generation: Generation, block: Callable[[Sequence[str], int | None], Sequence[str]]) -> list[str]:
    """
    The lines of AT#VALL: the banner, then the blocks with an empty line between them (MTS-GAP-19).
    """
    told = [generation.banner]
    for number, (names, socket) in enumerate(blocks(generation)):
        told += ["", *block(names, socket)] if number else block(names, socket)
    return told
