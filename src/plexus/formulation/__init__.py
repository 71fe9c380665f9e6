"""What physics members share: points, equations, derivatives, kinematics, materials, constraints."""
