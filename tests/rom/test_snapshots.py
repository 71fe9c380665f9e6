"""Displacements that other programs have computed are read, matched, replayed and reduced, or refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from plexus.compose import compose
from plexus.deck.load import load
from plexus.errors import InputError
from plexus.offline.main import reduce
from plexus.runtime import context
from plexus.snapshots.frd import Frd, FrdParams, FrdResults
from plexus.snapshots.med import MedResults
from plexus.snapshots.vtu import VtuResults

COMM = MPI.COMM_WORLD
DATA = Path(__file__).with_name("data")
DECK = Path(__file__).parents[2] / "input_decks" / "rom" / "calculix.yaml"
FRD = DECK.with_name("norton.frd")


def shared(make):
    """Return a folder that all ranks know."""
    return Path(COMM.bcast(str(make("snapshots")) if COMM.rank == 0 else None))


def reduced(folder, *overrides, deck=DECK):
    """Reduce a deck with other values; return the run and the facts."""
    return reduce(load(deck, overrides), context.create(COMM, folder))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make the reduced model of CalculiX's history."""
    folder = shared(tmp_path_factory.mktemp)
    run, facts = reduced(folder)
    return folder, facts, run.values()


@pytest.mark.mpi
def test_the_replay_gives_what_the_own_run_gives(made, tmp_path_factory):
    _, facts, replayed = made
    run, own = reduced(shared(tmp_path_factory.mktemp), "reduce.snapshots=run")
    values = run.values()
    # the file has six digits
    assert replayed == pytest.approx(values, rel=3e-5)
    assert facts["modes"] == own["modes"] and facts["imbalance"] < 2e-4
    assert np.allclose(facts["spectrum"][:4], own["spectrum"][:4], rtol=1e-4)


def longer(folder, deck, *overrides):
    """Return eight cycles by the reduced model, at their end."""
    overrides = ("rom.type=galerkin", f"rom.file={folder / 'rom.h5'}", "time.cycles=8", *overrides)
    run = compose(load(deck, overrides), context.create(COMM, folder))
    run.observers = []
    run.execute()
    return run


def missed(run, file):
    """Return what the run's displacements miss of those at the end of a job, relative to these."""
    truth = FrdResults(DATA / file, "DISP")
    x, u = truth.points(0, truth.count) * 1e-3, truth.values(0, 0, truth.count) * 1e-3
    assert truth.times == [run.state.t]
    space, found = run.system.full.spaces["displacement"], run.fields.state.values["displacement"]
    own = slice(0, space.n_owned)
    place = [int(np.abs(x - p).sum(axis=1).argmin()) for p in space.points[own]]
    rest = COMM.allreduce(float(((found[own] - u[place]) ** 2).sum()))
    return (rest / (u**2).sum()) ** 0.5


@pytest.mark.mpi
@pytest.mark.pair
def test_eight_cycles_from_two_against_calculix(made):
    run = longer(made[0], DECK)
    assert missed(run, "norton_8_cycles.frd") < 1e-2
    # largest and mean CEEQ at the integration points at 96 s, from the .dat file of that job
    assert run.values()["p_max"] == pytest.approx(1.275243e-3, rel=2e-2)
    assert run.values()["p_mean"] == pytest.approx(4.57653e-4, rel=2e-2)


def test_a_cylinder_of_second_order_tetrahedra(tmp_path):
    deck = DECK.with_name("calculix_cylinder.yaml")
    run, facts = reduced(tmp_path, deck=deck)
    assert facts["imbalance"] < 2e-3
    # of the full model in the same deck
    assert run.values()["p_mean"] == pytest.approx(1.05677e-4, rel=1e-3)
    eight = longer(tmp_path, deck, "rom.imbalance=0.1")
    assert missed(eight, "norton_cylinder_8_cycles.frd") < 1e-2
    # of the full model after eight cycles
    assert eight.values()["p_max"] == pytest.approx(9.917186e-4, rel=2e-2)
    assert eight.values()["p_mean"] == pytest.approx(3.457808e-4, rel=2e-2)


MISFITS = {
    "unit": ("reduce.snapshots.unit=m", r"1000 times\): another `unit`"),
    "nodes": ("mesh.cells[2]=3", r"no node at 18 of the 36 nodes"),
    "fewer": ("mesh.cells=[1,1,1]", r"it has 27 nodes, the deck's mesh 8"),
    "degree": ("physics.degree=2", r"no node at 98 of the 125 nodes"),
    "digits": ("reduce.tolerance=1e-6", r"have 6 digits, and a basis finer than 1e-05 is rounding"),
    "law": ("physics.law.viscosity.drag=300 MPa", r"of the deck's forces out of balance, more than 0.01"),
    "times": ("time.start=2", r"do not rise from 2 s on"),
    "field": ("reduce.snapshots.field=STRESSES", r"no block STRESSES"),
}


def refused(folder, case):
    """Assert that the deck is refused with one of its values changed."""
    override, told = MISFITS[case]
    with pytest.raises(InputError, match=told):
        reduced(folder, override)


