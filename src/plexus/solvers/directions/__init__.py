"""Search directions from networks: conjugated in a Krylov method of its own, watched, trained on Ritz vectors."""
