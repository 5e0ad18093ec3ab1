"""The remote mobile of a dialogue: a second module in the network of the first one."""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from atrunproto.testing.replaying.report import Status
from atrunproto.testing.replaying.run import replay
from atrunproto.testing.replaying.surroundings import EmulatedSurroundings

HEADER = """# Mobile
# product: HE910 family
# topic: sample
# ports: at1, at2, sms
# @world number module +393468686711
# @world number mobile +393401112233
# @world smsc +393492000466
# @given sms AT+CMEE=0

"""


class MobileTests(TestCase):
    """Dialogues with a mobile."""

    async def passes(self, body: str) -> None:
        """The dialogue passes."""
        Path("mobile.txt").write_text(HEADER + body)
        result = await replay(reactor, "mobile.txt", EmulatedSurroundings)
        assert result.status is Status.PASS, f"{result} {result.context}"

    async def test_numbers(self) -> None:
        """Module and mobile have the numbers that the header says, each at its own port."""
        await self.passes(
            "PORT at1\n> AT+CNUM\n<? .*393468686711.*\n< OK\nPORT at2\n> AT\n< OK\n"
            "PORT sms\n> AT+CNUM\n<? .*393401112233.*\n< OK\n> AT+GMM\n< GE865\n< OK\n"
        )
