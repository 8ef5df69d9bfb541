"""
The release gate: nothing is served that it has not let pass.

It asks a candidate's bundle, its evidence and a person; answers each question with pass, fail or
cannot tell; keeps all of it in MLflow; and only after a pass moves the alias ``champion`` and
writes the served bundle with its release record.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cdss.bundle import SHIPPED, load_bundle
from cdss.errors import BundleError
from training import checks, comparisons, inspection
from training.cards.material import JUDGED
from training.checks import CANNOT_TELL, FAIL, PASS, TOLERANCES, Check
from training.contenders import PUBLISHED
from training.data import ROOT
from training.definition import Definition, definitions
from training.history import history_of, release
from training.leakage import leakage
from training.package import CANDIDATES, code_version

RELEASED = ROOT / "build" / "released"
CARDS = ROOT / "model_cards"


@dataclass(frozen=True)
class SignOff:
    """Who answers for the release, and which checks that cannot tell are accepted."""

    name: str = ""
    role: str = ""
    statement: str = ""
    accepted: tuple[str, ...] = ()

    def check(self) -> Check:
        """Whether a person signed: name, role, and a statement that says something."""
        facts = TOLERANCES["sign_off"]
        given = {"name": self.name, "role": self.role, "statement": self.statement}
        wrong = [
            f"no {what}" if not text.strip() else f"the {what} {text!r} is a placeholder"
            for what, text in given.items()
            if text.strip().lower().strip("<>[]\"'") in {"", *facts["placeholders"]}
        ]
        if not wrong and len(self.statement.split()) < facts["statement_words"]:
            wrong.append(f"a statement has at least {facts['statement_words']} words")
        if wrong:
            return Check("sign_off", FAIL, f"nobody answers for it: {', '.join(wrong)}")
        return Check("sign_off", PASS, f'{self.name}, {self.role}: "{self.statement}"')


def gate(
    model: str,
    sign_off: SignOff,
    *,
    candidate: Path | None = None,
    evidence: Path | None = None,
    champions: Path | None = None,
    release_to: Path = RELEASED,
    cards: Path = CARDS,
    table: Path | None = None,
    definition: Definition | None = None,
) -> dict[str, Any]:
    """
    Judge a candidate, and release it if nothing speaks against it.

    Parameters
    ----------
    model : str
        Id of the model.
    sign_off : SignOff
        The person.
    candidate : path, optional
        The bundle; by default in ``build/candidates``.
    evidence : path, optional
        What `training.validate` wrote; by default ``<cards>/<id>/evidence.json``.
    champions : path, optional
        Folder of bundles with the last champion; by default `release_to` if it has one, else the
        library's.
    release_to : path, optional
        Folder of served bundles.
    cards : path, optional
        Folder of model cards.
    table : path, optional
        File of the development data; by default the data set's own.
    definition : Definition, optional
        By default the one of that id.

    Returns
    -------
    dict
        The record: ``verdict`` (pass, fail, or cannot tell: something that cannot be told was not
        accepted), ``checks``, who signed, the MLflow run; ``folder`` of the served bundle, None
        unless it passed.

    Raises
    ------
    LookupError
        If there is no such model, or an accepted check is none.
    FileNotFoundError
        If there is no candidate.
    """
    from training import releases

    folder = candidate or CANDIDATES / model
    if not (folder / "manifest.json").is_file():
        raise FileNotFoundError(f"no candidate of {model}: {folder.name} has no manifest")
    if definition is None and model not in definitions():
        raise LookupError(f"no model named {model}; there are: {', '.join(definitions())}")
    definition = definition or definitions()[model]
    file = evidence or cards / model / "evidence.json"
    raw = file.read_bytes() if file.is_file() else b"{}"
    found: Mapping[str, Any] = json.loads(raw)
    about = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    if champions is None:
        champions = release_to if (release_to / model / "manifest.json").is_file() else SHIPPED
    every = judge(folder, definition, found, champions, sign_off, cards, table)
    verdict = verdict_of(every, sign_off.accepted)
    with releases.gate(model, about["version"], digest) as run:
        record = {
            "model": model,
            "version": about["version"],
            "manifest_sha256": digest,
            "verdict": verdict,
            "checks": [
                c.as_dict() | ({"accepted": c.name in sign_off.accepted}
                               if c.verdict == CANNOT_TELL else {})
                for c in every
            ],
            "evidence_sha256": hashlib.sha256(raw).hexdigest(),
            "signed_by": {
                "name": sign_off.name, "role": sign_off.role, "statement": sign_off.statement,
            },
            "released_on": date.today().isoformat(),
            "code": code_version(),
            "mlflow_run_id": run,
            "history": history_of(release_to / model, champions / model),
        }  # fmt: skip
        releases.log_gate(record, found)
        served = None
        if verdict == PASS:
            served = release(folder, release_to / model, record)
            releases.promote(model, served, digest)
    if file.parent.is_dir():
        _keep_judgement(file.parent / JUDGED, record)
    return record | {"folder": served}


def _keep_judgement(file: Path, record: Mapping[str, Any]) -> None:
    """A model that does not pass keeps what the gate said beside its evidence, for its card."""
    file.unlink(missing_ok=True)
    if record["verdict"] != PASS:
        text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
        file.write_text(f"{text}\n", encoding="utf-8")


def judge(
    folder: Path,
    definition: Definition,
    evidence: Mapping[str, Any],
    champions: Path,
    sign_off: SignOff,
    cards: Path,
    table: Path | None = None,
) -> list[Check]:
    """
    Ask everything.

    Parameters
    ----------
    folder : path
        The candidate's bundle.
    definition : Definition
        Whom and what it is about.
    evidence : mapping
        What its validation found.
    champions, cards : path
        Folders of bundles and cards.
    sign_off : SignOff
        The person.
    table : path, optional
        File of the development data.

    Returns
    -------
    list of Check
        In the order of the record. A bundle that does not load gets one answer only.
    """
    try:
        model = load_bundle(folder)
    except BundleError as error:
        return [Check("known_answers", FAIL, str(error))]
    data, cohort = inspection.development(model, definition, table)
    previous = inspection.last_champion(model, champions)
    same = [" / ".join(ids) for ids in PUBLISHED.get(model.outcome, {}).get("same", ())]
    before = None if previous is None else previous.version
    parent = (model.facts.get("parent") or {}).get("digest")
    its_child = previous is not None and parent == previous.facts["digest"]
    return [
        checks.about_this_bundle(model, evidence),
        inspection.parity(model, folder, (champions, SHIPPED, CANDIDATES), cohort),
        Check("known_answers", PASS, "all of cases.csv replayed to 1e-6 when it was loaded"),
        inspection.calibration(model, definition, evidence, data),
        comparisons.discrimination(evidence, same, before, its_child=its_child),
        comparisons.net_benefit(evidence, same, before),
        comparisons.subgroups(evidence),
        leakage(model, definition, evidence, data, cohort),
        checks.sample_size(model, evidence),
        inspection.card(model, evidence, cards),
        sign_off.check(),
    ]


def verdict_of(every: Sequence[Check], accepted: Sequence[str]) -> str:
    """
    Sum up.

    Parameters
    ----------
    every : sequence of Check
        All answers.
    accepted : sequence of str
        Names of checks that may remain untold.

    Returns
    -------
    str
        "fail" if one fails, "cannot tell" if one cannot and was not accepted, else "pass".

    Raises
    ------
    LookupError
        If an accepted name is no check.
    """
    names = [c.name for c in every]
    if len(names) > 1 and (unknown := [name for name in accepted if name not in names]):
        raise LookupError(f"no check named {', '.join(unknown)}; there are: {', '.join(names)}")
    if any(c.verdict == FAIL for c in every):
        return FAIL
    open_ = [c for c in every if c.verdict == CANNOT_TELL and c.name not in accepted]
    return CANNOT_TELL if open_ else PASS
