"""Files of linear systems: what is read, and what is said of those that are none."""

import numpy as np
import pytest
from petsc4py import PETSc
from whole_systems import dense, problem, whole

from plexus.errors import InputError

HEAD = "%%MatrixMarket matrix coordinate real general\n"
GOOD = HEAD + "% a comment\n\n3 3 5\n1 1 2\n1 2 -0.5\n2 1 -0.5\n2 2 3\n3 3 1\n"
A = np.array([[2, -0.5, 0], [-0.5, 3, 0], [0, 0, 1.0]])
ARRAY = "%%MatrixMarket matrix array real general\n"


@pytest.fixture
def file(tmp_path):
    """Return a function (name -> content, parameters) -> member `file`."""

    def make(content, **given):
        for name, data in content.items():
            path = tmp_path / name
            path.write_bytes(data if isinstance(data, bytes) else data.encode())
        paths = {k: str(tmp_path / v) if isinstance(v, str) else v for k, v in given.items()}
        return problem("file", **{"file": str(tmp_path / next(iter(content))), **paths})

    return make


def integers(*values):
    return np.array(values, dtype=">i4").tobytes()


def reals(*values):
    return np.array(values, dtype=">f8").tobytes()


BINARY = integers(1211216, 3, 3, 5, 2, 2, 1, 0, 1, 0, 1, 2) + reals(2, -0.5, -0.5, 3, 1)
LONG = np.array([1211216, 3, 3, 5], dtype=">i8").tobytes() + BINARY[16:]


@pytest.mark.parametrize("content", [GOOD, BINARY], ids=["text", "binary"])
def test_a_matrix_is_read(file, content):
    layout, system = whole(file({"a": content}))
    assert (dense(system) == A).all() and layout.n_global == 3
    assert (system.rhs == np.random.default_rng(1).standard_normal(3)).all()


def test_ends_and_blanks_of_lines_are_anyones(file):
    for text in (
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\n\n").replace("1 2 -0.5", "\t1   2 -5e-1 "),
    ):
        assert (dense(whole(file({"a": text}))[1]) == A).all()


def test_one_triangle_stands_for_both(file):
    text = "%%MatrixMarket matrix coordinate integer symmetric\n2 2 3\n1 1 4\n2 1 -1\n2 2 5\n"
    _, system = whole(file({"a": text}))
    assert (dense(system) == [[4, -1], [-1, 5]]).all()


def test_what_petsc_writes_is_read(file, tmp_path):
    viewer = PETSc.Viewer().createBinary(str(tmp_path / "a"), "w", comm=PETSc.COMM_SELF)
    mat = PETSc.Mat().createAIJ((3, 3), csr=([0, 2, 4, 5], [0, 1, 0, 1, 2], [2, -0.5, -0.5, 3, 1]))
    mat.view(viewer)
    viewer.destroy()
    mat.destroy()
    b = integers(1211214, 3) + reals(1, 2, 3)
    _, system = whole(file({"a": (tmp_path / "a").read_bytes(), "b": b}, rhs="b"))
    assert (dense(system) == A).all() and (system.rhs == [1, 2, 3]).all()


@pytest.mark.parametrize(("apart", "size"), [(1e-6, 1.0), (1.0, 1e-200), (1.0, 1e200)])
def test_a_near_null_space_is_orthonormal_whatever_its_columns(file, apart, size):
    columns = size * np.stack([np.ones(3), 1 + apart * np.arange(3)])
    made = file(
        {"a": GOOD, "v": ARRAY + "3 2\n" + "".join(f"{x:.17g}\n" for x in columns.ravel())},
        near_nullspace="v",
    )
    near = whole(made)[1].near
    assert np.allclose(near.T @ near, np.eye(2), atol=1e-14) and np.allclose(near @ (near.T @ np.ones(3)), 1)


def test_entries_told_twice_count_once(file):
    text = HEAD + "2 2 3\n1 1 1\n2 2 3\n2 2 3\n"
    _, system = whole(file({"a": text}))
    assert (dense(system) == np.diag([1, 3])).all()


