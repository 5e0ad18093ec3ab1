"""FTP as AT commands offer it."""
