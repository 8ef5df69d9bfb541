"""One record, one answer: library, service, command line, page and offline edition."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cdss import Assessment, PatientRecord, assess, load_models
from cdss import cli as command_line
from cdss.estimate import NoEstimate, PointsTotal, RiskEstimate, RiskRange
from cdss.i18n import Words, words
from cdss.jurisdiction import load_jurisdiction
from cdss.variables import VARIABLES
from serving.benchmarks.process import Server, served
from serving.page.render import TEMPLATES
from serving.page.results import results
from serving.page.trend import courses
from serving.page.typed import check, fill
from serving.page.what_if import levers
from tests.offline_cases import cases, differences, expected, models_of
from tests.offline_edition import browse, edition, launched
from tests.serving_process import COMMAND

pytestmark = pytest.mark.slow

PLACE = load_jurisdiction("vn")
CASES = cases(200)
LANGS = [("en", "vi")[at % 2] for at in range(len(CASES))]
PROCESSES = 4
"""Cases that the command line answers as a process of its own; the others within this one."""


@lru_cache
def library(at: int) -> dict[str, Any]:
    """What the library says of a case: its answer, or the problems."""
    return expected("vn", CASES[at], LANGS[at])


@lru_cache
def assessed(at: int) -> Assessment:
    return assess(PatientRecord.parse(CASES[at]), models_of("vn"), PLACE, chosen=True)


def answered() -> list[int]:
    """Cases that have an answer; the others have something wrong in them."""
    return [at for at in range(len(CASES)) if "problems" not in library(at)]


def without_id(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer.pop("assessment_id")
    return answer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environment = {"CDSS_AUDIT": str(tmp_path_factory.mktemp("audit") / "audit.db")}
    with served([*COMMAND, "--port", "0"], environment) as running:
        yield running


@pytest.fixture(scope="module")
def service(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as found:
        yield found


def test_the_service_says_bit_for_bit_what_the_library_says(service: httpx.Client) -> None:
    for at, record in enumerate(CASES):
        answer = service.post(f"/v1/assess?lang={LANGS[at]}", json=record)
        said, own = answer.json(), library(at)
        if "problems" in own:
            assert answer.status_code == 422
            assert {p["code"] for p in said["problems"]} == {p["code"] for p in own["problems"]}
        else:
            assert answer.status_code == 200
            assert without_id(said) == own
    assert len(answered()) >= 150  # what was compared is worth comparing


def test_the_command_line_says_bit_for_bit_what_the_library_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command_line, "load_models", lru_cache(load_models))
    for at, record in enumerate(CASES):
        asking = ["assess", "-", "--format", "json", "--lang", LANGS[at], "--jurisdiction", "vn"]
        if at < PROCESSES:
            done = subprocess.run(
                [sys.executable, "-c", "from cdss.cli import main; main()", *asking],
                input=json.dumps(record), capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            code, written = done.returncode, done.stdout
        else:
            result = CliRunner().invoke(command_line.app, asking, input=json.dumps(record))
            code, written = result.exit_code, result.stdout
        if "problems" in library(at):
            assert (code, written.strip()) == (2, "")
        else:
            assert code == 0
            assert without_id(json.loads(written)) == library(at)


def typed_of(record: dict[str, Any]) -> dict[str, str]:
    """A case as somebody types it; KeyError or TypeError for what the form has no place for."""
    typed = {"index_date": record["index_date"]}
    for name, entry in record["values"].items():
        variable = VARIABLES[name]
        parts = entry if isinstance(entry, dict) else {"value": entry}
        value = parts["value"]
        if variable.kind == "quantity":
            typed[name] = f"{value:.12g}".replace(".", ",")
            typed[f"{name}.exact"] = f"{typed[name]}={value!r}"  # 1,234 may be a thousand
            typed[f"{name}.unit"] = parts.get("unit", variable.unit)
        else:
            typed[name] = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        typed[f"{name}.date"] = parts.get("date", "")
    if "history" in record:
        typed["history"] = json.dumps(record["history"])
    return typed


def test_the_form_loses_nothing_of_a_record() -> None:
    told_once = 0
    for at in answered():
        record = PatientRecord.parse(CASES[at])
        assert check(typed_of(CASES[at])).record == record
        # From a document: what was too old to be used was told when it was read.
        read = check(fill(record, words(LANGS[at]))).record
        assert read is not None
        differing = {
            f.name for f in fields(read) if getattr(read, f.name) != getattr(record, f.name)
        }
        assert differing <= {"set_aside"}
        told_once += bool(differing)
    assert 0 < told_once < len(answered())


def test_the_page_shows_the_numbers_of_the_library(service: httpx.Client) -> None:
    compared = 0
    no_place = 0
    for at, record in enumerate(CASES):
        try:
            typed = typed_of(record) | {"lang": LANGS[at]}
        except (KeyError, TypeError):
            no_place += 1
            assert "problems" in library(at)
            continue
        page = service.post("/page/assess", data=typed)
        shown = unescape(page.text)
        if "problems" in library(at):
            assert page.status_code == 422
            assert all(p["detail"] in shown for p in library(at)["problems"])
        else:
            assert page.status_code == 200
            compared += compare(shown, assessed(at), words(LANGS[at]))
    assert compared >= 300
    assert no_place <= 10  # variables and members that do not exist


def compare(page: str, assessment: Assessment, text: Words) -> int:
    """Compare a page with what the library says; tells how many answers stand on it."""
    by_id = {o.model: o for o in assessment.outcomes}
    asked = {c.model: c.question.id for c in assessment.choices if c.model}
    beside = {model for choice in assessment.choices for model in choice.beside}
    found = dict(re.findall(r'<article id="q-([^"]+)".*?>(.*?)</article>', page, re.DOTALL))
    wanted = {
        asked.get(model, model): outcome
        for model, outcome in by_id.items()
        if not isinstance(outcome, NoEstimate) and (model in asked or model not in beside)
    }
    assert found.keys() == wanted.keys()
    for at, outcome in wanted.items():
        looked_at(found[at], outcome, text)
    assert set(re.findall(r'data-rule="([^"]+)"', page)) == {a.rule.id for a in assessment.advice}
    for outcome in by_id.values():
        if isinstance(outcome, NoEstimate) and outcome.model not in beside:
            assert all(text.problem(reason) in page for reason in outcome.reasons)
    return len(wanted)


def looked_at(article: str, outcome: Any, text: Words) -> None:
    big, small = re.findall(
        r'class="number"><p><strong>(.*?)</strong> <span>(.*?)</span>', article
    )[0]
    table = article.partition('<details class="table">')[2]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td></tr>', table)
    if isinstance(outcome, RiskEstimate):
        p, start, sure = outcome.probability, outcome.baseline_probability, outcome.interval
        assert big == text.frequency(p)
        assert [value for _, value in rows[:2]] == [text.percent(p), text.percent(start)]
        if sure is None:
            assert small == text.percent(p)
        else:
            ends = text("page.from_to", low=text.percent(sure.low), high=text.percent(sure.high))
            assert small == text("page.percent_interval", percent=text.percent(p), interval=ends)
            assert rows[2][1] == ends
        explained(article, outcome, text)
    elif isinstance(outcome, RiskRange):
        low, high = text.percent(outcome.low), text.percent(outcome.high)
        assert big == rows[0][1] == text("page.from_to", low=low, high=high)
    else:
        assert isinstance(outcome, PointsTotal)
        assert [int(n) for n in re.findall(r"\d+", big)] == sorted({outcome.low, outcome.high})
        assert int(re.findall(r"\d+", small)[0]) == outcome.most


def explained(article: str, estimate: RiskEstimate, text: Words) -> None:
    """Each contribution as it is, those told together as their sum, all to as many decimals."""
    rows = re.findall(
        r'<tr><th scope="row">(.*?)</th><td>(.*?)</td><td class="draw">.*?</td>'
        r'<td class="num">(.*?)</td></tr>', article, re.DOTALL,
    )  # fmt: skip
    left = {text.label(c.variable): c for c in estimate.contributions}
    together = []
    for label, value, said in rows:
        one = left.pop(label.removesuffix(" *"), None)
        if one is None:
            together.append(said)
            continue
        assert value == ("" if one.value is None else text.quantity(one.variable, one.value))
        close(said, one.risk_points, text)
    known = sum(c.risk_points for c in left.values() if c.value is not None)
    unknown = sum(c.risk_points for c in left.values() if c.value is None)
    sums = [
        s
        for s, some in ((known, 1), (unknown, None))
        if any((c.value is None) == (some is None) for c in left.values())
    ]
    # Those that can be changed are told apart from those that cannot.
    if len(together) == len(sums):
        for said, total in zip(together, sums, strict=True):
            close(said, total, text)
    else:
        total = sum(signed(said, text) for said in together)
        assert total == pytest.approx(100 * (known + unknown), abs=0.06 * len(together))


def close(said: str, risk_points: float, text: Words) -> None:
    decimals = len(said.replace(",", ".").partition(".")[2].partition(" ")[0]) or 1
    assert signed(said, text) == pytest.approx(100 * risk_points, abs=0.5 * 10**-decimals + 1e-9)


def signed(said: str, text: Words) -> float:
    if said == text("page.reasons.same"):
        return 0.0
    number = re.findall(r"[\d.,]+", said)[0]
    lower = said == text("page.reasons.lower", points=number)
    assert lower or said == text("page.reasons.higher", points=number)
    return (-1 if lower else 1) * float(number.replace(",", "."))


def test_the_offline_edition_says_and_shows_the_same_with_the_network_cut(tmp_path: Path) -> None:
    asked = [
        {"record": record, "lang": lang, "look": True}
        for record, lang in zip(CASES, LANGS, strict=True)
    ]
    (tmp_path / "cases.json").write_text(json.dumps(asked))
    with launched(edition("vn").folder) as address:
        browse("answers.mjs", address, tmp_path / "cases.json", tmp_path / "answers.json", "cut")
    found = json.loads((tmp_path / "answers.json").read_text())

    for at, answer in enumerate(found):
        assert [] == differences(library(at), answer["said"])
        # All that the page shows, to the last letter: words, pictures, and what may be simulated.
        if "problems" not in library(at):
            assert alike(page_of(at)) == alike(answer["shown"])


def shown_of(at: int) -> dict[str, Any]:
    """What the clinician's page shows of a case."""
    assessment, text = assessed(at), words(LANGS[at])
    return {
        "results": results(assessment, models_of("vn"), text),
        "courses": courses(assessment.record, text),
        "levers": levers(assessment, models_of("vn"), {}, text),
    }


