"""The pages of the models: what is served, held and published, cards, reports, and nothing else."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from datetime import date
from html import unescape
from os import utime
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from cdss import Model, load_models, published_models
from cdss.card import card_facts
from cdss.errors import DefinitionError
from cdss.i18n import LANGUAGES, words
from serving.models_page import ModelsApi
from serving.models_page.cards import Cards
from serving.models_page.evidence import CARDS, Evidence, read_evidence
from serving.models_page.markdown import render
from serving.models_page.rows import known_answers
from serving.problems import HANDLERS
from tests.driven_browser import drive
from tests.page_client import PLACE, Looked, client, words_of
from tests.shipped import shipped

OFFERED: tuple[Model, ...] = shipped(demonstrations=True)
SERVED: tuple[Model, ...] = (*load_models(), *published_models())
EVERY = {model.id: model for model in (*OFFERED, *SERVED)}
TRAINED = [model.id for model in OFFERED]
each_language = pytest.mark.parametrize("lang", LANGUAGES)
each_trained = pytest.mark.parametrize("model", TRAINED)


def site(**where: object) -> TestClient:
    api = ModelsApi(SERVED, PLACE, offered=OFFERED, evidence=Evidence(**where))  # type: ignore[arg-type]
    return TestClient(Starlette(routes=api.routes(), exception_handlers=HANDLERS))


def shown(address: str, found: TestClient | None = None) -> str:
    answer = (found or site()).get(address)
    assert 200 == answer.status_code, answer.text[:500]
    return answer.text


def row_of(page: str, model: str) -> str:
    return unescape(words_of(page[page.index(f'<tr id="{model}"') :].partition("</tr>")[0]))


@each_language
def test_every_model_has_a_row_with_what_its_manifest_says(lang: str) -> None:
    page, text = shown(f"/models?lang={lang}"), words(lang)

    for model in EVERY.values():
        row = row_of(page, model.id)
        assert model.version in row
        served = "served" if model in SERVED else "not_served"
        assert text(f"models_page.{served}") in row
        if "equation" in model.facts:
            assert text("models_page.known_answers", count=known_answers(model).total()) in row
            continue
        assert model.facts["digest"][:12] in row
        assert model.facts["training"]["code"] in row
        assert model.facts["mlflow_run_id"][:12] in row
        assert text.number(model.facts["metrics"]["all"]["auroc"], 3) in row
        assert text.number(model.facts["metrics"]["all"]["calibration_slope"], 2) in row


def test_a_model_that_is_held_says_which_checks_and_why() -> None:
    page = shown("/models?lang=en")
    verdict = json.loads((CARDS / "diabetes-undiagnosed" / "judged.json").read_text())
    why = next(c["why"] for c in verdict["checks"] if c["name"] == "subgroups")

    assert "fail" == verdict["verdict"]
    held, released = row_of(page, "diabetes-undiagnosed"), row_of(page, "diabetes-incident")
    assert "Held by the gate" in held
    assert why in held
    assert "Groups of people: fails" in held
    assert "Released" in released
    assert "Groups of people: cannot tell" in released
    assert "cdss founding engineers" in released
    assert "Demonstration, not for patients" in row_of(page, "cvd-incident")


def test_a_verdict_on_another_version_is_not_told(tmp_path: Path) -> None:
    verdict = json.loads((CARDS / "diabetes-undiagnosed" / "judged.json").read_text())
    (tmp_path / "diabetes-undiagnosed").mkdir()
    other = tmp_path / "diabetes-undiagnosed" / "judged.json"
    other.write_text(json.dumps(verdict | {"manifest_sha256": "0" * 64}), encoding="utf-8")

    row = row_of(shown("/models?lang=en", site(cards=tmp_path)), "diabetes-undiagnosed")

    assert words("en")("models_page.not_judged") in row
    assert "without a pass" not in row


@each_trained
def test_a_card_is_whole_and_every_link_in_it_leads_somewhere(model: str) -> None:
    found, seen = site(), {}
    todo = [f"/models/{model}?lang=en"]
    while todo:
        address = todo.pop()
        answer = found.get(address)
        assert 200 == answer.status_code, address
        seen[address.partition("?")[0]] = answer
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        page = Looked(answer.text)
        links = [a["href"] for a in page.every("a") if "href" in a]
        links += [a["src"] for a in page.every("img")]
        here = {a["id"] for _, a in page.found if "id" in a}
        assert [] == [a for a in links if a.startswith("#") and a[1:] not in here]
        assert all(a["alt"] for a in page.every("img"))
        for link in links:
            inside = link.startswith(f"/models/{model}/")
            if inside and link.partition("?")[0] not in seen and link not in todo:
                todo.append(link)

    kinds = {Path(address).name: answer.headers["content-type"] for address, answer in seen.items()}
    assert {"tripod.md", "source_attributes.md", "chai.xml", "evidence.json"} <= set(kinds)
    assert "image/png" == kinds["calibration.png"] == kinds["subgroups.png"]
    card = (CARDS / f"{model}.md").read_text(encoding="utf-8")
    page = unescape(words_of(seen[f"/models/{model}"].text))
    for heading in re.findall(r"^#+ (.+)$", card, re.MULTILINE):
        assert heading.replace("`", "") in page


def test_anchors_of_a_checklist_are_chapters_of_the_card() -> None:
    list_, card = shown("/models/cvd-death/tripod.md"), Looked(shown("/models/cvd-death"))
    anchors = re.findall(r'href="/models/cvd-death#([^"]+)"', list_)

    assert len(anchors) > 10
    assert set(anchors) <= {a["id"] for _, a in card.found if "id" in a}


@each_language
@pytest.mark.parametrize("model", ["findrisc", "who-2019-lab-vnm", "cvd-death"])
def test_a_model_has_a_page_with_all_facts_of_its_card(model: str, lang: str) -> None:
    page = unescape(words_of(shown(f"/models/{model}?lang={lang}")))

    for name, said in card_facts(EVERY[model], words(lang)):
        assert name in page
        for line in said.split("\n"):
            assert re.sub(r"\s+", " ", line) in page


def test_known_answers_are_counted_by_where_they_are_from() -> None:
    page = unescape(words_of(shown("/models/findrisc?lang=en")))

    found = known_answers(EVERY["findrisc"])
    assert {"independent implementation clincalc 0.4.0": 4} == found
    for origin in found:
        assert origin in page


def test_runs_are_linked_where_mlflow_has_an_address() -> None:
    run = EVERY["cvd-death"].facts["mlflow_run_id"]

    assert f"runs/{run}" not in shown("/models/cvd-death")
    linked = shown("/models/cvd-death", site(mlflow_url="https://mlflow.example.org"))
    assert f'href="https://mlflow.example.org/#/runs/{run}"' in linked


def test_without_cards_the_pages_say_so_and_do_not_break(tmp_path: Path) -> None:
    found, text = site(cards=tmp_path / "none"), words("en")

    assert text("models_page.no_cards") in shown("/models?lang=en", found)
    assert text("models_page.no_card") in shown("/models/cvd-death?lang=en", found)
    assert 404 == found.get("/models/cvd-death/tripod.md").status_code


def test_a_card_of_another_version_says_so(tmp_path: Path) -> None:
    (tmp_path / "cvd-death").mkdir()
    (tmp_path / "cvd-death.md").write_text("# Old\n", encoding="utf-8")
    facts = {"version": "0.9.0", "digest": "0" * 64}
    (tmp_path / "cvd-death" / "evidence.json").write_text(json.dumps(facts), encoding="utf-8")

    page = shown("/models/cvd-death?lang=en", site(cards=tmp_path))

    assert words("en")("models_page.another", version="0.9.0") in page


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Reports as a site has them, and what must not be served with them."""
    root = tmp_path / "reports"
    (root / "da-nang" / "cvd-death").mkdir(parents=True)
    page = root / "da-nang" / "cvd-death" / "report.html"
    page.write_text("<h1>a report</h1><script>alert(1)</script>", encoding="utf-8")
    facts = {"model": "cvd-death", "version": "1.1.0", "dataset": "da-nang"}
    (page.parent / "evidence.json").write_text(json.dumps(facts), encoding="utf-8")
    (page.parent / "sites.png").write_bytes((CARDS / "cvd-death" / "sites.png").read_bytes())
    (page.parent / "rows.parquet").write_bytes(b"people")
    (root / ".git").mkdir()
    (root / ".git" / "report.html").write_text("hidden", encoding="utf-8")
    (tmp_path / "secret.html").write_text("secret", encoding="utf-8")
    (root / "linked.html").symlink_to(tmp_path / "secret.html")
    (root / "away").symlink_to(tmp_path, target_is_directory=True)
    (root / "findrisc").mkdir()
    old = root / "findrisc" / "report.html"
    old.write_text("<h1>older</h1>", encoding="utf-8")
    utime(old, (1.7e9, 1.7e9))
    return root


