"""Drawn values to columns of a table: rounded as they are written down, and some never measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cdss.synthetic.draw import Persons, stream
from cdss.synthetic.model import Model
from cdss.synthetic.places import Places
from cdss.variables import VARIABLES

Array = NDArray[Any]

_MISSING, _COMES = 2, 3
_ODDS = 256
_ID = b"syn-"
_DIGITS = 10

DECIMALS = {
    "age": 0, "height": 0, "weight": 1, "waist": 0, "systolic_bp": 0, "diastolic_bp": 0,
    "heart_rate": 0, "fasting_glucose": 1, "hba1c": 1, "total_cholesterol": 1,
    "hdl_cholesterol": 2, "ldl_cholesterol": 1, "triglycerides": 1, "creatinine": 0, "alt": 0,
    "ast": 0, "ggt": 0, "uric_acid": 0, "uacr": 0,
}  # fmt: skip
"""Quantities as they are written, in their order."""

GROUPS = {
    "height": "anthropometry", "weight": "anthropometry", "waist": "waist",
    "systolic_bp": "blood_pressure", "diastolic_bp": "blood_pressure", "heart_rate": "heart_rate",
    "fasting_glucose": "glucose", "hba1c": "hba1c", "total_cholesterol": "lipids",
    "hdl_cholesterol": "lipids", "ldl_cholesterol": "lipids", "triglycerides": "lipids",
    "creatinine": "kidney", "alt": "liver", "ast": "liver", "ggt": "ggt", "uric_acid": "uric_acid",
    "uacr": "urine", "smoking": "smoking", "drinks_alcohol": "alcohol",
    "family_history_diabetes": "family", "hypertension": "history", "bp_treated": "history",
    "diabetes": "history", "on_metformin": "history", "prior_cvd": "history",
    "on_statin": "history",
}  # fmt: skip
"""What is missing together."""

YES_NO = tuple(name for name in GROUPS if VARIABLES[name].kind == "yes_no")
ETHNICITIES = ("Kinh", "other")
_WORDS = ("sex", "smoking", "province", "commune", "care_level", "ethnicity")

SCHEMA = pa.schema([
    ("person_id", pa.string()), ("index_date", pa.date32()), ("age", pa.float64()),
    ("sex", pa.string()),
    *((name, pa.float64()) for name in DECIMALS if name != "age"),
    ("smoking", pa.string()),
    *((name, pa.bool_()) for name in YES_NO),
    ("pregnant", pa.bool_()), ("asian_ancestry", pa.bool_()),
    ("province", pa.string()), ("commune", pa.string()), ("care_level", pa.string()),
    ("ethnicity", pa.string()), ("urban", pa.bool_()),
])  # fmt: skip
"""Columns of a year: variables under their own names and in canonical units, and where."""

KEPT = ("province", "commune", "care_level", "ethnicity", "urban")
"""Columns that are no variables: what ``cdss batch --keep`` is told."""


def rounded(found: dict[str, Array]) -> dict[str, Array]:
    """
    Values as somebody writes them down.

    Parameters
    ----------
    found : dict of str to ndarray, shape (n,)
        As `cdss.synthetic.draw.draw_visits` gives them.

    Returns
    -------
    dict of str to ndarray
        Quantities as float64 with few decimals, and within what is plausible.
    """
    out = dict(found)
    for name, digits in DECIMALS.items():
        variable, scale = VARIABLES[name], 10.0**digits
        values = np.rint(found[name] * np.float32(scale)).astype(np.float64)
        np.clip(values, np.ceil(variable.low * scale), np.floor(variable.high * scale), out=values)
        if digits:
            values /= scale
        out[name] = values
    return out


def ids_of(first: int, chosen: Array) -> Any:
    """
    Names of people.

    Parameters
    ----------
    first : int
        Number of the first of a block.
    chosen : ndarray of int
        Which of the block.

    Returns
    -------
    pyarrow.StringArray
        ``syn-0000000001``, …
    """
    numbers = chosen.astype(np.int64) + first
    many, width = len(numbers), len(_ID) + _DIGITS
    text = np.empty((many, width), np.uint8)
    text[:, : len(_ID)] = np.frombuffer(_ID, np.uint8)
    for place in range(width - 1, len(_ID) - 1, -1):
        numbers, digit = np.divmod(numbers, 10)
        text[:, place] = digit + ord("0")
    ends = np.arange(0, (many + 1) * width, width, dtype=np.int32)
    return pa.StringArray.from_buffers(many, pa.py_buffer(ends), pa.py_buffer(text))


def comes(model: Model, persons: Persons, known: Array, years: int, at: int, seed: int,
          block: int) -> Array:  # fmt: skip
    """
    Say who comes in one of several years.

    Parameters
    ----------
    model : Model
        Of the country.
    persons : Persons
        Who may.
    known : ndarray of bool, shape (n,)
        Whether hypertension or diabetes is known of them.
    years, at : int
        How many years there are, and which of them it is, from 0.
    seed, block : int
        Of the people.

    Returns
    -------
    ndarray of bool, shape (n,)
        Everybody in a single year; of several, nobody in none.
    """
    if years == 1:
        return np.ones(len(persons), dtype=bool)
    said = model.decisions["attendance"]
    chance = np.where(persons.urban, said["urban"], said["rural"]) + said["known"] * known
    lots = stream(seed, _COMES, block).random((years, len(persons)), np.float32)
    # a person's one certain year is the same whatever becomes known of them
    sure = (persons.eager * years).astype(np.int32) == at
    return np.asarray(sure | (lots[at] < chance))


def table_of(
    model: Model, places: Places, persons: Persons, found: dict[str, Array], chosen: Array,
    seed: int, block: int, year: int,
) -> Any:  # fmt: skip
    """
    Make the rows of a block.

    Parameters
    ----------
    model : Model
        Of the country.
    places : Places
        Where they live.
    persons : Persons
        Who they are.
    found : dict of str to ndarray
        Complete values.
    chosen : ndarray of bool, shape (n,)
        Who came.
    seed, block, year : int
        Which visit.

    Returns
    -------
    pyarrow.RecordBatch
        Of `SCHEMA`.
    """
    which = np.flatnonzero(chosen)
    everybody = len(which) == len(chosen)

    def _take(values: Array) -> Array:
        return values if everybody else values.take(which)

    absent = _absent(model, _take(persons.care), seed, block, year, which)
    complete = rounded({name: _take(values) for name, values in found.items()})
    columns = {
        "person_id": ids_of(persons.first, which),
        "index_date": pa.Array.from_buffers(
            pa.date32(), len(which), [None, pa.py_buffer(complete["day"].astype(np.int32))]
        ),
        "age": _numbers(complete["age"], None),
        "sex": _words(complete["sex"].astype(np.int8), VARIABLES["sex"].choices, None),
        "smoking": _words(
            complete["smoking"].astype(np.int8), VARIABLES["smoking"].choices, absent["smoking"]
        ),
        "pregnant": _booleans(np.zeros(len(which), dtype=bool), None),
        "asian_ancestry": _booleans(np.ones(len(which), dtype=bool), None),
        "province": _words(
            places.province.take(_take(persons.commune)).astype(np.int16), places.provinces, None
        ),
        "commune": _words(_take(persons.commune), places.communes, None),
        "care_level": _words(_take(persons.care), model.decisions["care"]["levels"], None),
        "ethnicity": _words(_take(persons.minority).astype(np.int8), ETHNICITIES, None),
        "urban": _booleans(_take(persons.urban), None),
    }  # fmt: skip
    for name in DECIMALS:
        if name not in columns:
            lost = absent[GROUPS[name]]
            if name == "ldl_cholesterol":
                lost = lost | np.isnan(complete[name])
            columns[name] = _numbers(complete[name], lost)
    for name in YES_NO:
        columns[name] = _booleans(complete[name], absent[GROUPS[name]])
    return pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=_DRAWN)


_DRAWN = pa.schema([
    pa.field(each.name, pa.dictionary(pa.int32(), pa.string())) if each.name in _WORDS else each
    for each in SCHEMA
])  # fmt: skip
"""Words by number while they are in memory; they are written as text."""


def _absent(
    model: Model, care: Array, seed: int, block: int, year: int, which: Array
) -> dict[str, Array]:
    """What was never measured, by group; more of it at the lower levels of care."""
    said = model.decisions["missing"]
    lots = stream(seed, _MISSING, block, year).integers(
        0, _ODDS, (len(said), int(which[-1]) + 1 if len(which) else 0), np.uint8
    )
    found = {}
    for row, (group, shares) in zip(lots, said.items(), strict=True):
        limits = np.rint(np.array(shares) * _ODDS).astype(np.int16)
        found[group] = row.take(which) < limits.take(care)
    return found


def _bits(known: Array) -> Any:
    return pa.py_buffer(np.packbits(known, bitorder="little"))


def _numbers(values: Array, absent: Array | None) -> Any:
    there = None if absent is None else _bits(~absent)
    return pa.Array.from_buffers(pa.float64(), len(values), [there, pa.py_buffer(values)])


def _booleans(values: Array, absent: Array | None) -> Any:
    there = None if absent is None else _bits(~absent)
    return pa.Array.from_buffers(pa.bool_(), len(values), [there, _bits(values)])


def _words(codes: Array, words: Any, absent: Array | None) -> Any:
    there = None if absent is None else _bits(~absent)
    numbers = np.ascontiguousarray(codes, np.int32)
    index = pa.Array.from_buffers(pa.int32(), len(codes), [there, pa.py_buffer(numbers)])
    return pa.DictionaryArray.from_arrays(index, pa.array(words, pa.string()))
