"""Hard constraints: a network proposes functions, and a least squares problem combines them per tile.

    u = l + Σ_k χ_k(x) Σ_i ω_ki g b_i

l is a lift that has the starting and boundary values, g vanishes where these are prescribed, b are the
network's functions on a grid of space and time, χ a partition of unity over tiles. The ω make the sampled
residual of the equation least, all of them in one problem (couplings/), and gradients go through it
(`plexus.solvers.adjoint`).
"""
