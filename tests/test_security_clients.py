"""API keys, the file that says who may call, and the settings around it."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cdss.errors import DefinitionError
from serving.apikeys import client_of, new_key
from serving.clients import ApiKey, read_clients
from serving.problems import RequestError
from serving.settings import RATE, Settings, read_settings
from tests.security_clients import BASE, EMR, LATER, jwks, signer, site
from tests.serving_process import run


def test_a_key_is_shown_once_and_its_table_lets_it_in(tmp_path: Path) -> None:
    process = run(
        "-m", "serving", "keys", "new", "--client", "ward-3", "--scope", "assess",
        "--scope", "read", "--days", "2",
    )  # fmt: skip
    key, table = process.stdout.strip(), process.stderr.partition("[[key]]")[2]
    file = tmp_path / "clients.toml"
    file.write_text(f"[[key]]{table}")
    keys = read_clients(file).keys
    client = client_of(key, keys)

    assert re.fullmatch(r"cdss_[0-9a-f]{16}_[\w-]{43}", key)
    assert key not in process.stderr
    assert ("cdss", "ward-3", {"assess", "read"}) == (client.issuer, client.subject, client.scopes)
    assert datetime.now(UTC).date() + timedelta(days=2) == keys[client.token_id].expires


@pytest.mark.parametrize(
    "arguments",
    [
        ("--client", "a b", "--scope", "read"),
        ("--client", "a", "--scope", "all"),
        ("--client", "a"),
    ],
)
def test_a_key_for_nobody_or_nothing(arguments: tuple[str, ...]) -> None:
    process = run("-m", "serving", "keys", "new", *arguments)

    assert (2, "") == (process.returncode, process.stdout)


def test_keys_that_are_nearly_right() -> None:
    key, table = new_key("ward", ["read"], LATER)
    id, sha256 = re.findall(r'(?:id|sha256) = "(\w+)"', table)
    keys = {id: ApiKey("ward", id, sha256, frozenset({"read"}), LATER)}
    other = new_key("ward", ["read"], LATER)[0]
    wrong = [
        key[:-1], key + "A", key[:-1] + ("A" if key[-1] != "A" else "B"), key.upper(), other,
        f"cdss_{id}_{other[22:]}", f"cdss_{id}_", "cdss_", f"cdss__{key[22:]}",
        key.replace("_", "-"), f"cdss_{id}_{sha256}", " " + key,
    ]  # fmt: skip

    assert "ward" == client_of(key, keys).name
    for each in wrong:
        with pytest.raises(RequestError) as refusal:
            client_of(each, keys)
        assert (401, ["unknown_api_key"]) == (
            refusal.value.status,
            [problem.code for problem in refusal.value.problems],
        )
    with pytest.raises(RequestError):
        client_of(key, {})


def test_a_key_is_good_to_the_end_of_its_last_day() -> None:
    today = datetime.now(UTC).date()
    for days, good in ((1, True), (0, True), (-1, False)):
        expires = today + timedelta(days=days)
        key, table = new_key("ward", ["read"], expires)
        id, sha256 = re.findall(r'(?:id|sha256) = "(\w+)"', table)
        keys = {id: ApiKey("ward", id, sha256, frozenset({"read"}), expires)}
        if good:
            assert "ward" == client_of(key, keys).name
        else:
            with pytest.raises(RequestError, match="api_key_expired"):
                client_of(key, keys)


KEY = f'client = "a"\nid = "{"0" * 16}"\nsha256 = "{"0" * 64}"\nscopes = ["read"]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names nobody who may call"),
        ("key = ", "clients.toml: Invalid value"),
        ("[[keys]]", "clients.toml: unknown key keys"),
        ("[key]", r"clients.toml: key must be written \[\[key\]\]"),
        ("key = [1]", r"clients.toml: key\[0\]: must be a table"),
        (f"[[key]]\n{KEY}", r"key\[0\]: expires is missing"),
        (f"[[key]]\n{KEY}expires = 2099-01-01\nowner = 1", r"key\[0\]: unknown key owner"),
        (f"[[key]]\n{KEY}expires = '2099-01-01'", r"key\[0\].expires: must be a date"),
        (f"[[key]]\n{KEY}expires = 2099-01-01T00:00:00Z", r"key\[0\].expires: must be a date"),
        (f"[[key]]\n{KEY}expires = 2099-01-01\n" * 2, "key: the same id is given twice"),
        (f"[[key]]\n{KEY}expires = 2099-01-01".replace('"a"', '"a b"'), r"key\[0\].client"),
        (f"[[key]]\n{KEY}expires = 2099-01-01".replace("0" * 64, "0" * 63), r"key\[0\].sha256"),
        (
            f"[[key]]\n{KEY}expires = 2099-01-01".replace("read", "reed"),
            r"key\[0\].scopes: must be",
        ),
        (f"[[key]]\n{KEY}expires = 2099-01-01".replace('["read"]', "[]"), r"key\[0\].scopes"),
        (f"[[key]]\n{KEY}expires = 2099-01-01".replace('["read"]', '"read"'), r"key\[0\].scopes"),
        (f"[[key]]\n{KEY}expires = 2099-01-01".replace("read", "cds-hooks"), r"key\[0\].scopes"),
        ('[[cds_hooks]]\njwks = "k.json"', r"cds_hooks\[0\]: iss is missing"),
        ('[[cds_hooks]]\niss = ""\njwks = "k.json"', r"cds_hooks\[0\].iss"),
        ('[[cds_hooks]]\niss = "a"', r"cds_hooks\[0\]: must have either jwks or jku"),
        ('[[cds_hooks]]\niss = "a"\njwks = "k.json"\njku = "https://a"', "either jwks or jku"),
        ('[[cds_hooks]]\niss = "a"\njwks = "none.json"', r"\[0\].jwks: No such file"),
        ('[[cds_hooks]]\niss = "a"\njwks = 7', r"\[0\].jwks: must be the name of a file"),
        ('[[cds_hooks]]\niss = "a"\njwks = "clients.toml"', r"\[0\].jwks: is not JSON"),
        ('[[cds_hooks]]\niss = "a"\njwks = "empty.json"', "has no key that can be used"),
        ('[[cds_hooks]]\niss = "a"\njwks = "private.json"', "holds a private key"),
        ('[[cds_hooks]]\niss = "a"\njwks = "twice.json"', "gives the same kid twice"),
        (
            '[[cds_hooks]]\niss = "a"\njku = "http://emr.example.org"',
            r"\[0\].jku: must be an https",
        ),
        ('[[cds_hooks]]\niss = "a"\njku = "https://a@b"', r"\[0\].jku"),
        ('[[cds_hooks]]\niss = "a"\njku = "file:///etc/passwd"', r"\[0\].jku"),
        ('[[cds_hooks]]\niss = "a"\njku = 7', r"\[0\].jku"),
        ('[[oauth]]\niss = "a"\njku = "https://b"', r"oauth\[0\]: scopes is missing"),
        ('[[oauth]]\niss = "a"\njku = "https://b"\nscopes = ["read"]\n' * 2, "same iss"),
    ],
)
def test_a_file_that_is_not_understood(tmp_path: Path, text: str, message: str) -> None:
    key = signer("a")
    for name, document in {
        "empty": {"keys": []},
        "private": {"keys": [key.as_dict(private=True)]},
        "twice": jwks(key, key),
    }.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    file = tmp_path / "clients.toml"
    file.write_text(text)

    with pytest.raises(DefinitionError, match=message):
        read_clients(file)


def test_a_server_with_a_wrong_file_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "clients.toml").write_text("[[keys]]")
    for file, message in (("clients.toml", "unknown key keys"), ("none.toml", "No such file")):
        process = run("-m", "serving", "--port", "0", CDSS_CLIENTS=str(tmp_path / file))
        assert 1 == process.returncode
        assert f"cdss: not started: {file}: " in process.stderr
        assert message in process.stderr
        assert 1 == process.stderr.count("\n")


def test_settings(tmp_path: Path) -> None:
    file = str(site(tmp_path))
    closed = read_settings({"CDSS_CLIENTS": file, "CDSS_URL": f"{BASE}/"})

    assert Settings() == read_settings({})
    assert (BASE, RATE, ()) == (closed.base_url, closed.rate, closed.origins)
    assert closed.clients is not None
    assert [EMR] == list(closed.clients.cds_hooks)
    assert read_settings({"CDSS_RATE": "5/second"}).rate == "5/second"
    assert read_settings({"CDSS_CLIENTS": file, "CDSS_URL": BASE, "CDSS_RATE": "off"}).rate is None
    assert ("https://a.example.org", "http://127.0.0.1:8080") == read_settings(
        {"CDSS_ORIGINS": "https://a.example.org, http://127.0.0.1:8080"}
    ).origins


@pytest.mark.parametrize(
    "environment",
    [
        {"CDSS_URL": "cdss.example.org"},
        {"CDSS_URL": "http://cdss.example.org"},
        {"CDSS_URL": 'https://cdss.example.org/"'},
        {"CDSS_URL": "https://cdss.example.org/?a"},
        {"CDSS_RATE": "many"},
        {"CDSS_ORIGINS": "*"},
        {"CDSS_ORIGINS": "null"},
        {"CDSS_ORIGINS": "https://*.example.org"},
        {"CDSS_ORIGINS": "https://a.example.org/"},
        {"CDSS_ORIGINS": "https://a.example.org/path"},
        {"CDSS_ORIGINS": "https://A.example.org"},
        {"CDSS_ORIGINS": "https://a.example.org:443"},
        {"CDSS_ORIGINS": "http://a.example.org"},
        {"CDSS_ORIGINS": "a.example.org"},
    ],
)
def test_settings_that_are_not_understood(environment: dict[str, str]) -> None:
    (name,) = environment
    with pytest.raises(DefinitionError, match=f"^{name}: "):
        read_settings(environment)


def test_with_clients_the_own_address_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"^CDSS_URL: must be set"):
        read_settings({"CDSS_CLIENTS": str(site(tmp_path))})
