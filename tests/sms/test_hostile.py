"""Nothing that is typed, and nothing that comes, brings the short messages of a module down."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from atrunproto.sms.centre import Receipt
from atrunproto.sms.errors import SMSError
from atrunproto.sms.fields import Address
from atrunproto.sms.module import ShortMessages
from atrunproto.sms.tpdu import Deliver, StatusReport, decode
from atrunproto.testing.emulated import MemoryModule

from .mobiles import OUTSIDE, deliver, inText, module

#: what doesn't end or edit the data of a prompt
DATA = st.binary(max_size=200).map(lambda data: re.sub(rb"[\x08\x1a\x1b]", b"", data))
DIGITS = st.binary(max_size=180).map(lambda data: data.hex().encode())
ANSWER = re.compile(rb"(\+CMG[SW]: \d+\r\n\r\nOK|\+CMS ERROR: 3\d\d)\r\n$")


def answered(emulated: MemoryModule, line: str, data: bytes) -> bytes:
    """Give a command, and its data if it asks for any; what comes last."""
    at = emulated.port()
    heard = at.say(line.encode("latin-1") + b"\r")
    if heard.endswith(b"> "):
        heard = at.say(data + b"\x1a")
    emulated.module.part(ShortMessages).store().remove(*(index for index, _ in list(stored(emulated))))
    return heard


def stored(emulated: MemoryModule) -> list[tuple[int, object]]:
    """What the SIM card has."""
    return list(emulated.module.part(ShortMessages).store())


@given(
    st.sampled_from(["+CMGS", "+CMGW"]),
    st.sampled_from(["GSM", "IRA", "8859-1", "PCCP437", "UCS2"]),
    st.sampled_from([1, 17, 33, 49, 81, 241]),
    st.integers(0, 255),
    DATA | DIGITS,
)
@settings(deadline=None, max_examples=150)
def test_anyText(command: str, characters: str, first: int, dcs: int, data: bytes) -> None:
    """Whatever is typed as a text, under any coding and character set, is sent, written, or refused with its number."""
    emulated = module()
    inText(emulated, f"AT+CSMP={first},167,0,{dcs}", f'AT+CSCS="{characters}"')
    number = OUTSIDE.encode("utf-16-be").hex() if characters == "UCS2" else OUTSIDE
    assert ANSWER.search(answered(emulated, f'AT{command}="{number}"', data))


@given(st.sampled_from(["+CMGS", "+CMGW"]), st.integers(7, 164), DATA | DIGITS)
@settings(deadline=None, max_examples=150)
def test_anyUnit(command: str, length: int, data: bytes) -> None:
    """Whatever is typed in PDU mode is sent, written, or refused with its number."""
    emulated = module()
    assert ANSWER.search(answered(emulated, f"AT{command}={length}", data))


@given(st.binary(max_size=180) | st.binary(max_size=150).map(lambda rest: deliver().encode()[:10] + rest))
@settings(deadline=None, max_examples=150)
def test_anyDelivery(octets: bytes) -> None:
    """Whatever message the network brings is taken, and can be listed in both modes."""
    try:
        unit = decode(octets)
    except SMSError:
        return
    if not isinstance(unit, Deliver | StatusReport):
        return
    emulated = module()
    at = inText(emulated, "AT+CSDH=1", "AT+CNMI=2,1,0,2,0")
    messages = emulated.module.part(ShortMessages)
    assert messages.receiveMessage(Address.parse(OUTSIDE), unit) is Receipt.TAKEN
    at.heard()
    for mode, every in (("1", '"ALL"'), ("0", "4")):
        assert at.execute(f"AT+CMGF={mode}") == ["OK"]
        assert at.execute(f"AT+CMGL={every}")[-1] == "OK"
        assert at.execute("AT+CMGR=1")[-1] == "OK"
