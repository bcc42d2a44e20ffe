"""The Launch tab.

tab         the tab, and what its parts say to each other
layout      the form; fields, size, directions, noise, advanced: its parts
outlook     what the form would do, with every key typed; preview: as HTML
cloning     a spec into the form
panels      one open at a time: sweep_panel and sweep_form, paper_panel
greeting    what an empty lab shows first
"""

from mtlab.ui.launch.tab import build_launch_tab

__all__ = ["build_launch_tab"]
