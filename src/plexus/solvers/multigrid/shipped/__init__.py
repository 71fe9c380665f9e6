"""Bundles of the learned multigrid that come with Plexus; `docs/linear.md` tells their trainings."""
