from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from cdss.errors import DefinitionError
from tests import dossier
from tests.shipped import shipped
from training.cards import CARDS, complete, files, stale, write_cards
from training.cards.findings import all_findings
from training.cards.material import gather
from training.cards.paired import verdict
from training.data import ROOT

MODELS = shipped(demonstrations=True)


def card_of(folder: Path, **changes) -> str:
    return files(dossier.model(**changes), folder)["toy.md"]


def section(text: str, title: str) -> str:
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_shipped_cards_are_up_to_date() -> None:
    assert stale(MODELS) == []


def test_whatever_changes_makes_a_card_stale(tmp_path: Path) -> None:
    model = dossier.model()
    folder = dossier.lay_out(tmp_path)
    assert len(stale([model], folder)) == 4

    write_cards([model], folder)
    assert stale([model], folder) == []

    dossier.lay_out(folder, said={"funding": "Nobody pays."})
    assert stale([model], folder) == [
        "toy.md", "toy/tripod.md", "toy/chai.xml", "toy/source_attributes.md",
    ]  # fmt: skip
    write_cards([model], folder)
    (folder / "toy" / "tripod.md").write_text("by hand")
    assert stale([model], folder) == ["toy/tripod.md"]
    dossier.lay_out(folder, said={"funding": "Nobody pays."}, pictures=("sites.png",))
    assert "toy.md" in stale([model], folder)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_the_first_lines_say_who_must_not_use_it(model) -> None:
    text = files(model)[f"{model.id}.md"]
    head = text.partition("\n---\n")[2].partition("##")[0]

    assert "Do not use it" in head
    assert "not validated in Viet Nam" in head
    assert ("never for patients" in head) == model.demonstration
    assert ("Not released" in head) == (model.facts.get("gate") is None)
    assert "pregnant" in head


def test_what_the_gate_said_of_a_model_that_did_not_pass_is_on_its_card(tmp_path: Path) -> None:
    model = dossier.model()
    folder = dossier.lay_out(tmp_path)
    checks = [
        {"name": "parity", "verdict": "pass", "why": "equal"},
        {"name": "subgroups", "verdict": "fail", "why": "women O:E 1.9"},
        {"name": "net_benefit", "verdict": "cannot tell", "why": "wide", "accepted": True},
    ]
    judged = {"manifest_sha256": model.facts["digest"], "released_on": "2026-11-24",
              "checks": checks}  # fmt: skip
    (folder / "toy" / "judged.json").write_text(json.dumps(judged))
    text = files(model, folder)["toy.md"]

    assert "**Not released: the gate judged it on 2026-11-24: subgroups (fail).**" in text
    assert "women O:E 1.9" in text
    (folder / "toy" / "judged.json").write_text(json.dumps(judged | {"manifest_sha256": "0"}))
    assert "**Not released: no gate record.**" in files(model, folder)["toy.md"]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_predictor_and_tier_is_told(model) -> None:
    text = files(model)[f"{model.id}.md"]
    material = gather(model, CARDS)

    for name in model.predictors:
        assert f"| `{name}` |" in text
    for figures in (*material.tiers.values(), *material.sites_kept.values()):
        assert f"{figures['n']:,}" in text


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_what_people_said_is_signed_and_marked_as_not_reviewed(model) -> None:
    said = gather(model, CARDS).said

    assert {"intended_use", "risks", "decision_role", "stop"} <= set(said)
    for statement in said.values():
        assert statement.author == "cdss founding engineers"
        assert statement.review == "no clinician has reviewed it"
    assert not {"funding", "conflicts", "publications", "patient_involvement"} & set(said)


def test_when_to_stop_is_what_the_gate_asks() -> None:
    gate = tomllib.loads((ROOT / "training" / "gate.toml").read_text(encoding="utf-8"))
    said = gather(MODELS[0], CARDS).said["stop"].text

    for what in ("calibration", "subgroups"):
        low, high = gate[what]["band"]
        assert f"outside {low} to {high} with its whole" in said


def test_front_matter_is_what_the_hub_reads(tmp_path: Path) -> None:
    text = card_of(dossier.lay_out(tmp_path))
    head = yaml.safe_load(text.split("---\n")[1])

    assert head["license"] == "apache-2.0"
    assert "not-released" in head["tags"]
    (index,) = head["model-index"]
    assert index["name"] == "toy@1.0.0"
    assert [r["task"]["type"] for r in index["results"]] == ["tabular-classification"] * 2
    roc = index["results"][1]["metrics"][0]
    assert roc["type"] == "roc_auc"
    assert roc["value"] == 0.71
    assert "95 % CI 0.680 to 0.740" in roc["name"]
    assert roc["args"] == {"level": 0.95, "lower": 0.68, "upper": 0.74}


