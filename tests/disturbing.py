"""What can happen to any module at any time, for tests that let anything happen in any order."""

from __future__ import annotations

from atrunproto.testing.emulated import MemoryModule

#: how many disturbances there are
KINDS = 7


def disturbed(emulated: MemoryModule, kind: int) -> bool:
    """Let the disturbance of this number happen, 0 to 6; tell whether there is one."""
    module, network = emulated.module, emulated.network
    match kind:
        case 0:
            network.setService(not network.inService)
        case 1:
            module.contexts.lose(1)
        case 2:
            module.sim.remove() if module.sim.inserted else module.sim.insert()
        case 3:
            module.powerOff()
        case 4 | 5:
            module.powerOn()
        case 6:
            module.reboot()
    return kind < KINDS
