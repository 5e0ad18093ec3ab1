"""A thermometer that answers AT commands: python thermometer.py ENDPOINT"""

import sys

from twisted.internet import defer, endpoints, protocol, task

from atrunproto.at import basic
from atrunproto.at.commands import CommandSet, CommandTable
from atrunproto.at.module import ATInstance
from atrunproto.at.parameters import Int
from atrunproto.at.results import CME, TELIT, refuse
from atrunproto.at.settings import Settings

thermometer = CommandTable("thermometer")
thermometer.setting("#UNIT", Int("unit", 0, 1, default=0))


@thermometer.action("#TEMP", Int("sensor", 1, 2, default=1))
def temperature(at, sensor):
    """Measure with one of the two sensors."""
    if sensor == 2:
        raise refuse(CME[22])
    celsius = at.part(Sensor).celsius
    return f"#TEMP: {celsius if at.value('#UNIT') == 0 else celsius * 9 // 5 + 32}"


class Sensor:
    """The one sensor that is plugged in."""

    celsius = 21


class Device:
    """What stands round the AT instances: here one sensor, and a memory that lasts as long as the program."""

    def __init__(self, clock):
        self.clock = clock
        self.commands = CommandSet(TELIT, [basic.commands, thermometer])
        self.memory = self
        self.settings = Settings(self.commands.rows, self)
        self._kept, self._sensor = {}, Sensor()

    def get(self, name):
        return self._kept.get(name)

    def put(self, name, value):
        self._kept[name] = value

    def part(self, kind):
        return self._sensor

    def duration(self, name):
        return 0.0

    def dataCall(self, apartFrom):
        return False

    def isTied(self, cid):
        return False

    def limit(self, name):
        return 0

    def identify(self, what):
        return "thermometer"


class Lines(protocol.Factory):
    """Gives each caller an AT instance of his own."""

    def __init__(self, device):
        self.device = device

    def buildProtocol(self, addr):
        return ATInstance(1, self.device.commands, self.device)


async def main(reactor, endpoint):
    await endpoints.serverFromString(reactor, endpoint).listen(Lines(Device(reactor)))
    print("listening at", endpoint, flush=True)
    await defer.Deferred()


if __name__ == "__main__":
    task.react(lambda reactor, *words: defer.ensureDeferred(main(reactor, *words)), sys.argv[1:])
