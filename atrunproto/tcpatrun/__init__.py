"""AT commands over TCP: the login, the firewall, the service of the module and the peer that calls it or is called."""
