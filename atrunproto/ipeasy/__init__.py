"""IP Easy, the sockets inside a module: their table, settings and pacing."""
