"""Search directions from networks: conjugated in a Krylov method, watched, trained on Ritz vectors."""
