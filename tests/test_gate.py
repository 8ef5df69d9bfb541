"""What the release gate lets pass, and what it stops, with the reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from typer.testing import CliRunner

from cdss import load_models
from cdss.bundle import load_bundle
from cdss.errors import BundleError
from cdss.risk import RiskModel
from tests.simulated import (
    MODEL,
    bundle,
    definition,
    evidence,
    fitted,
    people,
    written,
)
from training import comparisons, inspection, releases
from training.__main__ import app
from training.checks import TOLERANCES
from training.child import write_child
from training.data import Table
from training.definition import Definition
from training.families import Fitted
from training.gate import SignOff, gate
from training.history import history
from training.metrics import recalibration
from training.recalibrate import recalibrate

SIGNED = SignOff("Nguyen Van An", "methodologist", "I have read the figures and the card.")
HISTORY = {"method": "intercept", "table": {"name": "x", "sha256": "y"},
           "sample_size": {"intercept": {"needed": {}, "had": {}, "lacking": []}}}  # fmt: skip


@dataclass
class Place:
    """A folder in which a model was made and may be released."""

    folder: Path
    definition: Definition
    development: Table
    others: Table
    native: Fitted
    good: RiskModel
    candidate: Path
    seen: dict[str, Any]

    def judge(
        self, candidate: Path, found: dict[str, Any], sign_off: SignOff = SIGNED, **changes: Any
    ) -> dict[str, Any]:
        """The gate's record."""
        return gate(
            MODEL, sign_off, candidate=candidate,
            evidence=written(self.folder / "evidence.json", found),
            release_to=self.folder / "released", champions=self.folder / "released",
            definition=changes.pop("definition", self.definition), **changes,
        )  # fmt: skip

    @property
    def released(self) -> Path:
        return self.folder / "released" / MODEL


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A good model of 15,000 made-up people, seen by 15,000 others."""
    folder = tmp_path_factory.mktemp("gate")
    of, development, others = definition("bmi", "waist"), people(15_000, 1), people(15_000, 2)
    native = fitted(of, development)
    good = bundle(folder / "good" / MODEL, of, development, native)
    (folder / "native" / MODEL).mkdir(parents=True)
    native.save(folder / "native" / MODEL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'tracking.db'}")
        patch.chdir(folder)
        patch.setattr(inspection, "load_table", lambda name, path=None: development)
        patch.setattr(inspection, "NATIVE", folder / "native")
        patch.setattr(inspection, "NATIVE_CANDIDATES", folder / "none")
        patch.setattr("training.cards.complete", lambda model, cards: [])
        yield Place(
            folder,
            of,
            development,
            others,
            native,
            good,
            folder / "good" / MODEL,
            evidence(good, of, others),
        )


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    """The same with nothing released yet."""
    return replace(made, folder=tmp_path)


def why(record: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {c["name"]: (c["verdict"], c["why"]) for c in record["checks"]}


def failed(record: dict[str, Any]) -> set[str]:
    return {c["name"] for c in record["checks"] if c["verdict"] == "fail"}


@pytest.mark.slow
def test_a_good_model_passes_and_is_served(place: Place) -> None:
    digest = place.good.facts["digest"]
    record = place.judge(place.candidate, place.seen)
    (served,) = load_models([MODEL], folder=place.folder / "released")

    assert record["verdict"] == "pass", why(record)
    assert {c["verdict"] for c in record["checks"]} == {"pass"}
    assert served.released
    assert served.facts["digest"] == digest == record["manifest_sha256"]
    assert served.facts["gate"]["signed_by"]["name"] == SIGNED.name
    assert served.facts["gate"]["history"] == []
    assert "real rows against the native model (spline)" in why(record)["parity"][1]
    with pytest.raises(BundleError, match="no release record"):
        load_models([MODEL], folder=place.candidate.parent)
    client = mlflow.MlflowClient()
    champion = client.get_model_version_by_alias(MODEL, "champion")
    assert champion.tags["bundle_digest"] == digest
    run = client.get_run(record["mlflow_run_id"])
    assert run.data.tags["verdict"] == "pass"
    assert run.data.tags["signed_by"] == SIGNED.name
    assert run.data.metrics["checks/fail"] == 0
    assert run.data.metrics["all/o_e"] == pytest.approx(place.seen["tiers"]["all"]["o_e"])
    kept = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"gate.json", "evidence.json", "bundle"} <= kept


def test_without_a_name_nothing_is_released(place: Place) -> None:
    alias = _champion()
    for nobody in (
        SignOff(), SignOff("TODO", "test", "n/a"), SignOff("Jane Doe", "", "looked at all of it"),
        SignOff("Jane Doe", "statistician", "fine"),
    ):  # fmt: skip
        record = place.judge(place.candidate, place.seen, nobody)
        assert record["verdict"] == "fail"
        assert failed(record) == {"sign_off"}
        assert record["folder"] is None
    assert not place.released.exists()
    assert _champion() == alias
    assert releases.gates(MODEL)[0]["verdict"] == "fail"


def test_a_miscalibrated_version_is_stopped(place: Place) -> None:
    """The good graph, shifted by 0.7 on the log-odds and called a recalibration."""
    child = write_child(place.candidate, place.folder / "shifted", 0.7, 1.0, "nowhere", HISTORY, {})
    record = place.judge(
        place.folder / "shifted" / MODEL, evidence(child, place.definition, place.others)
    )

    assert record["verdict"] == "fail"
    assert "calibration" in failed(record)
    assert re.search(r"all O:E 0\.[56]", why(record)["calibration"][1])
    assert "is outside 0.9 to 1.1" in why(record)["calibration"][1]
    assert why(record)["parity"][0] == "cannot tell", "its parent is nowhere"
    assert not place.released.exists()


def test_a_shift_hidden_from_cross_validation_is_stopped(place: Place) -> None:
    """Evidence of refits says nothing of the graph that would be served: that is looked at too."""
    off = bundle(
        place.folder / "off" / MODEL, place.definition, place.development, place.native,
        intercept=0.7,
    )  # fmt: skip
    flattering = place.seen | {
        "digest": off.facts["digest"], "version": off.version, "validation": "cross-validated",
    }  # fmt: skip
    record = place.judge(place.folder / "off" / MODEL, flattering)
    child = write_child(place.candidate, place.folder / "c", 0.7, 1.0, "x", HISTORY, {})
    another = place.judge(
        place.folder / "c" / MODEL, flattering | {"digest": child.facts["digest"]}
    )

    assert failed(record) == {"calibration"}
    said = r"the served graph on its own development rows: O:E 0\.[56]"
    assert re.search(said, why(record)["calibration"][1])
    assert "fits the family anew" in why(another)["evidence"][1]
    assert "evidence" in failed(another)


@pytest.mark.parametrize("said", [True, False])
def test_a_leaking_model_is_stopped(place: Place, said: bool) -> None:
    """HbA1c, which the outcome is measured by, as a predictor; told or not told in the manifest."""
    of = definition(
        "bmi", "waist", "hba1c", measured_by=("hba1c", "fasting_glucose") if said else ()
    )
    native = fitted(of, place.development)
    leaky = bundle(place.folder / "leaky" / MODEL, of, place.development, native)
    seen = evidence(leaky, of, place.others)
    record = place.judge(place.folder / "leaky" / MODEL, seen, definition=of)

    assert seen["tiers"]["all"]["auroc"] > 0.99
    assert "leakage" in failed(record)
    reason = why(record)["leakage"][1]
    assert ("hba1c measures the outcome itself" in reason) is said
    assert "hba1c alone separates people with an AUROC of 1.000, above 0.9" in reason
    assert not place.released.exists()


def test_a_model_that_harms_a_group_is_stopped(place: Place) -> None:
    """Women's odds divided by 2.5, then all recalibrated: overall nothing is to be seen."""
    of = definition(also=("bmi", "waist"))
    native = fitted(of, place.development)
    (term,) = [term for term in native.terms if term["name"] == "sex"]
    term["coefficients"][0] -= np.log(2.5)
    who = of.cohort(place.development)
    flat = np.zeros(len(who))
    a, b, _ = recalibration(who.y, native.log_odds(who.x), flat, flat + 1)
    folder = place.folder / "harming" / MODEL
    harming = bundle(folder, of, place.development, native, intercept=a, slope=b)
    (place.folder / "native" / MODEL).mkdir(parents=True)
    native.save(place.folder / "native" / MODEL)
    seen = evidence(harming, of, place.others)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspection, "NATIVE", place.folder / "native")
        record = place.judge(folder, seen, definition=of)

    assert seen["tiers"]["all"]["o_e"] == pytest.approx(1, abs=0.05)
    assert failed(record) == {"subgroups"}, why(record)
    reason = why(record)["subgroups"][1]
    assert "sex female O:E" in reason
    assert "is outside 0.8 to 1.25" in reason
    assert "widest gap in missed cases" in reason
    kept = json.loads((place.folder / "judged.json").read_text(encoding="utf-8"))
    assert kept["verdict"] == "fail"
    assert kept["manifest_sha256"] == harming.facts["digest"]


