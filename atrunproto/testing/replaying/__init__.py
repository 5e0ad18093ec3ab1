"""A dialogue replayed against an emulated module: its ports, its surroundings, the player, and the report."""
