"""
Descriptions of data sets: where each variable comes from, in what unit, in which codes.

``datasets/<name>.toml`` describes the data sets cdss is made from; a site's own mapping file is the
same thing given by path. What is wrong with a description is said all at once, with what there is
instead.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cdss.units import UNITS, canonical_unit
from cdss.variables import VARIABLES, Variable

ROOT = Path(__file__).resolve().parent.parent
DATASETS = ROOT / "datasets"

TEXTS = ("name", "title", "file", "package", "origin", "url", "licence", "terms", "population",
         "person", "decimal", "separator", "encoding")  # fmt: skip
GROUPS = ("extra", "audit", "design")
TIMES = {"a": 1.0, "mo": 1 / 12, "d": 1 / 365.25}
"""Units of time that an extra column may be in; it is turned into years."""


class DescriptionError(ValueError):
    """
    A description, or a table that is read by it, cannot be used.

    Parameters
    ----------
    where : str
        Which description.
    problems : list of str
        Everything that is wrong.
    """

    def __init__(self, where: str, problems: list[str]) -> None:
        self.problems = tuple(problems)
        lines = "".join(f"\n- {problem}" for problem in problems)
        super().__init__(f"{where}: {lines[3:] if len(problems) == 1 else lines}")


def dataset_facts(name: str | os.PathLike[str]) -> dict[str, Any]:
    """
    Read the description of a data set.

    Parameters
    ----------
    name : str or path
        Name of a file in ``datasets/``, without ``.toml``; or the path of a description, which
        ends in ``.toml``.

    Returns
    -------
    dict
        Its content, with units as UCUM writes them, and ``name``, ``person`` and ``extra`` always.

    Raises
    ------
    LookupError
        If there is no such data set; lists those there are.
    FileNotFoundError
        If there is no such file.
    DescriptionError
        If it is not TOML, or has unknown keys, variables, units or values; lists all of them.
    """
    facts, problems = read_description(name)
    if problems:
        raise DescriptionError(description_path(name).name, problems)
    return facts


def description_path(name: str | os.PathLike[str]) -> Path:
    """
    Where a description is.

    Parameters
    ----------
    name : str or path
        As in `dataset_facts`.

    Returns
    -------
    Path
        The file; it may not exist.
    """
    path = Path(name)
    return path if path.suffix == ".toml" else DATASETS / f"{name}.toml"


def read_description(name: str | os.PathLike[str]) -> tuple[dict[str, Any], list[str]]:
    """
    Read a description as far as it can be understood.

    Parameters
    ----------
    name : str or path
        As in `dataset_facts`.

    Returns
    -------
    facts : dict
        As `dataset_facts` gives it, without the columns that are described wrongly.
    problems : list of str
        Everything that is wrong.

    Raises
    ------
    LookupError, FileNotFoundError, DescriptionError
        If it is not there, or is not TOML.
    """
    path = description_path(name)
    if not path.is_file() and path.parent == DATASETS:
        known = ", ".join(sorted(p.stem for p in DATASETS.glob("*.toml")))
        raise LookupError(
            f"no data set named {name}; there are: {known}, or the path of a mapping (.toml)"
        )
    if not path.is_file():
        raise FileNotFoundError(f"no mapping file {path.name}")
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DescriptionError(path.name, [str(error)]) from None
    problems = list(_problems(facts))
    return _sound({"name": path.stem, "person": "", "extra": {}} | facts), problems


def _sound(facts: dict[str, Any]) -> dict[str, Any]:
    """What of a description is right."""
    columns = facts["columns"] if isinstance(facts.get("columns"), dict) else {}
    columns = {
        name: spec | ({"unit": canonical_unit(spec["unit"])} if "unit" in spec else {})
        for name, spec in columns.items()
        if name in VARIABLES and not list(_wrong(VARIABLES[name], spec))
    }
    groups = {
        group: {name: spec for name, spec in facts[group].items() if not list(_wrong_extra(spec))}
        for group in GROUPS
        if isinstance(facts.get(group), dict)
    }
    texts = {key: facts[key] for key in TEXTS if isinstance(facts.get(key), str)}
    return (
        {k: v for k, v in facts.items() if k not in TEXTS} | texts | groups | {"columns": columns}
    )


def columns_of(spec: Mapping[str, Any]) -> list[str]:
    """
    Columns of the table that a variable comes from.

    Parameters
    ----------
    spec : mapping
        What a description says of the variable.

    Returns
    -------
    list of str
        In the description's order.
    """
    if "column" in spec:
        return [spec["column"]]
    return spec.get("mean_of") or [case["column"] for case in spec["cases"]]


def extra_spec(spec: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """
    What a description says of a column that is not a variable.

    Parameters
    ----------
    spec : str or mapping
        A column used as it is, or a table with ``column`` and ``recode`` or ``unit``.

    Returns
    -------
    mapping
        Always with ``column``.
    """
    return {"column": spec} if isinstance(spec, str) else spec


def _problems(facts: dict[str, Any]) -> Iterator[str]:
    """Everything that is wrong with a description."""
    known = (*TEXTS, *GROUPS, "columns", "known_defects")
    yield from _unknown_keys(facts, known)
    for key in TEXTS:
        if not isinstance(facts.get(key, ""), str):
            yield f"{key} must be text"
    if facts.get("decimal", ".") not in (".", ","):
        yield 'decimal must be "." or ","'
    columns = facts.get("columns")
    if not isinstance(columns, dict) or not columns:
        yield "[columns] is missing: it says which column each variable comes from"
        return
    if unknown := [name for name in columns if name not in VARIABLES]:
        yield f"unknown variables {', '.join(unknown)}; there are: {', '.join(VARIABLES)}"
    for name, spec in columns.items():
        if name in VARIABLES:
            yield from (f"{name}: {problem}" for problem in _wrong(VARIABLES[name], spec))
    for group in GROUPS:
        yield from _wrong_group(group, facts.get(group, {}), columns)


def _wrong_group(group: str, entries: Any, columns: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(entries, dict):
        yield f"[{group}] must be a table"
        return
    for name, spec in entries.items():
        if name in columns:
            yield f"{group}.{name}: is in [columns] already"
        yield from (f"{group}.{name}: {problem}" for problem in _wrong_extra(spec))


def _wrong(variable: Variable, spec: Any) -> Iterator[str]:
    if not isinstance(spec, dict):
        yield "must be a table, as { column = ... }"
        return
    quantity = variable.kind == "quantity"
    ways = ("column", "mean_of") if quantity else ("column", "cases")
    yield from _unknown_keys(spec, (*ways, *(("unit",) if quantity else ("recode",)), "unknown"))
    if sum(way in spec for way in ways) != 1:
        yield f"needs either {' or '.join(ways)}"
        return
    yield from _wrong_ways(spec)
    if quantity:
        accepted = UNITS[variable.name]
        unit = spec.get("unit")
        if not isinstance(unit, str) or canonical_unit(unit) not in accepted:
            said = "unit is missing" if unit is None else f"unknown unit {unit}"
            yield f"{said}; there are: {', '.join(accepted)}"
    elif "column" in spec:
        yield from _wrong_recode(variable, spec.get("recode"))
    else:
        for case in spec["cases"] if isinstance(spec["cases"], list) else ():
            if isinstance(case, dict) and set(case) == {"column", "equals", "value"}:
                yield from _wrong_value(variable, case["value"])
            else:
                yield "a case has column, equals and value"


def _wrong_ways(spec: dict[str, Any]) -> Iterator[str]:
    if not isinstance(spec.get("column", ""), str):
        yield "column must be text"
    for way in ("mean_of", "cases", "unknown"):
        if way in spec and not (isinstance(spec[way], list) and spec[way]):
            yield f"{way} must be a list"
    names = spec.get("mean_of")
    if isinstance(names, list) and not all(isinstance(name, str) for name in names):
        yield "mean_of must be a list of columns"


def _wrong_recode(variable: Variable, recode: Any) -> Iterator[str]:
    if not isinstance(recode, dict) or not recode:
        options = ", ".join(_option(value) for value in variable.options)
        yield f"recode is missing: it says which label means which of {options}"
        return
    for value in recode.values():
        yield from _wrong_value(variable, value)


def _wrong_value(variable: Variable, value: Any) -> Iterator[str]:
    # 1 == True in Python: a number is not an answer here.
    if not any(value == option and type(value) is type(option) for option in variable.options):
        options = ", ".join(_option(option) for option in variable.options)
        yield f"unknown value {_option(value)}; there are: {options}"


def _option(value: Any) -> str:
    """A value as TOML writes it, without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _wrong_extra(spec: Any) -> Iterator[str]:
    if isinstance(spec, str):
        return
    if not isinstance(spec, dict) or not isinstance(spec.get("column"), str):
        yield "must be a column, or a table with column and recode or unit"
        return
    yield from _unknown_keys(spec, ("column", "recode", "unit"))
    if "unit" in spec and spec["unit"] not in TIMES:
        yield f"unknown unit {spec['unit']}; there are: {', '.join(TIMES)}, and years come out"
    if "recode" in spec and not (isinstance(spec["recode"], dict) and spec["recode"]):
        yield "recode must say which label means what"


def _unknown_keys(spec: dict[str, Any], known: tuple[str, ...]) -> Iterator[str]:
    for key in spec:
        if key not in known:
            yield f"unknown key {key}; there are: {', '.join(known)}"
