"""
What a Multi-Tech modem says about a mail before its body: to the server, and in the header.

Source: reference guide S000333C, 3; MTS-MAIL-01 to MTS-MAIL-09, MTS-SMTP-04, MTS-SMTP-15.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atrunproto.at.results import refuse
from atrunproto.multitech.errors import COPY_REJECTED, RECIPIENT_REJECTED, SENDER_REJECTED
from atrunproto.multitech.parameters import Parameters

from .letter import isAddress


@dataclass(frozen=True, slots=True)
class Envelope:
    """
    Who sends a mail, and who gets it.

    @ivar domain: what the server is told that the modem is.
    @ivar name: of the sender; empty: the address says enough.
    @ivar copies: who gets a carbon copy.
    """

    domain: str
    sender: str
    name: str
    recipients: Sequence[str]
    copies: Sequence[str]
    subject: str

    def head(self) -> bytes:
        """
        The header, with the empty line behind it; the modem writes neither date nor number of the mail (A).
        """
        name = self.name.replace("\\", "\\\\").replace('"', '\\"')
        lines = [f'From: "{name}" <{self.sender}>' if name else f"From: {self.sender}"]
        lines.append(f"To: {', '.join(self.recipients)}")
        lines += [f"Cc: {', '.join(self.copies)}"] if self.copies else []
        lines += [f"Subject: {self.subject}", "", ""]
        return "\r\n".join(lines).encode("latin-1")


def envelopeOf(parameters: Parameters, mail: int) -> Envelope:
    """
    The envelope of one of the three mails, from the parameters.

    @param mail: 1 to 3.
    @raise CommandFailed: sender, domain or recipient is missing (36929), or is no address that SMTP can say (38028 to
        38030; which one: assumed).
    """
    domain, sender = parameters.needed("DOMAIN"), parameters.needed("SENDERADDR")
    parameters.needed(f"REC{mail}")
    recipients, copy = parameters.recipients(mail), parameters[f"CCREC{mail}"]
    copies = [copy] if copy else []
    for addresses, reason in (
        ([sender], SENDER_REJECTED),
        (recipients, RECIPIENT_REJECTED),
        (copies, COPY_REJECTED),
    ):
        if not all(map(isAddress, addresses)):
            raise refuse(reason)
    return Envelope(domain, sender, parameters["SENDERNAME"], recipients, copies, parameters[f"SUBJ{mail}"])
