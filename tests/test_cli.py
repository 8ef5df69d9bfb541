import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cdss import cli
from cdss.assess import assess
from cdss.bundle import load_models
from cdss.jurisdiction import load_jurisdiction
from cdss.wire import model_to_dict, to_dict
from tests.toy import record

PATIENT = {"age": 60, "sex": "female", "bmi": 30, "diabetes": False, "pregnant": False}


def payload(**values: object) -> str:
    return json.dumps({"index_date": "2026-11-22", "values": values})


@pytest.fixture
def run(toy_models: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """Run the command line on the toy bundles."""
    monkeypatch.setattr(cli, "load_models", partial(load_models, folder=tmp_path / "bundles"))
    monkeypatch.setattr(cli, "published_models", tuple)
    monkeypatch.setenv("COLUMNS", "80")
    return lambda *arguments, **options: CliRunner().invoke(cli.app, arguments, **options)


@pytest.fixture
def patient(tmp_path: Path) -> str:
    file = tmp_path / "patient.json"
    file.write_text(payload(**PATIENT))
    return str(file)


def test_assess_prints_a_report(run: Callable, patient: str) -> None:
    result = run("assess", patient)

    assert 0 == result.exit_code
    assert "" == result.stderr
    shown = result.stdout.splitlines()
    assert ["Risk assessment for 2026-11-22", "", "Advice (Viet Nam)"] == shown[:3]
    assert "New diabetes, within 10 years" in shown
    assert "Demonstration model" not in result.stdout


def test_assess_reads_standard_input_with_a_byte_order_mark(run: Callable) -> None:
    result = run("assess", "-", "--lang", "vi", input=b"\xef\xbb\xbf" + payload(**PATIENT).encode())

    assert 0 == result.exit_code
    assert result.stdout.startswith("Đánh giá nguy cơ ngày 22/11/2026\n")


def test_json_is_exactly_that_of_the_service(
    run: Callable, patient: str, toy_models: tuple
) -> None:
    result = run("assess", patient, "--format", "json", "--lang", "vi")
    answer = json.loads(result.stdout)

    assessment_id = answer["assessment_id"]
    assessment = assess(record(**PATIENT), toy_models[:2], load_jurisdiction("vn"), chosen=True)
    expected = to_dict(assessment, assessment_id=assessment_id, lang="vi")
    assert expected == answer
    again = json.loads(run("assess", patient, "--format", "json").stdout)
    assert assessment_id != again["assessment_id"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["toy", "toy-old"]),
        (["--demonstrations"], ["toy", "toy-old", "toy-teaching"]),
        (["--model", "toy-teaching"], ["toy-teaching"]),
        (["--model", "toy-old", "--model", "toy"], ["toy-old", "toy"]),
    ],
)
def test_models_are_chosen(
    run: Callable, patient: str, options: list[str], expected: list[str]
) -> None:
    result = run("assess", patient, "--format", "json", *options)

    assert expected == [e["model"] for e in json.loads(result.stdout)["estimates"]]


def test_every_problem_of_a_record_goes_to_stderr(run: Callable) -> None:
    result = run("assess", "-", "--lang", "vi", input=payload(age=5, sex="x", foo=1))

    assert 2 == result.exit_code
    assert "" == result.stdout
    assert [
        "Không sử dụng được hồ sơ:",
        "    · Tuổi: phải nằm trong khoảng 18 đến 110 tuổi",
        "    · Giới tính: phải là một trong: male, female; bỏ trống nếu chưa biết",
        "    · foo: không có trong từ điển dữ liệu",
    ] == [line.rstrip() for line in result.stderr.splitlines()]


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b'{"index_date": }', "the file is not valid JSON (line 1, column 16)"),
        (b"", "the file is not valid JSON (line 1, column 1)"),
        (b"[" * 100_000, "the file is not valid JSON (line 1, column 1)"),
        (b"1" * 10_000, "the file is not valid JSON (line 1, column 1)"),
        (b"\xff\xfe{", "the file is not UTF-8 text"),
        (b"[]", "The record cannot be used:\n    · Record: must be a JSON object"),
    ],
)
def test_what_is_not_a_record_is_bad_input(run: Callable, sent: bytes, message: str) -> None:
    result = run("assess", "-", input=sent)

    assert (2, "", message) == (result.exit_code, result.stdout, result.stderr.rstrip())


def test_a_file_that_is_not_there_is_bad_input(run: Callable) -> None:
    result = run("assess", "nowhere.json", "--lang", "vi")

    assert (2, "không đọc được tệp: nowhere.json\n") == (result.exit_code, result.stderr)


def test_an_unknown_model_or_language_is_bad_input(run: Callable, patient: str) -> None:
    model = run("assess", patient, "--model", "other")
    language = run("assess", patient, "--lang", "fr")
    place = run("assess", patient, "--jurisdiction", "xx")

    expected = "there is no model other; there are: toy, toy-old, toy-teaching\n"
    assert (2, expected) == (model.exit_code, model.stderr)
    assert (2, "there are no words in fr; languages: en, vi\n") == (
        language.exit_code, language.stderr
    )  # fmt: skip
    assert (2, "there is no jurisdiction xx; there are: us, vn, who\n") == (
        place.exit_code, place.stderr
    )  # fmt: skip


