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
