"""What a bundle must hold, and that a wrong one is refused with a message that names the field (I2)."""

import json

import pytest
import torch
from closure_cases import examples, make, order_of, state

from plexus import registry
from plexus.bundles import container, fields, store
from plexus.errors import InputError
from plexus.protocols import Setting

LEARNED = [(n, g) for n, g in examples() if hasattr(make(n, g), "network")]
TRAINING = {
    "training": {
        "generator": "spin hierarchy", "version": "1", "filter": "none", "frames": 42, "points": 4096,
        "seeds": [1], "seed": 0, "deck": {"name": "none"},
        "parameters": {
            "alpha": {"low": -3, "high": -3, "unit": "1/s"}, "zeta": {"low": 0.5, "high": 1.5, "unit": "1/s"},
        },
    },
    "domain": {"cells": [64, 64], "size": [10, 10.0], "unit": "m", "end_points": [False, False]},
    "stepping": {"dt": [0.005, 0.02], "integrator": "sbdf2"},
    "validation": [{"case": "(-3, 1)", "metric": "f2", "value": 0.01, "baselines": {"bingham": 0.02}}],
    "licence": "CC0-1.0",
}  # fmt: skip


def told(closure, highest):
    return closure.describe(closure.range_of(state((16, 16), highest), widen=0.1)) | TRAINING


def saved(path, closure, metadata=None):
    """Write a bundle of a closure and return its hash."""
    highest = order_of(closure)
    metadata = told(closure, highest) if metadata is None else metadata
    return store.save(path, metadata, closure.network.state_dict(), closure.golden(state((16, 16), highest)))


@pytest.fixture
def written(tmp_path):
    """Return a folder with a bundle of the spin network, its hash and its closure."""
    closure = make("spin_network")
    path = tmp_path / "a.safetensors"
    return path, saved(path, closure), closure


def rewritten(path, change, reseal=False):
    """Change the metadata of a bundle in place and return the new hash of the file."""
    index, texts, numbers = container.split(path.read_bytes())
    metadata = json.loads(texts[container.KEY])
    change(metadata)
    if reseal:
        metadata["digests"] = {k: fields.digest(v) for k, v in metadata.items() if k != "digests"}
    path.write_bytes(container.join(index, numbers, metadata))
    return container.hashlib.sha256(path.read_bytes()).hexdigest()


def load(path, sha256, name="spin_network", order=None, **more):
    return make(name, {"checkpoint": path.name, "sha256": sha256, **more}, order, folder=path.parent)


