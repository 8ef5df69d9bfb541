from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as Tree

import pytest
from lxml import etree

from tests import dossier
from training.cards import CARDS, files
from training.cards.checklists import ATTRIBUTES, TRIPOD, fill
from training.cards.fields import FIELDS, answer
from training.cards.material import gather

HERE = Path(__file__).parents[1] / "training" / "cards"
SPACE = "{https://mc.chai.org/v0.2/schema.xsd}"
SAID = {"funding": "Nobody pays.", "intended_use": "To test <cards> & more.", "users": "Tests."}
SHIPPED = sorted(CARDS.glob("*/chai.xml"))


def made(folder: Path, **changes) -> dict[str, str]:
    return files(dossier.model(**changes), folder)


def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(HERE / "chai-v0.2.xsd"))


def rows_of(text: str, columns: int) -> list[list[str]]:
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line[:1] == "|"]
    return [[cell.strip() for cell in line] for line in lines if len(line) == columns]


def test_tripod_has_its_52_rows() -> None:
    rows = TRIPOD["row"]

    assert len(rows) == len({row["item"] for row in rows}) == 52
    tally = Counter(row["filler"] for row in rows)
    assert (tally["HUM"], tally["mix"], tally["RUN"] + tally["DEF"]) == (17, 7, 28)
    assert {row["applies"] for row in rows} == {"D", "E", "DE"}
    assert {re.sub(r"[a-z]", "", row["item"]) for row in rows} == {str(i) for i in range(1, 28)}
    assert len(TRIPOD["abstract"]) == 13


def test_there_are_31_source_attributes() -> None:
    groups = [len(group["attributes"]) for group in ATTRIBUTES["group"]]

    assert groups == [4, 4, 2, 4, 2, 4, 5, 4, 2]
    assert sum(groups) == 31


def test_every_field_asked_for_exists_and_every_field_is_asked_for(tmp_path: Path) -> None:
    material = gather(dossier.model(), dossier.lay_out(tmp_path))
    rows = [*TRIPOD["row"], *TRIPOD["abstract"]]
    rows += [a for group in ATTRIBUTES["group"] for a in group["attributes"]]
    asked = {key for row in rows for key in row["fields"]}

    for key in asked:
        answer(material, key)
    assert set(FIELDS) <= asked
    with pytest.raises(KeyError):
        answer(material, "statement:nonsense")


def test_the_checklist_says_who_and_shows_blanks(tmp_path: Path) -> None:
    text = made(dossier.lay_out(tmp_path, said=SAID))["toy/tripod.md"]
    rows = {row[0]: row for row in rows_of(text, 7)}
    del rows["item"], rows["---"]

    assert len(rows) == 52
    assert rows["18a"][4:6] == ["filled", "Nobody pays."]
    assert "A Tester, 2026-11-24; nobody has reviewed it" in rows["18a"][6]
    assert rows["18b"][4:] == ["not provided", "**not provided**", ""]
    assert rows["3b"][4] == "filled"
    assert rows["12c"][4] == "filled in part"
    assert rows["12f"][4] == rows["24"][4] == rows["16"][4] == "not applicable"
    assert rows["23a"][4] == "filled"
    assert "(../toy.md#internal-validation)" in rows["23a"][5]
    tally = Counter(row[4] for row in rows.values())
    names = ("filled", "filled in part", "not provided", "not applicable")
    assert f"52 rows: {', '.join(f'{name} {tally[name]}' for name in names)}." in text


def test_links_of_the_checklist_lead_to_headings(tmp_path: Path) -> None:
    texts = made(dossier.lay_out(tmp_path))
    headings = re.findall(r"^#+ (.+)$", texts["toy.md"], re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}

    for name in ("toy/tripod.md", "toy/source_attributes.md"):
        links = set(re.findall(r"\.\./toy\.md#([\w-]+)", texts[name]))
        assert links
        assert links <= anchors


def test_a_run_without_evidence_leaves_its_rows_blank(tmp_path: Path) -> None:
    material = gather(dossier.model(), dossier.lay_out(tmp_path, evidence=None))

    for key in ("sample_size", "characteristics", "group_performance"):
        assert fill(material, [key]).status == "not provided"
    assert fill(material, ["performance"]).status == "filled"


def test_a_person_can_say_that_a_question_does_not_apply(tmp_path: Path) -> None:
    folder = dossier.lay_out(tmp_path)
    text = dossier.STATEMENT.format(key="protocol", text="There is none.") + "applies = false\n"
    (folder / "statements" / "toy.toml").write_text(text)

    row = fill(gather(dossier.model(), folder), ["statement:protocol"])
    assert row.status == "not applicable"
    assert row.by.startswith("A Tester")


