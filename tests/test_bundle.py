import hashlib
import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cdss.bundle import CHUNK_ROWS, SHIPPED, load_bundle, load_models, write_bundle, write_gate
from cdss.errors import BundleError, UnknownModel
from cdss.estimate import RiskEstimate
from cdss.gate import gate_text
from tests.conftest import ROOT
from tests.toy import BASELINE, MANIFEST, SURE, record, release, toy_cases, toy_function, toy_graph

FILES = ("cases.csv", "manifest.json", "manifest.sha256", "model.onnx")
WITH_GATE = ("gate.json", *FILES)
ABLE = {"age": 60, "sex": "female", "bmi": 30, "diabetes": False, "pregnant": False}


def people(n: int) -> np.ndarray:
    """Columns of the toy model, a third of ALT unknown."""
    x = np.random.default_rng(1).uniform([20, 0, 15, 5], [80, 1, 50, 90], (n, 4))
    x[::3, 3] = np.nan
    return x.astype(np.float32)


def test_what_was_written_is_loaded(toy_bundle: Path) -> None:
    model = load_bundle(toy_bundle)
    probability, contributions = model.function(people(50))
    expected_probability, expected_contributions = toy_function(people(50))

    assert ("toy", "1.0.0", BASELINE) == (model.id, model.version, model.baseline)
    assert ("age", "sex", "bmi", "alt") == model.predictors
    assert {"age": (20, 80), "bmi": (12.5, 60), "alt": (1, 1000)} == {
        name: limit[:2] for name, limit in model.limits.items()
    }
    assert ("diabetes", "pregnant") == model.excluded
    assert ["tests/toy.py"] == [source.citation for source in model.sources]
    assert expected_probability == pytest.approx(probability, abs=1e-6)
    assert expected_contributions == pytest.approx(contributions, abs=1e-5)


def test_the_digest_is_that_of_the_manifest(tmp_path: Path) -> None:
    digest = write_bundle(tmp_path, MANIFEST, toy_graph(), toy_cases())

    assert hashlib.sha256((tmp_path / "manifest.json").read_bytes()).hexdigest() == digest
    assert digest == load_bundle(tmp_path).facts["digest"]
    assert set(FILES) == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("name", WITH_GATE)
