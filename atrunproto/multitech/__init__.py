"""Multi-Tech modems with an IP stack of their own: what all their services stand on."""
