"""Names of the fields that make a run an active nematic."""

VELOCITY, ORDER, DIRECTOR, TENSOR, VORTICITY = "velocity", "order", "director", "nematic", "vorticity"
