"""``python -m plexus`` is the ``plexus`` command."""

import sys

from plexus.cli import main

sys.exit(main())
