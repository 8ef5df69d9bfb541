"""
Published equations as risk models.

An equation is a folder: functions and nothing else in ``__init__.py``, what was printed in
``coefficients.csv``, facts in ``equation.toml``, results of other people's programs in
``cases.csv``. A function's keyword arguments are the names of variables: they are the inputs.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np

from cdss.datafile import only, read_csv, read_toml, source
from cdss.errors import DefinitionError, Problem
from cdss.limits import Limit
from cdss.risk import Array, RiskModel
from cdss.shapley import baseline, explain
from cdss.units import convert
from cdss.variables import VARIABLES

Coefficients = Mapping[str, float]
"""Term → value as printed, of one sex and one set of coefficients."""

Equation = Callable[..., Any]
"""``(coefficients, sex, *, variable, ...) → absolute risk 0-1``, on numbers or arrays."""

_CERTAIN = 1e-15  # a probability nearer to 0 or 1 has no finite log-odds in double precision
_MODEL = "function outcome coefficients"
_COMMON = "version source"
_OPTIONAL = "sources excluded only_with cautions off limits compared"


def load_equations(package: str, **functions: Equation) -> tuple[RiskModel, ...]:
    """
    Make the risk models of an equation's folder.

    Parameters
    ----------
    package : str
        The folder's package, ``__name__`` of its ``__init__.py``.
    **functions : callable
        By the name under which ``equation.toml`` knows them.

    Returns
    -------
    tuple of RiskModel
        In the order of ``equation.toml``.

    Raises
    ------
    DefinitionError
        If a file has an unknown key, a number without locator, an unknown variable or unit, a
        coefficient twice, or lacks something.
    """
    folder = resources.files(package)
    name = package.rpartition(".")[2]
    facts = read_toml(folder / "equation.toml")
    only(facts, name, f"{_COMMON} models reference", _OPTIONAL)
    table = _table(read_csv(folder / "coefficients.csv", ("set", "sex", "term", "value")), name)
    return tuple(
        _model(model_id, _merged(facts, model), functions, table, name)
        for model_id, model in facts["models"].items()
    )


def linear(coefficients: Coefficients, **terms: Any) -> Any:
    """
    Linear predictor: each term's coefficient times its value, by name.

    Parameters
    ----------
    coefficients : mapping of str to float
        By term.
    **terms : float or ndarray
        Values by term; every one must have a coefficient.

    Returns
    -------
    float or ndarray
        The sum.

    Examples
    --------
    >>> linear({"age": 0.5, "smoker": 2.0}, age=4.0, smoker=1.0)
    4.0
    """
    total: Any = 0.0
    for term, value in terms.items():
        if coefficient := coefficients[term]:
            total = total + coefficient * value
    return total


def log_odds(probability: Any) -> Any:
    """
    Log-odds of a probability.

    Parameters
    ----------
    probability : float or ndarray
        0-1; the ends are taken as 1e-15 from them, so that the answer is finite.

    Returns
    -------
    float or ndarray
        Natural logarithm of p / (1 - p).
    """
    p = np.minimum(np.maximum(probability, _CERTAIN), 1 - _CERTAIN)
    return np.log(p / (1 - p))


def _table(rows: list[dict[str, str]], name: str) -> dict[tuple[str, str, str], float]:
    table: dict[tuple[str, str, str], float] = {}
    for row in rows:
        key = (row["set"], row["sex"], row["term"])
        if key in table or row["sex"] not in ("male", "female", "both"):
            raise DefinitionError(f"{name}: coefficient {' '.join(key)} is double or of no sex")
        table[key] = float(row["value"])
    return table


def _merged(facts: Mapping[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
    """What a model says of itself goes before what is said of all; limits go one by one."""
    limits = {**facts.get("limits", {}), **model.get("limits", {})}
    return {**facts, **model, "limits": limits}


def _model(
    model_id: str,
    facts: Mapping[str, Any],
    functions: Mapping[str, Equation],
    table: Mapping[tuple[str, str, str], float],
    name: str,
) -> RiskModel:
    where = f"{name}: {model_id}"
    only(facts, where, f"{_COMMON} {_MODEL} reference horizon_years", f"{_OPTIONAL} models")
    function = functions[facts["function"]]
    inputs = ("sex", *_arguments(function))
    sets = tuple(facts["coefficients"])
    chosen = {sex: _coefficients(table, sets, sex, where) for sex in ("male", "female")}
    limits = {k: _limit(k, v, facts["source"], where) for k, v in facts.get("limits", {}).items()}
    compared = {
        k: _limit(k, {**v, "locator": "compared"}, facts["source"], where)
        for k, v in facts.get("compared", {}).items()
        if k in inputs
    }
    excluded = tuple(facts.get("excluded", ()))
    if unknown := {*inputs, *limits, *excluded, *facts["reference"]} - {*VARIABLES, "locator"}:
        raise DefinitionError(f"{where}: unknown variables: {', '.join(sorted(unknown))}")
    if not facts["reference"].get("locator"):
        raise DefinitionError(f"{where}: the reference patient needs a locator")
    try:
        reference = [VARIABLES[i].encode(facts["reference"][i]) for i in inputs[1:]]
    except KeyError as error:
        raise DefinitionError(f"{where}: the reference patient has no {error}") from None

    def evaluate(sex: str, values: Mapping[str, Any]) -> Any:
        return log_odds(function(chosen[sex], sex, **values))

    def answer(x: Array) -> tuple[Array, Array]:
        total, contributions = explain(evaluate, inputs, x, reference)
        return 1 / (1 + np.exp(-total)), contributions

    def alone(x: Array) -> Array:
        values = dict(zip(inputs[1:], x[:, 1:].T, strict=True))
        male, female = (evaluate(sex, values) for sex in ("male", "female"))
        total: Array = np.where(x[:, 0] == 0, male, female)
        return 1 / (1 + np.exp(-total))

    first = source(facts["source"], where)
    return RiskModel(
        id=model_id,
        version=facts["version"],
        outcome=facts["outcome"],
        horizon_years=facts["horizon_years"],
        inputs=inputs,
        optional=(),
        function=answer,
        alone=alone,
        baseline=baseline(evaluate, inputs, reference),
        limits=MappingProxyType(limits),
        excluded=excluded,
        compared=MappingProxyType(compared),
        only_with=tuple(facts.get("only_with", ())),
        population="",
        sources=(first, *(source(s, where) for s in facts.get("sources", ()))),
        spanned=tuple(i for i in inputs[1:] if VARIABLES[i].kind != "quantity"),
        cautions=tuple(Problem(code, "model", _words(code)) for code in facts.get("cautions", ())),
        off=facts.get("off", False),
        reference=MappingProxyType({i: facts["reference"][i] for i in inputs[1:]}),
        facts=MappingProxyType(
            {
                "equation": name,
                "function": function,
                "coefficients": chosen,
                "sets": sets,
                "reference": dict(zip(inputs[1:], reference, strict=True)),
            }
        ),
    )


def _arguments(function: Equation) -> tuple[str, ...]:
    parameters = inspect.signature(function).parameters.values()
    return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty)


def _coefficients(
    table: Mapping[tuple[str, str, str], float], sets: tuple[str, ...], sex: str, where: str
) -> Coefficients:
    """Coefficients of one sex from some sets, none of which may say a term twice."""
    found: dict[str, float] = {}
    for (which, whose, term), value in table.items():
        if which in sets and whose in (sex, "both"):
            if term in found:
                raise DefinitionError(f"{where}: coefficient {term} is in two sets")
            found[term] = value
    if not found:
        raise DefinitionError(f"{where}: no coefficients for {sex}")
    return MappingProxyType(found)


def _limit(variable: str, limit: Mapping[str, Any], cited: Mapping[str, Any], where: str) -> Limit:
    where = f"{where}: limit of {variable}"
    only(limit, where, "locator", "low high below unit")
    if variable not in VARIABLES:
        raise DefinitionError(f"{where}: unknown variable")
    ends = {}
    for end, value in limit.items():
        if end in ("low", "high", "below"):
            unit = limit.get("unit", VARIABLES[variable].unit)
            converted = convert(variable, value, unit)
            if converted is None:
                raise DefinitionError(f"{where}: unknown unit")
            ends[end] = converted
    if not ends or not limit["locator"]:
        raise DefinitionError(f"{where}: needs an end and a locator")
    return Limit(
        ends.get("low", -math.inf),
        ends.get("below", ends.get("high", math.inf)),
        f"{cited['citation'].partition(',')[0]}, {limit['locator']}",
        "below" in ends,
    )


def _words(code: str) -> str:
    return code.replace("_", " ")
