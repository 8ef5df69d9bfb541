"""What happens to made-up people later, by a mechanism that is decided and stated: no evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cdss.synthetic.draw import stream
from cdss.synthetic.model import Model
from cdss.synthetic.states import state

Array = NDArray[Any]

_LATER = 4
_YEAR = 365.25

OUTCOME_SCHEMA = pa.schema([
    ("person_id", pa.string()), ("index_date", pa.date32()), ("outcome", pa.string()),
    ("event", pa.bool_()), ("event_date", pa.date32()),
])  # fmt: skip
"""Who, at which visit, the question it is about, whether it happened within its years, and when."""


def outcomes_of(
    model: Model, found: dict[str, Array], chosen: Array, batch: Any, seed: int, block: int,
    year: int, since: int,
) -> list[Any]:  # fmt: skip
    """
    Say what happened after the visits of a block.

    Parameters
    ----------
    model : Model
        With the mechanisms.
    found : dict of str to ndarray, shape (n,)
        Complete values at the visits.
    chosen : ndarray of bool, shape (n,)
        Who came.
    batch : pyarrow.RecordBatch
        Their rows.
    seed, block, year : int
        Which visits.
    since : int
        Years since the first.

    Returns
    -------
    list of pyarrow.RecordBatch
        One an outcome, of those to whom it can happen.
    """
    lots = stream(seed, _LATER, block, year).random(
        (2 * len(model.decisions["outcome"]), len(chosen)), np.float32
    )
    made = []
    for at, said in enumerate(model.decisions["outcome"]):
        odds = np.full(len(chosen), said["at"] + since * said["more_a_year"], np.float32)
        for name, middle, weight in said["terms"]:
            odds += np.float32(weight) * (state(found, name) - np.float32(middle))
        able = chosen.copy()
        for name in said["unless"]:
            able &= ~state(found, name)
        event = (lots[2 * at] < 1 / (1 + np.exp(-odds)))[able]
        later = np.floor(lots[2 * at + 1][able] * said["years"] * _YEAR).astype(np.int32) + 1
        which = pa.array(np.flatnonzero(able[chosen]))
        days = found["day"][able].astype(np.int32)
        made.append(
            pa.RecordBatch.from_arrays(
                [
                    batch.column("person_id").take(which),
                    batch.column("index_date").take(which),
                    pa.repeat(pa.scalar(said["name"]), len(days)),
                    pa.array(event),
                    pa.array(days + later, pa.int32(), mask=~event).cast(pa.date32()),
                ],
                schema=OUTCOME_SCHEMA,
            )
        )
    return made
