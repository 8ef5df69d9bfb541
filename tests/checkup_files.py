"""Health-check envelopes, made for tests: invented people, as Vietnamese programs write them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

BLOCKS = {
    "XML1": "THONG_TIN_HANH_CHINH",
    "XML2": "THONG_TIN_CHUNG_VE_LAN_KHAM",
    "XML7": "KHAM_LAM_SANG",
    "XML9": "TIEN_SU_BENH_TAT",
    "XML10": "KHAM_THE_LUC",
    "XML11": "KHAM_CAN_LAM_SANG",
    "XML12": "KET_LUAN",
}
FLAGS = (
    "TSBT_TANG_HUYET_AP", "TSBT_DAI_THAO_DUONG", "TSBT_BENH_TIM", "TSBT_PHAU_THUAT_TIM",
    "TSBT_TAI_BIEN", "TSBT_BENH_THAN", "TSBT_NGHIEN_RUOU", "TSBT_RUOU_THUONG_XUYEN",
)  # fmt: skip

Fields = Mapping[str, str]
Person = dict[str, "Fields | list[Fields]"]


def lab(name: str, value: str, unit: str, **more: str) -> dict[str, str]:
    return {"MA_CHI_SO": "", "TEN_CHI_SO": name, "GIA_TRI": value, "DON_VI_DO": unit, **more}


def person(number: int = 1, **changed: Fields | list[Fields] | None) -> Person:
    """An invented woman of 54; a part that is changed replaces single tags, None leaves it out."""
    parts: Person = {
        "XML1": {
            "HO_TEN": "Nguyễn Thị Mẫu",
            "GIOI_TINH": "2",
            "NGAY_SINH": "19720315",
            "SO_CCCD": "001172009999",
            "TSGD_MAC_BENH": "0",
            **dict.fromkeys(FLAGS, "0"),
        },
        "XML2": {"MA_LK": f"KSK.2026.{number:04}", "NGAY_VAO": "202611201330", "TYPE": "Adult"},
        "XML10": {
            "CHIEU_CAO": "156",
            "CAN_NANG": "61,5",
            "CHI_SO_BMI": "25,3",
            "MACH": "76",
            "HUYET_AP": "142/88",
        },
        "XML11": [
            lab("Định lượng Glucose lúc đói [Máu]", "6,1", "mmol/L"),
            lab("Định lượng Cholesterol toàn phần (máu)", "5.9", "mmol/l"),
            lab("HDL-C", "1,2", "mmol/L"),
            lab("Định lượng Creatinin (máu)", "71", "µmol/L"),
        ],
        "XML12": {"PHAN_LOAI_SK": "2", "KET_LUAN_BENH": "Z00.0"},
    }
    for kind, part in changed.items():
        if part is None:
            parts.pop(kind, None)
        elif isinstance(part, list):
            parts[kind] = part
        else:
            parts[kind] = {**parts.get(kind, {}), **part}  # type: ignore[dict-item]
    return parts


def block(kind: str, part: Fields | list[Fields]) -> str:
    """XML of one part; laboratory texts in CDATA with white space around, as a vendor writes."""
    if isinstance(part, list):
        rows = "".join(
            "<CHI_TIET_CLS>"
            + "".join(f"<{t}>\n\t\t<![CDATA[{v}]]>\n\t</{t}>" for t, v in row.items())
            + "</CHI_TIET_CLS>"
            for row in part
        )
        body = f"<DANH_SACH_CLS>{rows}</DANH_SACH_CLS>"
    else:
        body = "".join(f"<{tag}>{escape(value)}</{tag}>\n" for tag, value in part.items())
    name = BLOCKS.get(kind, kind)
    return f"<{name}>{body}</{name}>"


def file(kind: str, content: str) -> str:
    return f"<FILEHOSO><LOAIHOSO>{kind}</LOAIHOSO><NOIDUNGFILE>{content}</NOIDUNGFILE></FILEHOSO>"


def encoded(text: str) -> str:
    return base64.encodebytes(text.encode()).decode()  # in lines, as .NET and Java also may


def dossier(parts: Person, *, in_place: bool = False) -> str:
    files = (
        file(kind, block(kind, part) if in_place else encoded(block(kind, part)))
        for kind, part in parts.items()
    )
    return f"<HOSO>{''.join(files)}</HOSO>"


def envelope(people: Iterable[Person | str], *, in_place: bool = False) -> bytes:
    """An envelope of people, or of dossiers that are written already."""
    dossiers = [p if isinstance(p, str) else dossier(p, in_place=in_place) for p in people]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<KHAMSUCKHOE xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
        "<THONGTINDONVI><MACSKCB>8930000000001</MACSKCB></THONGTINDONVI>\n"
        f"<THONGTINHOSO><NGAYLAP>20261120</NGAYLAP><SOLUONGHOSO>{len(dossiers)}</SOLUONGHOSO>"
        f"<DANHSACHHOSO>{''.join(dossiers)}</DANHSACHHOSO></THONGTINHOSO>\n"
        "<CHUKYDONVI></CHUKYDONVI>\n</KHAMSUCKHOE>\n"
    ).encode()
