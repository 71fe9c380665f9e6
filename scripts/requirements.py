"""Prints what pip has to install beside the system's MPI, PETSc and HDF5, for the named extras.

These come compiled against one MPI and one major version of NumPy, so pip must replace neither them nor
that version: Debian's h5py is unknown to pip under its name and would be shadowed by a wheel without MPI.
"""

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

SYSTEM = {"h5py", "mpi4py", "petsc4py"}
TORCH = "torch==2.13.0"
"""The version whose wheel for Linux is the CPU build; an installed torch of the site is kept."""


def main() -> None:
    """Print one requirement per line."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + [r for e in sys.argv[1:] for r in extras[e]]
    for requirement in wanted:
        name = re.split(r"[<>=~! \[]", requirement)[0].lower()
        if name == "torch":
            print(f"torch=={version('torch')}" if find_spec("torch") else TORCH)
        elif name == "numpy":
            print(f"{requirement},<{_numpy_major() + 1}")
        elif name not in SYSTEM:
            print(requirement)


def _numpy_major() -> int:
    """Return the major version of NumPy against which the system's modules were compiled."""
    try:
        return int(version("numpy").split(".")[0])
    except PackageNotFoundError:
        return 1


if __name__ == "__main__":
    main()
