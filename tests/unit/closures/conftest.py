"""Let these tests use the cases of the contract tests."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "contract"))
