import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cdss import assess, load_jurisdiction, published_models
from cdss.audit import commands
from cdss.audit.entry import Asking, draft
from cdss.audit.identity import Code, identities
from cdss.audit.keys import read_keys
from cdss.audit.site import Site, open_log
from cdss.cli import app
from cdss.jurisdiction import select
from cdss.record import PatientRecord
from tests.serving_process import write_toys
from tests.shipped import shipped

SENT = {
    "index_date": "2026-11-22",
    "values": {
        "age": 54, "sex": "female", "bmi": 26.531337, "waist": 84, "systolic_bp": 151,
        "diastolic_bp": 93, "current_smoker": False, "diabetes": False, "total_cholesterol": 5.9,
    },
}  # fmt: skip


def id_of(at: int) -> str:
    return f"{at:032x}"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of four assessments by all models; of the first two, record and answer are kept."""
    path = tmp_path / "audit.sqlite"
    store, keys = open_log(Site(str(path), tmp_path / "audit.sqlite.keys"))
    place = load_jurisdiction("vn")
    asked = select((*shipped(), *published_models()), place)
    found = assess(PatientRecord.parse(SENT), asked, place, chosen=True)
    asking = Asking("json", "vi", "https://emr.example.org", "emr-client")
    store.append(
        [
            draft(id_of(at), found, asking, identities(asked), keys.current, keep=at < 3)
            for at in range(1, 5)
        ]
    )
    store.close()
    return path


def run(log: Path, *arguments: str, **more: Any) -> Result:
    return CliRunner().invoke(app, [*arguments, "--audit", str(log)], **more)


def tamper(log: Path, *statements: str) -> None:
    with closing(sqlite3.connect(log)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_a_log_is_made_with_its_first_key_and_a_second_time_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "audit.sqlite"
    first = run(path, "audit", "create")
    key = read_keys(f"{path}.keys").current
    again = run(path, "audit", "create")

    assert (0, 0) == (first.exit_code, again.exit_code)
    assert first.stdout == again.stdout
    assert key.id in first.stdout
    assert key.secret.hex() not in first.stdout


def test_verify_says_that_all_is_well_and_what_to_note(log: Path) -> None:
    first = run(log, "audit", "verify")
    head = first.stdout.replace("\n", " ").rpartition("--head ")[2].strip()

    assert 0 == first.exit_code
    assert "4 entries, none changed or missing" in first.stdout
    assert head.startswith("4:")
    assert 0 == run(log, "audit", "verify", "--head", head).exit_code
    assert 3 == run(log, "audit", "verify", "--head", f"5:{'0' * 64}").exit_code
    assert 3 == run(log, "audit", "verify", "--head", f"4:{'0' * 64}").exit_code
    assert 2 == run(log, "audit", "verify", "--head", "4").exit_code


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "was tampered with"), ("vi", "đã bị can thiệp")]
)
def test_verify_says_what_was_tampered_with(log: Path, lang: str, words: str) -> None:
    tamper(
        log,
        "DROP TRIGGER cdss_audit_no_update",
        "UPDATE cdss_audit SET entry = replace(entry, 'emr-client', 'nobody') WHERE seq = 3",
        "CREATE TRIGGER cdss_audit_no_update BEFORE UPDATE ON cdss_audit BEGIN SELECT 1; END",
    )
    found = run(log, "audit", "verify", "--lang", lang)

    assert 3 == found.exit_code
    assert words in found.stderr
    assert "entry 3 was changed" in found.stderr


def test_an_export_can_be_checked_by_anybody(log: Path) -> None:
    found = run(log, "audit", "export")
    lines = [json.loads(line) for line in found.stdout.splitlines()]
    before = "0" * 64
    for seq, line in enumerate(lines, start=1):
        entry = json.dumps(line["entry"], sort_keys=True, separators=(",", ":"))
        before = hashlib.sha256(f"{before}\n{entry}\n".encode()).hexdigest()
        assert (seq, before) == (line["seq"], line["hash"])

    assert [id_of(at) for at in range(1, 5)] == [e["entry"]["assessment_id"] for e in lines]
    assert found.stdout.splitlines()[3:] == (
        run(log, "audit", "export", "--after", "3").stdout.splitlines()
    )
    assert "26.53" not in found.stdout


def test_an_export_in_fhir_has_an_event_for_each_entry(log: Path) -> None:
    run(log, "audit", "forget", id_of(1))
    found = run(log, "audit", "export", "--format", "fhir")
    events = [json.loads(line) for line in found.stdout.splitlines()]

    assert ["E", "E", "E", "E", "D"] == [event["action"] for event in events]
    assert {"AuditEvent"} == {event["resourceType"] for event in events}
    assert 5 == len({event["id"] for event in events})
    assert [*map(id_of, (1, 2, 3, 4, 1))] == [
        event["entity"][0]["what"]["identifier"]["value"] for event in events
    ]


def test_what_is_kept_is_forgotten_once(log: Path) -> None:
    first = run(log, "audit", "forget", id_of(2))
    again = run(log, "audit", "forget", id_of(2))

    assert (0, 2) == (first.exit_code, again.exit_code)
    assert "nothing is kept of that assessment" in again.stderr
    assert 0 == run(log, "audit", "verify").exit_code
    found = run(log, "replay", id_of(2))
    assert 2 == found.exit_code
    assert "--record" in found.stderr


def test_a_new_key_leaves_what_is_there_readable_until_the_old_one_is_removed(log: Path) -> None:
    file = Path(f"{log}.keys")
    old = read_keys(file).current
    found = run(log, "audit", "new-key")
    new = read_keys(file).current

    assert 0 == found.exit_code
    assert new.id in found.stdout
    assert 0 == run(log, "replay", id_of(1)).exit_code

    file.write_text(f"{new.secret.hex()}\n")
    found = run(log, "replay", id_of(1))
    assert 2 == found.exit_code
    assert f"the key {old.id} is not in the file of keys any more" in found.stderr
    assert 0 == run(log, "audit", "verify").exit_code


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "Reproduced: the answer is the same"), ("vi", "Đã tái lập")]
)
def test_what_is_kept_is_replayed(log: Path, lang: str, words: str) -> None:
    found = run(log, "replay", id_of(1), "--lang", lang)

    assert 0 == found.exit_code, found.stderr
    assert words in found.stdout
    assert "cvd-death" in found.stdout
    assert "emr-client" in found.stdout


def test_a_replay_for_programs(log: Path) -> None:
    found = json.loads(run(log, "replay", id_of(1), "--format", "json").stdout)

    assert ("identical", 0.0, [], True) == tuple(
        found[name] for name in ("verdict", "largest_difference", "different", "same_code")
    )
    assert id_of(1) == found["assessment"]["assessment_id"] == found["entry"]["assessment_id"]
    assert found["assessment"]["estimates"]


def test_what_is_not_kept_is_replayed_from_the_record_that_was_sent(log: Path) -> None:
    sent = json.dumps(SENT)
    other = json.dumps(SENT | {"values": SENT["values"] | {"age": 55}})

    found = run(log, "replay", id_of(4), "--record", "-", input=sent)
    assert 0 == found.exit_code, found.stderr
    assert "Reproduced" in found.stdout

    found = run(log, "replay", id_of(4), "--record", "-", input=other)
    assert 2 == found.exit_code
    assert "is not the record that was assessed" in found.stderr
    assert "55" not in found.stderr

    assert 2 == run(log, "replay", id_of(4)).exit_code


def test_other_bundles_are_refused_by_name_version_and_digest(log: Path, tmp_path: Path) -> None:
    folder = write_toys(tmp_path / "bundles", "cvd-death")
    found = run(log, "replay", id_of(1), "--bundles", str(folder))
    said = " ".join(found.stderr.split())

    assert 2 == found.exit_code
    for model in shipped():
        if model.id in said:
            assert model.facts["digest"] in said
    assert "needs cvd-death" in said or "; cvd-death" in said
    assert "here is cvd-death 1.0.0" in said
    assert "here is none" in said


def test_what_is_not_reproduced_has_its_own_exit_code_and_says_how_the_code_differs(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay = commands.replay

    def otherwise(entry: dict[str, Any], *more: Any) -> Any:
        return replay(entry | {"answer_sha256": "0" * 64}, *more)._replace(
            verdict="different", largest=None, where=(), code=Code("0.0.9", "f" * 64)
        )

    monkeypatch.setattr(commands, "replay", otherwise)
    found = run(log, "replay", id_of(1))

    assert 5 == found.exit_code
    assert "NOT reproduced" in found.stdout
    assert "cdss 0.0.9" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("audit", "verify"), "No such file"),
        (("audit", "export"), "No such file"),
        (("audit", "forget", "x"), "No such file"),
        (("replay", "x"), "No such file"),
    ],
)
@pytest.mark.parametrize(("lang", "words"), [("en", "audit log"), ("vi", "Nhật ký kiểm toán")])
def test_a_log_that_is_not_there(
    tmp_path: Path, arguments: tuple[str, ...], message: str, lang: str, words: str
) -> None:
    found = run(tmp_path / "audit.sqlite", *arguments, "--lang", lang)

    assert 2 == found.exit_code
    assert message in found.stderr
    assert words in found.stderr


def test_an_assessment_that_is_not_there_and_what_is_none(log: Path) -> None:
    run(log, "audit", "forget", id_of(1))
    last = json.loads(run(log, "audit", "export", "--after", "4").stdout)["entry"]
    missing = run(log, "replay", "f" * 32)
    none = run(log, "replay", last["assessment_id"])

    assert (2, 2) == (missing.exit_code, none.exit_code)
    assert "has no assessment of that id" in missing.stderr
    assert "is no assessment" in none.stderr


def test_settings_come_from_the_environment_too(log: Path) -> None:
    environment = {"CDSS_AUDIT": str(log), "CDSS_AUDIT_KEYS": f"{log}.keys"}

    assert 0 == CliRunner().invoke(app, ["audit", "verify"], env=environment).exit_code
    assert 0 == CliRunner().invoke(app, ["replay", id_of(1)], env=environment).exit_code
    none = CliRunner().invoke(app, ["audit", "verify"], env={"CDSS_AUDIT": "none"})
    assert 2 == none.exit_code
    assert "there is no log" in none.stderr
