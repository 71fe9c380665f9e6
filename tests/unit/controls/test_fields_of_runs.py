"""A solid whose temperature another run has computed: by name on its mesh, by place on another one."""

import json
import shutil
from functools import cache

import numpy as np
import pytest
from rom.runs import COMM, continued, ended, plain, started, together

from plexus.cli import main
from plexus.compose import compose
from plexus.errors import InputError
from plexus.offline.main import reduce
from plexus.runtime import context

EXACT = "300 + 40*t*(x + y^2)"
HEAT = (
    "plexus: 1\nmesh: {type: box, cell: quadrilateral, cells: [5, 3], size: [1, 0.6]}\n"
    "physics: {type: heat, degree: 2, source: 40*(x + y^2) - 80*t,"
    " material: {conductivity: 1, density: 1, specific_heat: 1}}\n"
    f"boundary: [{{on: exterior, temperature: {EXACT}}}]\n"
    "initial: {temperature: 300}\n"
    "time: {stepper: {type: theta, theta: 1}, step: 0.25, end: 1 s}\n"
    "output: [{type: fields, every: 1 steps, roll: 2}]\n"
)
LAW = {
    "type": "j2", "young_modulus": "200 GPa", "poisson_ratio": 0.3, "hardening": {"slope": "1 GPa"},
    "yield_stress": {"table": [["300 K", "60 MPa"], ["400 K", "20 MPa"]]},
    "expansion": {"coefficient": 2e-5, "reference": 300},
}  # fmt: skip
SOLVER = {"displacement": {"snes_rtol": 1e-11, "ksp": "preonly", "preconditioner": "mumps"}}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """March heat that elements and steps hold exactly; return the file of its fields."""
    folder = together(tmp_path_factory.mktemp("heat"))
    if COMM.rank == 0:
        (folder / "heat.yaml").write_text(HEAT)
    COMM.Barrier()
    assert main(["run", str(folder / "heat.yaml"), "-o", str(folder / "run")]) == 0
    return folder / "run" / "fields.vtkhdf"


def solid(
    file, step=0.25, temperature="heat", cell="quadrilateral", cells=(5, 3), degree=2, force=None, **more
):
    """Return a strip that is held at its ends and heated."""
    given = {"type": "run", "file": str(file), "field": "temperature", "unit": "K", **more.pop("heat", {})}
    data = {
        "plexus": 1,
        "mesh": {"type": "box", "cell": cell, "cells": list(cells), "size": [1, 0.6]},
        "physics": {"type": "elastoviscoplastic", "geometry": "plane_strain", "degree": degree, "law": LAW,
                    "temperature": temperature, **({"body_force": force} if force else {})},
        "boundary": [{"on": ["left", "right"], "displacement": [0, 0]}],
        "time": {"stepper": "quasistatic", "step": step, "end": 1},
        "solver": SOLVER,
        "quantities": {"u": {"type": "maximum", "of": "displacement_y"}, "p": {"type": "integral", "of": "p"},
                       "T": {"type": "integral", "of": f"abs(temperature - ({EXACT}))"}},
        **({"controls": {"heat": given}} if "heat" in temperature else {}),
        **more,
    }  # fmt: skip
    return plain(file.parent, data)


@cache
def expressed(file, step, cell, cells):
    """Return the quantities of the run whose temperature is an expression."""
    return ended(started(file.parent, solid(file, step, EXACT, cell, cells))).values()


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("step", "cell", "cells", "by_name"),
    [(0.25, "quadrilateral", (5, 3), True), (0.2, "triangle", (4, 3), False)],
)
def test_the_steps_are_those_of_the_temperature_that_was_computed(told, step, cell, cells, by_name):
    run = ended(started(told.parent, solid(told, step, cell=cell, cells=cells)))
    assert run.system.controls.members["heat"].by_name is by_name
    found, wanted = run.values(), expressed(told, step, cell, cells)
    assert found["T"] <= 1e-10 and wanted["p"] > 1e-4
    assert all(found[name] == pytest.approx(wanted[name], rel=1e-11) for name in ("u", "p"))


@pytest.mark.mpi
def test_heat_first_and_stress_after_it_are_both_at_once(told):
    elastic = {"young_modulus": "200 GPa", "poisson_ratio": 0.3, "expansion": LAW["expansion"]}
    thermal = {"conductivity": 1, "density": 1, "specific_heat": 1}
    own = solid(told).plain()["data"]
    shared = {key: own[key] for key in ("plexus", "mesh", "solver")} | {
        "quantities": {
            "u": {"type": "maximum", "of": "displacement_y"},
            "s": {"type": "mean", "of": "von_mises"},
        }
    }
    section = {"geometry": "plane_strain", "degree": 2}
    both = ended(
        started(
            told.parent,
            plain(
                told.parent,
                {
                    **shared,
                    "physics": {
                        "type": "thermoelasticity",
                        **section,
                        "source": "40*(x + y^2) - 80*t",
                        "material": elastic | thermal,
                    },
                    "boundary": [*own["boundary"], {"on": "exterior", "temperature": EXACT}],
                    "initial": {"temperature": 300},
                    "time": {"stepper": {"type": "theta", "theta": 1}, "step": 0.25, "end": 1},
                    "solver": {**SOLVER, "temperature": {"ksp": "preonly", "preconditioner": "mumps"}},
                },
            ),
        )
    )
    after = ended(
        started(
            told.parent,
            plain(
                told.parent,
                {
                    **shared,
                    "physics": {"type": "elasticity", **section, "temperature": "heat", "material": elastic},
                    "controls": own["controls"],
                    "boundary": own["boundary"],
                    "time": {"stepper": "quasistatic", "step": 0.25, "end": 1},
                },
            ),
        )
    )
    assert after.values() == pytest.approx(both.values(), rel=1e-12)