@pytest.mark.parametrize("command", [["assess", "-"], ["models"]])
def test_a_damaged_bundle_has_its_own_exit_code(
    run: Callable, tmp_path: Path, command: list[str]
) -> None:
    (tmp_path / "bundles" / "toy" / "cases.csv").write_text("")
    result = run(*command, input=payload(**PATIENT))

    assert 3 == result.exit_code
    assert "" == result.stdout
    assert [
        "The models cannot be used:",
        "bundle toy: cases.csv does not match its SHA-256",
    ] == result.stderr.splitlines()


def test_a_model_without_a_release_record_is_asked_only_when_told(
    run: Callable, write_toy: Callable, patient: str, tmp_path: Path
) -> None:
    write_toy("toy", gate=False)
    untold = run("assess", patient, "--format", "json")
    told = run("assess", patient, "--format", "json", "--ungated")
    setting = run("assess", patient, env={"CDSS_UNGATED_MODELS": "1"})
    no_setting = run("assess", patient, env={"CDSS_UNGATED_MODELS": "0"})
    shutil.rmtree(tmp_path / "bundles" / "toy-old")
    refused = run("assess", patient)
    first, second = json.loads(told.stdout)["estimates"]

    assert (0, 0, 0, 0, 3) == tuple(
        r.exit_code for r in (untold, no_setting, told, setting, refused)
    )  # fmt: skip
    assert [second["model"]] == [e["model"] for e in json.loads(untold.stdout)["estimates"]]
    assert "has no release record" not in no_setting.stdout
    assert "" == refused.stdout
    assert "no release record (gate.json): toy; CDSS_UNGATED_MODELS=1, --ungated" in refused.stderr
    assert (False, True) == (first["released"], second["released"])
    assert ["not_released"] == [w["code"] for w in first["warnings"]]
    assert "Model: has no release record" in setting.stdout


def test_models_without_a_release_record_are_listed_and_say_so(
    run: Callable, write_toy: Callable
) -> None:
    write_toy("toy", gate=False)
    result = run("models")

    assert 0 == result.exit_code
    assert 1 == result.stdout.count("Not released:")


def test_models_are_listed_demonstrations_included(run: Callable, toy_models: tuple) -> None:
    text, answer = run("models", "--lang", "vi"), run("models", "--format", "json")

    assert ["toy 1.0.0", "toy-old 1.0.0", "toy-teaching 1.0.0"] == [
        line for line in text.stdout.splitlines() if line.startswith("toy")
    ]
    assert 1 == text.stdout.count("Mô hình minh họa")
    assert [model_to_dict(model) for model in toy_models] == json.loads(answer.stdout)


def test_an_unforeseen_error_is_not_swallowed(
    run: Callable, patient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "load_models", broken)

    assert isinstance(run("assess", patient).exception, ZeroDivisionError)


def test_vietnamese_on_a_console_that_is_not_utf_8(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from cdss.cli import main; main()", "assess", "-", "--lang", "vi"],
        input=b"[]",
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )

    assert 2 == done.returncode
    assert "Không sử dụng được hồ sơ:" in done.stderr.decode("utf-8")


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_a_card_tells_limits_sources_and_known_answers(lang: str) -> None:
    result = CliRunner().invoke(
        cli.app,
        ["models", "--card", "prevent-2023-cvd-30y", "--lang", lang],
        env={"COLUMNS": "100"},
    )

    assert 0 == result.exit_code
    for part in ("Khan SS et al.", "30", "59", "equations/prevent_2023/cases.csv"):
        assert part in result.stdout
    for name in ("idrs", "cvd-death", "score2-asia-pacific-low"):
        assert 0 == CliRunner().invoke(cli.app, ["models", "--card", name]).exit_code


def test_a_card_of_nothing_is_bad_input() -> None:
    result = CliRunner().invoke(cli.app, ["models", "--card", "qrisk"])

    assert 2 == result.exit_code
    assert "who-2019-lab-sea" in result.stderr


@pytest.mark.parametrize("place", ["vn", "who", "us"])
@pytest.mark.parametrize("lang", ["en", "vi"])
def test_rules_are_listed_with_numbers_and_pages(place: str, lang: str) -> None:
    options = ["rules", "--jurisdiction", place, "--lang", lang]
    text = CliRunner().invoke(cli.app, options, env={"COLUMNS": "80"})
    answer = CliRunner().invoke(cli.app, [*options, "--format", "json"])
    listed = json.loads(answer.stdout)
    ids = [rule["rule"] for g in listed["guidelines"] for rule in g["rules"]]

    assert (0, 0) == (text.exit_code, answer.exit_code)
    assert all(rule in text.stdout for rule in ids)
    assert not [line for line in text.stdout.splitlines() if "{" in line or len(line) > 80]
    for guideline in listed["guidelines"]:
        assert all(p["locator"] and p["still_valid_on"] for p in guideline["parameters"])
