"""A reduced model serves the mesh, supports and material that it was made of, and its own checkpoints."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rom.runs import continued, started
from rom.test_reduced_runs import LAW, deck

from plexus.errors import InputError
from plexus.reduction import model

EDGE = {"on": "left", "displacement_x": 0}
PULL = {"on": "right", "traction": ["pull(t)*(1 - y)", 0]}


@pytest.fixture
def made(plate):
    """Return the folder of the model of a plate and what a deck says of it."""
    folder = plate[0]
    return folder, {"type": "galerkin", "file": str(folder / "rom.h5"), "new_shapes": "respond"}


@pytest.mark.mpi
@pytest.mark.pair
@pytest.mark.parametrize(
    ("blocks", "told"),
    [
        ({"boundary": [EDGE, {"on": "left", "displacement_y": 0}, PULL, {"on": "top", "displacement_y": 0}]},
         r"made with other supports \(.*10 there, 16 here\)"),
        ({"boundary": [EDGE, {"on": "bottom", "displacement_y": 0}, PULL]}, "made with other supports"),
        ({"physics": {"law": {**LAW, "young_modulus": "100 GPa"}}},
         r"another material \(physics\.law\.young_modulus: 2.*e?.* -> 1"),
        ({"physics": {"locking": "b_bar"}}, r"another material \(physics\.locking: none -> b_bar"),
        ({"mesh": {"size": [1, 0.7]}}, "another mesh .its 35 points are in other places"),
    ],
)  # fmt: skip
def test_what_the_file_has_not_seen_is_named(made, blocks, told):
    """Another support bears what is out of balance, so that no balance of forces would tell."""
    folder, rom = made
    plain = deck(folder).plain()["data"]
    blocks = {k: {**plain[k], **v} if isinstance(v, dict) else v for k, v in blocks.items()}
    with pytest.raises(InputError, match=rf"(?s)^rom\.file: .*{told}"):
        started(folder, deck(folder, rom=rom, **blocks))


@pytest.mark.mpi
@pytest.mark.pair
def test_the_same_in_other_units_is_the_same(made):
    folder, rom = made
    law = {**LAW, "young_modulus": "200000 MPa", "density": 1.0}
    physics = deck(folder).plain()["data"]["physics"]
    started(folder, deck(folder, rom=rom, physics={**physics, "law": law}))


@pytest.mark.mpi
@pytest.mark.pair
def test_a_checkpoint_of_other_modes_is_refused(made):
    """A model of the same run may have modes of another sign: coordinates then tell another displacement."""
    folder, rom = made
    run = started(folder, deck(folder, rom=rom))
    form, points, own = run.system.full.forms["displacement"], run.system.full.quadrature, run.system.model
    model.save(folder / "turned.h5", form.space, points, replace(own, basis=-own.basis))
    other = started(folder, deck(folder, rom={**rom, "file": str(folder / "turned.h5")}))
    with pytest.raises(InputError, match=r"^rom\.file: the checkpoint belongs to another reduced model"):
        continued(run, other, 3)


@pytest.mark.mpi
@pytest.mark.pair
def test_a_model_that_keeps_no_states_is_written_and_read(made):
    """No modes of stress and no duals: it marches, and cannot be completed."""
    folder, rom = made
    run = started(folder, deck(folder, rom=rom))
    form, points, own = run.system.full.forms["displacement"], run.system.full.quadrature, run.system.model
    bare = replace(own.kept, stresses=own.kept.stresses[:, :, :0], duals={})
    model.save(
        folder / "bare.h5", form.space, points,
        replace(own, kept=bare, facts={**own.facts, "widths": {}}),
    )  # fmt: skip
    found = model.load(folder / "bare.h5", form, points)
    assert found.kept.stresses.shape == bare.stresses.shape and not found.kept.duals
    assert abs(found.basis - own.basis).max() == 0