@pytest.mark.mpi
def test_it_goes_on_as_if_it_had_not_stopped(told):
    whole, again = continued(*(started(told.parent, solid(told, 0.2)) for _ in range(2)), 3)
    found, wanted = again.values(), whole.values()
    # a factorisation on several ranks adds up in the order in which parts arrive
    assert all(found[name] == pytest.approx(wanted[name], rel=1e-12, abs=0) for name in ("u", "p"))
    assert found["T"] == pytest.approx(wanted["T"], abs=1e-12)


@pytest.mark.mpi
def test_a_reduced_model_has_the_shapes_of_the_other_run(told, tmp_path_factory):
    folder = together(tmp_path_factory.mktemp("rom"))
    loads = {"temperature": "heat", "degree": 1, "cells": (8, 6), "force": ["1e7*t", 0]}
    made, facts = reduce(
        solid(told, reduce={"tolerance": 1e-5, "cubature": 1e-4}, **loads), context.create(COMM, folder)
    )
    run = ended(
        started(folder, solid(told, rom={"type": "galerkin", "file": str(folder / "rom.h5")}, **loads))
    )
    assert run.system.unknowns == facts["modes"] <= 10
    wanted, found = made.values(), run.values()
    assert all(found[name] == pytest.approx(wanted[name], rel=1e-3) for name in ("u", "p"))


def test_a_period_begins_again_behind_the_end_of_the_run(told, tmp_path):
    deck = solid(told, heat={"period": 1}, time={"stepper": "quasistatic", "step": 0.5, "end": 3})
    heat = compose(deck, context.create(COMM, tmp_path)).system.controls.members["heat"]
    at = [heat.at_nodes(np.arange(3), t, None) for t in (0.0, 0.3, 1.0, 1.3, 2.0, 3.0)]
    np.testing.assert_allclose(at, [at[0], at[1], at[2], at[1], at[2], at[2]], rtol=1e-14)
    assert at[2][1] == pytest.approx(304)


def test_nodes_elsewhere_see_the_interpolant(tmp_path):
    """A wave at the nodes of coarser and coarser meshes of degree 2: its error is of third order."""
    wave, errors = "300 + 50*sin(3*x)*cos(2*y)", []
    for n in (4, 8, 16):
        text = HEAT.replace("[5, 3]", f"[{n}, {n}]").replace("initial: {temperature: 300}", "")
        text = text.replace(EXACT, wave).replace(", roll: 2", "").replace("end: 1 s", "end: 0.25 s")
        (tmp_path / "wave.yaml").write_text(text + f"initial: {{temperature: {wave}}}\n")
        assert main(["run", str(tmp_path / "wave.yaml"), "-o", str(tmp_path / f"{n}")]) == 0
        march = {"stepper": "quasistatic", "step": 0.25, "end": 0.25}
        deck = solid(tmp_path / f"{n}/fields.vtkhdf", cells=(7, 5), time=march)
        system = compose(deck, context.create(COMM, tmp_path / "solid")).system
        space, heat = system.spaces["displacement"], system.controls.members["heat"]
        x, y = space.points.T
        exact = 300 + 50 * np.sin(3 * x) * np.cos(2 * y)
        errors.append(np.abs(heat.at_nodes(np.arange(space.n_local), 0.0, None) - exact).max())
    assert np.log2(errors[0] / errors[1]) > 2.7 and np.log2(errors[1] / errors[2]) > 2.7


@pytest.mark.parametrize(
    ("given", "told_of"),
    [
        ({"cells": [5, 3], "size": [1, 0.7]}, "file: of the nodes of this mesh .* lie outside the mesh: "),
        ({"field": "displacement"}, ".*no scalar at its nodes is called 'displacement'"),
        ({"unit": "Pa"}, "field: temperature is in K, not in Pa"),
        ({"end": 1.5}, "file: its times go from 0 to 1 s, and this run from 0 to 1.5 s"),
        ({"period": 2}, "period: the run's times go from 0 to 1 s, less than a period"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_solve(told, tmp_path, given, told_of):
    deck = solid(told)
    data = json.loads(json.dumps(deck.plain()["data"]))
    for key, value in given.items():
        blocks = {"cells": data["mesh"], "size": data["mesh"], "end": data["time"]}
        blocks.get(key, data["controls"]["heat"])[key] = value
    if "unit" in given:
        data["physics"]["temperature"] = "300"
        data["physics"]["body_force"] = ["heat/(1 m)", "0"]
    with pytest.raises(InputError, match="controls.heat: " + told_of):
        compose(plain(tmp_path, data), context.create(COMM, tmp_path))


def test_a_run_that_is_not_done_is_refused_where_the_deck_names_it(told, tmp_path):
    file = shutil.copy(told, tmp_path / "fields.vtkhdf")
    for summary in ("", '{"status": "stopped"}'):
        (tmp_path / "summary.json").write_text(summary)
        with pytest.raises(ValueError, match=r"the run of .* is (not done|stopped)"):
            solid(file)


def test_nothing_is_fitted_to_it(told):
    output = [{"type": "gradient", "of": "p", "to": ["heat"]}]
    with pytest.raises(ValueError, match="heat is given by another run"):
        solid(told, output=output)
    with pytest.raises(ValueError, match="what another run has computed is not fitted"):
        solid(told, heat={"bounds": [0, 1]})
