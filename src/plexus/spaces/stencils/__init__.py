"""Values and fluxes on the faces of uniform grids from the means of their cells, pure formulas on tensors."""
