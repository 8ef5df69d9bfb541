"""Every shipped bundle against the native model it was made from, on real held-out people."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cdss.bundle import SHIPPED, load_bundle
from cdss.risk import RiskModel
from training.data import load_table
from training.definition import definitions
from training.evaluate import evaluate
from training.families import load_native
from training.fit import background
from training.package import Product
from training.parity import held_out, parity, shap_contributions
from training.train import NATIVE

MODELS = definitions()


def test_every_definition_ships() -> None:
    assert set(MODELS) == {folder.name for folder in SHIPPED.iterdir() if folder.is_dir()}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> RiskModel:
    return load_bundle(SHIPPED / request.param)


def test_a_bundle_is_what_its_definition_says(model: RiskModel) -> None:
    definition = MODELS[model.id]

    assert model.predictors == definition.predictors
    assert model.excluded == definition.excluded
    assert model.measured_by == definition.measured_by
    assert not set(model.measured_by) & set(model.predictors)
    assert model.horizon_years == definition.horizon_years
    assert model.demonstration is definition.demonstration
    assert model.facts["outcome_definition"] == definition.outcome_definition


def test_the_shipped_figures_keep_what_is_promised(model: RiskModel) -> None:
    facts = model.facts

    for tier, figures in facts["metrics"].items():
        assert 0.9 <= figures["calibration_slope"] <= 1.1, tier
        assert 0.9 <= figures["o_e"] <= 1.1, tier
    assert facts["metrics"]["all"]["auroc"] >= facts["untuned_boosting_auroc"]
    assert facts["parity"]["probability"] <= 1e-6
    assert max(facts["parity"]["shap"], facts["parity"]["additivity"]) <= 1e-5
    assert not facts["training"]["code"].endswith("-dirty")


def test_the_graph_is_the_native_model_on_real_people(model: RiskModel, shared: Path) -> None:
    definition = MODELS[model.id]
    table = load_table(definition.dataset)
    cohort = definition.cohort(table)
    recalibration = model.facts["recalibration"]
    product = Product.of(
        load_native(NATIVE / model.id),
        recalibration["intercept"],
        recalibration["slope"],
        background(cohort),
    )
    x = held_out(definition, table, cohort)
    probability, contributions = model.function(x.to_numpy(np.float32))
    native = 1 / (1 + np.exp(-product.native_log_odds(x)))
    total = model.baseline + contributions.sum(axis=1, dtype=np.float64)
    few = x.head(100 if hasattr(product.fitted, "booster") else 10)

    assert x.isna().any(axis=1).mean() > 0.9
    assert np.abs(probability - native).max() <= 1e-6
    assert np.abs(total - np.log(probability / (1 - probability))).max() <= 1e-5
    assert np.abs(contributions[: len(few)] - shap_contributions(product, few)).max() <= 1e-5
    assert parity(product, x.head(300), explained_rows=10)["probability"] <= 1e-6


def test_evaluate_on_its_own_people_finds_what_it_knows(shared: Path, tmp_path: Path) -> None:
    """Apparent performance is above the cross-validated, by little."""
    name = "hypertension-undiagnosed"
    file = tmp_path / "table.parquet"
    source = load_table("nhanes").facts["file"]
    pd.read_parquet(shared / "data" / source).sample(frac=0.5, random_state=0).to_parquet(file)
    report = evaluate(name, "nhanes", file)
    claimed = load_bundle(SHIPPED / name).facts["metrics"]

    assert set(claimed) == set(report["tiers"])
    for tier, figures in report["tiers"].items():
        assert claimed[tier]["auroc"] == pytest.approx(figures["auroc"], abs=0.04), tier
        assert figures["o_e"] == pytest.approx(1, abs=0.1)
