"""Settings of Sphinx, for the prose; the API is pydoctor's, see setup.cfg."""

project = "atrunproto"
author = "atrunproto contributors"
project_copyright = "2026, atrunproto contributors"
extensions = ["myst_parser"]
exclude_patterns = ["_build", "changes/*"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
nitpicky = True
html_theme = "alabaster"
