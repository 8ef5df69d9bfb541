"""The card's last sections: what was tried, the release, provenance, and what is still blank."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from training.cards.material import Material
from training.cards.statements import OF_A_DATASET, OF_A_MODEL
from training.cards.words import NOT_PROVIDED, bullets, number, table

NOT_RELEASED = "Not released: no gate record."


def tried(material: Material) -> Iterator[str]:
    """Families compared, and by which rule one was chosen."""
    facts = material.facts
    yield "## What was tried"
    yield str(facts.get("champion_rule") or NOT_PROVIDED)
    rows = [
        (
            name + " (ships)" * (name == facts.get("family")),
            number(f.get("auroc"), 3),
            number(f.get("mean_auroc"), 3),
            number(f.get("in_band")),
            number(f.get("keeps_directions")),
        )
        for name, f in (facts.get("families") or {}).items()
    ]
    if (untuned := facts.get("untuned_boosting_auroc")) is not None:
        rows.append(("untuned boosting", f"{untuned:.3f}", "", "", ""))
    header = ("family", "AUROC", "mean over tiers", "calibrated in every tier", "keeps directions")
    yield table(header, rows)


def release(material: Material) -> Iterator[str]:
    """Who let it out, on which checks, and what was champion before."""
    yield "## Release record"
    gate = material.gate
    if not gate:
        yield not_released(material)
        if material.judged:
            yield _checks(material.judged)
        return
    by = gate.get("signed_by") or {}
    yield table(
        ("", ""),
        [
            ("verdict", gate.get("verdict") or NOT_PROVIDED),
            ("released on", gate.get("released_on") or NOT_PROVIDED),
            ("signed by", f"{by.get('name', NOT_PROVIDED)}, {by.get('role', NOT_PROVIDED)}"),
            ("who states", by.get("statement") or NOT_PROVIDED),
            ("evidence, SHA-256", f"`{gate.get('evidence_sha256')}`"),
            ("code", f"`{gate.get('code')}`"),
            ("run", f"`{gate.get('mlflow_run_id')}`"),
        ],
    )
    yield _checks(gate)
    history: Iterable[Mapping[str, object]] = gate.get("history") or []
    if history:
        yield "Champions before it:"
        yield table(
            ("version", "released on", "signed by", "manifest, SHA-256"),
            [
                (h.get("version"), h.get("released_on"), h.get("signed_by"),
                 f"`{h.get('manifest_sha256')}`")
                for h in history
            ],
        )  # fmt: skip


def not_released(material: Material) -> str:
    """Say that nobody let it out, and what the gate found if it was asked."""
    judged = material.judged
    if not judged:
        return NOT_RELEASED
    stopped = [c for c in judged.get("checks") or [] if c.get("verdict") != "pass"]
    names = ", ".join(f"{c['name']} ({c['verdict']})" for c in stopped if not c.get("accepted"))
    return f"Not released: the gate judged it on {judged['released_on']}: {names}."


def _checks(judgement: Mapping[str, object]) -> str:
    checks: Iterable[Mapping[str, object]] = judgement.get("checks") or []
    header = ("check", "verdict", "why")
    return table(header, [(c.get("name"), c.get("verdict"), c.get("why")) for c in checks])


def provenance(material: Material) -> Iterator[str]:
    """Where every number comes from."""
    training = material.training
    yield "## Provenance"
    yield table(
        ("", ""),
        [
            *((source.citation, source.url or source.locator) for source in material.model.sources),
            ("data, SHA-256", f"`{training.get('data_sha256')}`"),
            ("code", f"`{training.get('code')}`"),
            ("trained on", training.get("trained_on") or NOT_PROVIDED),
            ("bundle", f"`{material.facts.get('digest')}`"),
            ("libraries", ", ".join(f"{k} {v}" for k, v in
                                    (training.get("libraries") or {}).items())),
        ],
    )  # fmt: skip


def blanks(material: Material) -> Iterator[str]:
    """What nobody has said yet: a blank is shown as one."""
    yield "## What nobody has said yet"
    said = [what for key, what in OF_A_MODEL.items() if key not in material.said]
    said += [
        f"{what} (of the data)"
        for key, what in OF_A_DATASET.items()
        if key not in material.said_of_data
    ]
    yield bullets(said or ["Nothing."])
    yield (
        f"More: [TRIPOD+AI checklist]({material.model.id}/tripod.md) · "
        f"[source attributes]({material.model.id}/source_attributes.md) · "
        f"[CHAI Applied Model Card]({material.model.id}/chai.xml)"
    )
