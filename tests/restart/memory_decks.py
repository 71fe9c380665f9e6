"""Decks of bodies with memory that are interrupted: cycles that are looked at, a model that is completed."""

CYCLES = """\
plexus: 1
tables: {pull: {times: [0 s, 1 s, 3 s, 4 s], values: [0, 1, -1, 0], period: 4 s}}
mesh: {type: box, cell: hexahedron, cells: [4, 2, 2], size: [4 mm, 2 mm, 2 mm]}
physics:
  type: elastoviscoplastic
  degree: 1
  law:
    type: j2
    young_modulus: 200 GPa
    poisson_ratio: 0.3
    yield_stress: 200 MPa
    hardening: {slope: 1 GPa}
boundary:
  - {on: left, displacement_x: 0}
  - {on: bottom, displacement_y: 0}
  - {on: back, displacement_z: 0}
  - {on: right, displacement_x: "20e-6*pull(t)*(1 + 100*y)"}
time: {stepper: quasistatic, step: 0.25 s, cycles: 4}
solver: {displacement: {preconditioner: mumps, ksp: preonly, snes_rtol: 1e-12}}
quantities: {life: {type: shortest_life}, p: {type: maximum, of: p}}
output:
  - {type: checkpoint, every: 3 steps}
  - {type: series, every: 1 step}
  - {type: cycles, roll: 3, life: {type: dissipated_energy, work: 1 GJ/m^3, exponent: -0.7}}
"""
"""Four cycles of a bar, each looked at when it ends; files of three cycles."""

ENRICHED = """\
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [6, 4], size: [1, 0.6]}
controls: {at: {type: scalar, start: 0.5}}
physics:
  type: elastoviscoplastic
  geometry: plane_strain
  degree: 1
  law:
    type: chaboche
    density: 1e4
    young_modulus: 200 GPa
    poisson_ratio: 0.3
    expansion: {coefficient: 2e-5}
    yield_stress: 60 MPa
    back_stresses: [{modulus: 100 GPa, recall: 1000}]
    viscosity: {drag: 300 MPa, exponent: 30}
  temperature: "293.15 + min(t, 1)*25*exp(-8*((x - at)^2 + (y - 0.3)^2))"
boundary:
  - {on: left, displacement_x: 0}
  - {on: bottom, displacement_y: 0}
  - {on: right, traction: ["2.2e8*min(t, 1)*(1.2 - y)", 0]}
time: {stepper: quasistatic, step: 0.125 s, end: 1.5 s}
solver: {displacement: {preconditioner: mumps, ksp: preonly, snes_rtol: 1e-12}}
reduce: {duals: all}
quantities: {p: {type: maximum, of: p}, u: {type: maximum, of: displacement_x}}
output:
  - {type: checkpoint, every: 2 steps}
  - {type: series, every: 1 step}
"""
"""A plate that is warmed at x = `at`; its reduced model knows the spot in the middle."""

ELSEWHERE = (
    "-s", "rom.type=galerkin", "-s", "rom.file=rom.h5", "-s", "rom.new_shapes=respond",
    "-s", "rom.imbalance=1", "-s", "rom.indicator.tolerance=0.02", "-s", "rom.on_alarm=enrich",
    "-s", "controls.at.start=0.8", "-s", "time.step=0.0625 s",
)  # fmt: skip
"""What lets the model march with the spot elsewhere: one full step, at 0.8125 s, completes it."""
