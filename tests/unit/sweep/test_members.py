"""Members: their values, resolved decks, columns, and what `plexus check` says about them."""

import pytest
from sweep_decks import BASE, deck, write

from plexus import cli
from plexus.deck.load import load
from plexus.deck.members import check, expand, resolve
from plexus.errors import DeckError, InputError
from plexus.sweep.columns import columns, short_names
from plexus.sweep.idle import idle


def test_references_follow_a_varied_parameter(tmp_path):
    found = deck(tmp_path, "parameters: {parameters.k: [1, 2], parameters.L: [3 m]}")
    made = resolve(found, expand(found)[1])
    assert made.physics.material.conductivity.constant == 2
    assert made.mesh.size == (3.0, 1.0)
    assert made.sweep is None


def test_a_parameter_that_nothing_uses_is_told(tmp_path, capsys):
    """A reference, a name in an expression and a parameter made of another one are uses."""
    base = BASE.replace("{k: 3,", "{k: 3, half: '${whole/2}', whole: 2, idle: 1, dead: '${idle}',")
    base = base.replace("initial: {temperature: 300 K}", "initial: {temperature: 300 + half*x}")
    sweep = "parameters: {parameters.idle: [1, 2], parameters.k: [1, 2], parameters.whole: [2, 4]}"
    path = write(tmp_path, sweep, base)
    told = idle(load(path))
    assert len(told) == 1 and "parameters.idle: nothing in the deck uses it" in told[0]
    assert told[0].startswith(f"{path}:")
    assert cli.main(["check", str(path)]) == 0
    assert capsys.readouterr().out.count("nothing in the deck uses it") == 1


def test_values_may_be_texts_lists_and_blocks(tmp_path):
    sweep = """
parameters:
  solver.temperature.preconditioner: [jacobi, {type: gamg, threshold: 0.02}]
  mesh.cells: [[4, 4], [8, 2]]
"""
    found = deck(tmp_path, sweep)
    members = check(found)
    made = resolve(found, members[3])
    assert made.solver["temperature"].preconditioner.type == "gamg"
    assert made.mesh.cells == (8, 2)
    assert columns(found, members)[0]["numbers"] is None


def test_seeds_and_ranks_multiply_the_points(tmp_path):
    members = expand(deck(tmp_path, "parameters: {parameters.k: [1, 2]}\nseeds: [5, 7]\nranks: [1, 2]"))
    assert len(members) == 8
    assert {(m.values["parameters.k"], m.values["runtime.seed"], m.ranks) for m in members} == {
        (k, s, n) for k in (1, 2) for s in (5, 7) for n in (1, 2)
    }
    assert [m.index for m in members] == list(range(8))


def test_zip_pairs_sizes_with_ranks_for_weak_scaling(tmp_path):
    members = expand(deck(tmp_path, "mode: zip\nparameters: {mesh.cells.0: [8, 16]}\nranks: [1, 2]"))
    assert [(m.values, m.ranks) for m in members] == [({"mesh.cells.0": 8}, 1), ({"mesh.cells.0": 16}, 2)]


def test_ranks_alone_are_a_sweep(tmp_path):
    members = check(deck(tmp_path, "ranks: [1, 2, 4]"))
    assert [(m.values, m.ranks) for m in members] == [({}, 1), ({}, 2), ({}, 4)]


def test_a_deck_without_the_block_is_no_sweep(tmp_path):
    path = tmp_path / "deck.yaml"
    path.write_text(BASE)
    with pytest.raises(InputError, match="no block `sweep`"):
        expand(load(path))


@pytest.mark.parametrize(
    ("axis", "told"),
    [
        ("parameters.kk: [1]", ["deck.yaml:14:21: sweep: parameters.kk: ", "did you mean 'parameters.k'"]),
        ("mesh.cells[7]: [1]", ["no value 'mesh.cells[7]'"]),
        ("physics.material.emissivity: [1]", ["no value 'physics.material.emissivity'"]),
        (
            "mesh.cells[0]: [8, -4, 16]",
            ["deck.yaml:14:24: mesh.cells[0]: with mesh.cells[0] = -4 (member 1): must be >= 1"],
        ),
        ("mesh.cells[0]: [8, few]", ["deck.yaml:14:24: ", "expected a whole number"]),
        (
            "parameters.L: [1 m, 2 K]",
            ["mesh.size[0]: with parameters.L = 2 K (member 1): unit 'K' does not fit"],
        ),
    ],
)
def test_check_names_the_value(tmp_path, axis, told):
    path = write(tmp_path, f"parameters:\n  {axis}")
    with pytest.raises(DeckError) as caught:
        check(load(path))
    for part in told:
        assert part in str(caught.value)
    assert len(caught.value.problems) == 1


