"""How Python is started for a module of ours: without the working folder among the places of modules.

A deck's folder may come from somebody else, and ``python -m`` would import a ``yaml.py`` that lies in it.
"""

from __future__ import annotations

import sys


def python(module: str, *words: str) -> list[str]:
    """Return the command line that runs a module with arguments, by this interpreter."""
    return [sys.executable, "-P", "-m", module, *words]
