"""Put a file on an FTP server, and mail the server's listing: both through a modem."""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.task import react

from atrunproto.at.peer import ATClient
from atrunproto.ftp.peer import FTPClient
from atrunproto.ipeasy.peercontexts import Context, bringUp
from atrunproto.mail.peer import Account, Attachment, MailClient
from atrunproto.secret import Secret


async def main(reactor: Any, endpoint: str, ftpServer: str, user: str, mailServer: str, to: str, path: str) -> None:
    """Do it all over one AT port."""
    client = ATClient(reactor)
    await connectProtocol(clientFromString(reactor, endpoint), client)
    await client.execute("AT+CMEE=1")
    await bringUp(client, Context("internet"))

    ftp = FTPClient(client)
    host, port = ftpServer.split(":")
    await ftp.open(host, user, Secret(os.environ["FTP_PASSWORD"]), int(port))
    with open(path, "rb") as file:
        octets = await ftp.put(os.path.basename(path), file)
    listing = "\r\n".join(await ftp.list())
    await ftp.close()
    print(f"{octets} octets are on the server")

    mail = MailClient(client)
    await mail.configure(Account(mailServer, "modem@example.org"))
    attachment = Attachment(listing.encode("utf-8"), "listing.txt", isText=True)
    await mail.sendWith(to, "What is on the server", b"See the attachment.", attachment)
    print("the message is sent")
    client.close()
    await client.whenLost()


react(main, sys.argv[1:])