def page_of(at: int) -> str:
    """The clinician's page about a case, without what needs its server."""
    record, text = assessed(at).record, words(LANGS[at])
    known = [text.quantity(n, record.values[n]) for n in ("sex", "age") if n in record.values]
    nothing = {"parts": (), "typed": {}, "wrong": {}, "open": (), "history": "", "rows": 0}
    page = TEMPLATES.get_template("results.html.j2").render(
        text=text, lang=text.lang, languages=(), static=str, patient=", ".join(known),
        day=record.index_date.strftime(text("language.date")), assessment_id="", reasons=(),
        kept=(), note="", changes=(), wrong=(), form=nothing, **shown_of(at),
    )  # fmt: skip
    return page.partition('<main id="main" tabindex="-1">\n')[2].rpartition("\n</main>")[0]


def alike(page: str) -> str:
    """Numbers for programs as a browser reads them: 18.0 is 18."""
    return re.sub(r'="(-?\d+)\.0"', r'="\1"', page.strip())


def test_what_was_compared_is_worth_comparing() -> None:
    whole = [library(at) for at in answered()]
    count_of = {k: sum(len(a[k]) for a in whole) for k in whole[0] if isinstance(whole[0][k], list)}
    assert all(number >= 20 for number in count_of.values()), count_of
    models = {e["model"] for a in whole for e in a["estimates"]}
    assert models >= {"cvd-death", "diabetes-incident", "framingham-hypertension-2008"}
    warned = {w["code"] for a in whole for e in a["estimates"] for w in e["warnings"]}
    assert warned >= {"assumed_absent", "rare_value", "rare_combination", "sensitivity_only"}
    refused = {r["code"] for a in whole for n in a["not_estimated"] for r in n["reasons"]}
    assert refused >= {"missing_input", "excluded", "outside_limits", "limit_between"}
    assert 10 <= len(CASES) - len(whole) <= 60
    shown = [shown_of(at) for at in answered()]
    answers = [a for s in shown for p in s["results"].panels for a in p.answers]
    assert {len(a.bands) for a in answers} == {0, 5}
    assert sum(bool(a.spans) for a in answers) >= 5
    assert sum(bool(a.unknown) for a in answers) >= 100
    assert sum(len(p.disagreements) for s in shown for p in s["results"].panels) >= 20
    assert sum(len(s["courses"]) for s in shown) >= 50
    assert sum(len(s["levers"]) for s in shown) >= 200
