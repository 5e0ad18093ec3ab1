"""Put a file on an FTP server, mail that it is there, and fetch the mails of a box: all through a Multi-Tech modem."""

from __future__ import annotations

import os
import sys
from email import message_from_bytes, policy
from typing import Any

from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.task import react

from atrunproto.at.peer import ATClient
from atrunproto.ftp.multitechpeer import MultitechFTPClient
from atrunproto.mail.multitechpeer import MultitechMailbox, MultitechMailClient, Sender
from atrunproto.multitech.peer import MultitechClient
from atrunproto.secret import Secret


async def main(reactor: Any, endpoint: str, ftpAt: str, smtpAt: str, popAt: str, user: str, to: str, path: str) -> None:
    """Do it all over one AT port."""
    client = ATClient(reactor, pause=0.02)
    await connectProtocol(clientFromString(reactor, endpoint), client)
    modem = MultitechClient(client)
    await modem.open()
    await modem.configure({"APNSERV": "internet"})
    await modem.register()
    await modem.connect()
    password = Secret(os.environ["MODEM_PASSWORD"])

    server, port = ftpAt.split(":")
    ftp = MultitechFTPClient(modem, server, user, password, int(port))
    name = os.path.basename(path)
    with open(path, "rb") as file:
        octets = await ftp.put(name, file)
    print(f"{octets} octets are on the server")

    server, port = smtpAt.split(":")
    mail = MultitechMailClient(modem, Sender(server, "modem@example.org", port=int(port)))
    await mail.send(to, "New readings", f"{name} is on the server.\n".encode())
    print("the mail is sent")

    server, port = popAt.split(":")
    box = MultitechMailbox(modem, server, user, password, int(port))
    while (fetched := await box.get()) is not None:
        print("a mail says:", message_from_bytes(fetched, policy=policy.default).get_content().strip())

    await modem.disconnect()
    client.close()
    await client.whenLost()


react(main, sys.argv[1:])
