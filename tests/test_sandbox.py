import json
import re
import socket
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from typer.testing import CliRunner

from cdss import PatientRecord, cli
from cdss.checkup.read import read_envelope
from cdss.fhir.read import read
from cdss.i18n import words
from cdss.sandbox.client import Answer, Client
from cdss.sandbox.emr import NAMES, Patient, answer, patients, unusable
from cdss.sandbox.play import Played, play
from cdss.sandbox.rules import card_faults
from cdss.sandbox.signing import Signer
from serving.benchmarks.process import Server, served
from tests.security_clients import BASE, EMR, jwks, signer, site
from tests.serving_process import COMMAND

TODAY = date.today()  # the server computes cards for this day
ORIGIN = "https://emr.example.org"
ALL_MODELS = {"CDSS_UNGATED_MODELS": "1"}
NEVER_IN_A_GOOD_RUN = {"reachable", "readable"}
CHANCE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:]+Z")

Change = Callable[[Answer], Answer]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Who may call: an EMR with its private key, and owners of API keys."""
    folder = tmp_path_factory.mktemp("site")
    site(folder, sandbox="assess fhir read", reader="read")
    (folder / "private.json").write_text(json.dumps(signer("emr-1").as_dict(private=True)))
    return folder


@pytest.fixture(scope="module")
def protected(folder: Path) -> Iterator[str]:
    settings = {
        "CDSS_CLIENTS": str(folder / "clients.toml"), "CDSS_URL": BASE, "CDSS_ORIGINS": ORIGIN,
        "CDSS_AUDIT": str(folder / "protected.sqlite"),
    }  # fmt: skip
    with served([*COMMAND, "--port", "0"], ALL_MODELS | settings) as server:
        yield address(server)


@pytest.fixture(scope="module")
def open_server(folder: Path) -> Iterator[str]:
    settings = {"CDSS_AUDIT": str(folder / "open.sqlite")}
    with served([*COMMAND, "--port", "0"], ALL_MODELS | settings) as server:
        yield address(server)


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


class Recorder(Client):
    """Remembers what a server answered, whatever was left to chance in the requests."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.seen: dict[tuple[Any, ...], Answer] = {}

    def send(self, *request: Any, **options: Any) -> Answer:
        found = super().send(*request, **options)
        self.seen[asked(*request)] = found
        return found


class Player(Client):
    """Answers as a server did that was recorded, but for one address as it should not."""

    def __init__(self, recorded: Recorder, changed: str, change: Change) -> None:
        super().__init__(recorded.url)
        self.seen, self.changed, self.change = recorded.seen, re.compile(changed), change

    def send(self, *request: Any, **options: Any) -> Answer:
        key = asked(*request)
        found = self.seen[key]
        return self.change(found) if self.changed.search(" ".join(key[:3])) else found


def asked(method: str, path: str, body: bytes | None = None, *rest: Any) -> tuple[str, str, str]:
    return method, path, CHANCE.sub("", (body or b"").decode())


@pytest.fixture(scope="module")
def recorded(open_server: str) -> Recorder:
    recorder = Recorder(open_server)
    assert not play(recorder, TODAY).report.failed
    return recorder


def run(*arguments: str) -> Any:
    return CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, ["sandbox", *arguments])


def failed(played: Played) -> list[str]:
    return [finding.check for finding in played.report.failed]


# -- a server that is as it must be


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_a_protected_server_meets_the_whole_contract(
    protected: str, folder: Path, tmp_path: Path, lang: str
) -> None:
    done = run(
        protected, "--key", (folder / "sandbox.key").read_text(), "--public-url", BASE,
        "--jwk", str(folder / "private.json"), "--issuer", EMR, "--origin", ORIGIN,
        "--lang", lang, "--save", str(tmp_path), "--details",
    )  # fmt: skip

    text = words(lang)
    assert 0 == done.exit_code, done.output
    assert text("sandbox.summary", passed=39, failed=0, skipped=0) in done.output
    for name in NAMES:
        assert text(f"sandbox.patient.{name}") in done.output
        cards = json.loads((tmp_path / f"{name}.cards.json").read_text())["cards"]
        assert all(card["summary"] in done.output for card in cards)
    assert text("notice.advisory") in done.output.replace("\n", " ")


