"""What MLflow keeps of releases: a run for each gate, passed or not, and the champion's alias."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow

from training.package import code_version
from training.tracking import open_experiment, point, register

EXPERIMENT = "cdss/releases"


@contextmanager
def gate(model: str, version: str, digest: str) -> Iterator[str]:
    """
    Open the run of a release gate.

    Parameters
    ----------
    model, version, digest : str
        The candidate.

    Yields
    ------
    str
        The run's id.
    """
    open_experiment(EXPERIMENT)
    with mlflow.start_run(run_name=f"{model} {version}") as run:
        mlflow.set_tags(
            {"model": model, "version": version, "bundle_digest": digest, "code": code_version()}
        )
        yield run.info.run_id


def log_gate(record: Mapping[str, Any], evidence: Mapping[str, Any]) -> None:
    """
    Log what a gate found, passed or not.

    Parameters
    ----------
    record : mapping
        ``verdict``, ``checks``, ``signed_by`` and the rest of the release record.
    evidence : mapping
        What it was found in.
    """
    checks = record["checks"]
    mlflow.set_tags(
        {
            "verdict": record["verdict"],
            "signed_by": record["signed_by"]["name"],
            "role": record["signed_by"]["role"],
            **{f"check.{c['name']}": c["verdict"] for c in checks},
        }
    )
    for verdict in ("pass", "fail", "cannot tell"):
        count = sum(c["verdict"] == verdict for c in checks)
        mlflow.log_metric(f"checks/{verdict.replace(' ', '_')}", count)
    figures = {
        f"{tier}/{name}": part[name]
        for tier, part in (evidence.get("tiers") or {}).items()
        for name in ("auroc", "o_e", "calibration_slope", "brier")
        if isinstance(part.get(name), int | float)
    }
    mlflow.log_metrics(figures)
    mlflow.log_dict(dict(record), "gate.json")
    mlflow.log_dict(dict(evidence), "evidence.json")


def promote(model: str, folder: Path, digest: str) -> str:
    """
    Point the alias ``champion`` at a bundle's graph, registering it if training did not.

    Parameters
    ----------
    model : str
        Name in the registry.
    folder : path
        The bundle.
    digest : str
        Of its manifest: how a registered version is recognised.

    Returns
    -------
    str
        Version in the registry.
    """
    client = mlflow.MlflowClient()
    known = [
        v.version
        for v in client.search_model_versions(f"name='{model}'")
        if v.tags.get("bundle_digest") == digest
    ]
    if known:
        version = str(max(known, key=int))
    else:
        version = register((folder / "model.onnx").read_bytes(), None, model)
        client.set_model_version_tag(model, version, "bundle_digest", digest)
    client.set_registered_model_alias(model, "champion", version)
    mlflow.log_artifacts(str(folder), "bundle")
    mlflow.set_tag("registry_version", version)
    return version


def gates(model: str | None = None) -> list[dict[str, str]]:
    """
    Every run of a release gate that this tracking store knows, newest first.

    Parameters
    ----------
    model : str, optional
        Of which model; of all by default.

    Returns
    -------
    list of dict
        ``on``, ``model``, ``version``, ``digest``, ``verdict``, ``signed_by``, ``run``.
    """
    point()
    experiment = mlflow.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return []
    found = mlflow.MlflowClient().search_runs(
        [experiment.experiment_id], order_by=["attributes.start_time DESC"]
    )
    rows = []
    for run in found:
        tags = run.data.tags
        if model is None or tags.get("model") == model:
            on = datetime.fromtimestamp(run.info.start_time / 1000, UTC).date().isoformat()
            rows.append(
                {"on": on, "digest": tags.get("bundle_digest", ""), "run": run.info.run_id}
                | {n: tags.get(n, "") for n in ("model", "version", "verdict", "signed_by")}
            )
    return rows
