"""E-mail by AT command."""
