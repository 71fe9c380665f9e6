"""Conservation laws on the cells of uniform grids, one scheme for all of them."""
