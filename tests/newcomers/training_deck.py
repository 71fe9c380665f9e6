"""A deck that trains a closure of one moment in a second, on whatever its blocks say."""

DECK = """
plexus: 1
mesh: {type: periodic, cells: [8, 8], size: [5, 5]}
physics: {type: active_fluid, order: 1, alpha: -3, zeta: 1}
closure: {type: spin_network, moment: 2, width: 4, depth: 1, precision: fp64}
time: {stepper: sbdf2, end: 4, step: 0.02}
train:
  data: DATA
  loss: LOSS
  stages: [STAGE]
"""
KINETIC = (
    "{type: kinetic, moments: 6, cases: [{alpha: -3, zeta: 1, seed: 1}],"
    " frames: {start: 0.2, end: 0.6, every: 0.1}}"
)
FIT = "{type: fit, steps: 20, batch: 128, optimizer: {type: adam, rate: 0.02}}"


def deck(data=KINETIC, loss="relative_l2", stage=FIT):
    return DECK.replace("DATA", data).replace("LOSS", loss).replace("STAGE", stage)


def losses(folder):
    import h5py

    with h5py.File(folder / "series.h5") as file:
        return list(file["training/loss"][:])
