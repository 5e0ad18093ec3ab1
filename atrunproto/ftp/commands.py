"""
The commands of FTP.

Source: reference 8 (S IP Easy User Guide 3.3; P AT Commands Reference Guide Rev. 10).
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar

from atrunproto.at.commands import CommandTable
from atrunproto.at.editing import RawPrompt
from atrunproto.at.errors import CommandFailed
from atrunproto.at.online import Online
from atrunproto.at.parameters import Int, Text
from atrunproto.at.results import CME, NO_CARRIER, ResultCode, refuse
from atrunproto.at.settings import Stored

from .module import FTP, OwnSession
from .transfer import DataConnection, Download, Shown, Typed, Upload

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

    Transfer = TypeVar("Transfer", bound=DataConnection)

commands = CommandTable("ftp")
#: uploads by parts in command mode; not on HE863
parts = CommandTable("ftp parts")
#: uploads of HE863
whole = CommandTable("ftp whole")
#: what xE910-3G has besides
umts = CommandTable("ftp UMTS")

#: octets of a file's name
_LONGEST = 200
_FILE = Text("filename", _LONGEST)
_PORT = 21
#: seconds: the greatest #FTPTO
_SLOW = 500.0

_timeout = commands.setting(
    "#FTPTO",
    Int("tout", 100, 5000, default=100, unit="100 ms"),
    stored=Stored.NEVER,
    shared=True,
    about="How long a server may take for a connection or a reply; the bare name reads it.",
    source="reference 8 (S IP Easy User Guide 3.3); TEL-FTP-01, TEL-FTP-02",
)
commands.replace(_timeout, execute=_timeout.read)


@commands.action(
    "#FTPOPEN",
    Text("server:port", 100),
    Text("username", 100),
    Text("password", 100, secret=True),
    Int("mode", 0, 1, default=0),
    longest=_SLOW,
    source="reference 8 (S IP Easy User Guide 3.3.1); TEL-FTP-03, TEL-FTP-14, TEL-FTP-16",
)
async def openSession(at: ATInstance, server: str, user: str, password: str, mode: int) -> None:
    """
    Connect to a server and log in; data connections are opened by the server (0) or by the module (1).
    """
    host, _, number = server.partition(":")
    if not host or (number and not (number.isdecimal() and number.isascii() and 0 < int(number[:6]) < 65536)):
        raise refuse()
    await at.part(FTP).open(at, host, int(number or _PORT), user, password, bool(mode))


@commands.action("#FTPCLOSE", longest=_SLOW, source="reference 8 (S IP Easy User Guide 3.3.1); TEL-FTP-04")
async def closeSession(at: ATInstance) -> None:
    """
    Take leave of the server.
    """
    try:
        await _session(at).quit()
    except CommandFailed as error:
        if error.reason is not CME[606]:
            raise


def _session(at: ATInstance) -> OwnSession:
    return at.part(FTP).session(at)


@commands.action(
    "#FTPTYPE", Int("type", 0, 1, default=None), longest=_SLOW, source="reference 8; TEL-FTP-05, TEL-FTP-06"
)
async def setType(at: ATInstance, type: int | None) -> str | None:
    """
    Choose binary (0) or ASCII (1) files for this session; without a value, tell.
    """
    session = _session(at)
    if type is None:
        return f"#FTPTYPE: {session.type}"
    await session.setType(type)
    return None


@commands.read("#FTPTYPE")
def readType(at: ATInstance) -> str:
    """
    How files are carried.
    """
    return f"#FTPTYPE: {_session(at).type}"


# -- files that an instance is online with


async def _opened(opening: Awaitable[Transfer]) -> Transfer | None:
    """
    A data connection, or C{None} where it can't be had; that is no error but C{NO CARRIER} (reference 15, row 29).
    """
    try:
        return await opening
    except CommandFailed:
        return None


def _online(at: ATInstance, channel: Shown | Typed) -> Online:
    """
    A transfer on the line; the escape sequence ends it, and is never part of it (TEL-FTP-09).
    """
    guard = at.value("#E2ESC") if "#E2ESC" in at.commands.rows else 0
    return Online(channel, escaped=NO_CARRIER, guard=float(guard) if guard else None, transmitEscape=False)


async def _show(at: ATInstance, text: str) -> Online | ResultCode:
    session = _session(at)
    if session.isBusy:
        raise refuse(CME[601])
    download: Download | None = await _opened(session.retrieve(text))
    return NO_CARRIER if download is None else _online(at, Shown(download))


@commands.action(
    "#FTPGET", _FILE, longest=_SLOW, noCarrier=True, source="reference 8 (S IP Easy User Guide 3.3.4); TEL-FTP-11"
)
async def get(at: ATInstance, name: str) -> Online | ResultCode:
    """
    Show a file of the server.
    """
    return await _show(at, f"RETR {name}")


@commands.action(
    "#FTPLIST", Text("name", _LONGEST, default=""), longest=_SLOW, noCarrier=True, source="reference 8; TEL-FTP-13"
)
async def listFiles(at: ATInstance, name: str) -> Online | ResultCode:
    """
    Show what is in a directory of the server.
    """
    return await _show(at, f"LIST {name}".strip())


async def _store(at: ATInstance, text: str, inCommandMode: bool) -> Online | ResultCode | None:
    session = _session(at)
    if session.isBusy:
        raise refuse(CME[601])
    upload: Upload | None = await _opened(session.store(text))
    if upload is None:
        return NO_CARRIER
    return None if inCommandMode else _online(at, Typed(upload))


async def _put(at: ATInstance, name: str, mode: int = 0) -> Online | ResultCode | None:
    """
    Write a file on the server: what is typed up to the escape sequence.
    """
    return await _store(at, f"STOR {name}", bool(mode))


async def _append(at: ATInstance, name: str, mode: int = 0) -> Online | ResultCode | None:
    """
    Write on at the end of a file on the server.
    """
    return await _store(at, f"APPE {name}", bool(mode))


for _table, _more in ((whole, ()), (parts, (Int("connMode", 0, 1, default=0),))):
    for _text, _handler in (("#FTPPUT", _put), ("#FTPAPP", _append)):
        _table.action(
            _text,
            _FILE,
            *_more,
            longest=_SLOW,
            noCarrier=True,
            source="reference 8 (S IP Easy User Guide 3.3.3); TEL-FTP-07 to TEL-FTP-10",
        )(_handler)


@parts.action(
    "#FTPAPPEXT",
    Int("bytestosend", 1, 1500),
    Int("eof", 0, 1, default=0),
    longest=_SLOW,
    counted=True,
    source="reference 8",
)
async def sendPart(at: ATInstance, count: int, isLast: int) -> str:
    """
    Send a part of the file that #FTPPUT or #FTPAPP has begun in command mode; 1 ends it.
    """
    session = _session(at)
    upload = session.transfer
    if not isinstance(upload, Upload) or upload.isOver:
        raise refuse(CME[601])
    await upload.send(await at.prompt(RawPrompt(count)))
    if isLast:
        upload.finish()
        why = await upload.ended
        if why is not None:
            raise refuse(why)
    elif upload.isOver:
        raise refuse(CME[606])
    return f"#FTPAPPEXT: {count}"


# -- files that are read in command mode


@commands.action("#FTPGETPKT", _FILE, Int("viewMode", 0, 1, default=0), longest=_SLOW, source="reference 8")
async def getByParts(at: ATInstance, name: str, view: int) -> None:
    """
    Begin to fetch a file that #FTPRECV reads, as text (0) or in hexadecimal (1).
    """
    session = _session(at)
    download = await session.retrieve(f"RETR {name}")
    session.view = name, view
    download.gather()


@commands.read("#FTPGETPKT")
def readByParts(at: ATInstance) -> str | None:
    """
    The file, how it is shown, and whether all of it has come.
    """
    session = _session(at)
    if session.view is None or session.transfer is None:
        return None
    name, view = session.view
    return f"#FTPGETPKT: {name},{view},{int(session.transfer.isOver)}"


def _packets(session: OwnSession) -> Download:
    download = session.transfer
    if session.view is None or not isinstance(download, Download) or (download.isOver and not download.pending):
        raise refuse(CME[601])
    return download


@commands.action("#FTPRECV", Int("blocksize", 1, 3000), source="reference 8")
def receive(at: ATInstance, count: int) -> list[str]:
    """
    Read what has come of the file of #FTPGETPKT.
    """
    session = _session(at)
    data = _packets(session).read(count)
    assert session.view is not None
    if not data:
        return ["#FTPRECV: 0"]
    return [f"#FTPRECV: {len(data)}", data.hex().upper() if session.view[1] else data.decode("latin-1")]


@commands.read("#FTPRECV")
def readReceive(at: ATInstance) -> str:
    """
    How many octets can be read now.
    """
    return f"#FTPRECV: {_packets(_session(at)).pending}"


@commands.action("#FTPREST", Int("restartposition", 0, 99999999), source="reference 8")
def setRest(at: ATInstance, position: int) -> None:
    """
    Choose the octet at which the next file that is fetched begins.
    """
    _session(at).rest = position


@commands.read("#FTPREST")
def readRest(at: ATInstance) -> str:
    """
    Where the next file begins.
    """
    return f"#FTPREST: {_session(at).rest}"


# -- the server's directories


@commands.action("#FTPCWD", Text("dirname", _LONGEST), longest=_SLOW, source="reference 8; TEL-FTP-13")
async def changeDirectory(at: ATInstance, name: str) -> None:
    """
    Change the directory on the server.
    """
    await _session(at).ask(f"CWD {name}")


@commands.action("#FTPPWD", longest=_SLOW, source="reference 8 (the form of the answer: assumed)")
async def showDirectory(at: ATInstance) -> str:
    """
    Show the directory on the server, in the server's words.
    """
    session = _session(at)
    await session.ask("PWD")
    return f"#FTPPWD: {session.told}"


@commands.action("#FTPDELE", _FILE, longest=_SLOW, source="reference 8")
async def delete(at: ATInstance, name: str) -> None:
    """
    Delete a file on the server.
    """
    await _session(at).ask(f"DELE {name}")


@commands.action("#FTPFSIZE", _FILE, longest=_SLOW, source="reference 8")
async def showSize(at: ATInstance, name: str) -> str:
    """
    Show how long a file on the server is.
    """
    size = (await _session(at).ask(f"SIZE {name}"))[4:].strip()
    if not (size.isdecimal() and size.isascii()):
        raise refuse(CME[606])
    return f"#FTPFSIZE: {size}"


@commands.action("#FTPMSG", source="reference 8 (the form of the answer: assumed)")
def showMessage(at: ATInstance) -> str:
    """
    Show the server's last reply.
    """
    return f"#FTPMSG: {at.part(FTP).told}"


# -- xE910-3G

umts.setting(
    "#FTPCFG values",
    Int("IPPignoring", 0, 1, default=0),
    stored=Stored.NEVER,
    shared=True,
    about="What #FTPCFG sets besides the timeout.",
    source="reference 8",
)


@umts.action(
    "#FTPCFG",
    Int("tout", 100, 5000, unit="100 ms"),
    Int("IPPignoring", 0, 1),
    Int("FTPSEn", 0, 0, default=0),
    Int("FTPext", 0, 0, default=0),
    source="reference 8",
)
def configure(at: ATInstance, timeout: int, ignoring: int, secure: int, extended: int) -> None:
    """
    Set the timeout, and whether a private address in a passive server's reply gives way to the server's own.
    """
    settings = at.module.settings
    settings.set("#FTPTO", (timeout,))
    settings.set("#FTPCFG values", (ignoring,))


@umts.read("#FTPCFG")
def readConfiguration(at: ATInstance) -> str:
    """
    The timeout, what becomes of a private address, and 0 (the form: assumed).
    """
    settings = at.module.settings
    return f"#FTPCFG: {settings.value('#FTPTO')},{settings.value('#FTPCFG values')},0"