def test_without_evidence_nothing_is_invented(tmp_path: Path) -> None:
    text = card_of(dossier.lay_out(tmp_path, evidence=None, pictures=()))

    for title in ("Beside other models, on the same people", "Groups of people", "Sample size",
                  "The interval of an estimate"):  # fmt: skip
        assert section(text, title).strip() == "No evidence report yet."
    assert "Not released: no gate record." in text
    assert "![" not in text
    assert "0.71 (0.68 to 0.74)" in section(text, "Internal validation")


def test_evidence_of_another_bundle_is_not_taken(tmp_path: Path) -> None:
    other = dossier.EVIDENCE | {"digest": "00", "version": "0.8.0"}
    text = card_of(dossier.lay_out(tmp_path, evidence=other))

    assert "of another bundle, version 0.8.0" in text
    assert "1.35" not in text


def test_evidence_with_gaps_gives_a_card_with_gaps(tmp_path: Path) -> None:
    text = card_of(dossier.lay_out(tmp_path, evidence={"digest": dossier.DIGEST}))

    assert "No comparison in the evidence report." in text
    assert "No groups in the evidence report." in text


def test_the_unwelcome_is_said_in_sentences(tmp_path: Path) -> None:
    found = all_findings(gather(dossier.model(), dossier.lay_out(tmp_path)))

    assert any(
        "Tier *required only*: Observed:expected is 1.35 (1.22 to 1.49): it says less" in f
        for f in found
    )
    assert any("slope is 0.81 (0.74 to 0.88): its risks are too extreme" in f for f in found)
    assert any("may be anything from 0.62 to 1.61" in f for f in found)
    assert any("ran from 0.70 to 1.30" in f for f in found)
    assert any("AUROC" in f and "**worse than equation**" in f for f in found)
    assert any(
        "not shown to be better than xgboost; better than points and age" in f for f in found
    )
    assert any("Net benefit at 5 %: **worse than xgboost**" in f for f in found)
    assert any("Claimed 95 in 100, measured 94.0: held" in f for f in found)
    assert any("Not held in required only" in f and "87.0" in f for f in found)
    assert any("sex male: Observed:expected is 1.35" in f for f in found)
    assert any("Too few people to tell in: few | others (37)" in f for f in found)
    assert any("development: **not sufficient**" in f for f in found)


@pytest.mark.parametrize(
    ("metric", "span", "said"),
    [
        ("auroc", [0.01, 0.02], "better"),
        ("auroc", [-0.01, 0.02], "no difference shown"),
        ("net_benefit_0.05", [-0.02, -0.01], "worse"),
        ("brier", [0.01, 0.02], "worse"),
        ("brier", [-0.02, -0.01], "better"),
        ("auroc", None, "not known"),
        ("something", [1.0, 2.0], "not known"),
    ],
)
def test_only_a_whole_interval_makes_better_or_worse(metric, span, said) -> None:
    assert verdict(metric, {"difference": 0.0, "95ci": span}) == said


def test_a_small_group_is_shown_with_its_size(tmp_path: Path) -> None:
    groups = section(card_of(dossier.lay_out(tmp_path)), "Groups of people")

    assert "| ethnicity | few \\| others | 37 | 2 | insufficient | - | - | - |" in groups
    assert "no correction; read 3 groups together." in groups


def test_figures_comparison_and_usefulness_are_told(tmp_path: Path) -> None:
    text = card_of(dossier.lay_out(tmp_path))

    assert "0.73 (0.68 to 0.74)" in section(text, "Internal validation")  # weighted
    assert "`elsewhere`: not done, it has no waist." in text
    assert "findrisc (answers for 3 % of the people)" in text
    assert (
        "| `age` | 4,321 | 0.710 (0.680 to 0.740) | 1.02 (0.95 to 1.09) | 0.99 (0.93 to 1.05) |"
        in text
    )
    assert "+2.0 (-1.0 to 5.0)" in text
    row = (
        "| `points` (another outcome, or points; by rank) | 900 | 0.660 (0.600 to 0.720) | - | - |"
    )
    assert f"{row} +0.050 (0.010 to 0.090) | - |" in text
    assert "| uno c | 0.701 (0.660 to 0.740) |" in text
    assert (
        "| all, as observed | 5 % | 30 | 77 | 23 | 12 | 8.3 | 21.0 (18.0 to 24.0) | 4.0 |" in text
    )
    assert "![Observed against predicted risk" in text
    assert "(toy/calibration.png)" in text


