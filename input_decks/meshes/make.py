"""Make this folder's .msh files from their .geo files: ``python input_decks/meshes/make.py [NAME ...]``."""

import sys
from pathlib import Path

import gmsh

here = Path(__file__).parent
for name in sys.argv[1:] or [p.stem for p in sorted(here.glob("*.geo"))]:
    gmsh.initialize()
    gmsh.open(str(here / f"{name}.geo"))
    dim = gmsh.model.getDimension()
    gmsh.model.mesh.generate(dim)
    # bodies say themselves how they are meshed
    if dim == 2:
        gmsh.model.mesh.setOrder(2)
        gmsh.model.mesh.optimize("HighOrderElastic")
    gmsh.write(str(here / f"{name}.msh"))
    gmsh.finalize()
