"""The kernels in batched torch: any device, differentiable with respect to every float input.

NumPy arrays are taken as CPU tensors that share their memory; results are tensors.
"""

from plexus_kernels.torch_impl.geometry import geometry
from plexus_kernels.torch_impl.interpolate import interpolate
from plexus_kernels.torch_impl.joint import joint
from plexus_kernels.torch_impl.matrix import matrix
from plexus_kernels.torch_impl.pattern import pattern
from plexus_kernels.torch_impl.sample import sample
from plexus_kernels.torch_impl.vector import vector

__all__ = ["geometry", "interpolate", "joint", "matrix", "pattern", "sample", "vector"]
