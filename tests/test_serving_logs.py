import json
import logging
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from cdss.bundle import write_bundle
from serving.app import create_app
from serving.benchmarks.process import Server, served
from serving.logs import ALLOWED, _LibraryHandler, allowed_only
from tests.serving_process import COMMAND, JSON, log_with, problems, run, sent, write_toys
from tests.toy import MANIFEST, release, toy_cases, toy_graph, toy_model

WORD = "c4nary"  # in whatever a client can write
NUMBER = "31.3371337"  # a value of a patient that is accepted
WRONG = "-31337"  # and one that is not
FREE = [*COMMAND, "--port", "0"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = write_toys(tmp_path_factory.mktemp("bundles"))
    with served(FREE, {"CDSS_BUNDLES": str(folder)}) as server:
        yield server


@pytest.fixture(scope="module")
def answers(server: Server) -> list[httpx.Response]:
    """Everything a client can get wrong, with something to recognise in it."""
    number, wrong = float(NUMBER), int(WRONG)
    bodies: list[Any] = [
        sent(alt=number),
        sent(alt=wrong),
        sent(alt=WORD, age=wrong, sex=WORD, diabetes=WORD, **{WORD: number}),
        sent(alt={"value": number, "unit": WORD}, ast={"value": WORD, "date": WORD}),
        sent(alt={"value": number, WORD: number}, ast={"value": number, "date": "2030-01-01"}),
        sent(systolic_bp=61.313371337, diastolic_bp=131.313371337),
        sent() | {"index_date": WORD, WORD: WORD},
        {"records": [sent(alt=number), sent(alt=WORD, **{WORD: 1})]},
        {"records": [sent(alt=number)], WORD: number},
        [WORD],
    ]
    texts = ["{" + WORD, f'{{"{WORD}": 1, "{WORD}": {NUMBER}}}', f"[{NUMBER}, NaN, {WORD}]"]
    got = []
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        for body in bodies + texts:
            text = body if isinstance(body, str) else json.dumps(body)
            for path in ("/v1/assess", "/v1/assess/batch"):
                for query in ("", f"?lang={WORD}", f"?models={WORD}", f"?{WORD}={WORD}"):
                    headers = JSON | {"user-agent": WORD, "x-patient": WORD, "cookie": WORD}
                    got.append(client.post(path + query, content=text, headers=headers))
        got.append(client.post("/v1/assess", content=WORD, headers={"content-type": WORD}))
        got += [client.request("PROPFIND", "/v1/assess"), client.get(f"/{WORD}?{WORD}={NUMBER}")]
    for raw in (f"{WORD} HTTP/1.1\r\n\r\n", f"GET /{WORD} HTTP/1.1\r\n{WORD}\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(raw.encode())
            connection.recv(1000)
    return got


def test_nothing_that_was_sent_is_logged(server: Server, answers: list[httpx.Response]) -> None:
    log = log_with(server, '"event":"request"', len(answers))
    told = [line for line in log.splitlines() if re.search(f"{WORD}|31.?3371", line, re.IGNORECASE)]

    assert [] == told


def test_every_line_is_json_with_allowed_keys_only(
    server: Server, answers: list[httpx.Response]
) -> None:
    lines = [json.loads(line) for line in log_with(server, "request", len(answers)).splitlines()]
    requests = [line for line in lines if line["event"] == "request"]

    assert set() == {key for line in lines for key in line} - ALLOWED
    assert {"audit", "open", "ready", "listening", "request", "library"} == {
        line["event"] for line in lines
    }
    assert {"POST", "GET", "other"} == {line["method"] for line in requests}
    assert {"/v1/assess", "/v1/assess/batch", "unmatched", "/ready"} == {
        line["route"] for line in requests
    }


def test_an_error_text_never_has_what_was_sent(answers: list[httpx.Response]) -> None:
    refused = [answer for answer in answers if answer.status_code != 200]
    details = " ".join(p["detail"] for answer in refused for p in answer.json()["problems"])

    assert {400, 404, 405, 415, 422} == {answer.status_code for answer in refused}
    assert not re.search(f"{WORD}|31.?3371", details)
    assert not [answer.text for answer in refused if re.search("31.?3371", answer.text)]


def failing_graph() -> bytes:
    """The toy graph, which looks ALT up in a table of 600: beyond it ONNX names the number."""
    model = onnx.load_from_string(toy_graph())
    graph = model.graph
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.int64(3), "alt"),
            numpy_helper.from_array(np.zeros(600, np.float32), "table"),
        ]
    )
    look_up = [
        helper.make_node("Gather", ["known", "alt"], ["alt_known"], axis=1),
        helper.make_node("Cast", ["alt_known"], ["alt_row"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "alt_row"], ["nothing"]),
        helper.make_node("Add", ["sum", "nothing"], ["sum_and_nothing"]),
    ]
    at = next(k for k, node in enumerate(graph.node) if node.output[0] == "log_odds")
    graph.node[at].input[0] = "sum_and_nothing"
    nodes = [*graph.node[:at], *look_up, *graph.node[at:]]
    del graph.node[:]
    graph.node.extend(nodes)
    return model.SerializeToString()


