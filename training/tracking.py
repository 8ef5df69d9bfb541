"""
What MLflow keeps of training: one run a study, one nested run a family.

With `training.releases` the only importer of mlflow. Training points the alias ``candidate``; only
a release moves the alias ``champion``.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import numpy as np
import onnx
from matplotlib.figure import Figure
from mlflow.models import ModelSignature

from training import plots
from training.data import ROOT, Table
from training.definition import Cohort, Definition
from training.fit import RULE, Validation
from training.package import Product, code_version


@contextmanager
def study(
    name: str, definition: Definition, table: Table, cohort: Cohort, reference: float
) -> Iterator[str]:
    """
    Open the run of a study and log whom and what it is about.

    Parameters
    ----------
    name : str
        Name of the run.
    definition, table, cohort
        The model, the data, the people.
    reference : float
        AUROC of the untuned boosting everything is compared with.

    Yields
    ------
    str
        The run's id.
    """
    open_experiment(f"cdss/{definition.id}")
    with mlflow.start_run(run_name=name) as run:
        mlflow.set_tags(
            {
                "model": definition.id,
                "data": table.name,
                "data_sha256": table.digest,
                "code": code_version(),
                "demonstration": str(definition.demonstration),
            }
        )
        mlflow.log_params(
            {
                "outcome": definition.outcome,
                "horizon_years": definition.horizon_years,
                "n": len(cohort),
                "events": int(cohort.y.sum()),
                "predictors": ", ".join(definition.predictors),
                "rule": RULE,
            }
        )
        mlflow.log_metric("untuned_boosting_auroc", reference)
        flow = {"flow": cohort.flow, "implausible": table.implausible}
        mlflow.log_dict(flow, "participants.json")
        yield run.info.run_id


@contextmanager
def family(name: str) -> Iterator[None]:
    """Open the nested run of a family."""
    with mlflow.start_run(run_name=name, nested=True):
        mlflow.set_tag("family", name)
        yield


def log_family(
    definition: Definition,
    cohort: Cohort,
    name: str,
    validation: Validation,
    product: Product,
    errors: dict[str, float],
    directed: bool,
    registered_as: str,
) -> str:
    """
    Log a family's settings, figures and pictures; register its graph.

    Parameters
    ----------
    definition, cohort
        The model and the people.
    name : str
        The family.
    validation, product, errors, directed
        What cross-validation found, what would ship, what parity found, and whether it keeps the
        directions of effects.
    registered_as : str
        Name in the model registry.

    Returns
    -------
    str
        Version in the registry.
    """
    mlflow.log_params(
        {
            **{key: str(value) for key, value in product.fitted.parameters.items()},
            "monotone": str(dict(definition.monotone)),
            "keeps_directions": directed,
            "recalibration_intercept": validation.intercept,
            "recalibration_slope": validation.slope,
            "time_coefficient": validation.time_coefficient,
        }
    )
    figures = {
        f"{tier}/{metric}": value
        for tier, report in validation.tiers.items()
        for metric, value in report.items()
        if isinstance(value, int | float)
    }
    for site, report in (validation.sites or {}).items():
        figures |= {
            f"site/{site}/{metric}": report[metric]
            for metric in ("auroc", "o_e", "calibration_slope")
            if report[metric] is not None
        }
    mlflow.log_metrics(figures | {f"parity/{key}": value for key, value in errors.items()})
    mlflow.log_dict({"tiers": validation.tiers, "sites": validation.sites}, "validation.json")
    title = f"{definition.id}, {name}"
    picture = plots.calibration(cohort, validation.log_odds, f"{title}, cross-validated")
    _log_figure(picture, "calibration.png")
    some = cohort.x.sample(min(3000, len(cohort)), random_state=5)
    _log_figure(plots.contributions(some, product.run(some)[1], title), "contributions.png")
    return register(product.graph.to_bytes(), _signature(product), registered_as)


def log_choice(
    best: str,
    validations: dict[str, Validation],
    version: str,
    reference: float,
    registered_as: str,
) -> None:
    """
    Log the comparison of the families and point the alias ``candidate`` at the best.

    Parameters
    ----------
    best : str
        Name of the champion's family.
    validations : dict
        What cross-validation found, by family.
    version : str
        The champion's in the model registry.
    reference : float
        AUROC of the untuned boosting.
    registered_as : str
        Name in the model registry.
    """
    mlflow.MlflowClient().set_registered_model_alias(registered_as, "candidate", version)
    v = validations[best]
    mlflow.log_metrics(
        {
            "champion/mean_auroc": v.mean_auroc,
            "champion/auroc": v.tiers["all"]["auroc"],
            "champion/auroc_above_untuned_boosting": v.tiers["all"]["auroc"] - reference,
            "champion/in_band": float(v.in_band),
        }
    )
    tiers = {name: validation.tiers for name, validation in validations.items()}
    mlflow.log_dict(tiers, "comparison.json")
    title = f"{registered_as}: champion {best}"
    _log_figure(plots.comparison(tiers, title), "comparison.png")


def log_bundle(
    folder: Path, best: str, digest: str, registered_as: str, registry_version: str
) -> None:
    """Keep the candidate's bundle with the study, and its digest with the registered version."""
    mlflow.log_artifacts(str(folder), "bundle")
    mlflow.set_tags({"champion": best, "bundle_digest": digest})
    mlflow.MlflowClient().set_model_version_tag(
        registered_as, registry_version, "bundle_digest", digest
    )


def point() -> bool:
    """Point MLflow to SQLite beside the project unless the environment says where; whether so."""
    beside = f"sqlite:///{ROOT / 'mlflow.db'}"
    uri = os.environ.get("MLFLOW_TRACKING_URI") or beside
    mlflow.set_tracking_uri(uri)
    return uri == beside


def open_experiment(name: str) -> None:
    """Work in an experiment, made if needed."""
    if point() and mlflow.get_experiment_by_name(name) is None:
        mlflow.create_experiment(name, (ROOT / "mlartifacts").as_uri())
    mlflow.set_experiment(name)


def _log_figure(figure: Figure, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        figure.savefig(path, dpi=110)
        mlflow.log_artifact(str(path), "plots")


def _signature(product: Product) -> ModelSignature:
    few = product.background.head(3)
    probability, contributions = product.run(few)
    return mlflow.models.infer_signature(
        few.to_numpy(np.float32), {"probability": probability, "contributions": contributions}
    )


def register(graph: bytes, signature: ModelSignature | None, name: str) -> str:
    """Log an explained graph and register it; the version's number."""
    info = mlflow.onnx.log_model(
        onnx.load_from_string(graph),  # a copy: saving may move tensors out
        name="explained_graph",
        signature=signature,
        registered_model_name=name,
        save_as_external_data=False,
    )
    return str(info.registered_model_version)
