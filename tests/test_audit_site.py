from pathlib import Path

import pytest

from cdss.audit import site as site_module
from cdss.audit.chain import START
from cdss.audit.site import Site, open_log, read_site
from cdss.errors import AuditError
from tests.audit_logs import KEY, entry

URL = "postgresql://cdss:s3cret@db.example.org/audit"


def test_without_settings_there_is_a_log_in_the_state_folder() -> None:
    for environment, folder in (
        ({"XDG_STATE_HOME": "/var/lib/x"}, "/var/lib/x"),
        ({}, str(Path("~/.local/state").expanduser())),
        ({"CDSS_AUDIT": "", "CDSS_VAULT": ""}, str(Path("~/.local/state").expanduser())),
    ):
        site = read_site(environment)
        log = f"{folder}/cdss/audit.sqlite"
        assert Site(log, Path(f"{log}.keys"), vault=False) == site


def test_settings_say_where_and_whether_inputs_are_kept() -> None:
    assert Site("a.db", Path("a.db.keys"), vault=True) == read_site(
        {"CDSS_AUDIT": "a.db", "CDSS_VAULT": "1"}
    )
    assert Site(URL, Path("/k"), vault=False) == read_site(
        {"CDSS_AUDIT": URL, "CDSS_AUDIT_KEYS": "/k", "CDSS_VAULT": "0"}
    )


def test_no_log_must_be_asked_for() -> None:
    assert read_site({"CDSS_AUDIT": "none"}) is None


def test_a_password_is_not_shown() -> None:
    assert "s3cret" not in repr(Site(URL, Path("/k")))


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"CDSS_AUDIT": URL}, "CDSS_AUDIT_KEYS: must name the file of keys"),
        ({"CDSS_VAULT": "yes"}, "CDSS_VAULT must be 0 or 1"),
        ({"CDSS_AUDIT": "none", "CDSS_VAULT": "1"}, "CDSS_VAULT=1 needs a log"),
        ({"CDSS_AUDIT": "mysql://x"}, "must be the path of a file, or a postgresql:// URL"),
    ],
)
def test_what_is_not_understood_is_refused(environment: dict[str, str], message: str) -> None:
    with pytest.raises(AuditError, match=message):
        read_site(environment)


def test_without_a_home_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(path: Path) -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "expanduser", no_home)
    with pytest.raises(AuditError, match="CDSS_AUDIT: must be set"):
        read_site({})


def test_keeping_inputs_needs_what_seals_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_module, "can_seal", lambda: False)

    with pytest.raises(AuditError, match="CDSS_VAULT=1 needs cryptography"):
        read_site({"CDSS_VAULT": "1"})


def test_a_new_log_gets_its_first_key_and_one_with_entries_never_another(tmp_path: Path) -> None:
    site = Site(str(tmp_path / "logs" / "audit.sqlite"), tmp_path / "logs" / "keys")
    store, keys = open_log(site)
    assert START == store.head()
    store.append([entry(key=keys.current)])
    store.close()

    store, again = open_log(site)
    store.close()
    assert keys == again

    site.keys.unlink()
    with pytest.raises(AuditError, match="keys keys: No such file or directory"):
        open_log(site)
    assert not site.keys.exists()


def test_keys_that_are_there_are_used(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(KEY.secret.hex())
    store, keys = open_log(Site(str(tmp_path / "audit.sqlite"), tmp_path / "keys"))
    store.close()

    assert KEY == keys.current