def test_one_flipped_byte_anywhere_is_noticed(toy_bundle: Path, name: str) -> None:
    file = toy_bundle / name
    good = file.read_bytes()
    rng = random.Random(name)
    places = {0, 1, len(good) // 2, len(good) - 2, len(good) - 1}
    places |= {rng.randrange(len(good)) for _ in range(40)}
    places |= {good.index(b) for b in (b'"', b",", b"0", b"\n", b"probability") if b in good}
    unnoticed = []
    for place in sorted(places):
        bad = bytearray(good)
        bad[place] ^= 1 << rng.randrange(8)
        file.write_bytes(bytes(bad))
        try:
            load_bundle(toy_bundle)
        except BundleError:
            continue
        unnoticed.append(place)
    file.write_bytes(good)

    assert [] == unnoticed
    assert "toy" == load_bundle(toy_bundle).id


@pytest.mark.parametrize("name", WITH_GATE)
@pytest.mark.parametrize("change", [lambda b: b"", lambda b: b[:-1], lambda b: b + b"\n"])
def test_a_longer_or_shorter_file_is_noticed(toy_bundle: Path, name: str, change: Callable) -> None:
    file = toy_bundle / name
    file.write_bytes(change(file.read_bytes()))

    with pytest.raises(BundleError, match="bundle toy: "):
        load_bundle(toy_bundle)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(toy_bundle: Path, name: str) -> None:
    (toy_bundle / name).unlink()

    with pytest.raises(BundleError, match=f"missing or unexpected files: {name}"):
        load_bundle(toy_bundle)


def test_an_extra_file_is_named(toy_bundle: Path) -> None:
    (toy_bundle / "model.pkl").write_bytes(b"")

    with pytest.raises(BundleError, match=r"missing or unexpected files: model\.pkl"):
        load_bundle(toy_bundle)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="bundle nothing cannot be read"):
        load_bundle(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "manifest.json is not JSON"),
        ("[]", "format is not"),
        ('{"format": 1}', "cases.csv, model.onnx does not match"),
        ('{"format": 1, "files": {}}', "cases.csv, model.onnx does not match"),
    ],
)
def test_a_manifest_that_vouches_for_nothing_is_refused(
    toy_bundle: Path, text: str, message: str
) -> None:
    """Even if its own hash is right."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    (toy_bundle / "manifest.json").write_text(text)
    (toy_bundle / "manifest.sha256").write_text(f"{digest}  manifest.json\n")

    with pytest.raises(BundleError, match=message):
        load_bundle(toy_bundle)


def test_another_format_is_refused(write_toy: Callable[..., Path]) -> None:
    folder = write_toy(format=2)

    with pytest.raises(BundleError, match="format is not 1"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("50,1,25", "51,1,25", "known answers are off by up to"),
        ("50,1,25,,", "50,1,25,,1", "known answers are off by up to"),
        ("70,0,32.5", "70,0,", "known answers are off by up to"),
        (",80,", ",eighty,", "ValueError"),
        ("bmi", "bmx", "KeyError"),
        (",alt,", ",ast,", "KeyError"),
    ],
)
def test_known_answers_are_replayed(
    write_toy: Callable[..., Path], old: str, new: str, message: str
) -> None:
    assert old in toy_cases()
    folder = write_toy(cases=toy_cases().replace(old, new, 1))

    with pytest.raises(BundleError, match=message):
        load_bundle(folder)


def test_a_bundle_without_known_answers_is_refused(write_toy: Callable[..., Path]) -> None:
    folder = write_toy(cases=toy_cases().splitlines()[0] + "\n")

    with pytest.raises(BundleError, match="no known answers"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"baseline": BASELINE + 1e-4}, "contributions do not add up"),
        ({"inputs": ["age", "sex", "shoe_size"]}, "unknown variables: shoe_size"),
        ({"excluded": ["dead"]}, "unknown variables: dead"),
        ({"optional": []}, "one column for each input"),
        ({"limits": {"age": [20]}}, "ValueError"),
        ({"sources": [{"citation": "x", "locator": ""}]}, "citation and a locator"),
    ],
)
def test_a_wrong_manifest_is_refused(
    write_toy: Callable[..., Path], facts: dict, message: str
) -> None:
    folder = write_toy(**facts)

    with pytest.raises(BundleError, match=message):
        load_bundle(folder)


def test_a_manifest_that_lacks_a_fact_is_refused(tmp_path: Path) -> None:
    facts = {name: fact for name, fact in MANIFEST.items() if name != "population"}
    write_bundle(tmp_path, facts, toy_graph(), toy_cases())

    with pytest.raises(BundleError, match="KeyError: 'population'"):
        load_bundle(tmp_path)


def test_a_graph_that_is_not_onnx_is_refused(write_toy: Callable[..., Path]) -> None:
    folder = write_toy(graph=b"not a graph")

    with pytest.raises(BundleError, match="bundle toy: "):
        load_bundle(folder)


@pytest.mark.parametrize("n", [CHUNK_ROWS - 1, CHUNK_ROWS, CHUNK_ROWS + 1, 3 * CHUNK_ROWS + 7])
def test_chunks_join_to_what_single_rows_give(toy_bundle: Path, n: int) -> None:
    model = load_bundle(toy_bundle)
    x = people(n)
    probability, contributions = model.function(x)
    ones = [model.function(x[row : row + 1]) for row in range(n)]

    assert np.array_equal(np.concatenate([p for p, _ in ones]), probability)
    assert np.array_equal(np.concatenate([c for _, c in ones]), contributions)


def test_a_patient_gets_the_same_answer_alone_and_in_a_batch(toy_bundle: Path) -> None:
    model = load_bundle(toy_bundle)
    patients = [record(age=20 + k % 60, sex="male", bmi=20 + k / 50) for k in range(600)]

    assert [model.estimate(patient) for patient in patients] == model.estimate_all(patients)


def test_models_come_sorted_and_demonstrations_only_when_asked(
    toy_models: tuple, tmp_path: Path
) -> None:
    folder = tmp_path / "bundles"

    assert ["toy", "toy-old", "toy-teaching"] == [m.id for m in toy_models]
    assert ["toy", "toy-old"] == [m.id for m in load_models(folder=folder)]
    wanted = ["toy-teaching", "toy", "toy"]
    assert ["toy-teaching", "toy"] == [m.id for m in load_models(wanted, folder=folder)]


def test_an_unknown_model_is_told_with_those_there_are(toy_bundle: Path) -> None:
    with pytest.raises(UnknownModel) as error:
        load_models(["toy", "other"], folder=toy_bundle.parent)

    assert (("other",), ("toy",)) == (error.value.unknown, error.value.known)


def test_no_bundles_is_an_error_and_never_an_empty_answer(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no bundles"):
        load_models(folder=tmp_path)


def test_one_damaged_bundle_is_never_left_out(toy_models: tuple, tmp_path: Path) -> None:
    (tmp_path / "bundles" / "toy-old" / "cases.csv").write_text("")

    with pytest.raises(BundleError, match="bundle toy-old"):
        load_models(folder=tmp_path / "bundles")


@pytest.mark.parametrize(
    "folder", sorted(SHIPPED.glob("*/manifest.json")), ids=lambda f: f.parent.name
)
def test_a_shipped_bundle_loads_under_its_own_name(folder: Path) -> None:
    model = load_bundle(folder.parent)

    assert folder.parent.name == model.id
    assert model.sources
    assert json.loads(folder.read_text(encoding="utf-8"))["format"] == 1


def test_what_ships_without_a_record_is_left_out_and_its_card_says_so() -> None:
    every = [load_bundle(folder.parent) for folder in SHIPPED.glob("*/manifest.json")]
    released = {m.id for m in every if m.released}
    held = {m.id for m in every if not (m.released or m.demonstration)}

    assert released == {m.id for m in load_models()}
    assert {"cvd-death"} <= released
    for id in held:
        card = (ROOT / "model_cards" / f"{id}.md").read_text(encoding="utf-8")
        assert "**Not released" in card, id
        with pytest.raises(BundleError, match=f"no release record .*{id}"):
            load_models([id])


def test_a_release_record_is_a_fact_of_the_model(write_toy: Callable[..., Path]) -> None:
    folder = write_toy(gate=False)
    record_of = release(folder)
    model = load_bundle(folder)

    assert model.released
    assert () == model.cautions
    assert record_of == {k: model.facts["gate"][k] for k in record_of}
    assert {"format", "sha256"} == model.facts["gate"].keys() - record_of.keys()


def test_without_a_release_record_every_answer_says_so(write_toy: Callable[..., Path]) -> None:
    model = load_bundle(write_toy(gate=False))
    answer = model.estimate(record(**ABLE))

    assert isinstance(answer, RiskEstimate)
    assert model.facts["gate"] is None
    assert (False, False) == (model.released, answer.released)
    assert [("not_released", "model")] == [(w.code, w.variable) for w in answer.warnings]


def test_models_without_a_record_are_refused_unless_told(write_toy: Callable[..., Path]) -> None:
    folder = write_toy("toy").parent
    write_toy("toy-new", gate=False)
    write_toy("toy-next", gate=False)
    write_toy("toy-teaching", gate=False, demonstration=True)

    with pytest.raises(BundleError, match=r"toy-new, toy-next; CDSS_UNGATED_MODELS=1"):
        load_models(["toy", "toy-new", "toy-next"], folder=folder)
    assert ["toy"] == [m.id for m in load_models(folder=folder)]
    both = load_models(folder=folder, demonstrations=True)
    assert ["toy", "toy-teaching"] == [m.id for m in both]
    assert ["toy"] == [m.id for m in load_models(["toy"], folder=folder)]
    assert ["toy-teaching"] == [m.id for m in load_models(["toy-teaching"], folder=folder)]
    everything = load_models(folder=folder, demonstrations=True, ungated=True)
    assert [True, False, False, False] == [m.released for m in everything]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"manifest_sha256": "0" * 64}, "is of another manifest_sha256"),
        ({"model": "toy-2"}, "is of another model"),
        ({"version": "1.0.1"}, "is of another version"),
        ({"verdict": "fail"}, "is no pass"),
        ({"verdict": "cannot tell"}, "is no pass"),
        ({"checks": []}, "is no pass"),
        ({"checks": [{"name": "leak", "verdict": "fail", "why": "x"}]}, "is no pass: leak"),
        ({"checks": [{"name": "leak"}]}, "lacks checks"),
        ({"signed_by": {"name": " "}}, "nobody signed it"),
        ({"signed_by": None}, "lacks checks, who signed it"),
        ({"released_on": "yesterday"}, "lacks checks, who signed it, or the day"),
        ({"format": 2}, "format is not 1"),
    ],
)
def test_a_record_that_vouches_for_nothing_is_neither_written_nor_read(
    write_toy: Callable[..., Path], changes: dict, message: str
) -> None:
    folder = write_toy(gate=False)
    with pytest.raises(BundleError, match=message):
        release(folder, **changes)
    assert not (folder / "gate.json").exists()

    good = release(folder)
    (folder / "gate.json").write_bytes(gate_text(good | changes))
    with pytest.raises(BundleError, match=f"bundle toy: gate.json.*{re.escape(message)}"):
        load_bundle(folder)


@pytest.mark.parametrize("text", ["[]", "{", "{}", '{"verdict": "pass"}', "null"])
def test_what_is_no_record_is_refused(toy_bundle: Path, text: str) -> None:
    (toy_bundle / "gate.json").write_text(text)

    with pytest.raises(BundleError, match=r"gate\.json"):
        load_bundle(toy_bundle)


def test_the_record_of_another_bundle_is_refused(write_toy: Callable[..., Path]) -> None:
    one, other = write_toy("toy"), write_toy("toy-too", baseline=BASELINE)
    (one / "gate.json").write_bytes((other / "gate.json").read_bytes())

    with pytest.raises(BundleError, match="is of another manifest_sha256, model"):
        load_bundle(one)


def test_a_new_manifest_needs_a_new_record(toy_bundle: Path) -> None:
    old = json.loads((toy_bundle / "gate.json").read_bytes())
    write_bundle(toy_bundle, MANIFEST | {"version": "1.1.0"}, toy_graph(), toy_cases())

    assert not load_bundle(toy_bundle).released
    with pytest.raises(BundleError, match="is of another manifest_sha256, version"):
        write_gate(toy_bundle, {key: old[key] for key in old if key not in ("format", "sha256")})


def test_an_anchored_model_says_so_and_from_whom_it_comes(write_toy: Callable[..., Path]) -> None:
    parent = {"id": "toy", "version": "0.9.0", "digest": "0" * 64}
    model = load_bundle(write_toy(anchored=True, parent=parent))
    answer = model.estimate(record(**ABLE))

    assert isinstance(answer, RiskEstimate)
    assert [("anchored", "model")] == [(w.code, w.variable) for w in answer.warnings]
    assert parent == model.facts["parent"]


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"tiers": {}}, "each tier needs a scale"),
        ({"interval": {"level": 0.95}}, "KeyError: 'people'"),
        ({"interval": SURE["interval"] | {"level": 95}}, "interval: level"),
        ({"population_facts": SURE["population_facts"] | {"names": ["age"]}}, "other quantities"),
    ],
)
def test_uncertainty_that_contradicts_itself_is_refused(
    write_toy: Callable[..., Path], facts: dict, message: str
) -> None:
    folder = write_toy(**SURE | facts)

    with pytest.raises(BundleError, match=message):
        load_bundle(folder)
