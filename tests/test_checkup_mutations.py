"""Whatever is done to an envelope: no exception, and no value that is not written in it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from cdss.checkup.read import Envelope, read_envelope
from cdss.checkup.site import Site
from tests.checkup_files import Person, envelope, lab, person

RICH = person(
    XML1={
        "TSBT_TANG_HUYET_AP": "1",
        "TSBT_MA_BENH": "I10;E11.9",
        "TSGD_MA_BENH": "E11",
        "TSBT_TEN_THUOC_LIEU_LUONG": "amlodipin 5mg; metformin 850mg",
    },
    XML11=[
        lab("Đường huyết lúc đói", "6,1", "mmol/L", NGAY_KQ="202611200900"),
        lab("HDL-C", "1,2", "mmol/L"),
        lab("HbA1c", "6,4", "%"),
    ],
)
SITE = Site(zero_is_no=True, glucose="fasting_glucose")
STRANGE = st.sampled_from(
    ["", "0", "1", "2", "-1", "1.234", "165", "60", "22", "80", "120/80", "999/999", "NaN", "∞",
     "<0.1", "Âm tính", "19000000", "20991231", "9" * 300, "I10", "không", "\u0301", "&amp;", "1e9",
     "mmHg", "%", "XML1", "XML10"]
)  # fmt: skip


def values(read: Envelope) -> dict[str, object]:
    """Recorded values of the first person."""
    record = read.people[0].reading.record if read.people else None
    return {} if record is None else {
        n: v for n, v in record.values.items() if n not in record.derived}  # fmt: skip


def explained(read: Envelope) -> None:
    """Every recorded value has a place, and whoever has no record is told why."""
    for one in read.people:
        record = one.reading.record
        if record is None:
            assert one.reading.problems
        else:
            assert {b.variable for b in one.reading.basis} == set(record.values) - record.derived
            assert all(b.at.startswith("HOSO/") for b in one.reading.basis)
    assert read.people or read.problems


WHOLE = values(read_envelope(envelope([RICH])))
TEXT = envelope([RICH], in_place=True).decode()
LEAVES = [m.span(2) for m in re.finditer(r"<(\w+)>([^<>]+|\s*<!\[CDATA\[.*?\]\]>\s*)</\1>", TEXT)]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_bytes_changed_anywhere_never_raise(data: st.DataObject) -> None:
    raw = bytearray(envelope([RICH, RICH], in_place=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(raw) - 1))
        piece = data.draw(st.binary(max_size=6))
        end = at + data.draw(st.sampled_from([0, 1, 1, 4, 400]))
        raw[at:end] = piece
        if not raw:
            break
    explained(read_envelope(bytes(raw), site=SITE))


@given(st.binary(max_size=300))
def test_any_bytes_never_raise(raw: bytes) -> None:
    explained(read_envelope(raw))


@given(st.lists(st.tuples(st.integers(0, len(LEAVES) - 1), STRANGE), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_a_field_replaced_changes_only_what_it_says(changes: list[tuple[int, str]]) -> None:
    text, told = TEXT, dict(changes)
    for at in sorted(told, reverse=True):
        start, end = LEAVES[at]
        text = text[:start] + told[at] + text[end:]
    read = read_envelope(text.encode(), site=Site())
    explained(read)

    written = " ".join(told.values())
    for name, value in values(read).items():
        new = isinstance(value, float) and f"{value:g}" in written.replace(",", ".")
        assert value == WHOLE.get(name) or new or name in _OTHERS, name


# What a strange text may well say: 1 of a flag or a sex, a code, an age of another day.
_OTHERS = {"age", "sex", "diabetes", "diabetes_type", "hypertension", "prior_stroke",
           "drinks_alcohol", "family_history_diabetes"}  # fmt: skip


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_left_out_is_unknown(data: st.DataObject) -> None:
    person_: Person = {}
    for kind, part in RICH.items():
        if data.draw(st.booleans()) and kind != "XML2":
            continue
        if isinstance(part, list):
            person_[kind] = [row for row in part if data.draw(st.booleans())]
        else:
            keep = {"MA_LK", "NGAY_VAO"}
            person_[kind] = {t: v for t, v in part.items() if t in keep or data.draw(st.booleans())}
    left = values(read_envelope(envelope([person_])))

    assert left.items() <= WHOLE.items()
    tags = {tag for part in person_.values() if isinstance(part, dict) for tag in part}
    for name, tag in (("height", "CHIEU_CAO"), ("weight", "CAN_NANG"), ("bmi", "CHI_SO_BMI"),
                      ("heart_rate", "MACH"), ("systolic_bp", "HUYET_AP"), ("sex", "GIOI_TINH"),
                      ("age", "NGAY_SINH")):  # fmt: skip
        assert (name in left) == (tag in tags)


def test_parts_in_any_order_say_the_same() -> None:
    for seed in range(10):
        kinds = list(RICH)
        random.Random(seed).shuffle(kinds)
        assert WHOLE == values(read_envelope(envelope([{kind: RICH[kind] for kind in kinds}])))


_WRAPS: list[Callable[[str], str]] = [
    lambda text: text.replace("<HOSO>", "<X><HOSO>").replace("</HOSO>", "</HOSO></X>"),
    lambda text: text.replace("DANHSACHHOSO", "DANHSACH"),
    lambda text: text.replace("<FILEHOSO>", "<HOSO><FILEHOSO>").replace(
        "</FILEHOSO>", "</FILEHOSO></HOSO>"
    ),
    lambda text: text.replace("<MACH>", "<MACH><MACH>").replace("</MACH>", "</MACH></MACH>"),
    lambda text: text.replace("NOIDUNGFILE", "NOIDUNG"),
    lambda text: text.replace("LOAIHOSO", "LOAI"),
]


def test_another_structure_gives_nothing_and_says_so() -> None:
    for wrap in _WRAPS:
        read = read_envelope(wrap(TEXT).encode())
        explained(read)
        assert values(read).items() <= WHOLE.items()
