"""Periodic boxes, spectra, defects and their tracks, horizons: numbers with known answers."""

import numpy as np
import pytest
from post_samples import periodic_run, run_folder

import plexus_post
from plexus_post.errors import PostError
from plexus_post.nematics import defects, horizon, spectrum, tracks
from plexus_post.nematics.nematic import Nematic, Statistics
from plexus_post.readers.periodic import Box

LENGTHS = np.array([10.0, 8.0])
CELLS = (40, 32)
PLACES = np.array([[2.13, 3.41], [7.72, 1.18], [5.05, 6.29], [9.94, 7.91]])
CHARGES = np.array([0.5, -0.5, 0.5, -0.5])


def waves(x, y, t):
    """A known flow and a director that turns along x; all have the period of the box."""
    a, b = 2 * np.pi * x / LENGTHS[0], 2 * np.pi * y / LENGTHS[1]
    flow = np.stack([np.sin(2 * b + t), 0.5 * np.cos(3 * a)], -1)
    return {"velocity": flow, "order": 0.5 + 0 * x, "director": np.stack([np.cos(a), np.sin(a)], -1)}


def vortices(x, y, places, charges, core=0.6):
    """A periodic q with zeros at given places, of charges that sum to zero.

    sin(pi (z - a)/Lx) turns once around a and repeats along x; images along y make it periodic there up to a
    linear phase, which is taken off.
    """
    phase, near = np.zeros(np.broadcast(x, y).shape), np.full(np.broadcast(x, y).shape, np.inf)
    for (a, b), charge in zip(places, 2 * charges, strict=True):
        for image in range(-3, 4):
            z = np.pi * ((x - a) + 1j * (y - b - image * LENGTHS[1])) / LENGTHS[0]
            phase += charge * np.angle(np.sin(z))
        way = np.stack(np.broadcast_arrays(x - a, y - b), -1)
        near = np.minimum(near, np.linalg.norm(way - LENGTHS * np.rint(way / LENGTHS), axis=-1))
    phase -= 2 * np.pi * (2 * charges @ places[:, 0]) / LENGTHS[0] * y / LENGTHS[1]
    return np.tanh(near / core) * np.exp(1j * phase)


def moving(x, y, t):
    """The four defects drift along x, through the side of the box."""
    # opposite sides get the very same director, sign included
    q = vortices(x % LENGTHS[0], y % LENGTHS[1], PLACES + np.array([0.4 * t, 0.0]), CHARGES)
    half = np.angle(q) / 2
    flow = np.stack([0.4 + 0 * x, 0 * x], -1)
    return {"velocity": flow, "order": np.abs(q), "director": np.stack([np.cos(half), np.sin(half)], -1)}


def lattice(cells):
    """Coordinates of the points of a box."""
    return np.meshgrid(*(np.arange(n) * h / n for n, h in zip(cells, LENGTHS, strict=True)), indexing="ij")


def test_a_box_is_read_from_points_in_any_order(tmp_path):
    box = Box(plexus_post.open(periodic_run(tmp_path / "run", waves, CELLS, LENGTHS, parts=3)))
    x, y = np.meshgrid(*box.axes, indexing="ij")
    assert box.cells == CELLS
    np.testing.assert_allclose(box.lengths, LENGTHS)
    np.testing.assert_allclose(box.field("velocity", 1), waves(x, y, 1.0)["velocity"], atol=1e-14)
    assert box.history("order").shape == (3, *CELLS)


def test_what_is_no_periodic_box_is_refused(tmp_path):
    with pytest.raises(PostError, match="not a regular grid"):
        Box(plexus_post.open(run_folder(tmp_path / "ring", shape="quad")))
    ramp = periodic_run(tmp_path / "ramp", lambda x, y, t: {"order": x})
    with pytest.raises(PostError, match="differs between opposite sides"):
        Box(plexus_post.open(ramp)).field("order")
    with pytest.raises(PostError, match="needs the fields velocity, order and director"):
        Nematic(plexus_post.open(ramp))


