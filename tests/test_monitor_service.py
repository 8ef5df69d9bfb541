"""Monitoring as real servers do it: several clients, workers that end and that are killed."""

import json
import os
import random
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from typer.testing import CliRunner

from cdss.cli import app as command
from cdss.errors import MonitorError
from cdss.monitor.counts import Months, read_counts
from cdss.monitor.tally import ASSESSED, REJECTED, Key
from serving import monitor as monitoring
from serving.app import create_app
from serving.benchmarks.process import Server, served
from serving.monitor import Monitor
from tests.conftest import ROOT
from tests.security_clients import BASE, key_of, site
from tests.serving_process import sent, write_toys
from tests.toy import toy_model

SECONDS = 0.2
EAGER = [
    sys.executable,
    "-c",
    "import serving.monitor as m, serving.__main__ as s, sys; "
    f"m.SECONDS = {SECONDS}; s.main(sys.argv[1:])",
    "--port",
    "0",
]
"""The server, adding up five times a second."""

CREATININE = 113.12
FHIR = {"content-type": "application/fhir+json"}
Sent = dict[str, Any]


def people(many: int, seed: int, uacr_factor: float = 1.0) -> list[Sent]:
    """Made-up people; uACR as numbers of another unit, if its factor is not 1."""
    rng = random.Random(seed)
    return [
        {
            "index_date": "2026-11-22",
            "values": {
                "age": rng.randint(35, 75), "sex": rng.choice(["male", "female"]),
                "bmi": round(rng.gauss(27, 4), 3), "systolic_bp": round(rng.gauss(126, 15)),
                "uacr": round(rng.lognormvariate(1.9, 0.8) * uacr_factor, 4),
                "prior_cvd": False, "pregnant": False,
            },
        }
        for _ in range(many)
    ]  # fmt: skip


def bundle(hdl: float) -> Sent:
    """A woman whose HDL cholesterol is said to be in mmol/L."""
    quantity = {"value": hdl, "unit": "mmol/L", "system": "http://unitsofmeasure.org",
                "code": "mmol/L"}  # fmt: skip
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": {"resourceType": "Patient", "id": "2", "gender": "female",
                          "birthDate": "1966-03-01"}},
            {"resource": {"resourceType": "Observation", "status": "final",
                          "code": {"coding": [{"system": "http://loinc.org", "code": "14646-4"}]},
                          "effectiveDateTime": "2026-11-20", "valueQuantity": quantity}},
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    site(folder, ward="assess batch fhir", clinic="assess batch fhir", few="assess", all="metrics")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    environment = {
        "CDSS_CLIENTS": str(folder / "clients.toml"),
        "CDSS_URL": BASE,
        "CDSS_RATE": "off",
        "CDSS_MONITOR": str(folder / "counts.sqlite"),
    }
    with served(EAGER, environment) as server:
        yield server


@pytest.fixture(scope="module")
def counts(server: Server, folder: Path) -> Months:
    """Two wards, of which one sends uACR in mg/mmol and HDL cholesterol in mg/dL; and a few."""
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as client:
        for name, factor, hdl in (("ward", 1.0, 1.3), ("clinic", CREATININE / 1000, 50.0)):
            key = key_of(folder, name)
            body = {"records": people(80, 1, factor)}
            assert 200 == client.post("/v1/assess/batch", json=body, headers=key).status_code
            for _ in range(30):
                answer = client.post(
                    "/fhir/$assess?indexDate=2026-11-22", json=bundle(hdl), headers=key | FHIR
                )
                assert 200 == answer.status_code, answer.text
        for _ in range(5):
            answer = client.post("/v1/assess", json=people(1, 2)[0], headers=key_of(folder, "few"))
            assert 200 == answer.status_code
        for each in people(3, 3):
            each["values"]["uacr"] = -1
            answer = client.post("/v1/assess", json=each, headers=key_of(folder, "clinic"))
            assert 422 == answer.status_code
    return until(folder / "counts.sqlite", 225)


def total(months: Months) -> int:
    return sum(counts[ASSESSED] for clients in months.values() for counts in clients.values())


def until(file: Path, people: int) -> Months:
    """What a file says, once it counts so many people."""
    end = monotonic() + 20
    while (found := total(months := read_counts(file))) < people:
        assert monotonic() < end, f"{found} people are counted"
        sleep(0.05)
    sleep(2 * SECONDS)
    return months


