from pathlib import Path

import pytest

from cdss.bundle import load_models
from training import card
from training.card import stale, write_cards

MODELS = load_models(demonstrations=True)


def test_shipped_cards_are_up_to_date() -> None:
    assert stale(MODELS) == []


def test_a_changed_card_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "CARDS", tmp_path)
    assert stale(MODELS) == [model.id for model in MODELS]

    write_cards(MODELS)
    assert stale(MODELS) == []
    file = tmp_path / "cvd-death.md"
    file.write_text(file.read_text().replace("0.", "0,", 1))
    assert stale(MODELS) == ["cvd-death"]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_the_first_lines_say_who_must_not_use_it(model) -> None:
    head = card.card(model).partition("##")[0]

    assert "Do not use it" in head
    assert "not validated in Viet Nam" in head
    assert ("never for patients" in head) == model.demonstration
    assert "pregnant" in head


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_predictor_tier_and_site_is_told(model) -> None:
    text = card.card(model)

    for name in model.predictors:
        assert f"| `{name}` |" in text
    for part in (model.facts["metrics"], model.facts["sites"] or {}):
        for figures in part.values():
            assert f"{figures['n']:,}" in text
