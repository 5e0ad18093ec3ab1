"""Run command lines on a module by short message, through a modem on any AT port."""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.task import react

from atrunproto.at.errors import CommandFailed
from atrunproto.at.peer import ATClient
from atrunproto.sms.peer import SMSClient
from atrunproto.smsatrun.digest import Password
from atrunproto.smsatrun.peer import SMSRunner


async def main(reactor: Any, endpoint: str, number: str, *lines: str) -> None:
    """Run each line, and print what it comes to."""
    client = ATClient(reactor)
    await connectProtocol(clientFromString(reactor, endpoint), client)
    gateway = SMSClient(client, reactor)
    runner = SMSRunner(gateway, reactor)
    runner.onDiscarded(lambda answer: print(f"discarded, since {answer.why.value}"))
    await gateway.start()

    password = Password(os.environ["SMSATRUN_PASSWORD"])
    for line in lines:
        for caution in runner.cautions(line, password):
            print(f"beware: {caution}")
        try:
            response = await runner.run(number, line, password)
        except CommandFailed as error:
            print(error)
        else:
            print("\n".join([*response.lines, response.result or "(no answer)"]))

    runner.close()
    gateway.close()
    await client.whenLost()


react(main, sys.argv[1:])