def metrics(server: Server, headers: dict[str, str] | None = None) -> dict[tuple[str, ...], float]:
    """Samples by name and labels."""
    text = httpx.get(f"http://127.0.0.1:{server.port}/metrics", headers=headers).text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_file_counts_by_client(counts: Months, folder: Path) -> None:
    (month,) = counts
    ward, clinic, few = (counts[month][name] for name in ("ward", "clinic", "few"))

    assert {"ward", "clinic", "few"} == set(counts[month])
    assert (110, 110, 5) == (ward[ASSESSED], clinic[ASSESSED], few[ASSESSED])
    assert 30 == ward[Key("input", "hdl_cholesterol", "1.3-1.55")]
    assert 30 == clinic[Key("problem", "hdl_cholesterol", "implausible")]
    assert 110 == clinic[Key("input", "hdl_cholesterol", "missing")]
    read = read_counts(folder / "counts.sqlite")[month]["clinic"]
    assert 3 == read[REJECTED] == read[Key("problem", "uacr", "implausible")]


def test_the_report_names_the_client_and_its_variables(
    counts: Months, folder: Path, tmp_path: Path
) -> None:
    (month,) = counts
    arguments = ["monitor", str(folder / "counts.sqlite"), str(tmp_path), "--month", month]
    assert 0 == CliRunner().invoke(command, arguments).exit_code
    said = json.loads((tmp_path / f"monitor-{month}.json").read_text("utf-8"))
    found = {
        each["client"]: [
            (f["kind"], f["about"], f.get("looks_like", {}).get("meant"))
            for f in each["findings"]
            if f["attention"]
        ]
        for each in said["clients"]
    }

    assert [] == found["ward"]
    assert [("units", "uacr", "mg/mmol"), ("unusable", "hdl_cholesterol", None)] == found["clinic"]
    page = (tmp_path / f"monitor-{month}.en.html").read_text("utf-8")
    assert "Urine albumin/creatinine ratio: about 100% of the values look like mg/mmol" in page


def test_prometheus_is_shown_clients_of_ten_people_or_more(
    server: Server, counts: Months, folder: Path
) -> None:
    shown = metrics(server, key_of(folder, "all"))

    # Of the last people, if they are fewer than ten, nothing is shown yet.
    assert 100 < shown["cdss_people_total", "assessed", "ward"] <= 110
    assert 20 < shown["cdss_inputs_total", "1.3-1.55", "hdl_cholesterol", "ward"] <= 30
    assert 20 < shown["cdss_problems_total", "clinic", "hdl_cholesterol", "implausible"] <= 30
    estimates = [
        n
        for key, n in shown.items()
        if key[0] == "cdss_probabilities_total" and {"ward", "cvd-death"} < set(key)
    ]
    assert 100 < sum(estimates) <= 110
    assert not [key for key in shown if "few" in key]


def test_no_value_is_kept_or_shown(server: Server, counts: Months, folder: Path) -> None:
    text = httpx.get(f"http://127.0.0.1:{server.port}/metrics", headers=key_of(folder, "all")).text
    kept = (folder / "counts.sqlite").read_bytes().decode("latin-1")
    numbers = {
        f"{value}" for each in people(80, 1) for value in each["values"].values() if value != value
        or isinstance(value, float)
    }  # fmt: skip

    assert len(numbers) > 100
    assert [] == [n for n in numbers if re.search(rf"(?<![\d.]){n}(?!\d)", text + kept)]


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"CDSS_BUNDLES": str(write_toys(tmp_path_factory.mktemp("toys"))), "CDSS_AUDIT": "none"}


def ask(server: Server, times: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        for _ in range(times):
            assert 200 == client.post("/v1/assess", json=sent()).status_code


def test_a_killed_worker_loses_at_most_what_it_counted_last(
    tmp_path: Path, toys: dict[str, str]
) -> None:
    file = tmp_path / "counts.sqlite"
    environment = toys | {"CDSS_MONITOR": str(file)}
    with served(EAGER, environment) as server:
        ask(server, 12)
        until(file, 12)
        ask(server, 5)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
    after = total(read_counts(file))
    with served(EAGER, environment) as server:
        ask(server, 3)
    ended = read_counts(file)  # in order: everything is written
    (month,) = ended
    bins = [n for key, n in ended[month]["open"].items() if key[:2] == ("input", "age")]

    assert 12 <= after <= 17
    assert after + 3 == total(ended) == sum(bins)


def test_two_workers_add_up(tmp_path: Path, toys: dict[str, str]) -> None:
    file, shared = tmp_path / "counts.sqlite", tmp_path / "prometheus"
    shared.mkdir()
    environment = toys | {"CDSS_MONITOR": str(file), "PROMETHEUS_MULTIPROC_DIR": str(shared)}
    with served(EAGER, environment) as one, served(EAGER, environment) as two:
        ask(one, 10)
        ask(two, 10)
        until(file, 20)
        shown = [metrics(each) for each in (one, two)]

    assert [20, 20] == [each["cdss_people_total", "assessed", "open"] for each in shown]
    assert [20, 20] == [each["cdss_inputs_total", "60-70", "age", "open"] for each in shown]
    assert 20 == total(read_counts(file))


def test_a_server_that_cannot_count_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "counts.sqlite").write_text("something else")

    with pytest.raises(MonitorError, match=r"counts\.sqlite"):
        Monitor([toy_model()], str(tmp_path / "counts.sqlite"))