def test_the_spectrum_finds_the_energy_where_it_is():
    x, y = lattice(CELLS)
    velocity = waves(x, y, 0.3)["velocity"]
    # waves 2 (2 pi / 8) = 2.5 (2 pi / 10), between two shells and so in the upper one, and 3 (2 pi / 10)
    shells, energy = spectrum.energy(velocity, LENGTHS)
    expected = np.where(shells == 3, 0.25 + 0.0625, 0.0)
    np.testing.assert_allclose(energy, expected, atol=1e-15)
    assert energy.sum() == pytest.approx(0.5 * (velocity**2).sum(axis=-1).mean())


def test_derivatives_and_other_grids_are_exact_for_waves():
    (x, y), k = lattice(CELLS), 2 * np.pi / LENGTHS
    flow = waves(x, y, 0.3)["velocity"]
    turn = -1.5 * k[0] * np.sin(3 * k[0] * x) - 2 * k[1] * np.cos(2 * k[1] * y + 0.3)
    np.testing.assert_allclose(spectrum.vorticity(flow, LENGTHS), turn, atol=1e-12)
    for cells in ((64, 32), (20, 16)):
        expected = waves(*lattice(cells), 0.3)["velocity"]
        np.testing.assert_allclose(spectrum.resample(flow, cells), expected, atol=1e-13)


def test_defects_are_found_at_their_places_with_their_charges():
    found = defects.find(vortices(*lattice((80, 64)), PLACES, CHARGES), LENGTHS)
    distance = np.linalg.norm(defects.apart(PLACES, found.place, LENGTHS), axis=-1)
    nearest = distance.argmin(axis=1)
    assert sorted(nearest) == [0, 1, 2, 3]
    np.testing.assert_array_equal(found.charge[nearest], CHARGES)
    # a tenth of the distance of the points
    assert distance.min(axis=1).max() < 0.0125


def test_the_charge_of_any_box_is_zero():
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(31, 24)) + 1j * rng.normal(size=(31, 24))
    turns = defects.winding(noise)
    assert turns.sum() == 0 and np.abs(turns).sum() > 50
    assert defects.find(noise, LENGTHS).charge.sum() == 0


@pytest.mark.parametrize("charge", [0.5, -0.5])
@pytest.mark.parametrize("turned", [0.0, 0.7])
def test_the_direction_of_a_defect(charge, turned):
    """The director points along psi on the ray psi from the core, for +1/2 on its tail only."""
    # theta = charge (phi - psi) + psi is psi where phi = psi
    x, y = lattice((80, 64))
    phi = np.arctan2(y - 4.03, x - 5.06)
    distance = np.hypot(x - 5.06, y - 4.03)
    q = np.tanh(distance) * np.exp(2j * (charge * (phi - turned) + turned))
    found = defects.find(q, LENGTHS)
    here = np.argmin(np.linalg.norm(found.place - [5.06, 4.03], axis=1))
    period = 2 * np.pi if charge > 0 else 2 * np.pi / 3
    away = (found.angle[here] - turned + period / 2) % period - period / 2
    assert found.charge[here] == charge
    assert abs(away) < 0.02


def test_pairs_that_are_too_close_are_no_defects():
    place = np.array([[0.1, 1.0], [9.9, 1.0], [5.0, 5.0], [5.0, 5.3], [5.0, 5.1]])
    charge = np.array([0.5, -0.5, 0.5, -0.5, 0.5])
    found = defects.resolved(defects.Defects(place, charge, 0 * charge), LENGTHS, 0.25)
    # the first pair meets across the side; of the three others the closest two go
    assert found.place.tolist() == [[5.0, 5.0]] and found.charge.tolist() == [0.5]


def test_defects_are_followed_across_the_sides(tmp_path):
    times = np.arange(0, 6.01, 0.5)
    nematic = Nematic(plexus_post.open(periodic_run(tmp_path / "run", moving, (80, 64), LENGTHS, times)))
    statistics = Statistics.of(nematic)
    assert [len(t.place) for t in statistics.history.tracks] == [len(times)] * 4
    np.testing.assert_allclose([t.path for t in statistics.history.tracks], 2.4, atol=0.08)
    assert statistics.history.counts.tolist() == [[2, 2]] * len(times)
    assert not statistics.history.born.any() and not statistics.history.gone.any()
    np.testing.assert_allclose(statistics.speed, 0.4)
    table = statistics.defect_columns()
    assert {len(c) for c in table.values()} == {4 * len(times)}
    assert (table["x"] >= 0).all() and (table["x"] < 10).all()


