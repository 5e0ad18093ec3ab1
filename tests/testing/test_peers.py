"""The peers of a dialogue: who is called when, over TCP and UDP, and where they wait."""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from atrunproto.testing.replaying.report import Result, Status
from atrunproto.testing.replaying.run import replay
from atrunproto.testing.replaying.surroundings import EmulatedSurroundings

HEADER = """# Peers
# product: {product}
# topic: sample
# ports: at1, sock, sock2
# @world peer sock 88.37.127.146:7007
# @world peer sock2 88.37.127.146:7007
# @world echo 88.37.127.147:7
# @given at1 AT+CGDCONT=1,"IP","internet"
# @given at1 AT#SGACT=1,1
# @given at1 AT#FRWL=1,"0.0.0.0","0.0.0.0"

"""


async def played(body: str, product: str = "HE863 family") -> Result:
    """The result of a dialogue with two peers at one address, and an echo."""
    Path("peers.txt").write_text(HEADER.format(product=product) + body)
    return await replay(reactor, "peers.txt", EmulatedSurroundings)


class PeerTests(TestCase):
    """Dialogues with an emulated module, on real sockets."""

    async def passes(self, body: str, product: str = "HE863 family") -> None:
        """The dialogue passes."""
        result = await played(body, product)
        assert result.status is Status.PASS, f"{result} {result.context}"

    async def test_datagrams(self) -> None:
        """A peer takes datagrams without being told so; the second address of the module talks to the second peer."""
        await self.passes(
            'PORT at1\n> AT#SD=1,1,7007,"88.37.127.146",0,0,1\n< OK\n> AT#SD=2,1,7007,"88.37.127.146",0,0,1\n< OK\n'
            "> AT#SEND=2\n< >\n>| two<CTRL-Z>\n< OK\n> AT#SEND=1\n< >\n>| one<CTRL-Z>\n< OK\n"
            "PORT sock\n< two\n>| to two\nPORT at1\n< SRING: 2\nPORT sock2\n< one\n>| to one\nPORT at1\n< SRING: 1\n"
        )

    async def test_echoOfBoth(self) -> None:
        """An echo returns what comes over TCP and what comes over UDP."""
        for protocol in (0, 1):
            await self.passes(
                f'PORT at1\n> AT#SD=1,{protocol},7,"88.37.127.147",0,0,1\n< OK\n> AT#SEND=1\n< >\n>| hello<CTRL-Z>\n'
                "< OK\n< SRING: 1\n> AT#SRECV=1,9\n< #SRECV: 1,5\n< hello\n< OK\n"
            )

    async def test_orderOfConnections(self) -> None:
        """Of equal peers the one whom nobody has called comes before the one who is free again."""
        dial = '> AT#SD={0},0,7007,"88.37.127.146",0,0,1\n< OK\n'
        hello = "PORT {0}\n>| hello\nPORT at1\n< SRING: {1}\n"
        await self.passes(
            f"PORT at1\n{dial.format(1)}# @close sock\n< NO CARRIER\n{dial.format(2)}{dial.format(3)}"
            f"{hello.format('sock2', 2)}{hello.format('sock', 3)}"
        )

    async def test_waitingAgain(self) -> None:
        """Who has stopped listening is called in vain, alone of those at its address, until he listens again."""
        dial = '> AT#SD=1,0,7007,"88.37.127.146",0,0,1\n'
        await self.passes(f"# @unlisten sock\nPORT at1\n{dial}< OK\n# @accept sock2\n")
        nobody = f"# @unlisten sock\n# @unlisten sock2\nPORT at1\n{dial}< ERROR\n"
        await self.passes(f"{nobody}# @listen sock\n{dial}< OK\n# @accept sock\n")

    async def test_unansweredDatagram(self) -> None:
        """A datagram that nobody answers counts as dropped, and one that is answered doesn't."""
        listening = "PORT at1\n> AT#SLUDP=1,1,6000\n< OK\n"
        first = "# @connect sock port 6000 udp\nPORT sock\n>| hello\n"
        answer = "PORT at1\n< SRING: 1\n> AT#SA=1\n< CONNECT\n< hello\n>| hello<CR><LF>\n# @wait 6\n"
        await self.passes(f"{listening}{first}# @dropped sock\n")
        result = await played(f"{listening}{first}{answer}# @dropped sock\n")
        assert result.status is Status.FAIL
        assert result.what == "the attempt on sock was answered"

    async def test_withoutPortNumber(self) -> None:
        """Without a port number a peer finds the socket that listens; without such a socket there is no replay."""
        await self.passes("PORT at1\n> AT#SL=4,1,6000\n< ERROR\n> AT#SL=2,1,6000\n< OK\n# @connect sock\n< SRING: 2\n")
        result = await played("# @connect sock\n")
        assert result.status is Status.UNSUPPORTED
        assert "no socket listens" in result.what

    async def test_untilItListens(self) -> None:
        """A peer with a time limit tries until the module listens, and one without is refused."""
        service = (
            '> AT#TCPATRUNFRWL=1,"0.0.0.0","0.0.0.0"\n< OK\n> AT#TCPATRUNAUTH=1,"user","password"\n< OK\n'
            '> AT#TCPATRUNCFG=1,2,1024,1024,"",0,5,1\n< OK\n> AT#SGACTCFG=1,1,180\n< OK\n> AT#TCPATRUNL=1\n< OK\n'
        )
        lost = f"PORT at1\n{service}# @network deactivate 1\n"
        login = "PORT tcp\n< Username:\n"
        await self.passes(f"{lost}# @within 300\n# @connect tcp\n{login}", "HE910 family")
        result = await played(f"{lost}# @connect tcp\n{login}", "HE910 family")
        assert result.status is Status.FAIL

    async def test_startedAgain(self) -> None:
        """After a restart the dialogue goes on when the contexts that come back by themselves are there."""
        await self.passes(
            "PORT at1\n> AT#SGACTCFG=1,1\n< OK\n> AT#REBOOT\n< OK\n# @reboot\n> AT#SGACT?\n< #SGACT: 1,1\n< OK\n"
        )
