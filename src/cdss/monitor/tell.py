"""A judged month as plain JSON: everything that may be said of it, without words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cdss.drift import Shift
from cdss.monitor.judge import BEFORE, ClientMonth, Distribution, Finding
from cdss.monitor.share import FEWEST, Share, shown

FORMAT = 1


def month_to_dict(
    month: str, compared: Sequence[str], clients: Sequence[ClientMonth]
) -> dict[str, Any]:
    """
    Say a month in JSON.

    Parameters
    ----------
    month : str
        Which month.
    compared : sequence of str
        Months with which it was compared.
    clients : sequence of ClientMonth
        What was judged.

    Returns
    -------
    dict
        Counts of fewer than ten people are null; of a client with fewer there is nothing more.
    """
    return {
        "format": FORMAT,
        "month": month,
        "compared_with": list(compared),
        "months_compared_at_most": BEFORE,
        "fewest_people": FEWEST,
        "clients": [_client(each) for each in clients],
    }


def _client(each: ClientMonth) -> dict[str, Any]:
    said: dict[str, Any] = {
        "client": each.client,
        "assessed": told(each.assessed),
        "rejected": told(each.rejected),
        "assessed_by_month": {month: told(n) for month, n in each.people.items()},
        "findings": [_finding(finding) for finding in each.findings],
    }
    if each.assessed < FEWEST:
        return said
    return said | {
        "inputs": [_distribution(d) for d in each.inputs],
        "probabilities": [_distribution(d) for d in each.probabilities if sum(d.now) >= FEWEST],
        "results": _rows(each.results, "model", "result"),
        "refusals": _rows(each.refusals, "model", "reason"),
        "problems": _rows(each.problems, "variable", "problem"),
    }


def told(n: int) -> int | None:
    """
    Leave a count out if it is of few people.

    Parameters
    ----------
    n : int
        People.

    Returns
    -------
    int or None
        None from 1 to 9.
    """
    return None if 0 < n < FEWEST else n


def parts(each: Distribution) -> tuple[tuple[int | None, ...], int | None]:
    """
    Counts of bins that may be shown.

    Parameters
    ----------
    each : Distribution
        What was counted.

    Returns
    -------
    tuple of (tuple, int or None)
        Of each bin, and of the unknown; None for what may not be shown.
    """
    *bins, missing = shown([*each.now, each.missing.n if each.missing else 0])
    return tuple(bins), missing


def _distribution(each: Distribution) -> dict[str, Any]:
    bins, missing = parts(each)
    said: dict[str, Any] = {"about": each.about, "bins": dict(zip(each.bins, bins, strict=True))}
    if each.missing:
        said |= {"missing": missing, "of": each.missing.of}
    said["change"] = shift_to_dict(each.shift)
    if each.unlike:
        said["from_the_people_of"] = {m: shift_to_dict(s) for m, s in each.unlike.items()}
    if each.guess:
        said["looks_like"] = each.guess._asdict()
    return said


def shift_to_dict(shift: Shift | None) -> dict[str, Any] | None:
    """
    Say a shift in JSON.

    Parameters
    ----------
    shift : Shift or None
        None if there was nothing to compare with.

    Returns
    -------
    dict or None
        Figures to four decimals.
    """
    if shift is None:
        return None
    return {name: round(n, 4) for name, n in shift._asdict().items()} | {"size": shift.size}


def _finding(finding: Finding) -> dict[str, Any]:
    said = {"kind": finding.kind, "about": finding.about, "attention": finding.attention}
    if finding.code:
        said["code"] = finding.code
    if finding.now:
        said |= {"now": _share(finding.now), "before": _share(finding.before)}
    if finding.shift:
        said["change"] = shift_to_dict(finding.shift)
    if finding.guess:
        said["looks_like"] = finding.guess._asdict()
    return said


def _share(share: Share | None) -> dict[str, Any] | None:
    if share is None or told(share.n) is None:
        return None
    return {
        "share": round(share.share, 3),
        "low": round(share.low, 3),
        "high": round(share.high, 3),
    }


def _rows(counts: Mapping[tuple[str, str], int], *names: str) -> list[dict[str, Any]]:
    return [dict(zip(names, key, strict=True)) | {"n": told(n)} for key, n in counts.items()]
