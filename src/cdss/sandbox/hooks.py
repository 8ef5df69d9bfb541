"""CDS Hooks: discovery, cards, feedback, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cdss.sandbox.client import HOOKS, Answer, Client
from cdss.sandbox.emr import HOOK, Patient, hook, unusable
from cdss.sandbox.fhir import ROUNDED, no_outcome, percent_faults, probabilities
from cdss.sandbox.plain import CANARY, Probabilities, differing, repeated
from cdss.sandbox.report import Report, fix_for, unlike
from cdss.sandbox.rules import SERVICE, broken, card_faults

SERVICE_ID = "cdss-all"
PATH = f"{HOOKS}/{SERVICE_ID}"

CHECKS = (
    "hooks_discovery", "hooks_templates", "hooks_cards", "hooks_percent", "hooks_same",
    "hooks_malformed", "hooks_unknown_hook", "hooks_unknown_service", "hooks_no_context",
    "hooks_other_patient", "hooks_no_data", "hooks_failed_queries", "hooks_feedback",
    "hooks_bad_feedback",
)  # fmt: skip

Cards = list[dict[str, Any]]


def discover(client: Client, report: Report) -> dict[str, str] | None:
    """
    Ask which services there are.

    Parameters
    ----------
    client : Client
        Calls the server.
    report : Report
        Findings are added.

    Returns
    -------
    dict or None
        Prefetch templates of the service for all diseases; None if there is none.
    """
    answer = client.get(HOOKS)
    listed = answer.object().get("services")
    services = listed if isinstance(listed, list) else []
    wrong = unlike(answer, 200, "application/json")
    for at, service in enumerate(services):
        wrong += broken(service, SERVICE, f"services[{at}]")
    found = next((s for s in services if isinstance(s, dict) and s.get("id") == SERVICE_ID), None)
    if found is None or found.get("hook") != HOOK:
        wrong.append(f"no service {SERVICE_ID} of the hook {HOOK}")
    if not report.expect("hooks_discovery", wrong, fix_for(answer, HOOKS)) or found is None:
        return None
    queries: dict[str, str] = found.get("prefetch", {})
    report.expect(
        "hooks_templates", [f"{key}: {each}" for key in queries for each in unusable(queries[key])]
    )
    return queries


def check_cards(
    client: Client,
    report: Report,
    patients: tuple[Patient, ...],
    queries: Mapping[str, str],
    known: Mapping[str, Probabilities],
) -> dict[str, tuple[dict[str, Any], Cards]]:
    """
    Open each patient's chart.

    Parameters
    ----------
    client : Client
        Calls the server.
    report : Report
        Findings are added.
    patients : tuple of Patient
        Whose.
    queries : mapping of str to str
        Prefetch templates.
    known : mapping of str to Probabilities
        What JSON answered about those it answered about.

    Returns
    -------
    dict
        Patient → what was sent, and the cards.
    """
    wrong, percents, different, fix = [], [], [], "server"
    compared: list[str] = []
    shown: dict[str, tuple[dict[str, Any], Cards]] = {}
    for patient in patients:
        sent = hook(patient, queries)
        answer = client.post(PATH, sent)
        cards = answer.object().get("cards")
        faults = unlike(answer, 200, "application/json")
        if not faults and not (isinstance(cards, list) and cards):
            faults = ["no cards"]
        if faults or not isinstance(cards, list):
            wrong += [f"{patient.name}: {each}" for each in faults]
            fix = fix_for(answer, PATH)
            continue
        faults = [each for n, card in enumerate(cards) for each in card_faults(card, f"cards[{n}]")]
        wrong += [f"{patient.name}: {each}" for each in faults]
        shown[patient.name] = sent, cards
        offered = list(_offered(cards))
        percents += [f"{patient.name}: {each}" for r in offered for each in percent_faults(r)]
        if patient.name in known:  # cards offer to keep what answers a question, JSON tells more
            found = probabilities(offered)
            asked = {model: p for model, p in known[patient.name].items() if model in found}
            different += [f"{patient.name}: {each}" for each in differing(asked, found, ROUNDED)]
            compared += found
    report.expect("hooks_cards", wrong, fix)
    report.expect_of(shown, "hooks_percent", percents)
    report.expect_of(compared, "hooks_same", different)
    return shown


def _offered(cards: Cards) -> Iterator[dict[str, Any]]:
    """Resources that suggestions would create."""
    for card in cards:
        for suggestion in card.get("suggestions", []):
            for action in suggestion.get("actions", []):
                yield action["resource"]


def check_refusals(
    client: Client, report: Report, patient: Patient, queries: Mapping[str, str]
) -> None:
    """
    Send what cannot be answered; no refusal may look like a card.

    Parameters
    ----------
    client : Client
        Calls the server.
    report : Report
        Findings are added.
    patient : Patient
        Whose chart is open.
    queries : mapping of str to str
        Prefetch templates.
    """
    failed = {"resourceType": "OperationOutcome",
              "issue": [{"severity": "error", "code": "exception"}]}  # fmt: skip
    other = hook(patient, queries)
    other["prefetch"]["patient"] = {"resourceType": "Patient", "id": CANARY}
    for check, status, path, body in (
        ("hooks_malformed", 400, PATH, b'{"hook": "patient-view", "context": {'),
        ("hooks_unknown_hook", range(400, 500), PATH, hook(patient, queries, hook="no-such-hook")),
        ("hooks_unknown_service", 404, f"{HOOKS}/no-such-service", hook(patient, queries)),
        ("hooks_no_context", 400, PATH, hook(patient, queries, context=None)),
        ("hooks_other_patient", range(400, 500), PATH, other),
        ("hooks_no_data", 412, PATH, hook(patient, queries, prefetch=None)),
        ("hooks_failed_queries", 412, PATH,
         hook(patient, queries, prefetch=dict.fromkeys(queries, failed))),
    ):  # fmt: skip
        answer = client.post(path, body)
        wrong = unlike(answer, status, "application/json", "application/fhir+json")
        report.expect(check, wrong or _refused(answer), fix_for(answer, path))


def _refused(answer: Answer) -> list[str]:
    """Whether a refusal says why, and shows neither cards nor values."""
    wrong = no_outcome(answer.json()) + repeated(answer.body)
    return wrong + (["has cards"] if "cards" in answer.object() else [])


def check_feedback(client: Client, report: Report, cards: Cards) -> dict[str, Any]:
    """
    Tell what users did with cards, twice, as an EMR does that is not sure it arrived.

    Parameters
    ----------
    client : Client
        Calls the server.
    report : Report
        Findings are added.
    cards : list of dict
        Cards that were shown, with a suggestion in one of them at least.

    Returns
    -------
    dict
        What was told.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    told = [_overridden(cards[0])]
    if accepted := next((card for card in cards[1:] if card.get("suggestions")), None):
        first = {"id": accepted["suggestions"][0]["uuid"]}
        told.append(
            {"card": accepted["uuid"], "outcome": "accepted", "acceptedSuggestions": [first]}
        )
    body = {"feedback": [each | {"outcomeTimestamp": now} for each in told]}
    path = f"{PATH}/feedback"
    wrong = []
    for time in ("first", "second"):
        answer = client.post(path, body)
        wrong += [f"{time} time: {each}" for each in unlike(answer, range(200, 300))]
    report.expect("hooks_feedback", wrong, fix_for(answer, path))
    bad = client.post(path, {"feedback": [{"card": "1", "outcome": CANARY}]})
    report.expect("hooks_bad_feedback", unlike(bad, 400) or _refused(bad), fix_for(bad, path))
    return body


def _overridden(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card that was dismissed, with its own first reason."""
    reasons = card.get("overrideReasons") or []
    why = {"overrideReason": {"reason": reasons[0]}} if reasons else {}
    return {"card": card["uuid"], "outcome": "overridden", **why}
