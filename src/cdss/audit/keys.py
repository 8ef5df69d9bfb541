"""
The site's secret keys: a file with one key a line, in hexadecimal digits; the last one is used.

Older ones stay for reading. A key's id is derived from it, so that it cannot be given a wrong one.
Whoever removes a line makes everything that was sealed with it unreadable for ever, in backups too.
"""

from __future__ import annotations

import hmac
import os
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cdss.errors import AuditError

_BYTES = 32
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Key:
    """
    One secret.

    Parameters
    ----------
    secret : bytes
        32 random bytes.
    """

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """
        Name of the key.

        Returns
        -------
        str
            16 hexadecimal digits, which tell nothing about the secret.
        """
        return self._derived("id", "").hex()[:16]

    def mac(self, use: str, name: str, content: bytes) -> str:
        """
        Hash something so that only who has the key can try what it might have been.

        Parameters
        ----------
        use : str
            What is hashed: a kind of thing.
        name : str
            Of which assessment: equal contents of two of them have different hashes.
        content : bytes
            What is hashed.

        Returns
        -------
        str
            HMAC-SHA256, hexadecimal digits.
        """
        secret = self._derived("mac", f"{use}\n{name}")
        return hmac.digest(secret, content, "sha256").hex()

    def seal(self, name: str, content: bytes) -> bytes:
        """
        Encrypt (AES-256-GCM, with a key of its own for each assessment).

        Parameters
        ----------
        name : str
            Id of the assessment.
        content : bytes
            What nobody else may read or change.

        Returns
        -------
        bytes
            Nonce and ciphertext.
        """
        nonce = os.urandom(_NONCE)
        cipher = _cipher()(self._derived("seal", name))
        sealed: bytes = cipher.encrypt(nonce, zlib.compress(content, 1), name.encode())
        return nonce + sealed

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """
        Decrypt.

        Parameters
        ----------
        name : str
            Id of the assessment.
        sealed : bytes
            As `seal` made it.

        Returns
        -------
        bytes
            What was sealed.

        Raises
        ------
        AuditError
            If it was changed, is of another assessment, or was sealed with another key.
        """
        cipher = _cipher()(self._derived("seal", name))
        try:
            packed = cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
        except Exception:  # `InvalidTag`, or too short for one; neither has a text
            raise AuditError(f"what is kept of {name} was changed, or is of another key") from None
        return zlib.decompress(packed)

    def _derived(self, use: str, name: str) -> bytes:
        return hmac.digest(self.secret, f"cdss {use}\n{name}".encode(), "sha256")


@dataclass(frozen=True, slots=True)
class Keys:
    """
    The keys of a site.

    Attributes
    ----------
    current : Key
        Used for what is new.
    by_id : mapping of str to Key
        All of them.
    """

    current: Key
    by_id: dict[str, Key]

    def of(self, key_id: str) -> Key:
        """
        Find a key.

        Parameters
        ----------
        key_id : str
            Its id.

        Returns
        -------
        Key
            The key.

        Raises
        ------
        AuditError
            If it is not there any more: what it sealed cannot be read.
        """
        try:
            return self.by_id[key_id]
        except KeyError:
            raise AuditError(f"the key {key_id} is not in the file of keys any more") from None


def read_keys(path: str | os.PathLike[str]) -> Keys:
    """
    Read a file of keys.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    Keys
        At least one.

    Raises
    ------
    AuditError
        If it cannot be read, or a line is no key; names the line, never what stands in it.
    """
    name = Path(path).name
    try:
        lines = Path(path).read_text(encoding="ascii").splitlines()
    except UnicodeDecodeError:
        raise AuditError(f"keys {name}: is not a text of keys") from None
    except OSError as error:
        raise AuditError(f"keys {name}: {error.strerror}") from None
    found = []
    for at, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            secret = bytes.fromhex(line)
        except ValueError:
            secret = b""
        if len(secret) != _BYTES:
            raise AuditError(f"keys {name}: line {at} is not {2 * _BYTES} hexadecimal digits")
        found.append(Key(secret))
    if not found:
        raise AuditError(f"keys {name}: there is no key in it")
    return Keys(found[-1], {key.id: key for key in found})


def add_key(path: str | os.PathLike[str]) -> Key:
    """
    Make a new key, which is used from then on.

    Parameters
    ----------
    path : path
        The file, to which it is added; created, for its owner only, if it is not there.

    Returns
    -------
    Key
        The new one.

    Raises
    ------
    AuditError
        If the file cannot be written.
    """
    key = Key(os.urandom(_BYTES))
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, f"{key.secret.hex()}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise AuditError(f"keys {Path(path).name}: {error.strerror}") from None
    return key


def can_seal() -> bool:
    """
    Say whether what sealing needs is installed.

    Returns
    -------
    bool
        Whether it is.
    """
    try:
        _cipher()
    except AuditError:
        return False
    return True


def _cipher() -> Any:
    """AES-GCM of `cryptography`, which only sealing needs."""
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise AuditError("keeping inputs needs cryptography: pip install 'cdss[serve]'") from None
    return AESGCM
