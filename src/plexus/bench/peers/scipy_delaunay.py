"""Delaunay tetrahedra of the unit cube for ``plexus bench linear:unstructured``; needs no plexus.

Arguments: cubes per side, file to write (Gmsh MSH 4.1). Nodes are those of a lattice, moved inside the cube
by up to a quarter of its width; the side z = 0 is the group ``bottom``.
"""

import json
import sys

import numpy as np
import scipy
from scipy.spatial import Delaunay

FLAT = 1e-3
"""Volume over that of a cube below which a tetrahedron on the surface is none."""


def mesh(n):
    """Return nodes (N, 3), tetrahedra (T, 4) of positive volume and triangles on z = 0 (F, 3)."""
    lattice = np.stack(np.meshgrid(*[np.arange(n + 1.0)] * 3, indexing="ij"), -1).reshape(-1, 3)
    inside = (lattice > 0) & (lattice < n)
    points = (lattice + inside * np.random.default_rng(0).uniform(-0.25, 0.25, lattice.shape)) / n
    tets = Delaunay(points).simplices
    volume = np.linalg.det(points[tets[:, 1:]] - points[tets[:, :1]]) / 6
    tets, volume = tets[abs(volume) * n**3 > FLAT], volume[abs(volume) * n**3 > FLAT]
    tets[volume < 0, :2] = tets[volume < 0, 1::-1]
    low = points[tets, 2] == 0
    flat = low.sum(axis=1) == 3
    return points, tets, tets[flat][low[flat]].reshape(-1, 3)


def write(path, points, tets, triangles):
    """Write a file of two groups."""
    with open(path, "w") as file:
        file.write("$MeshFormat\n4.1 0 8\n$EndMeshFormat\n")
        file.write('$PhysicalNames\n2\n2 1 "bottom"\n3 2 "body"\n$EndPhysicalNames\n')
        file.write("$Entities\n0 0 1 1\n1 0 0 0 1 1 0 1 1 0\n1 0 0 0 1 1 1 1 2 1 1\n$EndEntities\n")
        file.write(f"$Nodes\n1 {len(points)} 1 {len(points)}\n3 1 0 {len(points)}\n")
        np.savetxt(file, np.arange(1, len(points) + 1), "%d")
        np.savetxt(file, points, "%.17g")
        count = len(tets) + len(triangles)
        file.write(f"$EndNodes\n$Elements\n2 {count} 1 {count}\n")
        first = 1
        for dim, kind, cells in ((2, 2, triangles), (3, 4, tets)):
            file.write(f"{dim} 1 {kind} {len(cells)}\n")
            numbers = np.arange(first, first + len(cells))
            np.savetxt(file, np.column_stack([numbers, cells + 1]), "%d")
            first += len(cells)
        file.write("$EndElements\n")


if __name__ == "__main__":
    nodes, cells, bottom = mesh(int(sys.argv[1]))
    write(sys.argv[2], nodes, cells, bottom)
    print(json.dumps({"version": scipy.__version__, "tetrahedra": len(cells)}))
