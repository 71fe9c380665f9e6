"""The kernels as formulas, in NumPy: what the fast versions are compared with."""

from plexus_kernels.reference.geometry import geometry
from plexus_kernels.reference.interpolate import interpolate
from plexus_kernels.reference.joint import joint
from plexus_kernels.reference.matrix import matrix
from plexus_kernels.reference.pattern import pattern
from plexus_kernels.reference.sample import sample
from plexus_kernels.reference.vector import vector

__all__ = ["geometry", "interpolate", "joint", "matrix", "pattern", "sample", "vector"]
