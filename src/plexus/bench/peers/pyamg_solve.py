"""One solve of a symmetric positive definite system by conjugate gradients with PyAMG; needs no plexus.

Arguments: a file of `numpy.savez` with ptr, col, val, b, near and block, relative tolerance, most iterations.
Prints iterations, relative residuals, complexity, and seconds of set-up and solve as JSON.
"""

import json
import sys
import time

import numpy as np
import pyamg
from scipy.sparse import csr_array


def main():
    """Solve by smoothed aggregation with the defaults of PyAMG, and print what it took."""
    given = np.load(sys.argv[1])
    A = csr_array((given["val"], given["col"], given["ptr"]))
    b, block, residuals = given["b"], int(given["block"]), []
    if block > 1:
        A = A.tobsr((block, block))
    begin = time.perf_counter()
    multigrid = pyamg.smoothed_aggregation_solver(A, B=given["near"], symmetry="symmetric")
    between = time.perf_counter()
    M = multigrid.aspreconditioner("V")
    x, info = pyamg.krylov.cg(
        A, b, tol=float(sys.argv[2]), maxiter=int(sys.argv[3]), M=M, residuals=residuals
    )
    end = time.perf_counter()
    facts = {
        "iterations": len(residuals) - 1, "converged": info == 0,
        "setup": between - begin, "solve": end - between,
        "complexity": multigrid.operator_complexity(), "left": np.linalg.norm(b - A @ x) / np.linalg.norm(b),
        "history": [float(r) for r in np.array(residuals) / residuals[0]],
    }  # fmt: skip
    print(json.dumps(facts))


main()
