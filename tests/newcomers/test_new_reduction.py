"""Another way to make a reduced model is one file and one deck: one mode, from start and end alone."""

MEMBER = '''
"""One mode of cell means: from the start to the end. ``rom: {type: eulerian}`` marches with it."""

from typing import Any

import numpy as np

from plexus.deck.params import NAME, Field, Params
from plexus.protocols import Waves
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "ends"}


class EndsParams(Params):
    """Parameters of the reduction."""

    file: str = Field("rom.h5", pattern=NAME, description="where the mode of both ends is written to")


@register("reduction", "ends", EndsParams)
class Ends:
    """Difference of the last state from the first."""

    needs = Waves

    def __init__(self, params: EndsParams):
        self.params = params

    def make(self, deck, ctx):
        """March, write the mode; return the run, facts and a line."""
        from plexus.compose import compose
        from plexus.devices.tensors import rows_of
        from plexus.reduction import basis

        run = compose(deck.model_copy(update={"rom": None}), ctx)
        cells, name = run.system.cells, run.system.evolving[0]
        first = rows_of(run.state.values[name], cells.n_owned).copy()
        run.execute()
        change = rows_of(run.state.values[name], cells.n_owned) - first
        length = (ctx.comm.allreduce(float((change**2).sum())) / cells.n_global) ** 0.5
        facts = {"unknown": name, "grid": list(cells.mesh.cells), "modes": 1}
        arrays = {"modes": np.ascontiguousarray(change / length)}
        basis.save(ctx.folder / self.params.file, ctx.comm, basis.CELLS, cells.names(), arrays, facts)
        return run, facts, f"one mode of {name}"
'''
LINE = """
plexus: 1
mesh: {type: interval, cells: 32, size: 1 m}
physics: {type: advection_diffusion, velocity: [0 m/s], diffusivity: 0.1 m^2/s}
initial: {concentration: "1 + cos(2*pi*x)"}
time: {stepper: theta, end: 0.5 s, step: 0.05 s}
quantities: {end: {type: maximum, of: concentration}}
reduce: {type: ends}
"""


def test_one_file_and_one_deck(newcomer):
    """What diffuses in one shape needs one mode, before the end of the training and after it."""
    newcomer.install("reduction", "ends", MEMBER)
    for ranks in (1, 2):
        made = newcomer.run(LINE, out=f"made{ranks}", ranks=ranks, task="reduce")
        assert made["reduced"]["modes"] == 1
        rom = f"rom: {{type: eulerian, file: {newcomer.folder / f'made{ranks}' / 'rom.h5'}}}\n"
        later = LINE.replace("end: 0.5 s", "end: 1 s")
        one, full = (
            newcomer.run(later + rom, out=f"rom{ranks}", ranks=ranks),
            newcomer.run(later, out=f"full{ranks}"),
        )
        assert one["unknowns"] == 1
        assert abs(one["quantities"]["end"] - full["quantities"]["end"]) < 1e-9
    assert "mode of both ends" in newcomer.explained()
