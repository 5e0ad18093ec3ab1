"""A service centre between two phones of our own; time goes on when we say so: python service_centre.py"""

from random import Random

from twisted.internet.task import Clock

from atrunproto.sms.centre import Faults, Receipt, ServiceCentre
from atrunproto.sms.fields import Address
from atrunproto.sms.tpdu import Deliver, Submit
from atrunproto.sms.userdata import UserData


class Phone:
    """A phone that shows what it gets, as long as it is on."""

    def __init__(self, number):
        self.number = number
        self.isOn = True

    def receiveMessage(self, centre, unit):
        """Called by the service centre."""
        if not self.isOn:
            return Receipt.ABSENT
        what = unit.userData.text() if isinstance(unit, Deliver) else f"message {unit.reference}: status {unit.status}"
        print(f"{clock.seconds():g} s, {self.number} has {what!r}")
        return Receipt.TAKEN


clock = Clock()
anna, bert = Phone("+390001"), Phone("+390002")
phones = {phone.number: phone for phone in (anna, bert)}
centre = ServiceCentre(clock, phones.get, faults=Faults(delay=5, duplicate=0.5), random=Random(7))

bert.isOn = False
for number, text in enumerate(("one", "two", "three"), 1):
    centre.submit(anna.number, Submit(Address.parse(bert.number), UserData.of(text), number, wantsReport=number == 3))
clock.advance(60)
bert.isOn = True
centre.reachable(bert.number)
clock.advance(0)
clock.advance(5)
