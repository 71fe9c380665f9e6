"""Make the small Gmsh files of this folder: a 2 (x 1 (x 0.5)) block of two regions, in every cell type.

Text for the first degree, binary for the second. ``periodic.msh`` is a square whose sides are images.
``partitions.msh`` has three partitions with ghost elements, ``partition_2_of_3.msh`` is one of several files
of the same mesh.
"""

from pathlib import Path

import gmsh

HERE = Path(__file__).parent
CORNERS = ((0, 0), (2, 0), (2, 1), (0, 1), (1, 0), (1, 1))
LINES = ((0, 4), (4, 1), (1, 2), (2, 5), (5, 3), (3, 0), (4, 5))


def plane(recombine: bool) -> tuple[list[int], list[int]]:
    """Return the curves and the two surfaces of the block's floor."""
    geo = gmsh.model.geo
    points = [geo.addPoint(x, y, 0, 0.6) for x, y in CORNERS]
    curves = [geo.addLine(points[a], points[b]) for a, b in LINES]
    loops = [[curves[0], curves[6], curves[4], curves[5]], [curves[1], curves[2], curves[3], -curves[6]]]
    surfaces = [geo.addPlaneSurface([geo.addCurveLoop(loop)]) for loop in loops]
    for tag in curves if recombine else []:
        geo.mesh.setTransfiniteCurve(tag, 3)
    for tag in surfaces if recombine else []:
        geo.mesh.setTransfiniteSurface(tag)
        geo.mesh.setRecombine(2, tag)
    return curves, surfaces


def block(name: str, degree: int) -> None:
    """Write one file."""
    gmsh.clear()
    recombine = name in ("quadrilateral", "hexahedron")
    curves, surfaces = plane(recombine)
    group, dim = gmsh.model.addPhysicalGroup, 3 if name in ("tetrahedron", "hexahedron") else 2
    layers = [2] if recombine else []
    pulls = [
        gmsh.model.geo.extrude([(2, s)], 0, 0, 0.5, layers, recombine=recombine) for s in surfaces if dim == 3
    ]
    gmsh.model.geo.synchronize()
    cells = [p[1][1] for p in pulls] or surfaces
    middle, floor = ([pulls[0][3][1]], surfaces) if dim == 3 else ([curves[6]], curves[:2])
    roof = [p[0][1] for p in pulls] or curves[3:5]
    for tag, label in zip(cells, ("west", "east"), strict=True):
        group(dim, [tag], name=label)
    for tags, label in (
        (floor, "floor"),
        (roof, "roof"),
        (middle, "middle"),
        (middle + floor[:1], "both sets"),
    ):
        group(dim - 1, tags, name=label)
    gmsh.model.mesh.generate(dim)
    gmsh.model.mesh.setOrder(degree)
    gmsh.option.setNumber("Mesh.Binary", degree - 1)
    gmsh.write(str(HERE / f"{name}{degree}.msh"))


def line(degree: int) -> None:
    """Write one file of the block's first axis."""
    gmsh.clear()
    geo, group = gmsh.model.geo, gmsh.model.addPhysicalGroup
    left, middle, right = (geo.addPoint(x, 0, 0, 0.4) for x in (0, 1, 2))
    halves = [geo.addLine(left, middle), geo.addLine(right, middle)]
    geo.synchronize()
    for tag, label in zip(halves, ("west", "east"), strict=True):
        group(1, [tag], name=label)
    for tags, label in (
        ([left], "floor"), ([right], "roof"), ([middle], "middle"), ([middle, left], "both sets"),
    ):  # fmt: skip
        group(0, tags, name=label)
    gmsh.model.mesh.generate(1)
    gmsh.model.mesh.setOrder(degree)
    gmsh.option.setNumber("Mesh.Binary", degree - 1)
    gmsh.write(str(HERE / f"line{degree}.msh"))


def periodic() -> None:
    """Write a square whose left and right, bottom and top are images of each other."""
    gmsh.clear()
    geo = gmsh.model.geo
    points = [geo.addPoint(x, y, 0, 0.25) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
    curves = [geo.addLine(points[i], points[(i + 1) % 4]) for i in range(4)]
    surface = geo.addPlaneSurface([geo.addCurveLoop(curves)])
    geo.synchronize()
    shift_x, shift_y = (
        [1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
        [1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1],
    )
    gmsh.model.mesh.setPeriodic(1, [curves[1]], [curves[3]], shift_x)
    gmsh.model.mesh.setPeriodic(1, [curves[2]], [curves[0]], shift_y)
    gmsh.model.addPhysicalGroup(2, [surface], 7)
    gmsh.model.addPhysicalGroup(1, [curves[3]], name="left")
    gmsh.model.mesh.generate(2)
    gmsh.option.setNumber("Mesh.Binary", 0)
    gmsh.write(str(HERE / "periodic.msh"))


def partitions() -> None:
    """Write two squares cut into three partitions: in one file, and in several."""
    gmsh.clear()
    occ, group = gmsh.model.occ, gmsh.model.addPhysicalGroup
    pieces = [(2, occ.addRectangle(x, 0, 0, 1, 1)) for x in (0, 1)]
    occ.fragment(pieces[:1], pieces[1:])
    occ.synchronize()
    names = {2: ("A", None, "B"), 1: ("left", None, "right")}
    for dim, entity in (*gmsh.model.getEntities(2), *gmsh.model.getEntities(1)):
        x = occ.getCenterOfMass(dim, entity)[0]
        name = names[dim][int(x > 0.9) + int(x > 1.1)] if dim == 2 or abs(x - 1) > 0.9 else None
        if name:
            group(dim, [entity], name=name)
    gmsh.option.setNumber("Mesh.MeshSizeMax", 0.4)
    gmsh.model.mesh.generate(2)
    for topology, split, binary, name in ((1, 0, 1, "partitions"), (0, 1, 0, "partition")):
        for option, value in (
            ("CreateTopology", topology),
            ("CreateGhostCells", 1),
            ("SplitMeshFiles", split),
        ):
            gmsh.option.setNumber(f"Mesh.Partition{option}", value)
        gmsh.option.setNumber("Mesh.Binary", binary)
        gmsh.model.mesh.partition(3)
        gmsh.write(str(HERE / f"{name}.msh"))
    # of its three files one is enough
    (HERE / "partition_2.msh").rename(HERE / "partition_2_of_3.msh")
    for number in (1, 3):
        (HERE / f"partition_{number}.msh").unlink()


if __name__ == "__main__":
    gmsh.initialize()
    gmsh.option.setNumber("Mesh.MshFileVersion", 4.1)
    for each in ("triangle", "quadrilateral", "tetrahedron", "hexahedron"):
        for order in (1, 2):
            block(each, order)
    line(1)
    line(2)
    periodic()
    partitions()
    gmsh.finalize()
