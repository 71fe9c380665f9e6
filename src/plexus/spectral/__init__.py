"""What pseudo-spectral models share: flow, moments of orientation, initial waves, plain marching."""
