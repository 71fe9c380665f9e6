"""Runs and checks of the decks beside this file; every deck tells its right value or its refusal."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crew import plexus

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

    def summary(self) -> dict[str, Any]:
        """Return the summary of the run, which must have ended well."""
        assert self.code == 0, self.said
        return json.loads((self.folder / "summary.json").read_text())

    def quantities(self) -> dict[str, float]:
        """Return the quantities of the run, which must have ended well."""
        return self.summary()["quantities"]

    def refused(self, *words: str) -> None:
        """Assert that the deck was refused with these words, and without a traceback."""
        assert self.code == 2, (self.code, self.said)
        assert "Traceback" not in self.said, self.said
        for word in words:
            assert word in self.said, self.said


def of_a_terminal() -> dict[str, str]:
    """Return the environment without what a launcher of ranks has left in it."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMI_", "PMIX_"))}


def program(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a program in ``folder``; return its exit code and all that it said, on either stream."""
    job = subprocess.Popen(
        words, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = job.communicate(timeout=900)
    finally:
        if job.poll() is None:
            os.killpg(job.pid, signal.SIGKILL)
    return job.returncode, said


def started(folder: Path, *arguments: str) -> tuple[int, str]:
    """Start ``plexus`` in ``folder``; return its exit code and all that it said."""
    return program([sys.executable, "-m", "plexus", *arguments], folder, of_a_terminal())


def command(folder: Path, *arguments: str, ranks: int = 1) -> tuple[int, str]:
    """Do what ``plexus`` does in ``folder``; return its exit code and all that it said."""
    ended = plexus(folder, *arguments, ranks=ranks)
    return ended.code, ended.out + ended.err


def changes(*texts: str) -> list[str]:
    """Return the words of the command line that change these entries of a deck."""
    return [word for text in texts for word in ("-s", text)]


def copied(case: str, folder: Path) -> Path:
    """Copy a case into ``folder``; return its folder there."""
    return Path(shutil.copytree(DECKS / case, folder / case, dirs_exist_ok=True))


def written(folder: Path, deck: str | Mapping[str, Any]) -> Path:
    """Write a deck, as text or as its blocks, into ``folder``; return the folder."""
    (folder / "deck.yaml").write_text(deck if isinstance(deck, str) else json.dumps(deck))
    return folder


def ran(here: Path, *arguments: str, ranks: int = 1, out: str = "out") -> Outcome:
    """Run the deck of a folder."""
    return Outcome(*command(here, "run", "deck.yaml", "-o", out, *arguments, ranks=ranks), here / out)


def checked(here: Path, *arguments: str) -> Outcome:
    """Check the deck of a folder."""
    return Outcome(*command(here, "check", "deck.yaml", *arguments), here)


def run(case: str, folder: Path, *arguments: str, ranks: int = 1) -> Outcome:
    """Run a case in a copy of its folder."""
    return ran(copied(case, folder), *arguments, ranks=ranks, out=f"ranks_{ranks}")


def check(case: str, folder: Path, *arguments: str) -> Outcome:
    """Check a case in a copy of its folder."""
    return checked(copied(case, folder), *arguments)
