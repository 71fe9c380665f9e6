"""The name of the file of a reduced model: beside what else a run folder holds, and none of that."""

from __future__ import annotations

import fnmatch
from typing import Annotated

from pydantic import AfterValidator

from plexus.deck.params import NAME, Field
from plexus.deck.values import refuse
from plexus.fileformat import CALIBRATION, SERIES

TAKEN = (SERIES, CALIBRATION, "checkpoint_*", "data-*")
"""Files of HDF5 that a run folder has for something else."""


def _free(name: str) -> str:
    if not name.endswith(".h5"):
        raise refuse(f"{name!r} does not end with .h5, as the file of a reduced model does")
    if any(fnmatch.fnmatchcase(name, taken) for taken in TAKEN):
        raise refuse(f"{name!r} is another file of a run folder: choose another name")
    return name


ModelFile = Annotated[str, Field(pattern=NAME), AfterValidator(_free)]
