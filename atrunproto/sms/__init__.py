"""Short messages (3GPP 23.040 and 23.038): alphabets, message units, PDU mode, and messages of several parts."""
