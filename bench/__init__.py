"""
How fast atrunproto is, and what it costs, beside bare Twisted doing the same on the same machine: C{make bench}.
"""
