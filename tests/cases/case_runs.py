"""Runs and checks of the decks beside this file; every deck tells its right value or its refusal."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

DECKS = Path(__file__).parent / "decks"
"""One folder per case: a deck, and its mesh where it has one."""
RANKS = (1, 2)
"""Numbers of ranks on which every case holds."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code, all that it said, and the folder that it wrote."""

    code: int
    said: str
    folder: Path

    def quantities(self) -> dict[str, float]:
        """Return the quantities of the run, which must have ended well."""
        assert self.code == 0, self.said
        return json.loads((self.folder / "summary.json").read_text())["quantities"]

    def refused(self, *words: str) -> None:
        """Assert that the deck was refused with these words, and without a traceback."""
        assert self.code == 2, (self.code, self.said)
        assert "Traceback" not in self.said, self.said
        for word in words:
            assert word in self.said, self.said


def command(folder: Path, *arguments: str, limit: float = 900) -> tuple[int, str]:
    """Run ``plexus`` in ``folder``; return its exit code and all that it said."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMI_", "PMIX_"))}
    job = subprocess.Popen(
        [sys.executable, "-m", "plexus", *arguments], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = job.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(job.pid, signal.SIGKILL)
        raise
    return job.returncode, said


def copied(case: str, folder: Path) -> Path:
    """Copy a case into ``folder``; return its folder there."""
    return Path(shutil.copytree(DECKS / case, folder / case, dirs_exist_ok=True))


def run(case: str, folder: Path, *arguments: str, ranks: int = 1) -> Outcome:
    """Run a case in a copy of its folder."""
    here = copied(case, folder)
    name = f"ranks_{ranks}"
    code, said = command(here, "run", "deck.yaml", "-o", name, "-n", str(ranks), *arguments)
    return Outcome(code, said, here / name)


def check(case: str, folder: Path, *arguments: str) -> Outcome:
    """Check a case in a copy of its folder."""
    here = copied(case, folder)
    return Outcome(*command(here, "check", "deck.yaml", *arguments), here)
