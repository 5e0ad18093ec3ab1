"""The control interface: faults, power and the network, as a caller sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.testing import StringTransport

from atrunproto import __version__
from atrunproto.emulator.configuration import EmulatorConfig, ModuleConfig
from atrunproto.emulator.control import MAX_BODY, Control
from atrunproto.emulator.names import Found
from atrunproto.multitech.errors import GPRS_AUTHENTICATION_FAILED
from atrunproto.secret import Secret
from tests.emulator.controlling import ControlTestCase
from tests.requests import ask

IMEI = "357000000000001"
OTHER = "357000000000002"
#: what makes a context, and brings it back when it is lost
CONTEXT = 'AT+CGDCONT=1,"IP","internet";#SGACT=1,1'
SERVER = 'AT#TCPATRUNCFG=1,2,12345,1024,"";#TCPATRUNL=1'


class ControlTests(ControlTestCase):
    """What callers get, and what becomes of the module."""

    def setUp(self) -> None:
        self.terminal: StringTransport | None = None

    def start(self, *startup: str, timeScale: float = 0, token: Secret | None = None) -> None:
        """Start two modules."""
        config = EmulatorConfig(timeScale=timeScale, module=[ModuleConfig(count=2, startup=list(startup))])
        self.startRack(config, token)

    def show(self) -> Any:
        """Show the first module."""
        return self.done("GET", f"/modules/{IMEI}")

    def answer(self, line: str) -> list[str]:
        """What the first module answers at its first port."""
        if self.terminal is None:
            self.terminal = StringTransport()
            self.port = self.rack.modules[IMEI].portFactory(1).buildProtocol(None)
            self.port.makeConnection(self.terminal)
            self.port.dataReceived(b"ATE0\r")
        self.terminal.clear()
        self.port.dataReceived(line.encode() + b"\r")
        self.settle()
        return [text for text in self.terminal.value().decode().split("\r\n") if text]

    # Reading

    def test_modules(self) -> None:
        """All modules are listed with what they are."""
        self.start()
        listed = self.done("GET", "/modules")["modules"]
        self.assertEqual([module["imei"] for module in listed], [IMEI, OTHER])
        self.assertEqual(
            listed[0],
            {
                "imei": IMEI,
                "product": "HE910-EUR",
                "software": "12.00.004",
                "number": "+390000000001",
                "power": "on",
            },
        )

    def test_module(self) -> None:
        """A module shows power, card, registration, contexts, sockets and services."""
        self.start(CONTEXT, SERVER)
        shown = self.show()
        self.assertEqual(shown["radio"], {"stat": 1, "operator": "I WIND", "attached": True, "rssi": 20, "ber": 0})
        self.assertEqual(shown["sim"], {"inserted": True, "state": "READY"})
        self.assertEqual(shown["contexts"], [{"cid": 1, "address": "127.64.0.1"}])
        self.assertEqual(shown["sockets"], [{"connId": 1, "state": "listening", "sent": 0, "received": 0}])
        self.assertEqual(shown["services"], [{"name": "TCPATRUN", "mode": "server", "state": "listening"}])
        self.assertEqual(shown["reserved"], {"2": "TCPATRUN"})

    def test_unknownModule(self) -> None:
        """A module that isn't there is not found, whatever is wanted of it."""
        self.start()
        for method, path in (("GET", ""), ("POST", "/power"), ("PATCH", "/radio")):
            status, text = self.refused(method, f"/modules/000000000000000{path}", {})
            self.assertEqual((status, text), (404, "there is no module with IMEI 000000000000000"))

    def test_token(self) -> None:
        """With a token nothing but the health is told without it."""
        self.start(token=Secret("s3cret"))
        self.assertEqual(self.refused("GET", "/modules")[0], 401)
        self.assertEqual(ask(self.site, "GET", "/modules", token="s3cret").status, 200)
        self.assertEqual(self.done("GET", "/health"), {"status": "ok", "version": __version__})

    def test_badBodies(self) -> None:
        """A body that is too long, is no JSON, or has a field that isn't known, is refused and changes nothing."""
        self.start()
        path = f"/modules/{IMEI}/radio"
        self.assertEqual(
            self.refused("PATCH", path, b" " * (MAX_BODY + 1)), (413, "the body is longer than 65536 bytes")
        )
        self.assertEqual(self.refused("PATCH", path, b"{")[0], 400)
        self.assertEqual(
            self.refused("PATCH", path, {"rssi": 5, "volume": 3}),
            (400, "Object contains unknown field `volume`"),
        )
        self.assertEqual(self.show()["radio"]["rssi"], 20)

    # Power

    def test_power(self) -> None:
        """A module is cut off and switched on, and stays what it was meanwhile."""
        self.start(timeScale=1)
        self.assertEqual(self.show()["power"], "booting")
        self.reactor.advance(10)
        for what in ("off", "cut"):
            self.assertEqual(self.done("POST", f"/modules/{IMEI}/power", {"do": what})["power"], "off")
            self.assertEqual(self.show()["radio"]["stat"], 0)
            self.assertEqual(self.done("POST", f"/modules/{IMEI}/power", {"do": "on"})["power"], "booting")
            self.reactor.advance(10)
            self.assertEqual(self.show()["power"], "on")

    def test_orderlyPower(self) -> None:
        """Reboot and shutdown take the time that the commands take, and only a module that is on can do them."""
        self.start(timeScale=1)
        path = f"/modules/{IMEI}/power"
        self.assertEqual(
            self.refused("POST", path, {"do": "reboot"}), (409, "the module is booting, so it can't do a reboot")
        )
        self.reactor.advance(10)
        self.assertEqual(self.done("POST", path, {"do": "reboot"})["power"], "on")
        self.reactor.advance(1)
        self.assertEqual(self.show()["power"], "booting")
        self.reactor.advance(10)
        self.assertEqual(self.done("POST", path, {"do": "shutdown"})["power"], "on")
        self.reactor.advance(1)
        self.assertEqual(self.show()["power"], "off")
        self.assertEqual(
            self.refused("POST", path, {"do": "shutdown"}), (409, "the module is off, so it can't do a shutdown")
        )
        self.assertEqual(self.refused("POST", path, {"do": "explode"})[0], 400)

    # Faults

    def test_sim(self) -> None:
        """Without its card a module is off the network; another card may ask for a PIN."""
        self.start(CONTEXT)
        path = f"/modules/{IMEI}/sim"
        removed = self.done("POST", path, {"do": "remove"})
        self.assertEqual((removed["sim"], removed["contexts"]), ({"inserted": False, "state": "absent"}, []))
        self.assertEqual(self.refused("POST", path, {"do": "remove"}), (409, "no card is in the holder"))
        inserted = self.done("POST", path, {"do": "insert", "pin": "1234"})
        self.assertEqual((inserted["sim"]["state"], inserted["radio"]["operator"]), ("SIM PIN", None))
        self.assertEqual(self.refused("POST", path, {"do": "insert"}), (409, "a card is in the holder"))
        self.assertEqual(self.refused("POST", path, {"do": "remove", "pin": "1234"})[0], 400)
        self.assertEqual(self.answer('AT+CPIN="1234"'), ["OK"])
        self.assertEqual(self.show()["radio"]["operator"], "I WIND")

    def test_radio(self) -> None:
        """The signal is what +CSQ tells, and without any the module leaves the network."""
        self.start()
        path = f"/modules/{IMEI}/radio"
        self.assertEqual(self.done("PATCH", path, {"rssi": 7, "ber": 3})["radio"]["stat"], 1)
        self.assertEqual(self.answer("AT+CSQ"), ["+CSQ: 7,3", "OK"])
        self.assertEqual(self.done("PATCH", path, {"rssi": 99})["radio"]["operator"], None)
        self.assertEqual(self.done("PATCH", path, {"rssi": 31})["radio"]["ber"], 3)
        for wrong in ({"rssi": 32}, {"ber": 8}, {"rssi": -1}, {"rssi": "7"}):
            self.assertEqual(self.refused("PATCH", path, wrong)[0], 400)

    def test_loseContext(self) -> None:
        """The network can end a context, which the module does not activate again by itself."""
        self.start(CONTEXT)
        self.assertEqual(self.done("POST", f"/modules/{IMEI}/contexts/1/lose")["contexts"], [])
        self.assertEqual(self.answer("AT#SGACT?")[0], "#SGACT: 1,0")
        self.assertEqual(self.refused("POST", f"/modules/{IMEI}/contexts/1/lose"), (409, "context 1 is not active"))

    def test_lostContextComesBack(self) -> None:
        """With automatic activation a lost context comes back (TEL-CFG-05)."""
        self.start(CONTEXT, "AT#SGACTCFG=1,3")
        self.done("POST", f"/modules/{IMEI}/contexts/1/lose")
        self.assertEqual([context["cid"] for context in self.show()["contexts"]], [1])

    def test_hardware(self) -> None:
        """Pins, converters and the thermometer show what is put on them."""
        self.start()
        self.done("PATCH", f"/modules/{IMEI}/gpio/2", {"level": 1})
        self.assertEqual(self.answer("AT#GPIO=2,2"), ["#GPIO: 0,1", "OK"])
        self.assertEqual(self.done("PATCH", f"/modules/{IMEI}/adc/1", {"millivolts": 1200})["millivolts"], {"1": 1200})
        self.assertEqual(self.answer("AT#ADC=1,2"), ["#ADC: 1200", "OK"])
        self.assertEqual(self.done("PATCH", f"/modules/{IMEI}/temperature", {"celsius": 60})["temperature"], 60)
        self.assertEqual(self.answer("AT#TEMPMON=1"), ["#TEMPMEAS: 1,60", "OK"])
        self.assertEqual(self.refused("PATCH", f"/modules/{IMEI}/gpio/11", {"level": 1})[0], 404)
        self.assertEqual(self.refused("PATCH", f"/modules/{IMEI}/adc/2", {"millivolts": 1})[0], 404)
        self.assertEqual(self.refused("PATCH", f"/modules/{IMEI}/gpio/1", {"level": 2})[0], 400)

    # Network

    def test_service(self) -> None:
        """Coverage can be taken away from all modules, and given back."""
        self.start()
        self.assertIs(self.done("PATCH", "/network", {"inService": False})["inService"], False)
        self.assertEqual(self.answer("AT+CREG?"), ["+CREG: 0,2", "OK"])
        self.assertEqual(self.done("GET", f"/modules/{OTHER}")["radio"]["operator"], None)
        self.done("PATCH", "/network", {"inService": True})
        self.assertEqual(self.answer("AT+CREG?"), ["+CREG: 0,1", "OK"])

    def test_operators(self) -> None:
        """Operators can be replaced; a module stays with one that is left as it is."""
        self.start()
        before = self.rack.modules[IMEI].radio.operator
        same = {"name": "I WIND", "code": "22288"}
        other = {"name": "Elsewhere", "code": "99999", "forbidden": True}
        changed = self.done("PATCH", "/network", {"operators": [same, other]})
        self.assertEqual([each["code"] for each in changed["operators"]], ["22288", "99999"])
        self.assertIs(self.rack.modules[IMEI].radio.operator, before)
        self.done("PATCH", "/network", {"operators": [other]})
        self.assertEqual(self.show()["radio"]["operator"], None)
        self.assertEqual(self.refused("PATCH", "/network", {"operators": []})[0], 400)

    def test_rejects(self) -> None:
        """An access point can be refused, and a host can be given a name."""
        self.start('AT+CGDCONT=1,"IP","bad.apn"')
        changed = self.done("PATCH", "/network", {"rejects": ["bad.apn"], "hosts": {"host.example": "127.0.0.9"}})
        self.assertEqual((changed["rejects"], changed["hosts"]), (["bad.apn"], {"host.example": "127.0.0.9"}))
        self.assertEqual(self.answer("AT#SGACT=1,1"), ["ERROR"])
        self.assertEqual(self.rack.network.lookUp("host.example").result, Found("127.0.0.9"))
        self.assertEqual(self.refused("PATCH", "/network", {"hosts": {"a": "b"}})[0], 400)
        self.assertEqual(self.done("GET", "/network")["hosts"], {"host.example": "127.0.0.9"})

    def test_accessPoints(self) -> None:
        """Access points can want a login, which a context then has to bring; no password is ever shown."""
        self.start('AT+CGDCONT=1,"IP","good.apn"')
        point = {"name": "good.apn", "user": "me", "password": "mine"}
        changed = self.done("PATCH", "/network", {"accessPoints": [point], "givesNameservers": False})
        self.assertEqual(changed["accessPoints"], [{"name": "good.apn", "user": "me", "seconds": 0.0}])
        self.assertIs(changed["givesNameservers"], False)
        self.assertEqual(self.answer("AT#SGACT=1,1"), ["ERROR"])
        self.assertEqual(self.answer('AT#SGACT=1,1,"me","his"'), ["ERROR"])
        self.assertEqual(self.answer('AT#SGACT=1,1,"me","mine"')[-1], "OK")
        self.assertEqual(self.refused("PATCH", "/network", {"accessPoints": [{"name": ""}]})[0], 400)

    def test_refusal(self) -> None:
        """The connections of Multi-Tech's stack can be made to fail by a number."""
        self.start()
        self.assertEqual(self.done("GET", "/network")["refusal"], 0)
        self.assertEqual(self.done("PATCH", "/network", {"refusal": 49156})["refusal"], 49156)
        self.assertEqual(self.rack.network.refusal, GPRS_AUTHENTICATION_FAILED)
        self.assertEqual(self.done("PATCH", "/network", {"refusal": 0})["refusal"], 0)
        self.assertIsNone(self.rack.network.refusal)
        self.assertEqual(self.refused("PATCH", "/network", {"refusal": 1})[0], 400)
        self.assertIs(self.done("PATCH", "/network", {"releaseFails": True})["releaseFails"], True)
        self.assertIs(self.rack.network.releaseFails, True)

    # Manual

    def test_manual(self) -> None:
        """Every route is in the manual."""
        self.start()
        manual = (Path(__file__).parents[2] / "docs" / "reference" / "module.md").read_text("utf-8")
        names = {"([0-9]{15})": "IMEI", "([0-5])": "CID", "([0-9]{1,2})": "N", "([0-9])": "N"}
        for method, pattern in Control(self.rack, None).resource.table:
            for group, name in names.items():
                pattern = pattern.replace(group, name)
            self.assertIn(f"\n`{method} {pattern}`", manual)