WRONG = {
    "truncated": (GOOD[:-6], r"a:8: the file ends after 4 of 5 entries: it is truncated"),
    "rectangular": (HEAD + "2 3 1\n1 1 1\n", "a:2: 2 rows and 3 columns: a linear system needs a square"),
    "complex": (GOOD.replace("real", "complex"), "a:1: complex numbers"),
    "pattern": (GOOD.replace("real", "pattern"), "a:1: a pattern has no values"),
    "skew": (GOOD.replace("general", "skew-symmetric"), "a:1: a skew-symmetric matrix has no diagonal"),
    "dense": (ARRAY + "1 1\n1\n", "a:1: a dense matrix"),
    "nan": (GOOD.replace("2 1 -0.5", "2 1 nan"), "a:7: row 2, column 1 has the value nan"),
    "infinite": (GOOD.replace("3 3 1", "3 3 inf"), "a:9: row 3, column 3 has the value inf"),
    "two values": (HEAD + "1 1 2\n\n1 1 3\n1 1 4\n", "a:5: row 1, column 1 has two values, 3 and 4"),
    "no diagonal": (HEAD + "2 2 2\n1 1 1\n2 1 1\n", "a: row 2 has no diagonal entry"),
    "outside": (GOOD.replace("3 3 1\n", "4 3 1\n"), r"a:9: entry \(4, 3\) lies outside of 3 rows"),
    "words": (GOOD.replace("2 2 3", "2 2 x"), "a:8: expected 3 numbers, not '2 2 x'"),
    "half a row": (GOOD.replace("2 2 3", "2 2.5 3"), "a:8: row and column are no whole numbers"),
    "more": (GOOD + "3 1 1\n", "a:10: more than the 5 entries that line 4 tells"),
    "Fortran's exponent": (
        GOOD.replace("3 3 1\n", "3 3 1.0D+02\n"),
        "a:9: expected 3 numbers, not '3 3 1.0D",
    ),
    "a decimal comma": (GOOD.replace("3 3 1\n", "3 3 1,5\n"), "a:9: expected 3 numbers, not '3 3 1,5'"),
    "a comment behind": (GOOD[:-1] + " % end", "a:9: expected 3 numbers, not '3 3 1 % end'"),
    "an underscore": (GOOD.replace("2 2 3", "2 2 3_0"), "a:8: expected 3 numbers, not '2 2 3_0'"),
    "words on other lines": (GOOD.replace("1 1 2\n", "1 1\n2 "), "a:5: expected 3 numbers, not '1 1'"),
    "too many rows": (HEAD + "900000000 900000000 1\n1 1 1\n", "a:2: 900000000 rows and 1 entries: each row"),
    "too many entries": (HEAD + "2 2 9000000000\n1 1 1\n", "a:2: 9000000000 entries do not fit into the 6 b"),
    "sizes with signs": (HEAD + "1_0 1_0 10\n", "a:2: expected sizes, not '1_0 1_0 10'"),
    "no sizes": (HEAD + "three\n", "a:2: expected sizes, not 'three'"),
    "another thing": ("plexus: 1\n", "a: neither MatrixMarket nor PETSc's binary format"),
    "binary truncated": (BINARY[:-9], "a: 79 bytes where 5 entries need 88: it is truncated"),
    "binary longer": (BINARY + b"x", "a: 89 bytes where 5 entries need 88"),
    "binary complex": (BINARY + reals(0, 0, 0, 0, 0), "a: complex numbers"),
    "binary of 64-bit integers": (LONG, "a: written by a PETSc with 64-bit integers"),
    "binary rectangular": (integers(1211216, 3, 4, 5), "a: 3 rows and 4 columns"),
    "binary nan": (BINARY[:-8] + reals(np.nan), "a: row 3, column 3 has the value nan"),
    "a vector": (integers(1211214, 1) + reals(1), "a: expected a matrix, this is a vector"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_matrix_is_refused_with_its_place(file, name):
    content, expected = WRONG[name]
    made = file({"a": content})
    with pytest.raises(InputError, match="^physics.problem.file: .*" + expected):
        made.outline()
        whole(made)


BESIDE = {
    "another length": ({"rhs": "b"}, ARRAY + "2 1\n1\n2\n", "rhs: .*b: 2 numbers for one column of 3 rows"),
    "two columns": ({"rhs": "b"}, ARRAY + "3 2\n" + "1\n" * 6, "rhs: .*b: 2 columns for one column of 3"),
    "not finite": ({"rhs": "b"}, ARRAY + "3 1\n1\nnan\n2\n", "rhs: .*b:4: row 2 has the value nan"),
    "no number": ({"rhs": "b"}, ARRAY + "3 1\n1\n2\n3D5\n", "rhs: .*b:5: expected 1 number, not '3D5'"),
    "cut": ({"rhs": "b"}, ARRAY + "3 1\n1\n2\n", "rhs: .*b:4: the file ends after 2 of 3 numbers"),
    "a matrix": ({"rhs": "b"}, GOOD, "rhs: .*b:1: expected `matrix array real general`"),
    "grid": ({"cells": [2, 2]}, "", r"cells: 2 × 2 = 4 cells for 3 blocks"),
    "blocks": ({"block_size": 2}, "", "block_size: 3 rows are no blocks of 2"),
    "places": (
        {"coordinates": "b"},
        ARRAY + "4 2\n" + "1\n" * 8,
        "coordinates: .* are no places of 3 blocks",
    ),
    "near of another shape": (
        {"near_nullspace": "b"},
        ARRAY + "2 3\n" + "1\n0\n" * 3,
        "near_nullspace: .* 6 numbers are no vectors of 3 rows",
    ),
    "near zero": (
        {"near_nullspace": "b"},
        ARRAY + "3 2\n" + "1\n" * 3 + "0\n" * 3,
        "near_nullspace: .* are not independent",
    ),
    "near": ({"near_nullspace": "b"}, ARRAY + "3 2\n" + "1\n" * 6, "near_nullspace: .* are not independent"),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_does_not_fit_the_matrix_is_refused(file, name):
    given, content, expected = BESIDE[name]
    made = file({"a": GOOD, "b": content}, **given)
    with pytest.raises(InputError, match=r"^physics\.problem\." + expected):
        made.outline()
        whole(made)


def test_blocks_have_places_and_vectors(file):
    content = {"a": HEAD + "4 4 4\n1 1 1\n2 2 1\n3 3 1\n4 4 1\n", "x": ARRAY + "2 2\n0\n3\n1\n5\n"}
    content |= {"v": ARRAY + "4 2\n1\n0\n1\n0\n0\n1\n0\n1\n", "u": ARRAY + "4 1\n1\n2\n3\n4\n"}
    made = file(content, block_size=2, coordinates="x", near_nullspace="v", solution="u")
    layout, system = whole(made)
    assert made.outline().dim == 2 and (layout.points == [[0, 1], [3, 5]]).all()
    assert np.allclose(system.near @ system.near.T, np.tile(np.eye(2), (2, 2)) / 2)
    assert (system.fields["exact"] == [[1, 2], [3, 4]]).all()
