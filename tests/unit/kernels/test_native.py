"""The door, the compile cache and the fallback of the compiled kernels."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from kernel_cases import case

import plexus_kernels

native = plexus_kernels.backend("native")


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a fresh interpreter with these environment variables."""
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | env, capture_output=True, text=True, check=False
    )


def alone(folder: Path) -> dict[str, str]:
    """Return the environment in which no cache but this folder can be found."""
    return {name: str(folder) for name in ("PLEXUS_CACHE", "XDG_CACHE_HOME", "HOME", "TMPDIR")}


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (
            {"cells": lambda a: a.astype(np.int64)},
            TypeError,
            "cells: expected a NumPy array of int32, got int64",
        ),
        ({"points": lambda a: a.astype(np.float32)}, TypeError, "points: expected a NumPy array of float64"),
        ({"points": lambda a: a.tolist()}, TypeError, "got list"),
        ({"points": np.asfortranarray}, ValueError, "C-contiguous"),
        ({"cells": lambda a: a[:, :2]}, ValueError, "cells: expected shape"),
        ({"u": lambda a: a[:, 0]}, ValueError, "u: expected shape"),
        ({"cell_nodes": lambda a: a[1:]}, ValueError, "cell_nodes: expected shape"),
    ],
)
def test_wrong_arrays_are_named(change: dict, error: type, text: str) -> None:
    k = case("triangle", 1, 1)
    args = {"points": k.points, "cells": k.cells, "T": k.T, "cell_nodes": k.cell_nodes, "u": np.ones((9, 1))}
    args |= {name: f(args[name]) for name, f in change.items()}
    with pytest.raises(error, match=text):
        native.sample(**args)


def test_wrong_coefficients_and_slots_are_named() -> None:
    k = case("triangle", 1, 1)
    slots = native.pattern(k.cell_nodes, k.n_nodes)[2]
    values = np.zeros((slots.max() + 1, 1, 1))
    start = (k.points, k.cells, k.T)
    with pytest.raises(ValueError, match="c00: expected shape"):
        native.matrix(*start, np.ones((2, 1, 1, 1)), None, None, None, None, slots, values)
    with pytest.raises(TypeError, match="weight: expected a NumPy array of float64, got int64"):
        native.matrix(*start, None, None, None, None, np.ones((1, 1), int), slots, values)
    with pytest.raises(IndexError, match="exceed"):
        native.matrix(*start, np.ones((1, 1, 1, 1)), None, None, None, None, slots, values[:-3])
    with pytest.raises(ValueError, match="negative"):
        native.pattern(k.cell_nodes - 1, 3)


def test_broadcast_views_are_taken_without_a_copy() -> None:
    """A view that repeats along C and Q describes itself by stride 0."""
    from plexus_kernels.native.arrays import field

    one = np.ones((1, 1, 2))
    f, kept = field("f0", np.broadcast_to(one, (1000, 7, 2)), 1000, 7, (2,))
    assert (f.cell, f.point) == (0, 0) and np.shares_memory(kept, one)
    part = np.ones((1000, 7, 2))[:, ::2][:, :3]
    f, kept = field("f0", part, 1000, 3, (2,))
    assert (f.cell, f.point) == (14, 4) and np.shares_memory(kept, part)
    f, kept = field("f0", np.ones((1000, 2, 7)).swapaxes(1, 2), 1000, 7, (2,))
    assert (f.cell, f.point) == (14, 2)


def test_libraries_are_kept_in_the_cache(tmp_path: Path) -> None:
    code = (
        "from plexus_kernels.native.loader import library; library('pattern'); library('geometry', D=2, G=3)"
    )
    assert run(code, **alone(tmp_path)).returncode == 0
    first = {p.name: p.stat().st_mtime_ns for p in tmp_path.rglob("*.so")}
    assert len(first) == 2 and not list(tmp_path.rglob("*.partial"))
    assert run(code, **alone(tmp_path)).returncode == 0
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.rglob("*.so")} == first


def test_several_processes_may_compile_at_once(tmp_path: Path) -> None:
    code = "from plexus_kernels.native.loader import library; library('geometry', D=3, G=4)"
    env = os.environ | alone(tmp_path)
    started = [subprocess.Popen([sys.executable, "-c", code], env=env) for _ in range(4)]
    assert [p.wait() for p in started] == [0] * 4
    assert len(list(tmp_path.rglob("*.so"))) == 1


def test_an_unusable_cache_folder_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    code = "from plexus_kernels.native.loader import cache_folder; print(cache_folder())"
    env = {"PLEXUS_CACHE": str(tmp_path / "file"), "XDG_CACHE_HOME": str(tmp_path / "xdg")}
    assert run(code, **env).stdout.strip() == str(tmp_path / "xdg" / "plexus" / "kernels")
    # neither the named folders nor a home: the folder for temporary files
    env |= {"XDG_CACHE_HOME": str(tmp_path / "file"), "HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path)}
    assert run(code, **env).stdout.strip() == str(tmp_path / f"plexus-kernels-{os.getuid()}")


def test_a_node_without_compiler_uses_what_another_has_made(tmp_path: Path) -> None:
    code = "from plexus_kernels.native.loader import library; library('geometry', D=2, G=3)"
    assert run(code, **alone(tmp_path)).returncode == 0
    assert run(code, **alone(tmp_path), CC="no-such-compiler").returncode == 0


@pytest.mark.parametrize("cc", ["no-such-compiler", "false"])
def test_without_a_compiler_numpy_takes_over_with_one_warning(tmp_path: Path, cc: str) -> None:
    code = "import plexus_kernels as k; print(k.backend().__name__, k.backend().__name__)"
    done = run(code, **alone(tmp_path), CC=cc)
    assert done.stdout.split() == ["plexus_kernels.reference"] * 2
    assert done.stderr.count("native kernels are not usable") == 1
    assert run("import plexus_kernels as k; k.backend('native')", **alone(tmp_path), CC=cc).returncode


def test_unknown_backend_is_named() -> None:
    with pytest.raises(ValueError, match="unknown kernel backend 'fortran'"):
        plexus_kernels.backend("fortran")
