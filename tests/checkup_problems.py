"""One envelope or more for each problem that only check-up envelopes have."""

from __future__ import annotations

from pathlib import Path

from cdss.checkup.folder import read_file
from cdss.checkup.read import read_envelope
from cdss.checkup.site import Site
from cdss.checkup.xml import MOST_ELEMENTS, too_large
from cdss.errors import Problem
from tests.checkup_files import dossier, envelope, file, lab, person

_PEOPLE = (
    person(
        XML1={
            "NGAY_SINH": "1972",
            "TSBT_BENH_TIM": "1",
            "TSBT_TAI_BIEN": "có",
            "TSBT_MA_BENH": "cao huyết áp; I10 theo dõi",
            "TSBT_TEN_THUOC_LIEU_LUONG": "panadol",
        },
        XML10={"HUYET_AP": "cao", "CAN_NANG": "61.500"},
        XML11=[lab("Định lượng Glucose [Máu]", "6", "mmol/L"), lab("Hồng cầu", "4", "T/L")],
    ),
    person(XML1={"NGAY_SINH": "20150101"}),
    person(XML1={"TSBT_TEN_THUOC_LIEU_LUONG": "không dùng metformin"}),
    person(XML2={"NGAY_VAO": ""}),
    person(XML2={"MA_LK": "a"}, XML10={"MA_LK": "b"}),
    person(XML10={"CHIEU_CAO": "165", "CAN_NANG": "60", "MACH": "80"}),
    person(XML10={"HUYET_AP": "120/80", "MACH": "80"}),
    dossier(person()).replace(
        "</HOSO>",
        "".join(
            file(kind, content)
            for kind, content in (
                ("XML77", "x"),
                ("XML9", ""),
                ("XML9", "?"),
                ("XML10", "<A><MACH>1</MACH><MACH>2</MACH></A>"),
            )
        )
        + "</HOSO>",
    ),
)


def every_checkup_problem() -> list[Problem]:
    """Problems of envelopes and of the people in them."""
    whole = envelope(_PEOPLE)
    documents = (
        whole.replace(b"<SOLUONGHOSO>8", b"<SOLUONGHOSO>9"),
        envelope([]),
        b"<GIAMDINHHS/>",
        b"<!DOCTYPE a><a/>",
        b"<a>",
        b"<a>" + b"<b/>" * MOST_ELEMENTS + b"</a>",
    )
    read = [read_envelope(document) for document in documents]
    asked = read_envelope(envelope([person(XML1={"TSBT_MA_BENH": "I10"})]), site=Site(True))
    return [
        *(p for one in (*read, asked) for p in one.problems),
        *(p for one in (*read, asked) for each in one.people for p in each.reading.problems),
        too_large("envelope"),
        *read_file(Path("nowhere.xml"), Site()).problems,
    ]
