"""The whole play: every format, one after the other."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from cdss.sandbox import access, fhir, hooks, plain
from cdss.sandbox.client import Client, Unreachable
from cdss.sandbox.emr import Patient, patients
from cdss.sandbox.hooks import Cards
from cdss.sandbox.report import Finding, Report


class Played(NamedTuple):
    """
    What came of it.

    Attributes
    ----------
    report : Report
        What was checked.
    cards : dict
        Patient → cards.
    files : dict
        Name of a file → what was sent or answered, so that it can be looked at.
    """

    report: Report
    cards: dict[str, Cards]
    files: dict[str, Any]


def play(client: Client, today: date, origin: str | None = None) -> Played:
    """
    Try a server.

    Parameters
    ----------
    client : Client
        Calls it.
    today : datetime.date
        Day of the check-ups.
    origin : str, optional
        Origin of pages that are to call it from a browser.

    Returns
    -------
    Played
        Whatever the server does: one that is away or breaks off is a finding.
    """
    played = Played(Report(), {}, {})
    try:
        _play(client, patients(today), origin, played)
    except Unreachable as error:
        played.report.findings.append(Finding("reachable", "failed", str(error), "unreachable"))
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:  # members that are not there
        seen = f"{type(error).__name__} on reading an answer"
        played.report.findings.append(Finding("readable", "failed", seen, "server"))
    return played


def _play(
    client: Client, everybody: tuple[Patient, ...], origin: str | None, played: Played
) -> None:
    report = played.report
    if not access.is_ready(client, report):
        return
    protected = access.asks_who(client, report)
    if protected:
        access.check_refusals(client, report)
        shows = client.can_use(plain.PATH) or client.can_use(hooks.PATH)
        report.expect("tried", [] if shows else ["neither --key nor --jwk"], "credentials")
    if origin is None:
        report.skip(("origin", "other_origin"), "no_origin")
    else:
        access.check_origin(client, report, origin)
    known: dict[str, plain.Probabilities] = {}
    if protected and not client.can_use(plain.PATH):
        report.skip((*plain.CHECKS, *fhir.CHECKS), "credentials")
    else:
        known = _play_json(client, everybody, played)
        fhir.check_answers(client, report, everybody, known)
        fhir.check_refusals(client, report)
    if protected and not client.can_use(hooks.PATH):
        report.skip(hooks.CHECKS, "signing")
    else:
        _play_hooks(client, everybody, known, played)


def _play_json(
    client: Client, everybody: tuple[Patient, ...], played: Played
) -> dict[str, plain.Probabilities]:
    report, found = played.report, plain.check_answers(client, played.report, everybody)
    known = {name: probabilities for name, (_, probabilities) in found.items()}
    plain.check_refusals(client, report, everybody[0])
    for patient in everybody:
        played.files[f"{patient.name}.json"] = patient.record
        played.files[f"{patient.name}.fhir.json"] = patient.bundle
        if patient.name in found:
            played.files[f"{patient.name}.answer.json"] = found[patient.name][0]
        if patient.envelope and patient.name in known:
            played.files[f"{patient.name}.xml"] = patient.envelope
            plain.check_checkup(client, report, patient, known[patient.name])
    return known


def _play_hooks(
    client: Client,
    everybody: tuple[Patient, ...],
    known: dict[str, plain.Probabilities],
    played: Played,
) -> None:
    report = played.report
    queries = hooks.discover(client, report)
    if queries is None:
        report.skip(hooks.CHECKS[1:], "above")
        return
    shown = hooks.check_cards(client, report, everybody, queries, known)
    for name, (sent, cards) in shown.items():
        played.cards[name] = cards
        played.files[f"{name}.hook.json"] = sent
        played.files[f"{name}.cards.json"] = {"cards": cards}
    hooks.check_refusals(client, report, everybody[0], queries)
    offered = next((cards for _, cards in shown.values() if len(cards) > 1), None)
    if offered is None:
        report.skip(("hooks_feedback", "hooks_bad_feedback"), "above")
    else:
        played.files["feedback.json"] = hooks.check_feedback(client, report, offered)
