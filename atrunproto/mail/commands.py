"""
The commands of e-mail.

Source: reference 9. There is no #ESENDEXT in the documents: it is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrunproto.at.commands import CommandTable
from atrunproto.at.editing import TextPrompt
from atrunproto.at.errors import Abandoned
from atrunproto.at.online import Online
from atrunproto.at.parameters import Int, Text
from atrunproto.at.results import CME, PLAIN_ERROR, refuse
from atrunproto.at.settings import Stored

from .letter import Attachment
from .module import CONTEXT, SHORT, Mail

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("mail")

#: characters of a setting (A)
_LONGEST = 100
#: characters of an argument that is cut: more than a command line has
_LINE = 400
#: octets of a body
_SHORT_BODY, _LONG_BODY = 1024, 1500
#: the software since which #EMAILD takes the longer body
_LONG_BODY_SINCE = "10.0x.xx3"
#: seconds for an activation and for all that a server may take its time for
_LONGEST_TIME = 600.0

_SETTINGS = ("#ESMTP", "#EADDR", "#EUSER", "#EPASSW")


def _text(name: str, parameter: Text, about: str, **facts: object) -> None:
    commands.setting(
        name, parameter, stored=Stored.DEMAND, shared=True, about=about, source="reference 9 (P R10)", **facts
    )
    commands.test(name)(lambda at: f"{name}: {parameter.longest}")


_text("#ESMTP", Text("smtp", _LONGEST, default=""), "The SMTP server; host:port where its port isn't 25 (A).")
_text("#EADDR", Text("e-addr", _LONGEST, default=""), "The address of the sender.")
_text("#EUSER", Text("e-user", _LONGEST, default=""), "The user for the login at the server; empty: no login.")
_text(
    "#EPASSW",
    Text("e-pwd", _LONGEST, default="", secret=True),
    "The password for the login at the server; it can't be read.",
    read=None,
)


@commands.action("#ESAV", source="reference 9 (P R10)")
def save(at: ATInstance) -> None:
    """
    Store server, address, user and password in the NVM.
    """
    for name in _SETTINGS:
        at.module.settings.save(name)


@commands.action("#ERST", source="reference 9 (P R10)")
def reset(at: ATInstance) -> None:
    """
    Reset server, address, user and password, in the NVM too.
    """
    for name in _SETTINGS:
        at.module.settings.remove(name, None)
        at.module.settings.save(name)


async def _body(at: ATInstance, limit: int) -> bytes | None:
    """
    The body typed at a prompt; C{None}: the user gave up.
    """
    try:
        return await at.prompt(TextPrompt(limit))
    except Abandoned:
        return None


def _ready(at: ATInstance, recipient: str) -> Mail:
    """
    E-mail, where the context is up and a message can be sent.
    """
    mail = at.part(Mail)
    if not mail.isOpen:
        raise refuse(CME[556])
    mail.check(recipient)
    return mail


_DA, _SUBJ = Text("da", _LINE), Text("subj", _LINE)


@commands.action("#SEMAIL", _DA, _SUBJ, longest=_LONGEST_TIME, source="reference 9 (P R10)")
async def sendAlone(at: ATInstance, recipient: str, subject: str) -> None:
    """
    Open context 1, send the message typed at the prompt, and close the context.
    """
    recipient, subject = recipient[:SHORT], subject[:SHORT]
    mail = at.part(Mail)
    if mail.isOpen:
        # somebody else's, who would lose it (A)
        raise refuse(CME[553])
    mail.check(recipient)
    body = await _body(at, _SHORT_BODY)
    if body is None:
        return
    await mail.surroundings.activateContext(at, CONTEXT)
    try:
        await mail.send(mail.letter(recipient, subject, body))
    finally:
        mail.surroundings.deactivateContext(CONTEXT)


@commands.action("#EMAILD", _DA, _SUBJ, longest=_LONGEST_TIME, source="reference 9 (P R10)")
async def sendOpen(at: ATInstance, recipient: str, subject: str) -> None:
    """
    Send the message typed at the prompt; context 1 must be up, and stays up.
    """
    recipient, subject = recipient[:SHORT], subject[:SHORT]
    mail = _ready(at, recipient)
    body = await _body(at, _longBody(mail))
    if body is not None:
        await mail.send(mail.letter(recipient, subject, body))


def _longBody(mail: Mail) -> int:
    return _LONG_BODY if mail.surroundings.softwareReaches(_LONG_BODY_SINCE) else _SHORT_BODY


#: <att>: none, text as it is, any data in base64
_NONE, _AS_TEXT, _AS_DATA = 0, 1, 2


@commands.action(
    "#SMTPCL",
    _DA,
    _SUBJ,
    Int("att", 0, 2),
    Text("filename", 50, default="attachment"),
    Int("encod", 0, 1, default=None),
    longest=_LONGEST_TIME,
    noCarrier=True,
    source="reference 9 (P R10)",
)
async def sendAttaching(
    at: ATInstance, recipient: str, subject: str, kind: int, filename: str, encoding: int | None
) -> Online | None:
    """
    Send the message typed at the prompt, then online an attachment up to the escape sequence; context 1 must be up.
    """
    if kind != _NONE and encoding is not None and encoding != kind - _AS_TEXT:
        raise refuse()
    recipient, subject = recipient[:SHORT], subject[:SHORT]
    mail = _ready(at, recipient)
    body = await _body(at, _longBody(mail))
    if body is None:
        return None
    if kind == _NONE:
        await mail.send(mail.letter(recipient, subject, body))
        return None
    return await mail.begin(mail.letter(recipient, subject, body, Attachment(filename, kind == _AS_TEXT)))


@commands.action("#EMAILMSG", longest=2 * 60.0, source="reference 9 (P R10)")
async def lastReply(at: ATInstance) -> str:
    """
    What the server said last, once the message that is on its way is over (the waiting: assumed).
    """
    mail = at.part(Mail)
    await mail.settled()
    return f"#EMAILMSG: {mail.lastReply}"


@commands.action(
    "#EMAILACT", Int("mode", 0, 1, default=None), needsValue=True, longest=150.0, source="reference 9 (P R10)"
)
async def openContext(at: ATInstance, mode: int | None) -> None:
    """
    Open context 1 for e-mail, or close it if this command has opened it.
    """
    if mode is None:
        return
    mail = at.part(Mail)
    if mode:
        await mail.surroundings.activateContext(at, CONTEXT)
        mail.hasOpened = True
    elif mail.isOpen:
        if not mail.hasOpened:
            # opened by #GPRS, or otherwise
            raise refuse(PLAIN_ERROR)
        mail.surroundings.deactivateContext(CONTEXT)


@commands.read("#EMAILACT")
def readContext(at: ATInstance) -> str:
    """
    Whether context 1 is up.
    """
    return f"#EMAILACT: {int(at.part(Mail).isOpen)}"
