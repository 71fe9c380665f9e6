"""``rom.modes.vtkhdf``: the modes of a reduced model as fields, mode k at time k."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.fields.state import State
from plexus.io.vtkhdf import FieldsFile
from plexus.io.vtkhdf_layout import column

if TYPE_CHECKING:
    from plexus.run import Run

TIP = "{} of a mode whose coordinate is 1; its norm in L2 over the body is 1"


def write(path: Path, run: Run, name: str, basis: np.ndarray) -> None:
    """Write modes of an unknown. Collective.

    Parameters
    ----------
    path
        The file.
    run
        Whose mesh it is.
    name
        The unknown.
    basis : array (n_local, m, n)
        Modes at the nodes, ghosts included.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    fields: Any = run.fields
    spec, _, _ = fields.evaluate(name)
    # what a mode has of a unit is that of its coordinate
    columns = [column(name, "1", spec.shape, "node", TIP.format(name))]
    count = basis.shape[2]
    file = FieldsFile(path, run.ctx.comm, fields.piece(), columns, count, run.ctx.texts)
    for k in range(count):
        mode = np.ascontiguousarray(basis[:, :, k])
        fields.look(State({name: mode}, float(k + 1), k + 1, run.state.internal))
        file.append(k + 1, float(k + 1), {name: fields.evaluate(name, "node")[2]})
    fields.look(run.state)
    file.close()
