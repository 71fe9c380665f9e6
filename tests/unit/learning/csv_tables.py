"""Files of another program, with states and answers of the quadratic closure."""

import h5py
import numpy as np

PORTS = {"c": ("c", None), "f1": ("f1_re", "f1_im"), "e": ("e_re", "e_im"), "f2": ("f2_re", "f2_im")}
DECK = """
plexus: 1
mesh: {{type: periodic, cells: [8, 8], size: [5, 5]}}
physics: {{type: active_fluid, order: 1, alpha: -3, zeta: 1}}
closure: {{type: spin_network, moment: 2, width: 8, depth: 1, precision: fp64}}
time: {{stepper: sbdf2, end: 4, step: 0.02}}
train:
  data: {data}
  stages: {stages}
"""


def table(count=400, seed=0):
    """Return columns: c, f_1 and e drawn at random, f_2 = f_1²/c."""
    rng = np.random.default_rng(seed)
    c, size = rng.uniform(0.8, 1.2, count), rng.uniform(0, 0.8, count)
    f1 = c * size * np.exp(2j * np.pi * rng.random(count))
    e = rng.normal(size=count) + 1j * rng.normal(size=count)
    f2 = f1**2 / c
    parts = {f"{n}_{p}": getattr(v, p2) for n, v in (("f1", f1), ("e", e), ("f2", f2))
             for p, p2 in (("re", "real"), ("im", "imag"))}  # fmt: skip
    return {"t": np.linspace(0, 4, count), "c": c, **parts}


def csv(path, columns, units=None):
    """Write a CSV file."""
    heads = [f"{n} [{units[n]}]" if units and n in units else n for n in columns]
    rows = zip(*columns.values(), strict=True)
    lines = [",".join("" if np.isnan(v) else repr(float(v)) for v in row) for row in rows]
    path.write_text("\n".join([",".join(heads), *lines]) + "\n")
    return path


def hdf5(path, columns, units=None):
    """Write an HDF5 file."""
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file[f"run/{name}"] = values
            if units and name in units:
                file[f"run/{name}"].attrs["unit"] = units[name]
    return path


def vtkhdf(path, columns, steps=4):
    """Write points alone as VTKHDF has them, the same ones in some steps that share the rows."""
    rows = len(columns["t"]) // steps
    with h5py.File(path, "w") as file:
        root = file.create_group("VTKHDF")
        root.attrs.update({"Version": (2, 0), "Type": np.bytes_("UnstructuredGrid")})
        for name, values in columns.items():
            if name != "t":
                root[f"PointData/{name}"] = values
                root[f"Steps/PointDataOffsets/{name}"] = rows * np.arange(steps)
        root["Steps/Values"], root["NumberOfPoints"] = np.arange(float(steps)), [rows]
        root["Steps"].attrs["NSteps"] = steps
    return path


def block(*files, prefix="", time="t", more=""):
    """Return the block `data` of a deck in one line."""

    def column(name, imaginary):
        other = f", imaginary: {prefix}{imaginary}" if imaginary else ""
        return f"{{name: {prefix}{name}{other}}}"

    columns = ", ".join(f"{port}: {column(*names)}" for port, names in PORTS.items())
    at = f", time: {prefix}{time}" if time else ""
    return f"{{type: files, files: [{', '.join(map(str, files))}], columns: {{{columns}}}{at}{more}}}"