@pytest.mark.parametrize("case", MISFITS)
def test_what_does_not_fit_is_refused(tmp_path, case):
    refused(tmp_path, case)


@pytest.mark.mpi
@pytest.mark.parametrize("case", ["nodes", "field"])
def test_it_is_refused_on_all_ranks(tmp_path_factory, case):
    refused(shared(tmp_path_factory.mktemp), case)


@pytest.mark.parametrize("keep", [0.999, 0.6, 0.2, 0.02])
def test_a_truncated_file_is_refused(tmp_path, keep):
    text = FRD.read_bytes()
    # an end between two blocks is an end of a history like any other
    (tmp_path / "cut.frd").write_bytes(text[: int(len(text) * keep) - 13])
    with pytest.raises(InputError, match=r"cut\.frd"):
        Frd(FrdParams(file=str(tmp_path / "cut.frd"), unit="mm")).open(tmp_path / "cut.frd")


@pytest.fixture(scope="module")
def history():
    """Return times, points and displacements of the CalculiX job."""
    found = FrdResults(FRD, "DISP")
    return (
        found.times,
        found.points(0, found.count),
        [found.values(k, 0, found.count) for k in range(len(found.times))],
    )


@pytest.mark.parametrize("mode", ["Ascii", "Binary", "Appended", "Encoded"])
@pytest.mark.parametrize("compressed", [True, False])
def test_vtu_of_all_kinds(tmp_path, history, mode, compressed):
    vtk = pytest.importorskip("vtk")
    from vtk.util.numpy_support import numpy_to_vtk

    times, x, u = history
    lines = []
    for k, t in enumerate(times[:3]):
        grid, points = vtk.vtkUnstructuredGrid(), vtk.vtkPoints()
        points.SetData(numpy_to_vtk(x, deep=True))
        grid.SetPoints(points)
        array = numpy_to_vtk(u[k], deep=True)
        array.SetName("displacement")
        grid.GetPointData().AddArray(array)
        writer = vtk.vtkXMLUnstructuredGridWriter()
        writer.SetFileName(str(tmp_path / f"s{k}.vtu"))
        writer.SetInputData(grid)
        getattr(writer, f"SetDataModeTo{mode.replace('Encoded', 'Appended')}")()
        writer.SetEncodeAppendedData(mode == "Encoded")
        writer.SetCompressorTypeToZLib() if compressed else writer.SetCompressorTypeToNone()
        writer.Write()
        lines.append(f'<DataSet timestep="{t}" file="s{k}.vtu"/>')
    body = "".join(lines)
    path = tmp_path / "all.pvd"
    path.write_text(f'<VTKFile type="Collection"><Collection>{body}</Collection></VTKFile>')
    found = VtuResults(path, "displacement")
    assert found.times == times[:3] and found.count == len(x) and found.digits == 15
    assert np.array_equal(found.points(3, 9), x[3:9])
    assert all(np.array_equal(found.values(k, 0, 27), u[k]) for k in range(3))
    with pytest.raises(InputError, match="no point data 'U'; there are: displacement"):
        VtuResults(path, "U")
    (tmp_path / "s1.vtu").write_bytes((tmp_path / "s1.vtu").read_bytes()[:-200])
    with pytest.raises(InputError, match=r"s1\.vtu"):
        found.values(1, 0, 27)


@pytest.mark.parametrize("name", ["../s.vtu", "/etc/s.vtu"])
def test_a_pvd_stays_in_its_folder(tmp_path, name):
    path = tmp_path / "all.pvd"
    path.write_text(f'<VTKFile><Collection><DataSet timestep="1" file="{name}"/></Collection></VTKFile>')
    with pytest.raises(InputError, match="outside of its folder"):
        VtuResults(path, "displacement")


def test_entities_are_refused(tmp_path):
    path = tmp_path / "all.pvd"
    path.write_text('<!DOCTYPE a [<!ENTITY b "c">]><VTKFile>&b;</VTKFile>')
    with pytest.raises(InputError, match="entities"):
        VtuResults(path, "displacement")


def test_med_of_another_writer(history):
    # written with MEDCoupling 9.14 from the same job, every eighth step
    times, x, u = history
    found = MedResults(DATA / "norton.med", "DEPL", None)
    assert found.times == times[7::8]
    assert np.array_equal(found.points(2, 27), x[2:])
    assert all(np.array_equal(found.values(k, 0, 27), u[7::8][k]) for k in range(3))
    with pytest.raises(InputError, match="no field 'U'; there are: DEPL"):
        MedResults(DATA / "norton.med", "U", None)


@pytest.mark.skipif(shutil.which("ccx") is None, reason="CalculiX is not installed")
def test_the_job_is_the_file(tmp_path, history):
    import subprocess

    shutil.copy(DECK.with_name("norton.inp"), tmp_path)
    subprocess.run(["ccx", "norton"], cwd=tmp_path, check=True, capture_output=True)
    found = FrdResults(tmp_path / "norton.frd", "DISP")
    assert found.times == history[0]
    assert np.allclose(found.values(23, 0, 27), history[2][23], rtol=1e-4, atol=1e-9)
