"""Hostile and odd XML: refused or read, always quickly, and nothing is ever fetched."""

from __future__ import annotations

import base64
import socket
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from cdss.checkup.envelope import unpack
from cdss.checkup.read import read_envelope
from cdss.checkup.xml import MOST_ELEMENTS, MOST_LEVELS, MOST_MEGABYTES, tree
from tests.checkup_files import block, dossier, encoded, envelope, file, person

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{i} "{f"&lol{i - 1};" * 10}">' for i in range(1, 10))
    + "]><KHAMSUCKHOE>&lol9;</KHAMSUCKHOE>"
).replace("&lol0;", "&lol;")
QUADRATIC = (
    f'<!DOCTYPE a [<!ENTITY a "{"x" * 100_000}">]><KHAMSUCKHOE>{"&a;" * 10_000}</KHAMSUCKHOE>'
)
EXTERNAL = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><KHAMSUCKHOE>&a;</KHAMSUCKHOE>'
REMOTE = '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><KHAMSUCKHOE/>'
PARAMETER = '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p">%p;]><KHAMSUCKHOE/>'


@pytest.fixture(autouse=True)
def quick_and_offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("opened a socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    start = time.process_time()
    yield
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "text", [LAUGHS, QUADRATIC, EXTERNAL, REMOTE, PARAMETER, "<!DOCTYPE a><a/>"]
)
def test_any_document_type_is_refused_before_an_entity_is_made(text: str) -> None:
    root, problem = tree(text.encode(), "envelope")

    assert root is None
    assert problem is not None
    assert "document_type" == problem.code


def test_billion_laughs_costs_no_memory() -> None:
    tracemalloc.start()
    read_envelope(LAUGHS.encode())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 5_000_000


@pytest.mark.parametrize("text", [LAUGHS, EXTERNAL])
def test_a_document_type_in_a_part_costs_that_part_only(text: str) -> None:
    hostile = file("XML9", encoded(text)) + "</HOSO>"
    people = read_envelope(envelope([dossier(person()).replace("</HOSO>", hostile)])).people

    assert ["document_type"] == [p.code for p in people[0].reading.problems if p.variable == "XML9"]
    assert people[0].reading.record is not None
    assert 142 == people[0].reading.record.values["systolic_bp"]


def test_an_undeclared_entity_is_an_error() -> None:
    _, problem = tree(b"<a>&xxe;</a>", "envelope")

    assert problem is not None
    assert "not_xml" == problem.code


def test_deep_nesting_and_many_elements_are_refused() -> None:
    for text in ("<a>" * 100_000, f"<a>{'<b/>' * (MOST_ELEMENTS + 1)}</a>"):
        _, problem = tree(text.encode(), "envelope")
        assert problem is not None
        assert "too_complex" == problem.code
    assert tree(b"<a>" * MOST_LEVELS + b"</a>" * MOST_LEVELS, "envelope")[1] is None


def test_huge_attributes_and_texts_are_read_in_linear_time() -> None:
    attributes = " ".join(f'a{i}="{"x" * 100}"' for i in range(50_000))
    root, problem = tree(f"<a {attributes}><b>{'x' * 10_000_000}</b></a>".encode(), "envelope")

    assert problem is None
    assert root is not None
    assert 10_000_000 == len(root.children[0].text)


def test_a_document_over_the_limit_is_not_parsed() -> None:
    assert tree(b"<a/>" + b" " * MOST_MEGABYTES * 1_000_000, "envelope")[1].code == "too_large"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "wrong_part"),
        ("QUJD!", "not_base64"),
        ("QUJ", "not_base64"),
        ("QUJD", "not_xml"),
        ("H4sIAAAAAAAA" * 10, "not_xml"),
        (base64.b64encode(b"\xff\xfe\x00").decode(), "not_xml"),
        ("A" * 5_000_000, "wrong_part"),
        (encoded("<a>" * 60), "too_complex"),
        (encoded(f"<a>{'<b/>' * 100_000}"), "not_xml"),
        (encoded(encoded(block("XML10", {"MACH": "70"}))), "not_xml"),
        (encoded("<KHAM_THE_LUC><MACH>70</KHAM_THE_LUC>"), "not_xml"),
    ],
)
def test_a_bad_part_is_told_and_the_rest_is_used(content: str, code: str) -> None:
    broken = dossier(person(XML10=None)).replace("</HOSO>", file("XML10", content) + "</HOSO>")
    [one] = read_envelope(envelope([broken])).people

    assert [code] == [p.code for p in one.reading.problems if p.variable == "XML10"]
    assert one.reading.record is not None
    assert 54 == one.reading.record.values["age"]
    assert "heart_rate" not in one.reading.record.values


TEXT = envelope([person()]).decode()


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode("utf-8-sig"),
        TEXT.replace('encoding="UTF-8"', 'encoding="utf-16"').encode(),  # as .NET writes it
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.replace('encoding="UTF-8"', 'encoding="utf-16"').encode("utf-16"),
        TEXT[TEXT.index("<KHAM") :].encode("utf-16-le"),
        TEXT.replace('encoding="UTF-8"', 'encoding="windows-1258"').encode(),
    ],
)
def test_the_bytes_say_the_encoding_and_not_the_declaration(data: bytes) -> None:
    [one] = read_envelope(data).people

    assert one.reading.record is not None
    assert 142 == one.reading.record.values["systolic_bp"]


def test_another_encoding_is_told() -> None:
    data = TEXT.replace("<CHUKYDONVI>", "<CHUKYDONVI>é").encode("latin-1")
    read = read_envelope(data)

    assert "not_xml" in [p.code for p in read.problems]


def test_namespaces_and_letter_case_do_not_matter() -> None:
    text = envelope([person()], in_place=True).decode()
    text = text.replace("<KHAM_THE_LUC>", '<n:KHAM_THE_LUC xmlns:n="urn:a" xmlns="urn:b">')
    text = text.replace("</KHAM_THE_LUC>", "</n:KHAM_THE_LUC>").replace("HUYET_AP", "m:Huyet_Ap")
    text = text.replace("<KHAMSUCKHOE ", '<KHAMSUCKHOE xmlns="urn:c" ')
    [one] = read_envelope(text.encode()).people

    assert one.reading.record is not None
    assert 142 == one.reading.record.values["systolic_bp"]


def test_a_cut_off_envelope_gives_those_that_are_whole() -> None:
    data = envelope([person(1), person(2), person(3)])
    cut = data[: data.rindex(b"</HOSO>")]
    people, problems = unpack(cut)

    assert ["HOSO/1", "HOSO/2"] == [one.at for one in people]
    assert {"not_xml", "count_differs"} == {p.code for p in problems}


@pytest.mark.parametrize("data", [b"", b"\0", b"{}", b"PK\x03\x04", b"<a", b"\xef\xbb\xbf", b"<\0"])
def test_what_is_no_xml_is_told(data: bytes) -> None:
    read = read_envelope(data)

    assert () == read.people
    assert ["not_xml"] == [p.code for p in read.problems]


def test_envelopes_of_claims_and_empty_ones_are_told() -> None:
    claims = read_envelope(TEXT.replace("KHAMSUCKHOE", "GIAMDINHHS").encode())
    empty = read_envelope(envelope([]))

    assert ((), ["not_an_envelope"]) == (claims.people, [p.code for p in claims.problems])
    assert ((), ["nobody"]) == (empty.people, [p.code for p in empty.problems])