def test_a_value_in_many_members_is_told_once(tmp_path):
    sweep = "parameters:\n  parameters.k: [1, 2, 3]\n  mesh.cells[0]: [4, 0]"
    with pytest.raises(DeckError) as caught:
        check(deck(tmp_path, sweep))
    assert [p.message for p in caught.value.problems] == [
        "with mesh.cells[0] = 0 (member 1 and 2 more): must be >= 1, not 0"
    ]


def test_the_command_checks_every_member(tmp_path, capsys):
    path = str(write(tmp_path, "parameters: {mesh.cells.0: [4, 8]}"))
    assert cli.main(["check", path]) == 0
    assert "sweep of 2 members" in capsys.readouterr().out
    assert cli.main(["check", path, "-s", "sweep.parameters.mesh={}"]) == 2
    path = str(write(tmp_path, "parameters: {mesh.cells.0: [4, x]}"))
    assert cli.main(["check", path]) == 2


def test_short_names_are_those_that_no_other_path_ends_with():
    paths = ["parameters.k", "mesh.cells[0]", "mesh.cells[1]", "a.b.x", "c.b.x", "x"]
    assert list(short_names(paths).values()) == ["k", "cells[0]", "cells[1]", "a.b.x", "c.b.x", "x"]


@pytest.mark.parametrize(
    ("axis", "unit", "numbers"),
    [
        ("parameters.L: [1 mm, 20 mm]", "mm", [1, 20]),
        ("parameters.L: [1 mm, 2 cm]", "", [0.001, 0.02]),
        ("physics.material.conductivity: [1, 2]", "W/(m K)", [1, 2]),
        ("physics.material.conductivity: [1, 0.2 W/(cm K)]", "W/(m K)", [1, 20]),
        ("mesh.cells[0]: [4, 8]", "", [4, 8]),
        ("mesh.cell: [triangle, quadrilateral]", "", None),
        ("runtime.nan_guard: [true, false]", "", None),
    ],
)
def test_columns_have_units_and_numbers(tmp_path, axis, unit, numbers):
    found = deck(tmp_path, f"parameters:\n  {axis}")
    (column,) = columns(found, check(found))
    assert column["unit"] == unit
    assert column["numbers"] == (numbers if numbers is None else pytest.approx(numbers))


def test_a_listed_member_that_leaves_a_path_out_has_the_deck_s_value(tmp_path):
    found = deck(tmp_path, "mode: list\nmembers:\n  - {mesh.cells.0: 4}\n  - {parameters.k: 7}")
    assert [c["numbers"] for c in columns(found, check(found))] == [[4, 8], [3, 7]]


def test_a_member_of_draws_is_a_run_of_its_own(tmp_path):
    """Blocks of what is done with all draws are not in its deck, which any command may read again."""
    drawn = (
        "samples: {warm: {type: gaussian_field, seed: 1, size: [2 m], tau: 3}}\n"
        "controls: {source: {type: nodal, unit: W/m^3, start: '100*(1 + warm)'}}\n"
    )
    base = BASE.replace("initial:", drawn + "initial:").replace("degree: 1,", "degree: 1, source: source,")
    found = deck(tmp_path, "mode: draws\nsample: warm\nsamples: 1000", base)
    members = check(found)
    assert len(members) == 1000 and members[7].values == {"samples.warm.number": 7}
    made = resolve(found, members[7])
    assert made.samples["warm"].number == 7 and made.sweep is None
    assert load(write(tmp_path, "mode: draws\nsample: warm\nsamples: 3", base)).sweep.size() == 3
    with pytest.raises(DeckError, match="no sample 'worm'; did you mean 'warm'"):
        deck(tmp_path, "mode: draws\nsample: worm\nsamples: 3", base)