@pytest.mark.parametrize(
    ("dimension", "o_e", "slope", "verdict"),
    [
        ("site", 0.56, [0.9, 1.1], "cannot tell"),
        ("site", 0.56, [0.5, 0.7], "fail"),
        ("site", 1.0, [0.9, 1.1], "pass"),
        ("ethnicity", 0.56, [0.9, 1.1], "fail"),
    ],
)
def test_a_place_is_recalibrated_and_a_group_of_people_is_not(
    dimension: str, o_e: float, slope: list[float], verdict: str
) -> None:
    fine = {"n": 900, "status": "reported", "o_e": 1.0, "o_e_95ci": [0.9, 1.1]}
    figures = fine | {
        "o_e": o_e, "o_e_95ci": [o_e - 0.1, o_e + 0.1],
        "calibration_slope": sum(slope) / 2, "calibration_slope_95ci": slope,
    }  # fmt: skip
    groups = {"sex": {"female": fine}, "age": {"40 to <50": fine}, dimension: {"6": figures}}
    check = comparisons.subgroups({"subgroups": groups})

    assert check.verdict == verdict
    assert ("recalibrate it there" in check.why) == (dimension == "site" and o_e != 1)


def test_evidence_of_another_bundle_is_none(place: Place) -> None:
    record = place.judge(place.candidate, place.seen | {"digest": "0" * 64})
    without = place.judge(place.candidate, {})

    assert failed(record) == {"evidence"}
    assert "bundle 000000000000, not of 1.0.0" in why(record)["evidence"][1]
    assert "evidence" in failed(without)
    assert why(without)["calibration"][0] == "cannot tell"


