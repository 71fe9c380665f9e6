"""Studies of single applications: each a package that may add benchmarks of its own, ``BENCHES``."""
