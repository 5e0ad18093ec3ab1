"""A module with a buzzer: one more setting, and one more command."""

from dataclasses import replace

from atrunproto.at.commands import CommandTable
from atrunproto.at.parameters import Int
from atrunproto.at.results import CME, refuse
from atrunproto.at.settings import Stored
from atrunproto.emulator.products import FAMILIES, PRODUCTS, XE910_3G, Product
from atrunproto.testing.emulated import MemoryModule

buzzer = CommandTable("buzzer")

buzzer.setting(
    "#TONE",
    Int("pitch", 100, 4000, default=440, unit="Hz"),
    stored=Stored.NVM,
    shared=True,
    about="The pitch of the buzzer.",
    source="the buzzer's data sheet, 2.1",
)


@buzzer.action("#BUZZ", Int("seconds", 1, 10, default=1, unit="s"), longest=15.0, source="the buzzer's data sheet, 2.2")
async def buzz(at, seconds):
    """
    Sound the buzzer; shrill tones must be short.
    """
    pitch = at.value("#TONE")
    if pitch > 3000 and seconds > 5:
        raise refuse(CME[3])
    await at.takes("#BUZZ")
    return f"#BUZZ: {seconds},{pitch}"


# a product that has it
buzzing = replace(XE910_3G, name="buzzing", tables=(*XE910_3G.tables, buzzer))
FAMILIES[buzzing.name] = buzzing
PRODUCTS["BZ910"] = Product("BZ910", buzzing, "12.00.004", "12.00.xx4")

port = MemoryModule("BZ910").port()
for line in ("AT#TONE=?", "AT#TONE=880;#TONE?", "AT#TONE=99", "AT#BUZZ=3", "AT#BUZZ", "AT#TONE=3200;#BUZZ=6"):
    print(line, "->", *port.execute(line))
