"""Run AT command lines on whatever answers there: python ask.py ENDPOINT LINE..."""

import sys

from twisted.internet import defer, endpoints, task

from atrunproto.at.errors import CommandFailed
from atrunproto.at.peer import ATClient


async def main(reactor, endpoint, *lines):
    client = await endpoints.connectProtocol(endpoints.clientFromString(reactor, endpoint), ATClient(reactor))
    for line in lines:
        try:
            response = await client.execute(line, timeout=10)
        except CommandFailed as error:
            print(line, "->", error.reason)
        else:
            print(line, "->", *response.lines, "OK")
    client.transport.loseConnection()


if __name__ == "__main__":
    task.react(lambda reactor, *words: defer.ensureDeferred(main(reactor, *words)), sys.argv[1:])
