"""The controlling host: its links to modules, what it runs on them, its store and its interfaces."""
