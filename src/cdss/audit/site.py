"""
Where a site's log and keys are, from the environment.

``CDSS_AUDIT`` is the log: the path of an SQLite file or a postgresql:// URL; by default a file in
the user's state folder, and ``none`` for no log at all. ``CDSS_AUDIT_KEYS`` is the file of keys; by
default the log's path with ``.keys`` added. ``CDSS_VAULT=1`` keeps records and answers, sealed, so
that they can be replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cdss.audit.chain import START
from cdss.audit.keys import Keys, add_key, can_seal, read_keys
from cdss.audit.store import Store, open_store, scheme_of
from cdss.errors import AuditError

NONE = "none"


@dataclass(frozen=True, slots=True)
class Site:
    """
    Where a site's log and keys are.

    Attributes
    ----------
    log : str
        Path of a file, or a postgresql:// URL; not shown, since it may hold a password.
    keys : pathlib.Path
        The file of keys.
    vault : bool
        Whether records and answers are kept.
    """

    log: str
    keys: Path
    vault: bool = False

    def __repr__(self) -> str:
        return f"Site({scheme_of(self.log)}, keys={self.keys.name}, vault={self.vault})"


def read_site(environment: Mapping[str, str]) -> Site | None:
    """
    Read where the log is to be.

    Parameters
    ----------
    environment : mapping of str to str
        Of the process.

    Returns
    -------
    Site or None
        None if ``CDSS_AUDIT`` is ``none``.

    Raises
    ------
    AuditError
        If a setting is missing or not understood; names it.
    """
    log = environment.get("CDSS_AUDIT") or str(_default(environment))
    vault = environment.get("CDSS_VAULT") or "0"
    if vault not in ("0", "1"):
        raise AuditError("CDSS_VAULT must be 0 or 1")
    if log == NONE:
        if vault == "1":
            raise AuditError("CDSS_VAULT=1 needs a log: CDSS_AUDIT is none")
        return None
    if vault == "1" and not can_seal():
        raise AuditError("CDSS_VAULT=1 needs cryptography: pip install 'cdss[serve]'")
    keys, scheme = environment.get("CDSS_AUDIT_KEYS"), scheme_of(log)
    if not keys and scheme == "postgresql":
        raise AuditError("CDSS_AUDIT_KEYS: must name the file of keys of a log in PostgreSQL")
    return Site(log, Path(keys or f"{log}.keys"), vault == "1")


def open_log(site: Site) -> tuple[Store, Keys]:
    """
    Open a log for writing; a new one with its first key.

    Parameters
    ----------
    site : Site
        Where it is.

    Returns
    -------
    Store
        The log.
    Keys
        Its keys.

    Raises
    ------
    AuditError
        If it cannot be opened, or has entries and no file of keys.
    """
    store = open_store(site.log)
    try:
        if not site.keys.exists() and store.head() == START:
            add_key(site.keys)
        return store, read_keys(site.keys)
    except AuditError:
        store.close()
        raise


def _default(environment: Mapping[str, str]) -> Path:
    state = environment.get("XDG_STATE_HOME")
    try:
        folder = Path(state) if state else Path("~/.local/state").expanduser()
    except RuntimeError:
        raise AuditError("CDSS_AUDIT: must be set, since there is no home folder") from None
    return folder / "cdss" / "audit.sqlite"
