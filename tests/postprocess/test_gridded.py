"""Fields on rectangular grids as xarray has them."""

import numpy as np
import pytest
from post_samples import periodic_run, run_folder

import plexus_post
from plexus_post.errors import PostError

pytest.importorskip("xarray")


def waves(x, y, t):
    return {"vorticity": x + 10 * y + 100 * t, "velocity": np.stack([x * t, y], -1)}


def test_a_grid_has_the_axes_of_time_x_and_y_and_is_read_step_by_step(tmp_path, monkeypatch):
    run = plexus_post.open(periodic_run(tmp_path / "run", waves, (6, 4), (3.0, 1.0)))
    found = run.gridded("vorticity")
    assert found.dims == ("time", "x", "y") and found.shape == (3, 7, 5)
    read = []
    field = type(run).field
    monkeypatch.setattr(type(run), "field", lambda s, n, step=None: (read.append(step), field(s, n, step))[1])
    one = found.sel(time=1.0, x=0.5, y=0.25, method="nearest")
    assert float(one) == pytest.approx(0.5 + 2.5 + 100) and read == [1]
    assert found[0, :, 1].values == pytest.approx(found.x.values + 2.5)
    assert float(found.isel(time=slice(0, 2)).mean()) == pytest.approx(1.5 + 5 + 50)


def test_components_have_names(tmp_path):
    run = plexus_post.open(periodic_run(tmp_path / "run", waves, (6, 4), (3.0, 1.0), parts=3))
    velocity = run.gridded("velocity")
    assert velocity.dims == ("time", "x", "y", "component")
    np.testing.assert_allclose(velocity.sel(component="x").isel(time=2)[:, 1], 2 * velocity.x)
    np.testing.assert_allclose(run.gridded("velocity_y")[0, 2], velocity.y)


def test_cells_stand_at_their_centres_and_solids_have_a_third_axis(tmp_path):
    cube = plexus_post.open(run_folder(tmp_path / "cube", shape="hexahedron", parts=2))
    rank = cube.gridded("rank")
    assert rank.dims == ("time", "x", "y", "z") and rank.shape == (3, 3, 3, 3)
    np.testing.assert_allclose(rank.x, [1 / 6, 1 / 2, 5 / 6])
    assert set(np.unique(rank)) == {0, 1}


def test_other_meshes_are_refused(tmp_path):
    run = plexus_post.open(run_folder(tmp_path / "run"))
    with pytest.raises(PostError, match="not on a rectangular grid"):
        run.gridded("temperature")