@pytest.mark.parametrize(("name", "given"), LEARNED, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_loaded_is_what_was_saved(name, given, tmp_path):
    closure = make(name, given)
    highest = order_of(closure)
    data = state((16, 16), highest)
    closure.calibrate(data, {})
    metadata = told(closure, highest)
    path = tmp_path / "a.safetensors"
    sha256 = saved(path, closure, metadata)
    back = load(path, sha256, name, highest, precision=given.get("precision", "fp32"))
    closure.use_range(metadata["box"])
    with torch.no_grad():  # with derivatives one of them would take the way of training
        ours, theirs = closure.evaluate(data), back.evaluate(data)
    assert all(torch.equal(ours[k], theirs[k]) for k in ours)
    assert back.metadata["software"]["torch"] == str(torch.__version__)
    assert back.report()["outside"] == 0
    assert not any(p.requires_grad for p in back.network.parameters())


def test_the_file_is_plain_safetensors_without_code(written):
    from safetensors import safe_open

    path, _, closure = written
    with safe_open(str(path), "pt") as opened:
        pair = {f"golden/inputs/{name}" for name in ("c", "f1", "e")} | {"golden/outputs/f2"}
        assert set(opened.keys()) == set(closure.network.state_dict()) | pair
        assert json.loads(opened.metadata()["plexus"])["kind"] == "closure"


REQUIRED = fields.required("closure")


@pytest.mark.parametrize("field", REQUIRED)
def test_missing_field_is_named(written, field):
    path = written[0]
    sha256 = rewritten(path, lambda m: m.pop(field))
    with pytest.raises(InputError, match=rf"a\.safetensors: {field}: missing"):
        load(path, sha256)


PARTS = [(name, key) for name, (_, keys) in REQUIRED.items() for key in keys]


@pytest.mark.parametrize(("field", "key"), PARTS)
def test_missing_key_is_named(written, field, key):
    path = written[0]
    sha256 = rewritten(path, lambda m: m[field].pop(key), reseal=True)
    with pytest.raises(InputError, match=rf"{field}\.{key}: missing"):
        load(path, sha256)


ALTERED = {
    str: lambda v: v + "x",
    int: lambda v: v + 1,
    list: lambda v: [*v, 0],
    dict: lambda v: {**v, "x": 0},
}


@pytest.mark.parametrize("field", REQUIRED)
def test_altered_field_is_named(written, field):
    path = written[0]

    def change(metadata):
        metadata[field] = ALTERED[type(metadata[field])](metadata[field])

    sha256 = rewritten(path, change)
    with pytest.raises(InputError, match=rf"{field}: .*(altered|version)"):
        load(path, sha256)


def unit(metadata):
    metadata["normalisation"]["e"]["unit"] = "s"


def box_unit(metadata):
    metadata["box"]["strain_along"]["unit"] = "m"


def port_unit(metadata):
    metadata["ports"]["inputs"][2]["unit"] = "1/s^2"


def ranges(metadata):
    return metadata["training"]["parameters"]


WRONG = {
    "kind": (lambda m: m.update(kind="expert"), r"kind: the model has 'closure', the bundle says 'ex"),
    "type": (lambda m: m.update(type="fno"), r"type: the model has 'spin_network'"),
    "architecture": (lambda m: m["architecture"].update(name="fno"), r"architecture\.name"),
    "hyper": (lambda m: m["architecture"]["hyper"].update(width="wide"), r"architecture\.hyper"),
    "missing hyper": (lambda m: m["architecture"]["hyper"].pop("depth"), r"architecture\.hyper"),
    "smaller": (lambda m: m["architecture"]["hyper"].update(width=16), r"weights: "),
    "scale": (unit, r"normalisation\.e\.unit"),
    "scale missing": (lambda m: m["normalisation"].pop("e"), r"normalisation\.e: missing"),
    "box": (box_unit, r"box\.strain_along\.unit"),
    "box missing": (lambda m: m["box"].pop("r"), r"box\.r: missing"),
    "box order": (lambda m: m["box"]["r"].update(low=2.0), r"box\.r: low 2"),
    "box text": (lambda m: m["box"]["r"].update(low="0"), r"box\.r\.low: must be a finite number"),
    "ports": (port_unit, r"ports\.inputs\.e\.unit"),
    "no unit": (lambda m: m["ports"]["inputs"][2].update(unit="parsec/s^"), r"ports\.inputs\[2\]\.unit: "),
    "exponents": (lambda m: m["ports"]["inputs"][2].update(unit=[0, -1, 0]),
        r"inputs\[2\]\.unit: must be the t"),
    "shape": (lambda m: m["ports"]["outputs"][0].update(shape="spinor"),
        r"ports\.outputs\[0\]\.shape: must be"),
    "location": (lambda m: m["ports"]["outputs"][0].pop("location"),
        r"ports\.outputs\[0\]\.location: missing"),
    "port scale": (lambda m: m["ports"]["outputs"][0].update(scale=None),
        r"outputs\[0\]\.scale: must be a fin"),
    "no ports": (lambda m: m["ports"].update(outputs=[]), r"ports\.outputs: must list"),
    "constant": (lambda m: ranges(m)["zeta"].pop("unit"), r"training\.parameters\.zeta\.unit: missing"),
    "constant order": (lambda m: ranges(m)["zeta"].update(low=2), r"training\.parameters\.zeta: low 2 is"),
    "ranges": (lambda m: m["training"].update(parameters=[]), r"training\.parameters: must be dict"),
    "end points": (lambda m: m["domain"].update(end_points=[False]),
        r"domain\.end_points: has 1 axes, the cells"),
    "end point": (lambda m: m["domain"].update(end_points=[0, 0]), r"domain\.end_points: must be a list"),
    "tolerance": (lambda m: m["golden"].update(tolerance=0), r"golden\.tolerance: must be positive"),
    "no golden": (lambda m: m["golden"].update(outputs={}), r"golden\.outputs: must name"),
    "more golden": (lambda m: m["golden"]["inputs"].update(x="float64"), r"golden\.inputs\.x: missing"),
    "golden type": (lambda m: m["golden"]["inputs"].update(c="complex128"),
        r"golden\.inputs\.c: the bundle says"),
    "golden parts": (lambda m: m["golden"]["inputs"].update(e="float64"),
        r"golden: spin_network does not answer"),
    "less golden": (lambda m: m["golden"]["inputs"].pop("e"), r"golden\.inputs\.e: is not described"),
    "units": (lambda m: m.update(units="metres"), r"units: the model has"),
    "closes": (lambda m: m["ports"]["outputs"][0].update(name="f3"), r"ports\.outputs\.f2\.name"),
    "steps": (lambda m: m["stepping"].update(dt=[0.1]), r"stepping\.dt: must be"),
    "validation": (lambda m: m["validation"][0].pop("baselines"), r"validation\[0\]\.baselines: missing"),
    "schema": (lambda m: m.update(schema=3), r"schema: version 3, this Plexus reads 1 and 2"),
    "a list": (lambda m: m.update(box=[]), r"box: must be dict"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_wrong_field_is_named(written, what):
    """A bundle that is whole, but for something else."""
    change, message = WRONG[what]
    sha256 = rewritten(written[0], change, reseal=True)
    with pytest.raises(InputError, match=message):
        load(written[0], sha256)


def test_wrong_hash_is_refused(written):
    path, sha256, _ = written
    with pytest.raises(InputError, match="sha256: the deck says"):
        load(path, "0" * 64)
    load(path, sha256.upper())


def test_hash_is_required(written):
    path = written[0]
    with pytest.raises(ValueError, match="`sha256` is missing"):
        make("spin_network", {"checkpoint": path.name}, folder=path.parent)


def test_altered_weights_are_refused(written):
    path = written[0]
    blob = bytearray(path.read_bytes())
    blob[-3] ^= 1
    path.write_bytes(blob)
    with pytest.raises(InputError, match=r"weights\.sha256"):
        load(path, container.hashlib.sha256(blob).hexdigest())


@pytest.mark.parametrize(
    "content", [b"", b"abc", b"\xff" * 64, (2).to_bytes(8, "little") + b"{}", b"\0" * 100]
)
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"header|metadata"):
        load(path, container.hashlib.sha256(content).hexdigest())


def test_a_file_that_vanished_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        store.load(tmp_path / "none.safetensors")


def test_weights_for_another_closure_are_refused(written, tmp_path):
    other = make("tensor_basis")
    path = tmp_path / "b.safetensors"
    sha256 = saved(path, other)
    with pytest.raises(
        InputError, match="type: the model has 'spin_network', the bundle says 'tensor_basis'"
    ):
        load(path, sha256)


def test_deck_must_not_contradict_the_bundle(written):
    path, sha256, _ = written
    with pytest.raises(InputError, match=r"architecture\.hyper\.width: the model has 8, the bundle says 32"):
        load(path, sha256, width=8)


@pytest.mark.parametrize("field", ["training", "licence", "validation", "domain", "box"])
def test_saving_needs_all_fields(tmp_path, field):
    closure = make("spin_network")
    metadata = told(closure, 1)
    del metadata[field]
    with pytest.raises(InputError, match=f"{field}: missing"):
        saved(tmp_path / "a.safetensors", closure, metadata)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            Setting({"zeta": 3.0}),
            r"training\.parameters\.zeta: trained for 0\.5 to 1\.5, the run has 3",
        ),
        (Setting({"zeta": 1.0}, dt=0.1), r"stepping\.dt: trained up to 0\.02, the run has 0\.1"),
    ],
)
def test_policy_stop_refuses_settings_outside_the_training(written, setting, message):
    path, sha256, _ = written
    given = {"checkpoint": str(path), "sha256": sha256}
    model = registry.component("closure", "spin_network")
    for policy in ("fallback", "stop"):
        closure = model.cls(model.params(**given, guard={"outside": policy}))
        if policy == "fallback":
            closure.prepare(setting)
        else:
            with pytest.raises(InputError, match=message):
                closure.prepare(setting)


