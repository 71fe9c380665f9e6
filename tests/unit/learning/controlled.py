"""Controls of a small deck, trained on runs of a reference with another law and another mesh."""

REFERENCE = """
plexus: 1
parameters: {load: 1}
mesh: {type: interval, cells: 9}
physics: {type: diffusion, coefficient: 1 + 0.5*u, source: load}
boundary: [{on: exterior, u: 0}]
time: {stepper: bdf2, end: 0.2 s, step: 0.05 s}
"""
NETWORK = "{type: network, inputs: {u: [0, 1]}, start: 0.8, positive: true, hidden: [3], seed: 1}"
DECK = """
plexus: 1
parameters: {load: 1}
controls: {k: NETWORK}
mesh: {type: interval, cells: 6}
physics: {type: diffusion, coefficient: k, source: load}
boundary: [{on: exterior, u: 0}]
solver: {default: {rtol: 1e-12}}
time: {stepper: bdf2, end: 0.2 s, step: 0.1 s}
train:
  part: controls
  data:
    type: runs
    deck: reference.yaml
    vary: {parameters: {parameters.load: [3, 5, 8]}}
    times: {start: 0.1, end: 0.2, every: 0.1}
    fields: {u: u}
  stages: [{type: fit, steps: 20, batch: all, optimizer: {type: adam, rate: 0.05}}]
  validation: {type: runs, vary: {parameters: {parameters.load: [6]}}}
""".replace("NETWORK", NETWORK)


def written(folder, text=DECK, reference=REFERENCE):
    """Write both decks; return the path of that which is trained."""
    (folder / "reference.yaml").write_text(reference)
    (folder / "deck.yaml").write_text(text)
    return folder / "deck.yaml"


def _other(controls, model, reference, fields):
    """Return deck and reference of another discretisation: what they share, and what only one of them has."""
    train = f"""
train:
  part: controls
  data:
    type: runs
    deck: reference.yaml
    vary: {{parameters: {{parameters.load: [1, 2]}}}}
    times: {{start: 0.02 s, end: 0.04 s, every: 0.02 s}}
    fields: {{{fields}: {fields}}}
  stages: [{{type: fit, steps: 20, batch: all, optimizer: {{type: adam, rate: 0.05}}}}]
  validation: {{type: runs, vary: {{parameters: {{parameters.load: [1.5]}}}}}}
"""
    head = "plexus: 1\nparameters: {load: 1}\n"
    return f"{head}controls: {controls}\n{model}{train}", head + reference


CELLS = """mesh: {type: box, cell: quadrilateral, cells: [8, 3]}
physics: {type: burgers, viscosity: NU, source: load}
boundary: [{on: left, velocity: 1}, {on: right, outflow: {}}]
initial: {velocity: 1 + 0.5*sin(3*x)}
time: {stepper: STEPPER, end: 0.04 s, step: 0.02 s}
"""
FOURIER = """mesh: {type: periodic, cells: [8, 12], size: [6.283185307179586, 6.283185307179586]}
physics: {type: navier_stokes, viscosity: 0.1 m^2/s}
initial: {velocity: ["(A*sin(1*y) + 0.1*load*cos(2*y))/(1 s/m)", "0.5*sin(1*x)/(1 s/m)"]}
time: {stepper: sbdf2, end: 0.04 s, step: 0.02 s}
"""


def on_cells(stepper):
    """Return deck and reference of a law on cells, of which the reference has more."""
    model = CELLS.replace("STEPPER", stepper)
    finer = model.replace("[8, 3]", "[10, 3]").replace("NU", "0.05")
    k = "{k: {type: scalar, unit: m^2/s, start: 0.1}}"
    return _other(k, model.replace("NU", "k"), finer, "velocity")


def in_fourier_space():
    """Return deck and reference of a model in Fourier space, whose start has a control."""
    k = "{k: {type: scalar, start: 1.3}}"
    return _other(k, FOURIER.replace("A*", "k*"), FOURIER.replace("A*", "1*"), "velocity_x")
