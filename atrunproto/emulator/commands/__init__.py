"""The AT command tables of the emulated module that belong to no protocol package."""
