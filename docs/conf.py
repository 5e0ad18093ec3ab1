"""Settings of Sphinx, for the prose; the API is pydoctor's, see setup.cfg."""

import sys
from pathlib import Path

# the manual's tables are made from the code of this checkout
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

project = "atrunproto"
author = "atrunproto contributors"
project_copyright = "2026, atrunproto contributors"
extensions = ["myst_parser", "tools.manual"]
exclude_patterns = ["_build", "changes/*"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
nitpicky = True
html_theme = "alabaster"
