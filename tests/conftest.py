"""Fixtures: the toy models, and the folder of development data and peers' answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cdss.bundle import load_models, write_bundle
from cdss.risk import RiskModel
from tests.toy import MANIFEST, release, toy_cases, toy_graph

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True, scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A state folder of the tests' own: servers put their audit log there."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    yield
    if before is None:
        del os.environ["XDG_STATE_HOME"]
    else:
        os.environ["XDG_STATE_HOME"] = before


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of development data and peers' answers, which is not part of the repository."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the development data and peers' answers (../shared) are not here")
    return folder


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster of Spark: a master and two workers."""
    pytest.importorskip("pyspark", reason="Spark for Python is not here: extra spark")
    from tests.spark_cluster import Cluster, possible

    if not possible():
        pytest.skip("there is no Java to run Spark")
    found = Cluster(tmp_path_factory.mktemp("spark"))
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="session")
def spark(cluster: Any) -> Iterator[Any]:
    """A session of Spark on that cluster."""
    from tests.spark_cluster import session

    with session(cluster) as found:
        yield found


@pytest.fixture
def write_toy(tmp_path: Path) -> Callable[..., Path]:
    """Write the toy bundle, changed as the test wants."""

    def write(
        id: str = "toy", *, graph: bytes = b"", cases: str = "", gate: bool = True, **facts: Any
    ) -> Path:
        folder = tmp_path / "bundles" / id
        manifest = MANIFEST | {"id": id} | facts
        write_bundle(folder, manifest, graph or toy_graph(), cases or toy_cases())
        if gate and manifest.get("format", 1) == 1:
            release(folder)
        return folder

    return write


@pytest.fixture
def toy_bundle(write_toy: Callable[..., Path]) -> Path:
    """Folder of the toy bundle."""
    return write_toy()


@pytest.fixture
def toy_models(write_toy: Callable[..., Path]) -> tuple[RiskModel, ...]:
    """The toy model, one that refuses anybody under 60, and a demonstration."""
    write_toy()
    write_toy("toy-old", outcome="cardiovascular_death", limits={"age": [60, 90]})
    folder = write_toy(
        "toy-teaching", outcome="undiagnosed_diabetes", horizon_years=None, demonstration=True
    )
    return load_models(demonstrations=True, folder=folder.parent)
