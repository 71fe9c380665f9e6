"""Active suspensions of rods: moments of orientation, the flow that they drive, initial states."""
