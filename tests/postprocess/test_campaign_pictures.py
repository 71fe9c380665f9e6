"""Histograms of campaigns: quantiles, failures, lives without end, draws that the full model marched too."""

import json

import h5py
import numpy as np

from plexus_post.cli import main


def campaign(folder, **columns):
    """Write a folder of a campaign with these columns."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(json.dumps({"status": "done", "exit_code": 0}))
    with h5py.File(folder / "series.h5", "w") as file:
        for name, values in columns.items():
            file[f"draws/{name}"] = np.asarray(values, dtype=float)
            file[f"draws/{name}"].attrs["unit"] = np.bytes_(b"m" if "tip" in name else b"")
    return folder


def test_a_campaign_has_a_histogram_per_figure(tmp_path, drawn):
    count = 200
    tip = 1e-4 * (1 + np.arange(count) / count)
    life = 10 ** (2 + 4 * np.arange(count) / count)
    tip[3] = life[3] = np.nan
    life[10:12] = np.inf
    full = np.full(count, np.nan)
    full[[20, 30]] = tip[[20, 30]] * 1.01
    failed = np.arange(count) == 3
    columns = {"draw": np.arange(count), "failed": failed, "trained": 0 * failed, "indicator": 0 * tip}
    columns |= {"life": life, "tip": tip, "full_tip": full, "error_tip": full - tip}
    columns |= {"beyond": np.arange(count) < 5, "outside": 7 * (np.arange(count) == 9)}
    assert main(["plot", str(campaign(tmp_path / "a", **columns))]) == 0
    one, two = drawn["draws.png"].axes
    told = "200 draws, 1 did not come to their end, 5 beyond what the model knows, 1 where data do not reach"
    assert one.get_title("left").split() == told.split()
    assert one.get_xscale() == "log" and two.get_xscale() == "linear"
    assert "without end: 2" in one.get_xlabel() and "tip [µm]" in two.get_xlabel()
    assert sum(bar.get_height() for bar in one.patches) == count - 3
    finite = np.sort(life[np.isfinite(life)])
    low, middle, high = (line.get_xdata()[0] for line in one.lines)
    assert (low, middle, high) == tuple(finite[[9, 98, 187]])
    # the draws that the full model marched, in the unit of the axis
    np.testing.assert_allclose(two.lines[-1].get_xdata(), 1e6 * full[[20, 30]])


def test_a_campaign_without_figures_has_no_histogram(tmp_path, drawn):
    folder = campaign(tmp_path / "a", draw=[0, 1, 2], failed=[1, 1, 1], trained=[0, 0, 0])
    assert main(["plot", str(folder)]) == 0
    assert "draws.png" not in drawn or not drawn["draws.png"].axes[0].patches
