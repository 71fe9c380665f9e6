"""Plexus' multigrid in a program of one's own: Poisson's equation on n³ cells, with petsc4py alone.

    mpirun -n 2 python docs/examples/poisson_petsc4py.py -n 64 -ksp_monitor
    python docs/examples/poisson_petsc4py.py -pc_type hypre      # any other preconditioner instead
    python docs/examples/poisson_petsc4py.py -save a.petsc       # a file for `plexus bench linear:a.petsc`

The preconditioner is chosen by name, as any other of PETSc; `plexus` has to be importable.
"""

import sys

import numpy as np
import petsc4py

petsc4py.init(sys.argv)
from petsc4py import PETSc  # noqa: E402 (PETSc reads the command line first)


def poisson(n: int) -> PETSc.Mat:
    """Return the seven-point matrix on n³ cells, zero behind all sides, dealt over the ranks by layers."""
    mat = PETSc.Mat().createAIJ((n**3, n**3), nnz=(7, 3))
    begin, end = mat.getOwnershipRange()
    cells = np.stack(np.unravel_index(np.arange(begin, end), (n, n, n)), axis=1)
    for row, cell in enumerate(cells, begin):
        mat.setValue(row, row, 6.0)
        for axis, step in enumerate((n * n, n, 1)):
            if cell[axis] > 0:
                mat.setValue(row, row - step, -1.0)
            if cell[axis] < n - 1:
                mat.setValue(row, row + step, -1.0)
    mat.assemble()
    mat.setOption(PETSc.Mat.Option.SPD, True)
    # of a matrix on a grid the cells may be told; without them rows are paired by their couplings
    places = PETSc.Vec().createMPI((3 * (end - begin), 3 * n**3), bsize=3)
    places.setArray(cells.ravel().astype(float))
    mat.compose("plexus_positions", places)
    return mat


def main() -> None:
    """Solve and print what it took."""
    options = PETSc.Options()
    mat = poisson(options.getInt("n", 32))
    b, x = mat.createVecs()
    begin, end = b.getOwnershipRange()
    b.setArray(np.random.default_rng(1).standard_normal(b.size)[begin:end])
    for name, vector in (("save", mat), ("rhs", b)):
        if options.hasName(name):
            vector.view(PETSc.Viewer().createBinary(options.getString(name), "w"))
    ksp = PETSc.KSP().create()
    ksp.setOperators(mat)
    ksp.setType("cg")
    ksp.setNormType(PETSc.KSP.NormType.UNPRECONDITIONED)
    ksp.setTolerances(rtol=1e-6)
    if not options.hasName("pc_type"):
        options["pc_type"] = "python"
        options["pc_python_type"] = "plexus.solvers.learned.Multigrid"
    ksp.setFromOptions()
    ksp.solve(b, x)
    PETSc.Sys.Print(f"{ksp.getIterationNumber()} iterations, |x| = {x.norm():.12g}")
    assert not any(name.startswith("plexus.deck") for name in sys.modules), "no deck is needed"


if __name__ == "__main__":
    main()