def test_reports_of_a_site_are_listed_newest_first_and_served(reports: Path) -> None:
    found = site(reports=reports)
    page = shown("/models?lang=en", found)
    listed = page[page.index('id="reports"') :]

    assert listed.index("da-nang/cvd-death") < listed.index("findrisc")
    assert date.fromtimestamp(1.7e9).strftime(words("en")("language.date")) in listed
    answer = found.get("/models/reports/da-nang/cvd-death/report.html")
    assert "a report" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "nosniff" == answer.headers["x-content-type-options"]
    assert (
        "image/png"
        == found.get("/models/reports/da-nang/cvd-death/sites.png").headers["content-type"]
    )
    assert "/models/reports/da-nang/cvd-death/report.html" in shown("/models/cvd-death", found)
    assert "da-nang" not in shown("/models/diabetes-incident", found)


@pytest.mark.parametrize(
    "address",
    [
        "reports/../secret.html", "reports/..%2fsecret.html", "reports/%2e%2e/secret.html",
        "reports/linked.html", "reports/away/secret.html", "reports/.git/report.html",
        "reports/da-nang/cvd-death/rows.parquet", "reports//etc/passwd", "reports/da-nang",
        "reports/da-nang/cvd-death/../../../secret.html", "reports/", "cvd-death/..%2fcvd-death.md",
        "cvd-death/%2e%2e%2fcvd-death.md", "statements/project.toml", "nobody", "..",
        "cvd-death/nothing.png", "cvd-death/calibration.png%00",
    ],
)  # fmt: skip
def test_nothing_else_is_served(address: str, reports: Path) -> None:
    answer = site(reports=reports).get(f"/models/{address}")

    assert 404 == answer.status_code
    assert "secret" not in answer.text


