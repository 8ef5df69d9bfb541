"""Whether a value can be one: type, unit, plausible range, age, and its fit to the others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from cdss.derived import DERIVED
from cdss.errors import Problem
from cdss.units import UNITS, convert
from cdss.variables import VARIABLES, Value, Variable

_IMPLIED = (
    ("prior_cvd", "prior_mi"),
    ("prior_cvd", "prior_stroke"),
    ("diabetes", "diabetes_type"),
)  # a "no" to the first contradicts a "yes" to the second


def checked(variable: Variable, value: Any, unit: Any) -> tuple[Value | None, Problem | None]:
    """
    Bring one value to its canonical form, or say what is wrong with it.

    Parameters
    ----------
    variable : Variable
        What it is a value of.
    value : object
        As sent.
    unit : object
        Of a quantity, UCUM or a common spelling; of others it is not looked at.

    Returns
    -------
    tuple of (value or None, Problem or None)
        Exactly one of them is None.
    """
    if variable.kind == "quantity":
        return _quantity(variable, value, unit)
    if variable.kind == "yes_no" and not isinstance(value, bool):
        detail = "must be true or false; leave out if unknown"
        return None, Problem("not_yes_no", variable.name, detail)
    if variable.kind == "choice" and value not in variable.choices:
        detail = f"must be one of {', '.join(variable.choices)}; leave out if unknown"
        params = {"choices": variable.choices}
        return None, Problem("not_a_choice", variable.name, detail, params)
    return value, None


def _quantity(variable: Variable, value: Any, unit: Any) -> tuple[Value | None, Problem | None]:
    name = variable.name
    if isinstance(value, bool) or not isinstance(value, int | float):
        detail = f"must be a number, in {variable.unit}"
        return None, Problem("not_a_number", name, detail, {"unit": variable.unit})
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        return None, Problem("not_finite", name, "must be a finite number")
    converted: float | None = number
    if unit != variable.unit:
        converted = convert(name, number, unit) if isinstance(unit, str) else None
    if converted is None:
        accepted = tuple(UNITS[name])
        detail = f"unit must be one of {', '.join(accepted)}"
        return None, Problem("unknown_unit", name, detail, {"units": accepted})
    if not variable.low <= converted <= variable.high:
        text, limits = _range(variable)
        return None, Problem("implausible", name, f"must be within {text}", limits)
    return converted, None


def _range(variable: Variable) -> tuple[str, dict[str, Any]]:
    """Plausible range, in English and as parameters of a translation."""
    low, high, unit = variable.low, variable.high, variable.unit
    return f"{low:g} to {high:g} {unit}", {"low": low, "high": high, "unit": unit}


def stale(variable: Variable, measured: date, index_date: date) -> bool:
    """
    Say whether a measurement is too old to describe the patient.

    Parameters
    ----------
    variable : Variable
        What was measured.
    measured, index_date : datetime.date
        When, and for when.

    Returns
    -------
    bool
        False for what does not age.
    """
    age = (index_date - measured).days
    return variable.fresh_for is not None and age > variable.fresh_for


def contradictions(values: Mapping[str, Value]) -> list[Problem]:
    """
    Find pairs of values that cannot both be right.

    Parameters
    ----------
    values : mapping of str to value
        Canonical.

    Returns
    -------
    list of Problem
        Of code ``contradictory``; ``params["others"]`` names the other variable.
    """
    found = []
    quantities = cast(Mapping[str, float], values)
    systolic, diastolic = quantities.get("systolic_bp"), quantities.get("diastolic_bp")
    if systolic is not None and diastolic is not None and diastolic >= systolic:
        found.append(("diastolic_bp", "systolic_bp", "must be below systolic_bp"))
    if values.get("sex") == "male" and values.get("pregnant") is True:
        found.append(("pregnant", "sex", "cannot be true of a male patient"))
    smoking, current = values.get("smoking"), values.get("current_smoker")
    if smoking is not None and current is not None and (smoking == "current") != current:
        found.append(("current_smoker", "smoking", "says something else than smoking"))
    diagnosed = quantities.get("age_at_diabetes_diagnosis")
    if diagnosed is not None and diagnosed > quantities.get("age", math.inf):
        found.append(("age_at_diabetes_diagnosis", "age", "cannot be above age"))
    for general, special in _IMPLIED:
        if values.get(general) is False and values.get(special) in (
            True,
            "type_1",
            "type_2",
            "other",
        ):
            found.append((special, general, f"contradicts {general}"))
    return [
        Problem("contradictory", name, detail, {"others": (other,)})
        for name, other, detail in found
    ]


def implausible_derived(computed: Mapping[str, Value]) -> list[Problem]:
    """
    Find values that are plausible one by one, but not together.

    Parameters
    ----------
    computed : mapping of str to value
        What `cdss.derived.derive` made of a record.

    Returns
    -------
    list of Problem
        Of code ``implausible_together``, about the first of the values; ``params["others"]`` names
        the rest.
    """
    found = []
    for name, needs, _, _ in DERIVED:
        variable = VARIABLES[name]
        if variable.kind != "quantity" or name not in computed:
            continue
        if not variable.low <= cast(float, computed[name]) <= variable.high:
            text, limits = _range(variable)
            first, *others = needs
            found.append(
                Problem(
                    "implausible_together", first,
                    f"and {' and '.join(others)} give {name} outside {text}",
                    {"others": tuple(others), "derived": name, **limits},
                )
            )  # fmt: skip
    return found