def test_a_threshold_where_it_does_not_help_is_named(tmp_path: Path) -> None:
    useless = dossier.FIGURES["at"][0] | {"over_treat_all_95ci": [-0.001, 0.03]}
    tiers = {"all": dossier.FIGURES | {"at": [useless]}}
    text = card_of(dossier.lay_out(tmp_path, evidence=dossier.EVIDENCE | {"tiers": tiers}))

    said = "Not shown to beat acting on all, and on nobody, at:** all, as observed, 5 %"
    assert said in text
    assert said not in card_of(dossier.lay_out(tmp_path))


def test_a_release_is_told_with_its_history(tmp_path: Path) -> None:
    folder = dossier.lay_out(tmp_path)
    record = section(card_of(folder, gate=dossier.GATE), "Release record")

    assert "A Tester, test" in record
    assert "| parity | pass | off by 1e-7 at most |" in record
    assert "| 0.9.0 | 2026-01-01 | B Tester |" in record
    other = dossier.GATE | {"manifest_sha256": "0"}
    assert "Not released" in section(card_of(folder, gate=other), "Release record")


def test_a_recalibrated_version_says_from_what(tmp_path: Path) -> None:
    step = {"version": "1.0.0+hanoi.1", "site": "Ha Noi", "method": "slope", "intercept": 0.3,
            "slope": 0.9, "people": 800, "events": 60, "made_on": "2026-11-25"}  # fmt: skip
    text = card_of(
        dossier.lay_out(tmp_path, evidence=None),
        parent={"id": "toy", "version": "1.0.0", "digest": "0"},
        recalibration_history=[step],
        metrics_are="Ha Noi, cross-fitted",
        anchored=True,
    )

    assert "### Made from `toy` 1.0.0" in text
    assert "| 1.0.0+hanoi.1 | Ha Noi | slope | 0.300 | 0.900 | 800 | 60 | 2026-11-25 |" in text
    assert "The figures are of: Ha Noi, cross-fitted." in text
    assert "Adjusted to published prevalence, not validated" in text.partition("##")[0]


def test_every_table_renders(tmp_path: Path) -> None:
    made = files(dossier.model(gate=dossier.GATE), dossier.lay_out(tmp_path))
    parse = MarkdownIt().enable("table")
    for name, text in made.items():
        if not name.endswith(".md"):
            continue
        tokens = parse.parse(text)
        rules = len(re.findall(r"^\|( --- \|)+$", text, re.MULTILINE))
        assert sum(t.type == "table_open" for t in tokens) == rules > 0
        for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(widths) == 1, block


def test_complete_names_what_is_missing(tmp_path: Path) -> None:
    model = dossier.model()
    needed = ("developer", "contact", "intended_use", "users", "decision_role", "out_of_scope",
              "risks", "how_to_use", "stop", "fairness")  # fmt: skip
    folder = dossier.lay_out(tmp_path, said=dict.fromkeys(needed, "x"))
    assert complete(model, folder) == []

    lacking = {k: v for k, v in dossier.EVIDENCE.items() if k != "subgroups"}
    folder = dossier.lay_out(tmp_path / "2", lacking, {"risks": "x"}, ("calibration.png",))
    missing = complete(dossier.model(exclusions=""), folder)
    assert "manifest: exclusions" in missing
    assert "evidence: subgroups" in missing
    assert "statement: stop" in missing
    assert "statement: risks" not in missing
    assert "picture: decision_curve.png" in missing

    (line,) = [m for m in complete(model, dossier.lay_out(tmp_path / "3", None)) if "evidence" in m]
    assert line == "evidence: No evidence report yet."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[risks]\ntext = "x"\nauthor = "A"\nreview = "none"\n', "lacks date"),
        ('[risks]\ntext = " "\nauthor = "A"\ndate = 2026-11-24\nreview = "none"\n', "lacks text"),
        ('[risks]\ntext = "x"\ndate = 2026-11-24\nreview = "none"\n', "lacks author"),
        ('[risk]\ntext = "x"\n', "unknown statements: risk"),
        ('risks = "x"\n', "is a table"),
    ],
)
def test_an_unsigned_statement_is_refused(tmp_path: Path, text: str, said: str) -> None:
    folder = dossier.lay_out(tmp_path)
    (folder / "statements" / "toy.toml").write_text(text)

    with pytest.raises(DefinitionError, match=said):
        gather(dossier.model(), folder)