def test_what_cannot_be_written_is_kept_and_answers_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "counts.sqlite"
    monitor = Monitor([toy_model()], str(file))
    client = TestClient(create_app([toy_model()], monitor=monitor))
    file.rename(tmp_path / "away")
    file.mkdir()
    assert 200 == client.post("/v1/assess", json=sent()).status_code
    monitor.add_up()
    assert 200 == client.post("/v1/assess", json=sent()).status_code
    file.rmdir()
    (tmp_path / "away").rename(file)
    monitor.add_up()

    assert "not_counted" in capsys.readouterr().out
    assert 2 == total(read_counts(file))


def test_a_month_begins_anew(tmp_path: Path) -> None:
    months = iter(["2026-10", "2026-11"])
    monitor = Monitor([toy_model()], str(tmp_path / "c.sqlite"), month=lambda: next(months))
    client = TestClient(create_app([toy_model()], monitor=monitor))
    client.post("/v1/assess", json=sent())
    monitor.add_up()
    client.post("/v1/assess", json=sent())
    monitor.close()

    found = read_counts(tmp_path / "c.sqlite")
    assert {"2026-10": 1, "2026-11": 1} == {m: c["open"][ASSESSED] for m, c in found.items()}


def test_each_of_a_batch_that_is_refused_is_counted(tmp_path: Path) -> None:
    monitor = Monitor([toy_model()], str(tmp_path / "c.sqlite"))
    client = TestClient(create_app([toy_model()], monitor=monitor))
    records = [sent(), sent(alt=-1, age=1), sent(alt=-1)]
    assert 422 == client.post("/v1/assess/batch", json={"records": records}).status_code
    typed = {"age": "12", "sex": "female", "index_date": "2026-11-22"}
    assert 422 == client.post("/page/assess", data=typed).status_code
    monitor.close()
    (counts,) = read_counts(tmp_path / "c.sqlite").values()

    assert 2 == counts["open"][Key("problem", "alt", "implausible")]
    assert 2 == counts["open"][Key("problem", "age", "implausible")]
    assert 3 == counts["open"][REJECTED]


RULES = yaml.safe_load((ROOT / "serving/deploy/alerts.yml").read_text("utf-8"))
RULE = [rule for group in RULES["groups"] for rule in group["rules"]]
FUNCTIONS = {"sum", "increase", "rate", "avg_over_time", "ln", "by", "on", "and", "group_left",
             "offset", "client", "variable", "bin", "model", "d", "m"}  # fmt: skip


@pytest.mark.parametrize("rule", RULE, ids=lambda rule: rule.get("alert") or rule["record"])
def test_alert_rules_name_metrics_and_labels_that_there_are(rule: dict[str, Any]) -> None:
    kept = {rule["record"] for rule in RULE if "record" in rule}
    labels = {"client", "variable", "bin", "model", "reason", "problem", "result", "status"}
    families = {f"{f.name}_total": f for f in REGISTRY.collect() if f.type == "counter"}
    code = re.sub(r'"[^"]*"', '""', rule["expr"])
    names = re.findall(r"[a-z_]\w*(?::\w+)*", code)

    assert all(code.count(a) == code.count(b) for a, b in ("()", "[]", "{}"))
    assert [] == [n for n in names if n not in FUNCTIONS | kept | labels and n not in families]
    assert any(n in kept or n in families for n in names)
    if "alert" in rule:
        assert {"alert", "expr", "for", "labels", "annotations"} == set(rule)
        assert {"summary", "description"} == set(rule["annotations"])


def test_the_thread_adds_up_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "SECONDS", 0.05)
    file = tmp_path / "counts.sqlite"
    monitor = Monitor([toy_model()], str(file))
    monitor.start()
    client = TestClient(create_app([toy_model()], monitor=monitor))
    client.post("/v1/assess", json=sent())

    assert 1 == total(until(file, 1))
    monitor.close()
