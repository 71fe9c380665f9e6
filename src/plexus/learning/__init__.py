"""Training of closures, and their judgement beside the kinetic truth."""