def test_a_report_whose_figures_are_no_json_is_listed_all_the_same(reports: Path) -> None:
    (reports / "da-nang" / "cvd-death" / "evidence.json").write_text("{", encoding="utf-8")

    page = shown("/models?lang=en", site(reports=reports))

    assert "da-nang/cvd-death" in page


def test_what_is_written_in_a_card_cannot_run() -> None:
    hostile = (
        "# A <script>alert(1)</script>\n\n[x](javascript:alert(1)) [y](data:text/html,x) "
        "[z](../../etc/passwd) ![p](//elsewhere.example/p.png) <img src=x onerror=alert(1)>\n\n"
        "| a | |\n| ---: | --- |\n| 1 | 2 |\n"
    )
    page = Looked(render(hostile, lambda to: None, "table").html)

    assert {"h2", "p", "a", "img", "div", "table", "thead", "tbody", "tr", "th", "td"} == {
        tag for tag, _ in page.found
    }
    assert [] == [a for a in page.every("a") if "href" in a]
    assert [] == [a for a in page.every("img") if "src" in a]
    assert [] == [a for _, a in page.found if "style" in a or "onerror" in a]


def test_settings_name_what_is_there(tmp_path: Path) -> None:
    assert Evidence() == read_evidence({})
    assert CARDS.is_dir()
    told = {"CDSS_REPORTS": str(tmp_path), "CDSS_MLFLOW_URL": "https://mlflow.example.org/"}
    assert Evidence(CARDS, tmp_path, "https://mlflow.example.org") == read_evidence(told)
    for name in ("CDSS_CARDS", "CDSS_REPORTS"):
        with pytest.raises(DefinitionError, match=name):
            read_evidence({name: str(tmp_path / "none")})
    with pytest.raises(DefinitionError, match="CDSS_MLFLOW_URL"):
        read_evidence({"CDSS_MLFLOW_URL": "mlflow"})


def test_a_folder_of_no_cards_is_no_cards(tmp_path: Path) -> None:
    assert not Cards(tmp_path / "none")
    assert {} == Cards(tmp_path).facts("cvd-death", "evidence.json")


@pytest.mark.slow
def test_the_pages_in_a_browser(reports: Path) -> None:
    picture = b64encode((CARDS / "cvd-death" / "sites.png").read_bytes()).decode()
    report = reports / "da-nang" / "cvd-death" / "report.html"
    report.write_text(
        "<h1>a report</h1><script>alert(1)</script><img src='sites.png' alt='sites'>"
        f"<img src='data:image/png;base64,{picture}' alt='sites again'>",
        encoding="utf-8",
    )
    page = client().app.routes  # type: ignore[attr-defined]
    app = Starlette(
        routes=[*site(reports=reports).app.routes, *page],  # type: ignore[attr-defined]
        exception_handlers=HANDLERS,
    )
    drive("models.test.mjs", app, {})