def test_every_check_has_words_and_every_word_is_a_check(protected: str, folder: Path) -> None:
    key = (folder / "sandbox.key").read_text()
    client = Client(protected, key=key, public_url=BASE, signer=Signer(private(), EMR))

    made = {finding.check for finding in play(client, TODAY, ORIGIN).report.findings}

    prefix = "sandbox.check."
    said = {t.removeprefix(prefix) for t in words("en").texts if t.startswith(prefix)}
    assert said - NEVER_IN_A_GOOD_RUN == made


def test_an_open_server_meets_it_too(open_server: str) -> None:
    done = run(open_server)

    assert 0 == done.exit_code, done.output
    assert words("en")("sandbox.summary", passed=31, failed=0, skipped=2) in done.output
    assert words("en")("sandbox.fix.no_origin") in done.output


def test_what_is_saved_can_be_sent_again(open_server: str, tmp_path: Path) -> None:
    run(open_server, "--save", str(tmp_path))
    client = Client(open_server)
    sent = {
        path: client.post(path, (tmp_path / file).read_bytes()).status
        for path, file in (
            ("/v1/assess", "smoker.json"),
            ("/fhir/$assess", "smoker.fhir.json"),
            ("/cds-services/cdss-all", "smoker.hook.json"),
            ("/cds-services/cdss-all/feedback", "feedback.json"),
        )
    }
    assert {200} == set(sent.values()), sent
    assert read_envelope((tmp_path / "check-up.xml").read_bytes()).people


# -- what the vendor has to do


def test_without_a_credential_nothing_passes_for_checked(protected: str) -> None:
    done = run(protected)

    assert 1 == done.exit_code
    assert words("en")("sandbox.fix.credentials") in done.output
    assert words("en")("sandbox.fix.signing") in done.output


def test_a_key_alone_is_enough_for_two_formats(protected: str, folder: Path) -> None:
    played = play(Client(protected, key=(folder / "sandbox.key").read_text()), TODAY)

    assert [] == failed(played)
    skipped = {f.check for f in played.report.findings if f.outcome == "skipped"}
    assert {"hooks_cards", "token_once", "origin"} <= skipped
    assert not {"json_answer", "fhir_same", "checkup_same"} & skipped


def test_a_key_without_the_scope_is_the_vendors_to_change(protected: str, folder: Path) -> None:
    played = play(Client(protected, key=(folder / "reader.key").read_text()), TODAY)

    fixes = {finding.check: finding.fix for finding in played.report.failed}
    assert "scope" == fixes["json_answer"] == fixes["fhir_answer"]


def test_a_token_for_another_address_is_the_vendors_to_change(protected: str) -> None:
    played = play(Client(protected, signer=Signer(private(), EMR)), TODAY)  # aud is not CDSS_URL

    fixes = {finding.check: finding.fix for finding in played.report.failed}
    assert "signing" == fixes["token_accepted"] == fixes["hooks_discovery"]


def test_an_origin_that_is_not_listed_is_the_vendors_to_change(protected: str) -> None:
    client = Client(protected, key="cdss_wrong")
    fixes = {f.check: f.fix for f in play(client, TODAY, "https://other.example").report.failed}
    assert "origin" == fixes["origin"]


def test_where_nothing_listens_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    done = run(f"http://127.0.0.1:{port}")

    assert 1 == done.exit_code
    assert words("en")("sandbox.fix.unreachable") in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize("status", [200, 404, 503])
def test_another_server_is_told_apart(recorded: Recorder, status: int) -> None:
    other = Player(recorded, ".", lambda _: Answer(status, {"content-type": "text/html"}, b"<p>"))
    assert ["ready"] == failed(play(other, TODAY))


