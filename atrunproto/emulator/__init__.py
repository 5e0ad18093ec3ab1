"""An emulated module: the module sides of the protocols, its memory, and the radio network round it."""
