"""Material properties at points: numbers, expressions, tables, regions."""

from types import SimpleNamespace
from typing import Annotated

import numpy as np
import pytest
from pydantic import ValidationError

from plexus.deck.load import load
from plexus.deck.params import Field, Params, Property, Unit, Within
from plexus.deck.property import FORMS


class Holder(Params):
    """One property in W/(m K)."""

    k: Annotated[Property, Unit("W/(m K)")] = Field(description="conductivity")


def prop(value) -> Property:
    return Holder(k=value).k


def point(**fields):
    x = np.linspace(0, 1, 12).reshape(2, 3, 2)
    samples = {name: SimpleNamespace(value=np.asarray(v, float)) for name, v in fields.items()}
    regions = {"a": np.array([[True], [False]]), "b": np.array([[False], [True]])}
    return SimpleNamespace(x=x, t=2.0, dim=2, fields=samples, regions=regions)


@pytest.mark.parametrize("text", FORMS)
def test_a_deck_may_say_what_the_reference_shows(text, tmp_path):
    path = tmp_path / "deck.yaml"
    path.write_text(
        "plexus: 1\n"
        "mesh: {type: box, cell: triangle, cells: [4, 4], regions: {steel: x < 0.5, copper: x > 0.5}}\n"
        f"physics: {{type: heat, material: {{conductivity: {text}}}}}\n"
        "boundary: [{on: exterior, temperature: 20 degC}]\n"
    )
    spec = load(path).physics.material.conductivity.spec
    if "regions" in text:
        assert spec["regions"]["copper"] == "380 W/(m K)" or spec["regions"]["copper"] == 380.0
    elif "table" in text:
        assert spec["table"] == [[293.15, 15.0], [873.15, 23.0]]
    else:
        assert spec in (45.0, text)


def test_constant():
    k = prop("5 kW/(m K)")
    assert k.constant == 5000.0
    assert k(point()).shape == (1, 1)
    assert k.derivative(point()) is None


def test_expression_of_place_time_and_field():
    k = prop("2*x + t + 0.5*temperature^2")
    p = point(temperature=np.full((2, 3), 3.0))
    np.testing.assert_allclose(k(p), 2 * p.x[..., 0] + 2 + 4.5)
    np.testing.assert_allclose(k.derivative(p), 3.0)
    assert k.names == {"x", "t", "temperature"}
    assert k.derivative(p, "pressure") is None
    assert prop("displacement_y*1")(point(displacement=p.x)).tolist() == p.x[..., 1].tolist()


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_table(library):
    k = prop(
        {"table": [[0, 10], [100, 30], [300, 10]], "of": "temperature", "of_unit": "degC", "source": "book"}
    )
    degrees = np.array([[-50.0, 0, 50], [200, 300, 400]])
    p = point(temperature=degrees + 273.15)
    if library == "torch":
        torch = pytest.importorskip("torch")
        p.fields["temperature"].value = torch.from_numpy(p.fields["temperature"].value)
    np.testing.assert_allclose(np.asarray(k(p)), [[10, 10, 20], [20, 10, 10]])
    np.testing.assert_allclose(np.asarray(k.derivative(p)), [[0, 0.2, 0.2], [-0.1, -0.1, 0]])
    assert k.outside == 2
    assert k.constant is None


def test_table_units():
    k = prop({"table": [["20 degC", "1 W/(cm K)"], ["120 degC", 3]], "unit": "W/(cm K)", "of": "temperature"})
    assert k.table.xs == pytest.approx([293.15, 393.15])
    assert k.table.ys == pytest.approx([100, 300])


def test_regions():
    k = prop({"regions": {"a": "2 W/(m K)", "b": "x"}})
    p = point()
    np.testing.assert_allclose(k(p)[0], 2.0)
    np.testing.assert_allclose(k(p)[1], p.x[1, :, 0])


def test_regions_without_points_here_are_not_asked():
    k = prop({"regions": {"a": {"table": [[0, 1], [1, 2]]}, "b": 5.0}})
    p = point(temperature=np.full((2, 3), 9.0))
    p.regions = {"a": np.array([[False], [False]]), "b": np.array([[True], [True]])}
    np.testing.assert_array_equal(k(p), [[5.0]])
    assert k.regions["a"].outside == 0
    p.regions = {"a": p.regions["b"], "b": p.regions["a"]}
    np.testing.assert_array_equal(k(p), np.full((2, 3), 2.0))
    assert k.regions["a"].outside == 6
    np.testing.assert_array_equal(k.derivative(p), np.zeros((2, 3)))
    p.regions = {name: np.zeros((0, 1), dtype=bool) for name in "ab"}
    assert np.shape(k(p)) == (1, 1)


def test_a_table_is_left_where_it_holds_only():
    table = {"table": [[300, 1], [400, 2]], "of": "temperature"}
    k = prop({"regions": {"a": table, "b": 3}})
    # the rows of `a` are the first ones; what is within a thousandth of the ends counts as inside
    k(point(temperature=np.array([[300.0, 400.05, 350], [200, 500, 600]])))
    assert k.regions["a"].outside == 0
    k(point(temperature=np.array([[300.0, 401.0, 350], [200, 500, 600]])))
    assert k.regions["a"].outside == 1


@pytest.mark.parametrize(
    ("value", "phrase"),
    [
        ("5 K", "does not fit"),
        ({"table": [[0, 1]]}, "at least two"),
        ({"table": [[1, 1], [0, 2]]}, "increase"),
        ({"table": [[0, 1], [1, 2, 3]]}, "pairs"),
        ({"table": 3}, "two pairs"),
        ({"tabel": []}, "a property is"),
        (True, "not a number"),
        ([1, 2], "number or an expression"),
        ({"regions": {}}, "a property is"),
        ({"table": [[0, 1], [1, 2]], "of": 3}, "name of a field"),
        ({"table": [[0, "a"], [1, 2]]}, "not a number"),
        (float("nan"), "finite|expression"),
    ],
)
def test_refused(value, phrase):
    with pytest.raises(ValidationError, match=phrase):
        prop(value)


class Bounded(Params):
    """A scalar or tensor between bounds."""

    k: Annotated[Property | tuple[tuple[Property, ...], ...], Unit("Pa"), Within(gt=0, le=9)] = Field(
        description="stiffness"
    )


@pytest.mark.parametrize(
    "value",
    [
        0,
        "-2 Pa",
        "10 Pa",
        {"table": [[0, 1], [1, -1]]},
        {"regions": {"a": 1, "b": -1}},
        [[1, 0], [0, -1]],
    ],
)
def test_stated_numbers_beyond_the_bounds_are_refused(value):
    with pytest.raises(ValidationError, match=r"must be (> 0|<= 9), not"):
        Bounded(k=value)


def test_bounds_leave_expressions_and_what_is_beside_the_diagonal():
    assert Bounded(k="x - 1").k.constant is None
    assert Bounded(k=[[1, -0.5], [-0.5, 1]]).k[0][1].constant == -0.5
