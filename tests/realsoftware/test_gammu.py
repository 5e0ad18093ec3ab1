"""gammu, which drives a phone or modem by AT commands, with the emulated module on the other end."""

from __future__ import annotations

import re
import time

import pytest

from atrunproto.testing.emulated import LiveModule
from tests.realsoftware.gammu import PATIENCE, fields, onPty, run, throughSocat
from tests.support import requireProgram

pytestmark = requireProgram("gammu")


def checkIdentity(found: dict[str, str]) -> None:
    assert (found["Manufacturer"], found["Model"], found["Firmware"], found["IMEI"], found["SIM IMSI"]) == (
        "Telit",
        "HE910 (HE910)",
        "12.00.004",
        "357000000000001",
        "222880000000001",
    )


def test_identifyOnAPty() -> None:
    """gammu finds manufacturer, model, firmware, IMEI and IMSI of a module on a pseudo terminal."""
    with LiveModule("HE910-EUR", {1: "pty:./at1"}):
        checkIdentity(fields(run(onPty("./at1"), "identify")))


@requireProgram("socat")
def test_identifyOverTCP() -> None:
    """gammu finds the same over TCP; socat is between them, and the next gammu finds the port again."""
    with LiveModule() as module:
        checkIdentity(fields(run(throughSocat(module), "identify")))
        checkIdentity(fields(run(throughSocat(module), "identify")))


@requireProgram("socat")
@pytest.mark.parametrize("product", ["HE910-EUR", "GE865-QUAD"])
def test_monitor(product: str) -> None:
    """gammu reads signal, network, cell and GPRS attachment of the module."""
    with LiveModule(product) as module:
        found = fields(run(throughSocat(module), "monitor", "1"))
        assert found["Signal strength"] == "-73 dBm"
        assert (found["Network state"], found["GPRS"]) == ("home network", "attached")
        assert found["Network"] == "222 88 (Wind, Italy), LAC 55FA, CID 1298"
        assert found["Name in phone"] == '"I WIND"'
        module.call(module.network.setService, False)
        found = fields(run(throughSocat(module), "networkinfo"))
        assert (found["Network state"], found["GPRS"]) == ("requesting network", "detached")


@requireProgram("socat")
def test_clock() -> None:
    """gammu sets the module's clock to the computer's, and reads it."""
    with LiveModule() as module:
        run(throughSocat(module), "setdatetime")
        shown = re.search(r"Phone time is (.*)", run(throughSocat(module), "getdatetime"))
        assert shown is not None
        assert abs(time.mktime(time.strptime(shown[1].strip())) - time.time()) < PATIENCE


@requireProgram("socat")
def test_pin() -> None:
    """gammu finds whether the card asks for its PIN."""
    with LiveModule() as module:
        assert "Nothing to enter." in run(throughSocat(module), "getsecuritystatus")
