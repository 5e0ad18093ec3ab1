"""
The commands of e-mail of a Multi-Tech modem; its parameters are with all others in L{atrunproto.multitech}.

Source: reference guide S000333C, 3; MTS-SMTP, MTS-POP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrunproto.at.commands import CommandTable
from atrunproto.at.online import Online
from atrunproto.at.results import NO_MAIL_MESSAGES, ResultCode
from atrunproto.multitech.commands import STRICT

from .multitech import MultitechMail

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("multitech mail")

#: seconds for name servers, the connection, and a dozen answers of a server that takes its time
_LONGEST = 600.0


@commands.action("#PUTMAIL", longest=_LONGEST, noCarrier=True, source="MTS-SMTP-04 to MTS-SMTP-14", **STRICT)
async def put(at: ATInstance) -> Online:
    """
    Send mail 1 with the body that is typed behind the answer, up to CR LF . CR LF.
    """
    return await at.part(MultitechMail).put()


def _declareSend(mail: int) -> None:
    @commands.action(
        f"#SENDMAIL{mail}",
        longest=_LONGEST,
        about=f"Send mail {mail} with its stored body.",
        source="MTS-SMTP-15 to MTS-SMTP-18",
        **STRICT,
    )
    async def send(at: ATInstance) -> None:
        await at.part(MultitechMail).send(mail)


for _mail in (1, 2, 3):
    _declareSend(_mail)


@commands.action(
    "#GETMAIL",
    longest=_LONGEST,
    noCarrier=True,
    endings=NO_MAIL_MESSAGES,
    source="MTS-POP-05 to MTS-POP-13",
    **STRICT,
)
async def get(at: ATInstance) -> Online | ResultCode:
    """
    Show the first mail of the mailbox, up to CR LF . CR LF, and delete it.
    """
    return await at.part(MultitechMail).get()