@pytest.mark.parametrize(
    "arguments",
    [
        ["ftp://127.0.0.1"],
        ["127.0.0.1:3000"],
        ["http://127.0.0.1:x"],
        ["http://127.0.0.1", "--jwk", "no-such-file"],
        ["http://127.0.0.1", "--ca", "no-such-file"],
        ["http://127.0.0.1", "--lang", "xx"],
    ],
)
def test_options_that_cannot_be_used_are_bad_input(arguments: list[str]) -> None:
    done = run(*arguments)
    assert 2 == done.exit_code
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    "change", [{"d": None}, {"d": 5}, {"d": "AA"}, {"kid": None}, {"crv": "P-256"}, {"kty": "oct"}]
)
def test_a_key_that_cannot_sign_is_bad_input(tmp_path: Path, change: dict[str, Any]) -> None:
    key = {name: value for name, value in (private() | change).items() if value is not None}
    (tmp_path / "key.json").write_text(json.dumps(key))
    done = run("http://127.0.0.1", "--jwk", str(tmp_path / "key.json"))
    assert 2 == done.exit_code
    assert words("en")("sandbox.bad_jwk") in done.output


def private() -> dict[str, Any]:
    found = signer("emr-1")
    assert isinstance(found, ECKey)
    return dict(found.as_dict(private=True))


def test_a_set_of_keys_signs_with_its_first() -> None:
    pair = {"keys": [private()]}
    assert 3 == len(Signer(pair, EMR).token(BASE).split("."))
    with pytest.raises(ValueError, match="private"):
        Signer(jwks(signer("emr-1")), EMR)


# -- what the server has to do: every fault is found


def body(change: Callable[[Any], Any]) -> Change:
    """Change what an answer says."""

    def changed(found: Answer) -> Answer:
        said = found.json()
        change(said)
        return found._replace(body=json.dumps(said).encode())

    return changed


def status(code: int) -> Change:
    return lambda found: found._replace(status=code)


def first_card(**members: Any) -> Change:
    return body(lambda said: said["cards"][0].update(members))


def resource(said: Any) -> dict[str, Any]:
    """The first RiskAssessment of an answer."""
    found = [entry["resource"] for entry in said.get("entry", [])] or [
        action["resource"]
        for card in said["cards"]
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
    ]
    return next(
        r for r in found
        if r["resourceType"] == "RiskAssessment" and "probabilityDecimal" in r["prediction"][0]
    )  # fmt: skip


def predict(**members: Any) -> Change:
    return body(lambda said: resource(said)["prediction"][0].update(members))


def estimate(by: float) -> Callable[[Any], None]:
    def change(said: Any) -> None:
        said["estimates"][0]["probability"] += by

    return change