def test_an_external_validation_fills_its_rows(tmp_path: Path) -> None:
    external = [{"dataset": "elsewhere", "figures": dossier.FIGURES, "why_not": None}]
    folder = dossier.lay_out(tmp_path, dossier.EVIDENCE | {"external": external})
    texts = made(folder)
    rows = {row[0]: row for row in rows_of(texts["toy/tripod.md"], 7)}

    assert rows["16"][4] == rows["20c"][4] == "filled"
    assert "elsewhere: 4,321 people, 210 events" in rows["20c"][5]
    assert "evaluation on elsewhere" in rows["1"][5]
    assert "elsewhere: AUROC 0.71 (0.68 to 0.74)" in texts["toy/source_attributes.md"]


def test_attributes_say_which_sensitive_variables_are_inputs(tmp_path: Path) -> None:
    text = made(dossier.lay_out(tmp_path))["toy/source_attributes.md"]
    rows = rows_of(text, 5)
    (found,) = [row for row in rows if row[1].startswith("Race, ethnicity")]

    assert sum(row[0].isdigit() for row in rows) == 31
    assert "race: no; ethnicity: no" in found[3]
    assert "sex: yes" in found[3]


@pytest.mark.parametrize("evidence", [None, dossier.EVIDENCE, {"digest": dossier.DIGEST}])
@pytest.mark.parametrize("said", [{}, SAID])
def test_the_chai_card_is_valid_and_nothing_in_it_is_empty(tmp_path, evidence, said) -> None:
    text = made(dossier.lay_out(tmp_path, evidence, said))["toy/chai.xml"]
    document = etree.fromstring(text.encode())

    schema().assertValid(document)
    for element in document.iter():
        assert len(element) or (element.text or "").strip(), element.tag
    for value in document.iter(f"{SPACE}ValueJson"):
        shape = json.loads(value.text)
        if shape["kind"] == "estimate_ci":
            assert shape["lower"] <= shape["estimate"] <= shape["upper"]
            assert set(shape) == {"kind", "estimate", "lower", "upper", "level", "unit"}
        else:
            assert set(shape) == {"kind", "value", "unit"}


def test_the_chai_card_has_the_figures(tmp_path: Path) -> None:
    text = made(dossier.lay_out(tmp_path, said=SAID), gate=dossier.GATE)["toy/chai.xml"]
    root = Tree.fromstring(text)

    def at(path: str) -> str:
        return root.findtext("/".join(SPACE + part for part in path.split("/")))

    assert at("ReleaseInfo/ReleaseStage") == "released"
    assert at("ReleaseInfo/ReleaseDate") == "2026-11-25"
    assert at("UsesAndDirections/PrimaryIntendedUsers").startswith("Tests. (A Tester, 2026-11-24")
    assert at("Warnings/ClinicalRiskLevel") == "not provided"
    assert "To test <cards> & more." in at("UsesAndDirections/IntendedUseAndWorkflow")
    values = {
        result.findtext(f"{SPACE}Label"): json.loads(result.findtext(f"{SPACE}ValueJson"))
        for result in root.iter(f"{SPACE}MetricResult")
    }
    assert values["AUROC, known: all, as observed"] == {
        "kind": "estimate_ci", "estimate": 0.71, "lower": 0.68, "upper": 0.74, "level": 95,
        "unit": "probability",
    }  # fmt: skip
    assert values["ethnicity, few | others (n 37)"]["value"] == "insufficient"
    assert values["Measured coverage of the interval, overall"]["value"] == 0.94
    assert "@misc{toy-1," in at("Bibliography")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("<ModelName>Toy of a model (toy)</ModelName>", ""),
        lambda text: re.sub(r"(<FundingSource>).*?(</FundingSource>)", r"\1 \2", text),
        lambda text: text.replace("Warnings>", "Warning>"),
        lambda text: text.replace("v0.2/schema.xsd", "v0.1/schema.xsd"),
    ],
)
def test_the_schema_refuses_a_damaged_card(tmp_path: Path, damage) -> None:
    text = made(dossier.lay_out(tmp_path))["toy/chai.xml"]
    assert damage(text) != text

    assert not schema().validate(etree.fromstring(damage(text).encode()))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.parent.name)
def test_shipped_chai_cards_are_valid(file: Path) -> None:
    schema().assertValid(etree.parse(file))


@pytest.mark.skipif("CDSS_CHAI_SCHEMA" not in os.environ, reason="CHAI's own schema is not here")
@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.parent.name)
def test_shipped_chai_cards_are_valid_by_the_original_schema(file: Path) -> None:
    text = Path(os.environ["CDSS_CHAI_SCHEMA"]).read_text(encoding="utf-8")
    # It imports the schema of XML signatures over the network, for an element that is optional.
    offline = re.sub(r"<xs:import[^>]*>|<xs:element ref=\"ds:Signature\"[^>]*>", "", text)

    etree.XMLSchema(etree.fromstring(offline.encode())).assertValid(etree.parse(file))


def test_no_family_is_trained_against_imbalance() -> None:
    families = HERE.parent / "families"
    words = ("scale_pos_weight", "class_weight", "resample", "SMOTE")

    for file in families.glob("*.py"):
        assert not any(word in file.read_text(encoding="utf-8") for word in words), file.name