def test_what_cannot_be_told_must_be_accepted_by_name(place: Place) -> None:
    few = json.loads(json.dumps(place.seen))
    few["sample_size"]["validation"]["sufficient"] = False
    open_ = place.judge(place.candidate, few)
    with pytest.raises(LookupError, match="no check named sample-size"):
        place.judge(place.candidate, few, replace(SIGNED, accepted=("sample-size",)))
    accepted = place.judge(place.candidate, few, replace(SIGNED, accepted=("sample_size",)))

    assert open_["verdict"] == "cannot tell"
    assert open_["folder"] is None
    assert accepted["verdict"] == "pass"
    (check,) = [c for c in accepted["checks"] if c["name"] == "sample_size"]
    assert check["verdict"] == "cannot tell"
    assert check["accepted"]
    assert load_bundle(place.released).released


def test_a_failure_cannot_be_accepted(place: Place) -> None:
    few = json.loads(json.dumps(place.seen))
    few["sample_size"]["development"]["sufficient"] = False
    record = place.judge(place.candidate, few, replace(SIGNED, accepted=("sample_size",)))

    assert record["verdict"] == "fail"
    assert "too few" in why(record)["sample_size"][1]


def test_a_damaged_bundle_gets_one_answer(place: Place) -> None:
    folder = place.folder / "damaged" / MODEL
    bundle(folder, place.definition, place.development, place.native)
    cases = (folder / "cases.csv").read_text()
    (folder / "cases.csv").write_text(cases.replace("0.", "0.9", 1))
    record = place.judge(folder, place.seen)

    assert failed(record) == {"known_answers"}
    assert len(record["checks"]) == 1


