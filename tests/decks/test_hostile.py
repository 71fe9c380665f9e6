"""Decks made to keep the loader busy: each ends after a bounded amount of work, with few messages."""

import pytest
from test_fuzz import patience

from plexus.deck.load import load
from plexus.errors import DeckError

GOOD = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [4, 4]}
physics: {type: heat, material: {conductivity: 5}}
"""
N = 3000
CASES = {
    "wrong_keys": GOOD + "boundary:\n" + "".join(f"  - {{on: left, temperatur{i}: 3}}\n" for i in range(N)),
    "wrong_blocks": GOOD + "".join(f"key{i}: 3\n" for i in range(N)),
    "wrong_items": GOOD.replace("[4, 4]", f"[{', '.join(['x'] * N)}]"),
    "wrong_names": GOOD + f"boundary: [{{on: [{', '.join(f'lef{i}' for i in range(N))}], temperature: 1}}]\n",
    "long_chain": "parameters:\n" + "".join(f"  a{i}: ${{a{i + 1}}}\n" for i in range(N)) + GOOD,
    "many_references": "parameters:\n  a: 1\n" + "".join(f"  a{i}: ${{a + {i}}}\n" for i in range(N)) + GOOD,
    "long_sum": GOOD + f"boundary: [{{on: left, temperature: '{'+'.join(['sin(x)'] * 250)}'}}]\n",
    "many_digits": GOOD + f"boundary: [{{on: left, temperature: {'1' * 100_000}}}]\n",
    "many_spaces": GOOD + f"boundary: [{{on: left, temperature: '3{' ' * 100_000}'}}]\n",
    "long_unit": GOOD + f"boundary: [{{on: left, temperature: 1 {'m*' * 30_000}m}}]\n",
    "open_braces": GOOD + f"about: {{title: '{'${' * 50_000}'}}\n",
    "fallbacks": GOOD + f"solver:\n  temperature: {'{on_failure: ' * 36}{{kspx: 1}}{'}' * 36}\n",
    "regions": GOOD.replace("conductivity: 5", f"conductivity: {'{regions: {a: ' * 17}1{'}}' * 17}"),
    "powers": GOOD + "boundary: [{on: left, temperature: '9^9^9^9^9 + 2*(10^(10^10))'}]\n",
    "schedule": GOOD + f"output: [{{type: fields, every: '{'1' * 5000} steps'}}]\n",
}


@pytest.mark.parametrize("name", CASES)
def test_the_work_is_bounded(name, tmp_path):
    path = tmp_path / "deck.yaml"
    path.write_text(CASES[name])
    with patience(60):
        try:
            load(path)
        except DeckError as error:
            assert len(error.problems) <= N
        else:
            assert name == "many_references"
