"""Who the people of a validation are: table 1, and their flow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cdss.variables import VARIABLES
from training.definition import Cohort, Definition


def characteristics(definition: Definition, cohort: Cohort) -> list[dict[str, Any]]:
    """
    Describe the predictors of everybody, of those with the outcome and of those without.

    Parameters
    ----------
    definition : Definition
        Whose predictors.
    cohort : Cohort
        The people; those whose status is unknown at the horizon are among "overall" only.

    Returns
    -------
    list of dict
        For each predictor ``variable``, ``unit``, ``missing`` (share) and, for ``overall``,
        ``with_outcome`` and ``without_outcome``: ``n`` known, and ``mean``, ``sd``, ``median``,
        ``q1``, ``q3`` of a quantity, or ``share`` of each value.
    """
    with_outcome = (cohort.y == 1) & (cohort.weight > 0)
    without = (cohort.y == 0) & (cohort.weight > 0)
    rows = []
    for name in definition.predictors:
        variable, values = VARIABLES[name], cohort.x[name].astype(float)
        options = {"yes_no": ("no", "yes"), "quantity": ()}.get(variable.kind, variable.choices)
        rows.append(
            {
                "variable": name,
                "unit": variable.unit,
                "missing": float(values.isna().mean()),
                "overall": _summary(values, options),
                "with_outcome": _summary(values[with_outcome], options),
                "without_outcome": _summary(values[without], options),
            }
        )
    return rows


def _summary(values: pd.Series, options: tuple[str, ...]) -> dict[str, Any]:
    known = values.dropna().to_numpy()
    if not len(known):
        return {"n": 0}
    if options:
        counts = np.bincount(known.astype(int), minlength=len(options))
        shares = {option: float(c / len(known)) for option, c in zip(options, counts, strict=True)}
        return {"n": len(known), "share": shares}
    q1, median, q3 = np.quantile(known, [0.25, 0.5, 0.75])
    sd = float(known.std(ddof=1)) if len(known) > 1 else None
    return {
        "n": len(known), "mean": float(known.mean()), "sd": sd, "median": float(median),
        "q1": float(q1), "q3": float(q3),
    }  # fmt: skip
