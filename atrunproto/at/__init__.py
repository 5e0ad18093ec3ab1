"""The AT line protocol (ITU-T V.250, 3GPP 27.007): grammar, result codes, command tables and both ends of the line."""
