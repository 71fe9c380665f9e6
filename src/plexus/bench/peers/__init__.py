"""The other sides of benchmarks: scripts that run with the interpreter that has the peer, without plexus."""