def test_a_failure_is_logged_with_where_and_not_with_what(tmp_path: Path) -> None:
    write_bundle(tmp_path / "toy", MANIFEST, failing_graph(), toy_cases())
    release(tmp_path / "toy")
    with served(FREE, {"CDSS_BUNDLES": str(tmp_path)}) as server:
        url = f"http://127.0.0.1:{server.port}"
        fine, failed = (httpx.post(f"{url}/v1/assess", json=sent(alt=alt)) for alt in (599, 777))
        httpx.get(f"{url}/health")  # a failure is answered before it is logged
        log = log_with(server, '"failed"')
    (line,) = (json.loads(line) for line in log.splitlines() if '"failed"' in line)

    assert 200 == fine.status_code
    assert [("internal_error", "server")] == problems(failed, 500)
    assert ("error", "InvalidArgument") == (line["level"], line["error"])
    assert any(at.startswith("routes.assess:") for at in line["at"])
    assert "777" not in failed.text
    assert "=777" not in log


def test_only_allowed_keys_pass() -> None:
    line = {"event": "request", "status": 200, "patient": WORD, "values": {"age": 54}}

    assert {"event": "request", "status": 200} == allowed_only(None, "info", line)


def test_what_libraries_say_is_reduced_to_where() -> None:
    logger = logging.Logger("library")
    logger.addHandler(_LibraryHandler())
    with capture_logs() as lines:
        logger.warning("patient %s", WORD)
        try:
            int(WORD)
        except ValueError:
            logger.exception(WORD)

    assert not re.search(WORD, json.dumps(lines))
    assert ["warning", "error"] == [line["log_level"] for line in lines]
    assert [None, "ValueError"] == [line["error"] for line in lines]
    assert all(line["at"][0].startswith("test_serving_logs:") for line in lines)


def test_handlers_that_libraries_bring_are_taken_from_them() -> None:
    script = f"""
import logging
from bentoml._internal.log import configure_server_logging
from serving import logs

configure_server_logging()
logs.configure()
for name in ("bentoml", "bentoml.serve", "uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
    logging.getLogger(name).error("{WORD}")
"""
    process = run("-c", script)
    lines = [json.loads(line) for line in process.stdout.splitlines()]

    assert 6 == len(lines)
    assert WORD not in process.stdout + process.stderr


@pytest.fixture
def client(toy_models: tuple) -> Iterator[TestClient]:
    with TestClient(create_app(toy_models)) as client:
        yield client


def test_a_request_is_logged_with_the_name_of_its_assessment(client: TestClient) -> None:
    with capture_logs() as lines:
        name = client.post("/v1/assess", json=sent()).json()["assessment_id"]
        client.post("/v1/assess/batch", json={"records": [sent()] * 3})
        client.post("/v1/assess", json=sent(age=5))
    timeless = [{k: v for k, v in line.items() if k != "duration_ms"} for line in lines]
    common = {"event": "request", "log_level": "info", "method": "POST"}

    assert [
        common | {"route": "/v1/assess", "status": 200, "assessment_id": name},
        common | {"route": "/v1/assess/batch", "status": 200, "records": 3},
        common | {"route": "/v1/assess", "status": 422},
    ] == timeless
    assert all(0 < line["duration_ms"] < 10_000 for line in lines)


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_requests_and_assessments_are_counted(client: TestClient) -> None:
    def counts() -> list[float]:
        return [
            count("cdss_requests_total", route="/v1/assess", status="200"),
            count("cdss_requests_total", route="/v1/assess", status="422"),
            count("cdss_requests_total", route="unmatched", status="404"),
            count("cdss_request_seconds_count", route="/v1/assess"),
            count("cdss_assessments_total", model="toy", result="estimate"),
            count("cdss_assessments_total", model="toy-old", result="refused"),
        ]

    before = counts()
    for payload in (sent(age=50), sent(age=50), sent(age=5)):
        client.post("/v1/assess", json=payload)
    client.post("/v1/assess/batch", json={"records": [sent(age=50)] * 4})
    for path in ("/1", "/2"):
        client.get(path)

    assert [2, 1, 2, 3, 6, 6] == [now - was for now, was in zip(counts(), before, strict=True)]


def test_metrics_are_in_the_text_format_of_prometheus(
    client: TestClient, toy_models: tuple
) -> None:
    client.post("/v1/assess", json=sent())
    response = client.get("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(response.text)}
    loaded = {(s.labels["model"], s.labels["digest"]) for s in families["cdss_model_info"].samples}

    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert {"cdss_requests", "cdss_request_seconds", "cdss_assessments"} <= families.keys()
    assert {(model.id, model.facts["digest"]) for model in toy_models} <= loaded


def test_what_a_client_writes_makes_no_new_series(client: TestClient) -> None:
    def series() -> set[str]:
        text = client.get("/metrics").text
        return {line.rpartition(" ")[0] for line in text.splitlines() if line.startswith("cdss_")}

    for path in ("/before", "/v1/assess", "/metrics"):
        client.get(path)
    before = series()
    for name in ("x", "y"):
        client.get(f"/{name}")
        client.request(name.upper(), f"/{name}")
        client.post("/v1/assess", json=sent(**{name: 1}))
        client.post(f"/v1/assess?models={name}", json=sent())
    added = series() - before

    assert not [line for line in added if re.search('"(/|[xyXY])"', line)]
    assert {line for line in added if "_total" in line} <= {
        'cdss_requests_total{route="/v1/assess",status="422"}',
        'cdss_requests_total{route="/v1/assess",status="400"}',
    }


def test_models_can_be_shown_without_a_digest() -> None:
    create_app([toy_model(id="toy-without")])

    assert 1 == count("cdss_model_info", model="toy-without", version="1.0.0", digest="")
