"""
Where the evidence on the models is, from the environment.

``CDSS_CARDS`` is the folder of model cards that ``/models`` shows (by default that of the
repository, if the service runs from one), ``CDSS_REPORTS`` one of validation reports that a site
has made, ``CDSS_MLFLOW_URL`` the address of MLflow's pages, to which the models' runs are linked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cdss.errors import DefinitionError
from serving.jwks import web_address

CARDS = Path(__file__).parents[2] / "model_cards"
"""Where ``make cards`` writes; not there where serving was installed without the repository."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    Where the evidence on the models is.

    Attributes
    ----------
    cards, reports : Path or None
        Folders of model cards, and of a site's validation reports.
    mlflow_url : str or None
        Address of MLflow's pages, without a slash at the end.
    """

    cards: Path | None = CARDS
    reports: Path | None = None
    mlflow_url: str | None = None


def read_evidence(environment: Mapping[str, str]) -> Evidence:
    """
    Read where the evidence is.

    Parameters
    ----------
    environment : mapping of str to str
        Of the process.

    Returns
    -------
    Evidence
        Where it is.

    Raises
    ------
    DefinitionError
        If a setting names no folder, or no address; names the setting.
    """
    mlflow = environment.get("CDSS_MLFLOW_URL")
    return Evidence(
        _folder(environment, "CDSS_CARDS") or CARDS,
        _folder(environment, "CDSS_REPORTS"),
        web_address(mlflow, "CDSS_MLFLOW_URL").rstrip("/") if mlflow else None,
    )


def _folder(environment: Mapping[str, str], name: str) -> Path | None:
    """Read where a folder is, which must be there: a typing mistake would look like no reports."""
    folder = environment.get(name)
    if folder and not Path(folder).is_dir():
        raise DefinitionError(f"{name}: must be a folder that is there")
    return Path(folder) if folder else None