CARDS = b'{"cards": []}'
OF_A_RECORD = r'POST /v1/assess {"index_date": "[^"]*", "values": {"age": \d+,(?!.*shoe)'
OF_THE_ENVELOPE = r'POST /v1/assess .*"height": 155\.0'
OF_A_CHART = r'POST /cds-services/cdss-all {"hook": "patient-view".*"smoker"'
OF_A_BUNDLE = r"POST /fhir/\$assess.*smoker"
FAULTS: dict[str, list[tuple[str, Change]]] = {
    "asks_who": [("GET /v1/models", lambda a: a._replace(headers={}))],
    "json_answer": [
        (OF_A_RECORD, status(500)),
        (OF_A_RECORD, body(lambda said: said.pop("notice"))),
        (OF_A_RECORD, body(lambda said: said["estimates"].clear())),
        (OF_A_RECORD, body(estimate(1.0))),
    ],
    "json_adds_up": [(OF_A_RECORD + ".*smok", body(estimate(1e-4)))],
    "json_malformed": [(r'"2026-$', status(500)), (r'"2026-$', status(200))],
    "json_type": [("hello", status(200))],
    "json_nothing_known": [(r'"values": {}', status(200))],
    "json_all_problems": [
        ("Canary.*shoe", body(lambda said: said["problems"].clear())),
        ("Canary.*shoe", body(lambda said: said.update(detail="Canary-Nguyen-Van-Kiem"))),
    ],
    "json_too_large": [("000000", status(200))],
    "checkup_same": [(OF_THE_ENVELOPE, body(estimate(1e-8))), (OF_THE_ENVELOPE, status(400))],
    "fhir_metadata": [("/fhir/metadata", body(lambda said: said.update(fhirVersion="5.0.0")))],
    "fhir_answer": [
        (OF_A_BUNDLE, body(lambda said: said["entry"].clear())),
        (OF_A_BUNDLE, lambda a: a._replace(headers={"content-type": "application/json"})),
    ],
    "fhir_percent": [
        (OF_A_BUNDLE, predict(probabilityDecimal=101)),
        (OF_A_BUNDLE, body(lambda said: resource(said)["prediction"][0].pop("whenPeriod"))),
    ],
    "fhir_same": [
        (OF_A_BUNDLE, predict(probabilityDecimal=0.12)),
        (OF_A_BUNDLE, body(lambda said: resource(said).update(resourceType="Basic"))),
    ],
    "fhir_malformed": [(r'"entry": \[$', status(200))],
    "fhir_nothing_known": [("nobody", lambda a: a._replace(body=b"{}"))],
    "hooks_discovery": [
        ("GET /cds-services", body(lambda said: said["services"].clear())),
        ("GET /cds-services", body(lambda said: said["services"][1].pop("description"))),
    ],
    "hooks_templates": [
        (
            "GET /cds-services",
            body(lambda said: said["services"][0]["prefetch"].update(all="Patient?{{today()}}")),
        )
    ],
    "hooks_cards": [
        (OF_A_CHART, status(500)),
        (OF_A_CHART, body(lambda said: said["cards"].clear())),
        (OF_A_CHART, first_card(summary="x" * 140)),
        (OF_A_CHART, first_card(indicator="hard-stop")),
        (OF_A_CHART, first_card(risk=0.3)),
        (OF_A_CHART, body(lambda said: said["cards"][0].pop("source"))),
    ],
    "hooks_percent": [(OF_A_CHART, predict(probabilityDecimal=-1))],
    "hooks_same": [(OF_A_CHART, predict(probabilityDecimal=50.0))],
    "hooks_malformed": [(r'"context": {$', lambda a: Answer(200, a.headers, CARDS))],
    "hooks_unknown_hook": [("no-such-hook", lambda a: Answer(200, a.headers, CARDS))],
    "hooks_unknown_service": [("no-such-service", status(500))],
    "hooks_no_context": [(r'"hookInstance": "", "prefetch"', lambda a: a._replace(body=CARDS))],
    "hooks_other_patient": [('Canary.*cdss|cdss.*Canary-Nguyen-Van-Kiem"}', status(200))],
    "hooks_no_data": [(r'"context": {[^}]*}}$', lambda a: Answer(200, a.headers, CARDS))],
    "hooks_failed_queries": [('"exception"', lambda a: Answer(200, a.headers, CARDS))],
    "hooks_feedback": [("feedback.*overridden", status(500))],
    "hooks_bad_feedback": [('feedback.*"card": "1"', status(200))],
}


@pytest.mark.parametrize(
    ("check", "changed", "change"),
    [(check, *fault) for check, faults in FAULTS.items() for fault in faults],
)
def test_a_fault_is_found(recorded: Recorder, check: str, changed: str, change: Change) -> None:
    played = play(Player(recorded, changed, change), TODAY)

    found = {finding.check: finding for finding in played.report.failed}
    assert check in found, list(found)
    assert "server" == found[check].fix
    assert "Canary" not in found[check].seen


def test_an_answer_that_cannot_be_read_is_a_fault_and_no_crash(recorded: Recorder) -> None:
    broken = Player(recorded, OF_A_RECORD, body(lambda said: said["estimates"][0].pop("model")))
    assert ["readable"] == failed(play(broken, TODAY))


def test_what_could_not_be_compared_does_not_pass(recorded: Recorder) -> None:
    played = play(Player(recorded, OF_A_RECORD, status(503)), TODAY)
    passed = {f.check for f in played.report.findings if f.outcome == "passed"}
    assert not {"fhir_same", "hooks_same", "checkup_same", "json_adds_up"} & passed


