import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cdss.bundle import write_bundle
from serving.__main__ import _bound
from serving.benchmarks.process import Server, served
from tests.serving_process import COMMAND, problems, run, sent, write_toys
from tests.toy import MANIFEST, toy_cases, toy_graph

FREE = (*COMMAND, "--port", "0")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toys(tmp_path_factory.mktemp("bundles"), "toy", "toy-too")


@pytest.fixture(scope="module")
def server(bundles: Path) -> Iterator[Server]:
    with served(FREE, {"CDSS_BUNDLES": str(bundles)}) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        yield client


def test_it_is_ready_soon_and_answers(server: Server, client: httpx.Client) -> None:
    answer = client.post("/v1/assess?lang=vi", json=sent())

    assert 200 == answer.status_code
    assert ["toy", "toy-too"] == [estimate["model"] for estimate in answer.json()["estimates"]]
    assert "server" not in answer.headers


def test_it_says_that_it_is_ready_and_where(server: Server) -> None:
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    ready, listening = (line for line in lines if line["event"] in {"ready", "listening"})

    assert ["toy", "toy-too"] == ready["models"][:2]
    assert "who-2019-lab-sea" in ready["models"]
    assert f"http://127.0.0.1:{server.port}" == listening["url"]


def test_what_bentoml_adds_does_not_get_in_the_way(client: httpx.Client) -> None:
    assert "cdss_models" not in client.get("/metrics").text
    assert "cdss_model_info" in client.get("/metrics").text
    assert "/v1/assess" in client.get("/openapi.json").json()["paths"]
    assert "/v1/assess" == client.get("/").json()["links"]["assess"]
    for path in ("/livez", "/readyz", "/health", "/ready"):
        assert 200 == client.get(path).status_code
    for path in ("/docs", "/v1/assess/", "/static_content/x"):
        assert [("unknown_path", "path")] == problems(client.get(path), 404)


def test_a_chunked_body_that_is_too_large_is_cut_off(client: httpx.Client) -> None:
    chunks = (b" " * 100_000 for _ in range(200))
    answer = client.post("/v1/assess", content=chunks, headers={"content-type": "application/json"})

    assert [("body_too_large", "body")] == problems(answer, 413)


def test_the_limits_of_traffic_are_ours_what_is_loaded_is_frozen_and_no_more_is_loaded(
    bundles: Path,
) -> None:
    script = """
import gc, json, os, sys
import serving.__main__
from serving.service import Cdss
from starlette.testclient import TestClient

app = Cdss.to_asgi()
with TestClient(app) as client:
    status = client.get("/ready").status_code
    frozen = gc.get_freeze_count()
layers, layer = [], app.middleware_stack
while layer is not None:
    layers.append(f"{type(layer).__module__}.{type(layer).__name__}")
    layer = getattr(layer, "app", None)
print(json.dumps({"status": status, "frozen": frozen, "layers": layers,
                  "no_tracking": os.environ["BENTOML_DO_NOT_TRACK"],
                  "modules": sorted({name.partition(".")[0] for name in sys.modules})}))
"""
    process = run("-c", script, CDSS_BUNDLES=str(bundles))
    found = json.loads(process.stdout.splitlines()[-1])
    ours = [name for name in found["layers"] if name.startswith("serving.")]
    heavy = {"torch", "xgboost", "mlflow", "shap", "sklearn", "pandas", "scipy", "pyarrow", "numba",
             "matplotlib", "onnx", "fastapi", "training"}  # fmt: skip

    assert 200 == found["status"]
    assert ["serving.traffic.Timeout", "serving.traffic.MaxConcurrency"] == ours[:2]
    assert not [name for name in found["layers"] if ".http.traffic." in name]
    assert found["frozen"] > 50_000
    assert "True" == found["no_tracking"]
    assert set() == heavy & {*found["modules"]}


def test_the_benchmark_runs_and_says_whether_each_target_is_met(bundles: Path) -> None:
    process = run("-m", "serving.benchmarks.http", "--requests", "100", CDSS_BUNDLES=str(bundles))
    judged = process.stdout.rpartition("Targets")[2]

    assert 5 == judged.count(" ok ") + judged.count("MISSED")
    assert ("MISSED" in judged) == process.returncode
    assert "empty, FastAPI" in process.stdout


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sha256", "model.onnx", "cases.csv"])
def test_one_flipped_bit_and_it_does_not_start(tmp_path: Path, name: str) -> None:
    file = write_toys(tmp_path) / "toy" / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    process = run("-m", "serving", "--port", "0", CDSS_BUNDLES=str(tmp_path))
    blamed = "manifest.json" if name == "manifest.sha256" else name

    assert 1 == process.returncode
    assert f"cdss: not started: bundle toy: {blamed} does not match its SHA-256\n" == process.stderr
    assert "" == process.stdout