def test_births_and_annihilations_are_counted():
    def frame(*rows):
        place = np.array([r[:2] for r in rows]).reshape(-1, 2)
        charge = np.array([r[2] for r in rows])
        return defects.Defects(place, charge, np.zeros(len(rows)))

    a, b, c = (1.0, 1.0, 0.5), (9.9, 1.0, -0.5), (5.0, 5.0, 0.5)
    # b moves over the side, c appears with a partner nearby, a and b meet and vanish
    frames = [frame(a, b), frame(a, (0.1, 1.0, -0.5), c, (5.4, 5.0, -0.5)), frame((5.5, 5.0, -0.5), c)]
    history = tracks.follow(frames, LENGTHS, [1.0] * 3)
    assert history.born.tolist() == [0, 2, 0]
    assert history.gone.tolist() == [0, 0, 2]
    assert [len(t.place) for t in history.tracks] == [2, 2, 2, 2]
    assert history.tracks[1].path == pytest.approx(0.2)
    assert history.labels[2].tolist() == [3, 2]
    # charges never change into each other, however close they are
    assert len(tracks.follow([frame(a), frame((1.0, 1.0, -0.5))], LENGTHS, [9.0] * 2).tracks) == 2


def test_horizons_are_the_first_times_above_a_threshold():
    times, error = np.array([0.0, 1, 2, 3, 4]), np.array([0, 0.04, 0.14, 0.04, 0.56])
    found = [horizon.passed(times, error, t) for t in horizon.THRESHOLDS]
    np.testing.assert_allclose(found, [1.1, 3.5, np.inf])
    # a run that has failed is beyond every threshold, and one that starts elsewhere from the beginning
    assert horizon.passed(times[:3], np.array([0, 0.1, np.nan]), 1.0) == 2
    assert horizon.passed(times[:2], np.array([0.5, 0.1]), 0.3) == 0
    assert horizon.spectral_error(np.array([10.0, 1, 0]), np.array([1.0, 1, 5])) == pytest.approx(2**-0.5)


def test_a_run_beside_its_reference(tmp_path):
    def late(x, y, t):
        """The flow grows by 10 % of itself per time and the order lies 0.1 too high."""
        fields = waves(x, y, t)
        return fields | {"velocity": (1 + 0.1 * t) * fields["velocity"], "order": fields["order"] + 0.1}

    times = np.arange(0.0, 5.0)
    true = periodic_run(tmp_path / "true", waves, CELLS, LENGTHS, times)
    # a coarser grid and every second time
    other = periodic_run(tmp_path / "other", late, (20, 16), LENGTHS, times[::2])
    runs = [Nematic(plexus_post.open(p)) for p in (true, other)]
    found = horizon.Comparison(runs[0], runs[1:], ["true", "other"], horizon.Windows((0, 4), 3))
    np.testing.assert_allclose(found.curves[0][0], [0, 2, 4])
    np.testing.assert_allclose(found.curves[0][1], [0, 0.2, 0.4], atol=1e-12)
    reference, row = found.rows()
    np.testing.assert_allclose(row.horizons, [0.5, 3.0, np.inf])
    assert row.early_order == pytest.approx(0.1)
    assert found.late == 2.0
    # energies grow by 1.2² at t = 2 and 1.4² at t = 4
    assert row.spectrum == pytest.approx(np.log10((1.44 + 1.96) / 2))
    assert reference.order == pytest.approx(0.5)


def test_runs_in_different_boxes_or_at_other_times_cannot_be_compared(tmp_path):
    one = periodic_run(tmp_path / "one", waves, CELLS, LENGTHS)
    unit = {"velocity": lambda x: np.stack([0 * x, 0 * x], -1), "order": lambda x: 0 * x}

    def still(x, y, t):
        return {n: f(x) for n, f in unit.items()} | {"director": np.stack([1 + 0 * x, 0 * x], -1)}

    small = periodic_run(tmp_path / "small", still, CELLS, (5.0, 5.0))
    later = periodic_run(tmp_path / "later", waves, CELLS, LENGTHS, (7.0, 8.0))
    boxes = [Box(plexus_post.open(p)) for p in (one, small, later)]
    with pytest.raises(PostError, match="different boxes"):
        horizon.errors(boxes[1], boxes[0])
    with pytest.raises(PostError, match="fewer than two times"):
        horizon.errors(boxes[2], boxes[0])