# -- cards and patients


def card(**members: Any) -> dict[str, Any]:
    said = {"summary": "x" * 139, "indicator": "info", "source": {"label": "cdss"}} | members
    return {name: value for name, value in said.items() if value is not None}


def test_a_card_that_will_do() -> None:
    suggestion = {
        "label": "Keep", "uuid": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "actions": [{"type": "delete", "description": "Drop", "resourceId": "Observation/1"}],
    }  # fmt: skip
    assert [] == list(card_faults(card(), "c"))
    assert [] == list(card_faults(card(suggestions=[suggestion], selectionBehavior="any"), "c"))


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"summary": "x" * 140}, "c.summary: not allowed of 140 characters"),
        ({"summary": None}, "c.summary: missing"),
        ({"summary": "one\ntwo"}, "c.summary: not allowed of 7 characters"),
        ({"indicator": "danger"}, "c.indicator: not allowed of 6 characters"),
        ({"source": {"url": "https://a.example"}}, "c.source.label: missing"),
        ({"source": "cdss"}, "c.source: not allowed of 4 characters"),
        ({"uuid": "7"}, "c.uuid: not allowed of 1 characters"),
        ({"links": []}, "c.links: empty"),
        ({"links": [{"label": "a", "url": "/page", "type": "absolute"}]},
         "c.links[0].url: not allowed of 5 characters"),
        ({"suggestions": [{"label": "a", "uuid": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"}]},
         "c.selectionBehavior: missing beside suggestions"),
        ({"overrideReasons": [{"code": "a", "system": "urn:b"}]},
         "c.overrideReasons[0].display: missing"),
        ({"suggestions": [{"label": "a", "uuid": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
                           "actions": [{"type": "create", "description": "b"}]}],
          "selectionBehavior": "any"}, "c.suggestions[0].actions[0].resource: missing"),
    ],
)  # fmt: skip
def test_a_card_that_will_not_do(members: dict[str, Any], fault: str) -> None:
    assert [fault] == list(card_faults(card(**members), "c"))


def test_what_is_no_card_will_not_do() -> None:
    assert ["c: no object"] == list(card_faults("summary", "c"))


@pytest.mark.parametrize("patient", patients(TODAY), ids=lambda patient: patient.name)
def test_a_patient_is_the_same_in_every_format(patient: Patient) -> None:
    record = PatientRecord.parse(patient.record)
    from_fhir = read(patient.bundle, TODAY)

    assert () == from_fhir.problems
    assert from_fhir.record is not None
    assert record.values == from_fhir.record.values
    if patient.envelope:
        (person,) = read_envelope(patient.envelope).people
        assert (record.values, ()) == (person.reading.record.values, person.reading.problems)


@pytest.mark.parametrize("name", NAMES)
def test_a_patient_stays_the_same_as_time_goes_by(name: str) -> None:
    for days in range(0, 5000, 37):
        today = TODAY + timedelta(days=days)
        patient = next(p for p in patients(today) if p.name == name)
        found = read(patient.bundle, today)
        assert found.record is not None
        assert () == found.problems
        assert PatientRecord.parse(patient.record).values == found.record.values


def test_queries_are_answered_as_a_fhir_server_would() -> None:
    patient = patients(TODAY)[0]
    said = answer(
        "Observation?patient={{context.patientId}}&code=http://loinc.org|8302-2,29463-7"
        "&_sort=-date&_count=1",
        patient,
    )
    assert said is not None
    assert (2, 1) == (said["total"], len(said["entry"]))
    assert "Patient" == (answer("Patient/{{context.patientId}}", patient) or {})["resourceType"]
    assert answer("Patient/another", patient) is None
    assert "entry" not in (answer("FamilyMemberHistory?patient=check-up", patient) or {})


def test_templates_outside_of_the_safe_subset_are_named() -> None:
    assert [] == unusable("Condition?patient={{context.patientId}}&_count=5")
    assert ["token today()", "parameter _include"] == unusable(
        "Encounter?date=ge{{today()}}&_include=Encounter:subject"
    )