def test_container_is_read_without_torch(written):
    import subprocess
    import sys

    code = (
        "import sys; from plexus.bundles import container\n"
        f"print(container.read({str(written[0])!r}).metadata['kind'], 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["closure", "False"]


def replaced(path, change):
    """Write a bundle anew with other weights beside the same golden pair, and return its hash."""
    found = store.load(path)
    weights = {k: change(v) for k, v in found.weights.items()}
    metadata = {k: v for k, v in found.metadata.items() if k != "digests"}
    return store.save(path, metadata, weights, found.golden)


@pytest.mark.parametrize(("name", "given"), LEARNED, ids=lambda v: v if isinstance(v, str) else "")
def test_weights_that_answer_otherwise_are_refused(name, given, tmp_path):
    closure, path = make(name, given), tmp_path / "a.safetensors"
    saved(path, closure)
    sha256 = replaced(path, lambda v: 1.01 * v)
    text = rf"a\.safetensors: golden: {name} answers its stored .* error of .*, above the tolerance of 1e-05"
    with pytest.raises(InputError, match=text) as found:
        load(path, sha256, name, order_of(closure), precision=given.get("precision", "fp32"))
    assert found.value.exit_code == 2


@pytest.mark.parametrize("precision", ["fp32", "fp64"])
def test_a_golden_pair_holds_in_either_precision(precision, tmp_path):
    path = tmp_path / "a.safetensors"
    sha256 = saved(path, make("spin_network", {"precision": precision}))
    for other in ("fp32", "fp64"):
        assert load(path, sha256, precision=other).network is not None


def test_a_golden_pair_is_played_once(written):
    path, sha256, _ = written
    closure = load(path, sha256)
    for p in closure.network.parameters():
        p.data += 1
    closure.prepare(Setting({"zeta": 1.0}))  # trained further, it is another network


def test_numbers_do_not_depend_on_the_piece(written):
    path, sha256, _ = written
    whole = store.load(path, sha256)
    for piece in (1, 13, 4096):
        parts = store.load(path, sha256, piece=piece)
        assert parts.metadata == whole.metadata and parts.sha256 == whole.sha256
        assert all(torch.equal(parts.weights[k], v) for k, v in whole.weights.items())
        for side in ("inputs", "outputs"):
            ours, theirs = getattr(parts.golden, side), getattr(whole.golden, side)
            assert all(torch.equal(ours[k], v) for k, v in theirs.items()) and len(ours) == len(theirs)


def index_of(change):
    """Return what changes the index of a file, and hashes it again so that only the places are wrong."""

    def rewrite(path):
        index, texts, numbers = container.split(path.read_bytes())
        numbers = change(index, numbers) or numbers
        metadata = json.loads(texts[container.KEY])
        metadata["weights"]["sha256"] = container.hash_of_weights(index, numbers)
        metadata["digests"]["weights"] = fields.digest(metadata["weights"])
        path.write_bytes(container.join(index, numbers, metadata))

    return rewrite


def first(index):
    return next(iter(index.values()))


PLACES = {
    "gap": (lambda i, n: first(i)["data_offsets"].__setitem__(0, 4), "its place in the file does not fit"),
    "shape": (lambda i, n: first(i).update(shape=[10**6]), "its place in the file does not fit its shape"),
    "type": (lambda i, n: first(i).update(dtype="F4"), "numbers of type 'F4' are not read"),
    "cut": (lambda i, n: n[:-8], r"the header describes \d+ bytes, the file has"),
    "more": (lambda i, n: n + b"more", r"the header describes \d+ bytes, the file has"),
    "no place": (lambda i, n: first(i).pop("data_offsets"), "the header does not say where"),
    "no number": (lambda i, n: first(i).update(shape=["x"]), "the header does not say where|its place"),
    "no index": (lambda i, n: i.update(x=3), "the header does not say where"),
}


@pytest.mark.parametrize("what", PLACES)
def test_wrong_places_of_weights_are_told(written, what):
    change, message = PLACES[what]
    index_of(lambda i, n: found if isinstance(found := change(i, n), bytes) else None)(written[0])
    with pytest.raises(InputError, match=rf"a\.safetensors: weights: .*{message}"):
        store.load(written[0])


def test_preparing_again_keeps_weights_and_range(written):
    """A closure that is trained further is prepared once more by every model that takes it."""
    path, sha256, _ = written
    closure = load(path, sha256)
    box = dict(closure.box)
    for p in closure.network.parameters():
        p.data += 1
    before = [p.clone() for p in closure.network.parameters()]
    closure.prepare(Setting({"zeta": 1.0}))
    assert all(torch.equal(a, b) for a, b in zip(before, closure.network.parameters(), strict=True))
    assert closure.box == box
    closure.evaluate(state((8, 8), 1) | {"e": torch.full((8, 8), 50.0 + 0j, dtype=torch.complex128)})
    assert closure.guard.mask.all()
