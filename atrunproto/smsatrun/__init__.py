"""AT commands over short messages: the envelopes of the digest configuration."""
