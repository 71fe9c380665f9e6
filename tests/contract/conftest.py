"""One job on two ranks for all contracts that compare numbers of ranks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import hosts
import pytest
from crew import clean_environment, on_ranks

HERE = Path(__file__).parent


class Jobs:
    """Results of the same decks and meshes on one and on two ranks."""

    def __init__(self, folder: Path):
        self.folders = {1: folder / "one", 2: folder / "two"}
        self._told: dict[int, str] = {}

    def folder(self, name: str, ranks: int) -> Path:
        """Return the run folder of a deck, after checking that the run was good."""
        folder = self._run(ranks)
        code = json.loads((folder / "codes.json").read_text())[name]
        told = (folder / name / "summary.json").read_text() if code else ""
        assert code == 0, f"on {ranks} ranks: exit code {code}: {told[:2000]}"
        return folder / name

    def summary(self, name: str, ranks: int) -> dict[str, Any]:
        """Return the summary of a deck's run."""
        return json.loads((self.folder(name, ranks) / "summary.json").read_text())

    def mesh(self, name: str, ranks: int) -> dict[str, Any]:
        """Return the content of a mesh source, rank by rank."""
        import numpy as np

        with np.load(self._run(ranks) / f"mesh.{name}.npz") as file:
            return dict(file)

    def _run(self, ranks: int) -> Path:
        folder = self.folders[ranks]
        if ranks not in self._told:
            folder.mkdir(parents=True)
            hosts.write(folder)
            command = [sys.executable, str(HERE / "on_ranks.py"), str(folder)]
            done = subprocess.run(
                [*on_ranks(ranks), *command], env=clean_environment(OMP_NUM_THREADS="1"), capture_output=True,
                text=True, timeout=900,
            )  # fmt: skip
            self._told[ranks] = done.stderr[-3000:] if done.returncode else ""
        assert not self._told[ranks], self._told[ranks]
        return folder


@pytest.fixture(scope="session")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    """Return runs of the hosts of all physics, quantities and outputs, and all meshes."""
    return Jobs(tmp_path_factory.mktemp("ranks"))
