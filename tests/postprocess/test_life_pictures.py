"""The life map: colours by decades, the bar in cycles, lives without end beside long ones."""

from types import SimpleNamespace

import numpy as np
from post_samples import annulus, write_fields

from plexus_post.cli import main
from plexus_post.pictures.fields.life import shortest
from plexus_post.pictures.scenes import Scene, views
from plexus_post.readers.run import open as open_run


def lives(points, t):
    x = points[:, 0]
    life = 10.0 ** (3 + 9 * (x - x.min()) / np.ptp(x))
    life[x > x.max() - 0.05] = np.inf
    return {"life": life, "log_life": np.minimum(np.log10(life), 9), "damage": 1 / life}


def test_colours_are_decades_and_the_bar_tells_cycles(tmp_path, drawn):
    points, cells = annulus()
    write_fields(tmp_path / "cycles.vtkhdf", points, cells, "quad", fields=lives)
    assert main(["plot", str(tmp_path / "cycles.vtkhdf"), "--fields", "life"]) == 0
    assert list(drawn) == ["life.png"]
    axes, bar = drawn["life.png"].axes
    assert "from 1000 to 1e+09" in bar.get_ylabel()
    told = dict(zip(bar.get_yticks(), (t.get_text() for t in bar.get_yticklabels()), strict=True))
    assert told[3.0] == "1e+03" and told[6.0] == "1e+06" and max(told) <= 9
    assert any("lives above 1e+09 look alike" in t.get_text() for t in axes.texts)


def test_a_bar_of_small_numbers_tells_their_power_with_the_unit(tmp_path, drawn):
    """A multiplier above the bar would stand in the headline."""
    points, cells = annulus()
    small = lambda points, t: {"damage": lives(points, t)["damage"] * 1e-2}  # noqa: E731
    write_fields(tmp_path / "cycles.vtkhdf", points, cells, "quad", fields=small)
    assert main(["plot", str(tmp_path / "cycles.vtkhdf"), "--fields", "damage"]) == 0
    bar = drawn["damage.png"].axes[1]
    assert bar.get_ylabel().startswith("damage [1e-5]") and bar.get_yticklabels()[-1].get_text() == "1"


def test_both_fields_of_a_life_are_one_picture(tmp_path):
    points, cells = annulus()
    write_fields(tmp_path / "cycles.vtkhdf", points, cells, "quad", fields=lives)
    shown = [view.name for view in views(Scene(open_run(tmp_path / "cycles.vtkhdf"), 0))]
    assert "life" in shown and "damage" in shown and "log_life" not in shown


def test_a_shortest_life_that_the_picture_does_not_show_is_told():
    """That of a point is shorter than the means of cells; at an earlier step nothing is known of it."""
    quantities = {"life": {"type": "shortest_life"}, "place": {"type": "shortest_life", "tell": "x"}}
    run = SimpleNamespace(
        deck={"quantities": quantities}, summary={"quantities": {"life": 800.0, "place": 0.1}}, times=[0, 1]
    )
    assert shortest(run, 1, 1000.0).startswith("life is 800 cycles: taken at points")
    assert shortest(run, 1, 800.0) == shortest(run, 0, 1000.0) == ""
