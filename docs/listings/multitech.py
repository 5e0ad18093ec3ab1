"""Connect a Multi-Tech modem to the Internet, and see whether a host answers."""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.task import react

from atrunproto.at.peer import ATClient
from atrunproto.multitech.peer import MultitechClient
from atrunproto.secret import Secret


async def main(reactor: Any, endpoint: str, apn: str, user: str, host: str) -> None:
    """Do it, and hang up."""
    client = ATClient(reactor, pause=0.02)
    await connectProtocol(clientFromString(reactor, endpoint), client)
    modem = MultitechClient(client)
    modem.onEnd(print)

    await modem.open()
    await modem.configure({"APNSERV": apn, "APNUN": user, "APNPW": Secret(os.environ["APN_PASSWORD"])})
    await modem.register()
    print(f"my address is {await modem.connect()}")
    for echo in await modem.ping(host, count=2):
        print(f"{echo.remote} is silent" if echo.milliseconds is None else f"{echo.remote} answers")
    await modem.disconnect()
    client.close()
    await client.whenLost()


react(main, sys.argv[1:])
