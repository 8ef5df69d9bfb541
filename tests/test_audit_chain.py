from itertools import pairwise

import pytest

from cdss.audit.chain import START, Head, Line, bound, verify
from cdss.errors import AuditError


def chain(*ids: str) -> list[Line]:
    lines, before = [], START.hash
    for seq, id in enumerate(ids, start=1):
        entry = f'{{"assessment_id":"{id}"}}'
        before = bound(before, entry)
        lines.append(Line(seq, id, entry, before))
    return lines


def test_a_log_as_written_is_right_and_its_head_is_the_last_hash() -> None:
    lines = chain(*"abcde")

    assert Head(5, lines[-1].hash) == verify(lines)
    assert START == verify([])
    assert all(verify(lines, Head(line.seq, line.hash)) for line in lines)
    assert verify(lines, START).entries == 5
    assert all(one.hash != other.hash for one, other in pairwise(chain("a", "a")))


@pytest.mark.parametrize("at", range(5))
def test_any_change_anywhere_is_seen(at: int) -> None:
    line = chain(*"abcde")[at]
    for changed in (
        line._replace(entry=line.entry.replace("assess", "ASSESS")),
        line._replace(hash="0" * 64),
        line._replace(id="z"),
        line._replace(entry=f'{{"assessment_id":"{line.id}","x":1}}'),
        line._replace(entry="not JSON"),
    ):
        lines = chain(*"abcde")
        lines[at] = changed
        with pytest.raises(AuditError, match=f"entry {at + 1} was changed"):
            verify(lines)


@pytest.mark.parametrize("at", range(4))
def test_what_was_taken_out_is_missing(at: int) -> None:
    lines = chain(*"abcde")
    del lines[at]

    with pytest.raises(AuditError, match=f"entries {at + 1} to {at + 1} are missing"):
        verify(lines)


def test_what_was_taken_out_and_numbered_anew_is_seen() -> None:
    lines = chain(*"abcde")
    del lines[1]

    with pytest.raises(AuditError, match="entry 2 was changed, or one was put before it"):
        verify([line._replace(seq=seq) for seq, line in enumerate(lines, start=1)])


def test_the_end_cut_off_or_all_written_anew_is_seen_by_who_noted_the_head() -> None:
    lines = chain(*"abcde")
    noted = Head(5, lines[-1].hash)

    assert verify(lines[:3]).entries == 3
    with pytest.raises(AuditError, match="it ends at 3, but had 5 entries"):
        verify(lines[:3], noted)
    with pytest.raises(AuditError, match="entry 5 is not the one whose hash was noted"):
        verify(chain(*"abXde"), noted)
    with pytest.raises(AuditError, match="it ends at 0, but had 5 entries"):
        verify([], noted)


def test_all_that_is_wrong_is_told_and_no_more_than_can_be_read() -> None:
    lines = chain(*"abcdefghijklmnopqrstuvwxyz")
    for at in range(0, 26, 2):
        lines[at] = lines[at]._replace(id="0")

    with pytest.raises(AuditError) as error:
        verify(lines)
    assert 10 == str(error.value).count("was changed")
    assert str(error.value).endswith("; 3 more")
