"""Pictures of a validation and of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from training.calibration import flexible_curve
from training.definition import Cohort
from training.metrics import auroc

mpl.use("Agg")
INK, BAND, ACCENT = "#1f2933", "#cbd2d9", "#0b6e99"
COLOURS = ("#0b6e99", "#c2571a", "#4b7f52", "#7a4e8a")


def calibration(cohort: Cohort, log_odds: Mapping[str, np.ndarray], title: str) -> Figure:
    """
    Observed against predicted risk in tenths of predicted risk, one line a tier.

    Parameters
    ----------
    cohort : Cohort
        Outcomes and weights.
    log_odds : mapping of str to ndarray, shape (n,)
        Out-of-fold predictions by tier.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The picture; below it the distribution of the predicted risk.
    """
    figure = Figure(figsize=(7, 7.5), layout="constrained")
    top, bottom = figure.subplots(2, 1, height_ratios=[4, 1], sharex=True)
    end = 0.0
    for (tier, values), colour in zip(log_odds.items(), COLOURS, strict=False):
        p = 1 / (1 + np.exp(-values))
        tenth = np.minimum((pd.Series(p).rank(pct=True).to_numpy() * 10).astype(int), 9)
        expected = np.array([p[tenth == t].mean() for t in range(10)])
        observed = np.array(
            [(cohort.weight * cohort.y)[tenth == t].sum() / (tenth == t).sum() for t in range(10)]
        )
        n = np.bincount(tenth, minlength=10)
        error = 1.96 * np.sqrt(observed * (1 - observed) / n)
        label = f"{tier.replace('_', ' ')}, AUROC {auroc(cohort.y, values, cohort.weight):.3f}"
        top.errorbar(expected, observed, error, color=colour, marker="o", ms=4, lw=1, label=label)
        bottom.hist(p, bins=60, histtype="step", color=colour)
        end = max(end, expected.max(), (observed + error).max())
    top.plot([0, end], [0, end], color=INK, lw=0.8, ls="--", label="perfect")
    top.set(ylabel="observed risk (95 % CI)", title=title, xlim=(0, end), ylim=(0, end))
    top.legend(frameon=False)
    bottom.set(xlabel="predicted risk, out of fold", ylabel="people", yscale="log")
    return figure


def curves(y: np.ndarray, log_odds: Mapping[str, np.ndarray], weight: np.ndarray) -> Figure:
    """
    Observed against predicted risk as a smooth curve, one line a model.

    Parameters
    ----------
    y, weight : ndarray, shape (n,)
        Outcome and weights.
    log_odds : mapping of str to ndarray, shape (n,)
        Predictions of models of this outcome.

    Returns
    -------
    matplotlib.figure.Figure
        Up to the 99th percentile of the predicted risk; below, how the last model's risks are
        spread among people with the outcome and without.
    """
    figure = Figure(figsize=(6.5, 7.5), layout="constrained")
    axis, below = figure.subplots(2, 1, height_ratios=[4, 1])
    end = 0.0
    for (name, values), colour in zip(log_odds.items(), COLOURS, strict=False):
        p, curve = 1 / (1 + np.exp(-values)), flexible_curve(y, values, weight)
        order = np.argsort(p)
        shown = order[p[order] <= np.quantile(p, 0.99)]
        axis.plot(p[shown], curve[shown], color=colour, label=name.replace("_", " "))
        end = max(end, p[shown].max(), curve[shown].max())
    axis.plot([0, end], [0, end], color=INK, lw=0.8, ls="--", label="perfect")
    axis.set(ylabel="observed risk, smoothed", xlim=(0, end), ylim=(0, end))
    axis.legend(frameon=False)
    last = 1 / (1 + np.exp(-[*log_odds.values()][-1]))
    edges = np.linspace(0, end, 60)
    for case, label, colour in ((0, "without the outcome", ACCENT), (1, "with it", COLOURS[1])):
        rows = (y == case) & (weight > 0)
        below.hist(last[rows], edges, density=True, histtype="step", color=colour, label=label)
    below.set(xlabel="predicted risk", ylabel="density", xlim=(0, end), yticks=[])
    below.legend(frameon=False, fontsize=8)
    return figure


def decision(contenders: Mapping[str, Mapping[str, Any]]) -> Figure:
    """
    Net benefit against the threshold, one line a model, with acting on everybody and on nobody.

    Parameters
    ----------
    contenders : mapping of str to mapping
        Each with its ``decision_curve``.

    Returns
    -------
    matplotlib.figure.Figure
        Over the range stated beforehand.
    """
    figure = Figure(figsize=(7.5, 5), layout="constrained")
    axis = figure.subplots()
    lines = mpl.colormaps["tab10"].colors  # type: ignore[attr-defined]
    for at, (name, figures) in enumerate(contenders.items()):
        points = figures["decision_curve"]
        x = [100 * point["threshold"] for point in points]
        width, style = (2.2, "-") if at == 0 else (1.1, "--" if at > 9 else "-")
        y = [point["net_benefit"] for point in points]
        axis.plot(x, y, lw=width, ls=style, color=lines[at % 10], label=name)
    axis.plot(x, [p["treat_all"] for p in points], color=INK, lw=1, ls=":", label="everybody")
    axis.axhline(0, color=INK, lw=0.8, label="nobody")
    top = max(p["net_benefit"] for f in contenders.values() for p in f["decision_curve"])
    axis.set(xlabel="threshold, % risk", ylabel="net benefit", ylim=(-0.3 * top, 1.1 * top))
    axis.legend(frameon=False, fontsize=8)
    return figure


def forest(
    rows: Sequence[Mapping[str, Any]], title: str, label: str, pooled: Mapping[str, Any] | None
) -> Figure:
    """
    A figure of many groups or sites, one below the other.

    Parameters
    ----------
    rows : sequence of mapping
        ``label``, ``estimate`` and ``95ci`` (None = too few people to say), ``note`` at the right.
    title, label : str
        Of the picture and of its axis.
    pooled : mapping or None
        ``estimate``, ``95ci`` and ``prediction_95`` of all together.

    Returns
    -------
    matplotlib.figure.Figure
        Log scale; groups of which nothing can be said stay, without a point.
    """
    figure = Figure(figsize=(8, 1.2 + 0.26 * (len(rows) + 2)), layout="constrained")
    axis = figure.subplots()
    for at, row in enumerate(rows):
        if row["estimate"] is None or row["95ci"] is None:
            axis.text(1, -at, "too few to say", ha="center", va="center", fontsize=7,
                      color=INK, backgroundcolor="white")  # fmt: skip
            continue
        low, high = row["95ci"]
        axis.plot([max(low, 0.05), high], [-at, -at], color=ACCENT, lw=1.2)
        axis.plot(row["estimate"], -at, "o", ms=4, color=ACCENT)
    names, places = [row["label"] for row in rows], [-at for at in range(len(rows))]
    if pooled:
        at = len(rows)
        low, high = pooled["prediction_95"]
        axis.plot([low, high], [-at, -at], color=BAND, lw=5, solid_capstyle="butt")
        axis.plot(pooled["95ci"], [-at, -at], color=COLOURS[1], lw=2)
        axis.plot(pooled["estimate"], -at, "D", ms=5, color=COLOURS[1])
        names, places = [*names, "pooled (grey: where a new one is expected)"], [*places, -at]
    axis.axvline(1, color=INK, lw=0.8, ls="--")
    axis.set_yticks(places, names, fontsize=8)
    axis.set(xscale="log", xlabel=label, title=title)
    ticks = [0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 4]
    low, high = axis.get_xlim()
    low, high = max(low, 0.24), min(high, 4.1)
    axis.set_xlim(low, high)
    shown = [tick for tick in ticks if low <= tick <= high]
    axis.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axis.minorticks_off()
    right = axis.twinx()
    right.set_ylim(axis.get_ylim())
    right.set_yticks(places[: len(rows)], [row["note"] for row in rows], fontsize=7)
    right.tick_params(length=0)
    return figure


def contributions(x: pd.DataFrame, values: np.ndarray, title: str) -> Figure:
    """
    How each input moves the log-odds, over real people.

    Parameters
    ----------
    x : pandas.DataFrame, shape (n, k)
        Inputs.
    values : ndarray, shape (n, k)
        Contributions, log-odds.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        One panel for each input, strongest first; people for whom it is unknown at the left edge.
    """
    strength = np.abs(values).mean(axis=0)
    order = np.argsort(-strength)
    columns = 4
    rows = -(-len(order) // columns)
    figure = Figure(figsize=(3 * columns, 2.4 * rows), layout="constrained")
    axes = np.atleast_2d(figure.subplots(rows, columns, sharey=True)).reshape(-1)
    for axis, at in zip(axes, order, strict=False):
        name = x.columns[at]
        inputs = x[name].to_numpy(dtype=float)
        known = np.isfinite(inputs)
        axis.axhline(0, color=BAND, lw=0.8)
        axis.scatter(inputs[known], values[known, at], s=3, color=ACCENT, alpha=0.25, lw=0)
        if (~known).any() and known.any():
            left = inputs[known].min() - 0.06 * (np.ptp(inputs[known]) + 1e-9)
            axis.scatter(np.full((~known).sum(), left), values[~known, at], s=6, color=COLOURS[1])
        axis.set_title(f"{name}  (mean |φ| {strength[at]:.2f})", fontsize=8)
        axis.tick_params(labelsize=7)
    for axis in axes[len(order) :]:
        axis.remove()
    figure.suptitle(f"{title}: contribution in log-odds (orange: unknown)", fontsize=10)
    return figure


def comparison(tiers: Mapping[str, Mapping[str, Mapping[str, float]]], title: str) -> Figure:
    """
    AUROC with 95 % CI of every family in every tier.

    Parameters
    ----------
    tiers : mapping family → tier → figures
        What cross-validation found.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        One row a tier, one colour a family.
    """
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axis = figure.subplots()
    names = list(next(iter(tiers.values())))
    for shift, (colour, (family, results)) in enumerate(zip(COLOURS, tiers.items(), strict=False)):
        y = np.arange(len(names)) + 0.2 * (shift - 1)
        middle = np.array([results[name]["auroc"] for name in names])
        interval = np.array([results[name]["auroc_95ci"] for name in names])
        error = np.abs(interval.T - middle)
        axis.errorbar(middle, y, xerr=error, fmt="o", ms=4, color=colour, label=family)
    axis.set_yticks(np.arange(len(names)), [name.replace("_", " ") for name in names])
    axis.set(xlabel="AUROC in cross-validation (95 % CI)", title=title)
    axis.legend(frameon=False)
    return figure
