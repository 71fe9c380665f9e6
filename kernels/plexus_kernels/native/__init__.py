"""The kernels in C, compiled for their sizes at first use; on contiguous NumPy arrays.

Arrays are checked at the door: wrong types, shapes or memory layout raise TypeError or ValueError. `strain`
is here only; elsewhere the formulas for arrays and tensors stand for it.
"""

from plexus_kernels.native.geometry import geometry
from plexus_kernels.native.interpolate import interpolate
from plexus_kernels.native.joint import joint
from plexus_kernels.native.loader import library
from plexus_kernels.native.matrix import matrix
from plexus_kernels.native.pattern import pattern
from plexus_kernels.native.sample import sample
from plexus_kernels.native.strain import strain
from plexus_kernels.native.vector import vector

__all__ = ["geometry", "interpolate", "joint", "matrix", "pattern", "probe", "sample", "strain", "vector"]


def probe() -> None:
    """Compile and load a small kernel that needs the compiler's vector types.

    Raises
    ------
    RuntimeError
        If that does not work here.
    """
    library("geometry", D=2, G=3)