@pytest.mark.parametrize(
    ("files", "environment", "message"),
    [
        ((), {}, "no bundles in "),
        (("toy",), {"CDSS_DEMONSTRATION_MODELS": "yes"}, "must be 0 or 1"),
        (("toy",), {"CDSS_UNGATED_MODELS": "yes"}, "must be 0 or 1"),
        (("teaching",), {}, "only demonstration models found"),
    ],
)
def test_nothing_to_serve_or_a_setting_not_understood(
    tmp_path: Path, files: tuple[str, ...], environment: dict[str, str], message: str
) -> None:
    for id in files:
        facts = MANIFEST | {"id": id, "demonstration": id == "teaching"}
        write_bundle(tmp_path / id, facts, toy_graph(), toy_cases())
    process = run("-m", "serving", "--port", "0", **environment, CDSS_BUNDLES=str(tmp_path))

    assert 1 == process.returncode
    assert process.stderr.startswith("cdss: not started: ")
    assert message in process.stderr
    assert 1 == process.stderr.count("\n")
    assert "" == process.stdout


def test_what_is_not_released_is_served_only_when_told_and_says_so(tmp_path: Path) -> None:
    write_toys(tmp_path, "toy-new", gate=False)
    refused = run("-m", "serving", "--port", "0", CDSS_BUNDLES=str(tmp_path),
                  CDSS_UNGATED_MODELS="0")  # fmt: skip
    write_toys(tmp_path, "toy")
    with served(FREE, {"CDSS_BUNDLES": str(tmp_path)}) as server:
        ready = httpx.get(f"http://127.0.0.1:{server.port}/ready").json()
        without = [json.loads(line) for line in server.log.read_text().splitlines()]
    settings = {"CDSS_BUNDLES": str(tmp_path), "CDSS_UNGATED_MODELS": "1"}
    with served(FREE, settings) as server:
        base = f"http://127.0.0.1:{server.port}"
        answers = [
            httpx.post(f"{base}/v1/assess", json=sent(**known)).json()
            for known in ({}, {"alt": 40}, {"age": 21})
        ]
        batch = httpx.post(f"{base}/v1/assess/batch", json={"records": [sent()]}).json()
        told = {m["model"]: m for m in httpx.get(f"{base}/v1/models").json()["models"]}
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]

    assert 1 == refused.returncode
    assert refused.stderr.startswith(
        "cdss: not started: no release record (gate.json): toy-new; CDSS_UNGATED_MODELS=1"
    )
    assert "toy" in ready["models"]
    assert "toy-new" not in ready["models"]
    assert [["toy-new"]] == [line["models"] for line in without if line["event"] == "left_out"]
    for answer in (*answers, *batch["assessments"]):
        old, new = answer["estimates"]
        assert (True, False) == (old["released"], new["released"])
        assert [[], ["not_released"]] == [[w["code"] for w in e["warnings"]] for e in (old, new)]
    assert ("2026-11-24", None) == (told["toy"]["released_on"], told["toy-new"]["released_on"])
    assert told["who-2019-lab-sea"]["released"]
    assert [["toy-new"]] == [line["models"] for line in lines if line["event"] == "not_released"]


def test_nobody_can_connect_before_the_models_are_loaded() -> None:
    with _bound("127.0.0.1", 0) as address, pytest.raises(ConnectionRefusedError):
        socket.create_connection(address.getsockname(), timeout=5)


def test_an_address_that_cannot_be_had(server: Server) -> None:
    taken = run("-m", "serving", "--port", str(server.port))
    no_port = run("-m", "serving", "--port", "70000")
    no_host = run("-m", "serving", "--host", "nowhere.invalid")

    for process in (taken, no_port, no_host):
        assert 1 == process.returncode
        assert process.stderr.startswith("cdss: cannot listen on ")
        assert 1 == process.stderr.count("\n")
    assert "already in use" in taken.stderr


@pytest.mark.parametrize(
    ("end", "codes"), [(signal.SIGINT, {0, 130}), (signal.SIGTERM, {-signal.SIGTERM})]
)
def test_it_ends_in_order(bundles: Path, end: signal.Signals, codes: set[int]) -> None:
    with served(FREE, {"CDSS_BUNDLES": str(bundles)}) as server:
        server.process.send_signal(end)
        code = server.process.wait(10)
        log = server.log.read_text()

    assert code in codes
    assert "Traceback" not in log
