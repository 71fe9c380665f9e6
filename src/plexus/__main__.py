"""``python -m plexus`` is the ``plexus`` command."""

import sys

if not sys.flags.safe_path:
    # `python -m` puts the working folder first, and a deck's folder may hold a `yaml.py` of somebody else
    del sys.path[0]

from plexus.cli import main

sys.exit(main())