def test_an_incomplete_card_stops(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.cards.complete", lambda model, cards: ["statement: users"])
    record = place.judge(place.candidate, place.seen)
    monkeypatch.setattr("training.cards.complete", lambda model, cards: ["evidence: interval"])
    untold = place.judge(place.candidate, place.seen | {"interval": None})

    assert failed(record) == {"card"}
    assert "statement: users" in why(record)["card"][1]
    assert why(untold)["card"][0] == "cannot tell"


@pytest.mark.slow
def test_the_history_grows_by_one_with_each_release(place: Place) -> None:
    """Three releases; from the second on the last champion stands beside on the same rows."""
    assert place.judge(place.candidate, place.seen)["verdict"] == "pass"
    assert [row["version"] for row in history(place.folder / "released")] == ["1.0.0"]
    for number, name in ((1, "1.1.0"), (2, "1.2.0")):
        before = load_bundle(place.released)
        folder = place.folder / name / MODEL
        # Another version of the same model: the digest differs, the figures do not.
        new = bundle(folder, place.definition, place.development, place.native, version=name)
        alone = place.judge(folder, evidence(new, place.definition, place.others))
        assert why(alone)["discrimination"][0] == "cannot tell"
        assert f"champion {before.version} was not compared" in why(alone)["discrimination"][1]
        rival = {f"champion {before.version}": before}
        record = place.judge(folder, evidence(new, place.definition, place.others, rival))
        assert record["verdict"] == "pass", why(record)
        assert f"champion {before.version} +0.0000" in why(record)["discrimination"][1]
        rows = history(place.folder / "released", MODEL)
        assert len(rows) == number + 1
        assert rows[0]["version"] == name
        assert rows[0]["until"] is None
        assert rows[1]["digest"] == before.facts["digest"]
        assert rows[1]["until"] == rows[0]["since"]
        assert {row["released_by"] for row in rows} == {SIGNED.name}
    result = CliRunner().invoke(app, ["history", "--bundles", str(place.folder / "released")])
    assert result.exit_code == 0, result.output
    assert "1.2.0" in result.output
    assert "today" in result.output
    assert SIGNED.name in result.output


def test_a_recalibrated_champion_ranks_as_its_parent(place: Place) -> None:
    """No comparison is asked for; what counts is the table it was recalibrated with."""
    place.judge(place.candidate, place.seen)
    local = people(6_000, 3, intercept=0.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.recalibrate.definitions", lambda: {MODEL: place.definition})
        recalibrate(
            MODEL, local, site="Hue", bundles=place.folder / "released", out=place.folder / "c"
        )
    child = load_bundle(place.folder / "c" / MODEL)
    record = place.judge(place.folder / "c" / MODEL, evidence(child, place.definition, local))

    assert record["verdict"] == "pass", why(record)
    assert "as its parent, champion 1.0.0, by construction" in why(record)["discrimination"][1]
    assert "cross-fitted, on the rows it was recalibrated" in why(record)["calibration"][1]
    assert "against its parent 1.0.0" in why(record)["parity"][1]
    assert "had people 5,999" in why(record)["sample_size"][1]
    assert load_bundle(place.released).version == "1.0.0+hue.1"


def test_a_worse_model_than_the_champion_is_stopped(place: Place) -> None:
    """Age and sex alone, against a champion that knows the body measures."""
    place.judge(place.candidate, place.seen)
    less = definition()
    native = fitted(less, place.development)
    folder = place.folder / "less" / MODEL
    poor = bundle(folder, less, place.development, native, version="1.1.0")
    (place.folder / "native" / MODEL).mkdir(parents=True)
    native.save(place.folder / "native" / MODEL)
    seen = evidence(poor, less, place.others)
    full = evidence(place.good, place.definition, place.others, {"champion 1.0.0": place.good})
    apart = full["head_to_head"]["all"]["contenders"]["champion 1.0.0"]["auroc"]
    worse = seen["tiers"]["all"]["auroc"] - apart
    seen["head_to_head"]["all"]["contenders"]["champion 1.0.0"] = {"same_outcome": True}
    seen["head_to_head"]["all"]["differences"]["champion 1.0.0"] = {
        "auroc": {"difference": worse, "95ci": [worse - 0.01, worse + 0.01]}
    }
    record = place.judge(folder, seen, definition=less)

    assert worse < -0.02
    assert "discrimination" in failed(record)
    assert "worse by more than 0.01" in why(record)["discrimination"][1]
    assert load_bundle(place.released).version == "1.0.0"


def test_every_tolerance_says_why_and_where_from() -> None:
    for name, tolerance in TOLERANCES.items():
        assert len(tolerance["why"].split()) > 8, name
        assert tolerance["source"], name


def test_the_command_says_what_stops_it(place: Place) -> None:
    file = written(place.folder / "e.json", place.seen)
    arguments = ["gate", MODEL, "--candidate", str(place.candidate), "--evidence", str(file),
                 "--release-to", str(place.folder / "released")]  # fmt: skip
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 1
    assert "not released: sign_off" in result.output
    assert CliRunner().invoke(app, ["gate", "nothing"]).exit_code == 2


def _champion() -> str | None:
    try:
        return mlflow.MlflowClient().get_model_version_by_alias(MODEL, "champion").version
    except mlflow.exceptions.MlflowException:
        return None
