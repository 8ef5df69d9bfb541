import os
from pathlib import Path

import pytest

from cdss.audit.keys import Key, add_key, read_keys
from cdss.errors import AuditError
from tests.audit_logs import KEY


def test_a_new_key_is_used_and_the_older_ones_are_still_found(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    first = add_key(file)
    second = add_key(file)
    keys = read_keys(file)

    assert second == keys.current
    assert {first.id: first, second.id: second} == keys.by_id
    assert first == keys.of(first.id)
    assert 0o600 == file.stat().st_mode & 0o777


def test_a_key_tells_nothing_about_itself() -> None:
    assert KEY.secret.hex() not in repr(KEY)
    assert KEY.id not in KEY.secret.hex()


def test_what_is_sealed_is_read_with_the_same_key_only() -> None:
    sealed = KEY.seal("one", b'{"age": 54}')

    assert b'{"age": 54}' == KEY.unseal("one", sealed)
    assert sealed != KEY.seal("one", b'{"age": 54}')
    for key, name, changed in (
        (Key(b"o" * 32), "one", sealed),
        (KEY, "other", sealed),
        (KEY, "one", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (KEY, "one", sealed[:5]),
        (KEY, "one", b""),
    ):
        with pytest.raises(AuditError, match="was changed, or is of another key"):
            key.unseal(name, changed)


def test_a_hash_depends_on_the_key_the_use_the_name_and_the_content() -> None:
    hashes = {
        KEY.mac("record", "one", b"x"),
        Key(b"o" * 32).mac("record", "one", b"x"),
        KEY.mac("answer", "one", b"x"),
        KEY.mac("record", "two", b"x"),
        KEY.mac("record", "one", b"y"),
    }

    assert 5 == len(hashes)
    assert KEY.mac("record", "one", b"x") in hashes
    assert {64} == set(map(len, hashes))


def test_comments_and_empty_lines_are_no_keys(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"# until 2027\n\n{KEY.secret.hex()}\n")

    assert KEY == read_keys(tmp_path / "keys").current


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "keys k: there is no key in it"),
        (b"# none\n", "keys k: there is no key in it"),
        (b"ab" * 32 + b"\n5ecret", "keys k: line 2 is not 64 hexadecimal digits"),
        (b"ab" * 31, "keys k: line 1 is not 64 hexadecimal digits"),
        ("khóa".encode(), "keys k: is not a text of keys"),
    ],
)
def test_a_file_that_is_wrong_is_refused_without_quoting_it(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "k").write_bytes(content)

    with pytest.raises(AuditError) as error:
        read_keys(tmp_path / "k")
    assert message == str(error.value)


def test_a_key_that_was_removed_is_gone(tmp_path: Path) -> None:
    add_key(tmp_path / "k")

    with pytest.raises(AuditError, match=f"the key {KEY.id} is not in the file of keys any more"):
        read_keys(tmp_path / "k").of(KEY.id)


def test_a_file_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "no", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(AuditError, match=f"keys {path.name}: {reason}"):
            read_keys(path)
    with pytest.raises(AuditError, match="keys k: No such file"):
        add_key(tmp_path / "no" / "k")
    assert [] == os.listdir(tmp_path)
