"""Closures of the active fluid beside the kinetic truth: accuracy, stability, cost."""

BENCHES = {
    "closure": "plexus.studies.active_fluid.cost_accuracy",
    "active_fluid": "plexus.studies.active_fluid.learned_closures",
}
"""Name in ``plexus bench`` -> module with ``run``."""
