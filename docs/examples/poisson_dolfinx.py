"""Plexus' multigrid in a DOLFINx program: Poisson's equation with linear elements on 6 n³ tetrahedra.

    mpirun -n 2 python3 docs/examples/poisson_dolfinx.py -n 32 -ksp_monitor
    python3 docs/examples/poisson_dolfinx.py -pc_type hypre                 # any other preconditioner instead
    python3 docs/examples/poisson_dolfinx.py -save a.petsc -rhs b.petsc     # files for a deck

For DOLFINx 0.5, as Debian has it; `plexus` has to be importable, with NumPy, mpi4py and petsc4py alone.
"""

import sys

import numpy as np
import petsc4py

petsc4py.init(sys.argv)
import ufl  # noqa: E402 (PETSc reads the command line first)
from dolfinx import fem, mesh  # noqa: E402
from dolfinx.fem import petsc  # noqa: E402
from mpi4py import MPI  # noqa: E402
from petsc4py import PETSc  # noqa: E402


def system(n: int) -> tuple[PETSc.Mat, PETSc.Vec]:
    """Return -∇²u = 1 in the unit cube, u = 0 on its sides x = 0 and x = 1."""
    cube = mesh.create_unit_cube(MPI.COMM_WORLD, n, n, n)
    space = fem.FunctionSpace(cube, ("Lagrange", 1))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    a, load = fem.form(ufl.inner(ufl.grad(u), ufl.grad(v)) * ufl.dx), fem.form(1.0 * v * ufl.dx(cube))
    sides = mesh.locate_entities_boundary(cube, 2, lambda x: np.isclose(x[0], 0) | np.isclose(x[0], 1))
    held = [fem.dirichletbc(0.0, fem.locate_dofs_topological(space, 2, sides), space)]
    mat = petsc.assemble_matrix(a, held)
    mat.assemble()
    mat.setOption(PETSc.Mat.Option.SPD, True)
    b = petsc.assemble_vector(load)
    petsc.apply_lifting(b, [a], [held])
    b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
    petsc.set_bc(b, held)
    return mat, b


def main() -> None:
    """Solve and print what it took."""
    options = PETSc.Options()
    mat, b = system(options.getInt("n", 16))
    for name, what in (("save", mat), ("rhs", b)):
        if options.hasName(name):
            what.view(PETSc.Viewer().createBinary(options.getString(name), "w"))
    ksp = PETSc.KSP().create(mat.comm)
    ksp.setOperators(mat)
    ksp.setType("cg")
    ksp.setNormType(PETSc.KSP.NormType.UNPRECONDITIONED)
    ksp.setTolerances(rtol=1e-6)
    if not options.hasName("pc_type"):
        options["pc_type"] = "python"
        options["pc_python_type"] = "plexus.solvers.learned.Multigrid"
    ksp.setFromOptions()
    x = mat.createVecRight()
    ksp.solve(b, x)
    PETSc.Sys.Print(f"{ksp.getIterationNumber()} iterations, |x| = {x.norm():.12g}")
    assert not any(name.startswith("plexus.deck") for name in sys.modules), "no deck is needed"


if __name__ == "__main__":
    main()
