"""
Fetch files over HTTP: politely, one at a time, resumed where a connection broke, with checksums.

A file is first written as ``<name>.part`` and gets its name when it is complete and looks like what
it should be: a web page saved under the name of a data file is refused. ``manifest.json`` keeps
address, size, SHA-256 and day of every file; a file that still has its checksum is not fetched
again.
"""

from __future__ import annotations

import email.utils
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from training.nhanes.files import PublicFile, catalogue
from training.nhanes.manifest import Manifest

ATTEMPTS = 5
"""How often in a row a file may fail without a byte more than before."""
ATTEMPTS_IN_ALL = 40
FIRST_WAIT = 1.0
"""Seconds before the second attempt; doubled for each further one."""
LONGEST_WAIT = 120.0
"""Seconds that a server may make us wait (Retry-After) before we give up and say so."""
TIMEOUT = 60.0
CHUNK = 1 << 16
BUSY = (408, 425, 429, 500, 502, 503, 504)
GONE = (404, 410)

Tell = Callable[[str, int, int | None], None]
"""Told of progress: file, bytes there, bytes in all (None if the server does not say)."""


class DownloadError(ValueError):
    """A file could not be fetched; says which, of what cycle, and why."""


class NotThere(DownloadError):
    """No address has the file."""


@dataclass(frozen=True)
class Downloaded:
    """
    What a download did.

    Attributes
    ----------
    files : dict of str to Path
        Every complete file by name.
    fetched, kept : tuple of str
        Names fetched now, and those that were there with the right checksum.
    missing : tuple of PublicFile
        Files that no address has.
    revised : tuple of str
        Files whose checksum is not the one ``cycles.toml`` knows: CDC changed them since.
    """

    files: dict[str, Path]
    fetched: tuple[str, ...]
    kept: tuple[str, ...]
    missing: tuple[PublicFile, ...]
    revised: tuple[str, ...]


def download(
    wanted: Iterable[PublicFile],
    folder: Path,
    *,
    tell: Tell = lambda name, done, total: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Downloaded:
    """
    Fetch files that are not there yet.

    Parameters
    ----------
    wanted : iterable of PublicFile
        What to fetch.
    folder : Path
        Where to keep it; made if need be.
    tell : callable, optional
        Told of progress.
    sleep : callable, optional
        How to wait, in seconds.

    Returns
    -------
    Downloaded
        What is there now, and what is not. A missing file does not stop the others.

    Raises
    ------
    DownloadError
        If a server keeps failing, asks for a longer wait than `LONGEST_WAIT`, refuses, or sends
        something that is not the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(folder / "manifest.json")
    known = catalogue()["checksums"]
    files, fetched, kept, missing, revised = {}, [], [], [], []
    preferred = 0
    for item in wanted:
        path = folder / item.name
        if manifest.holds(path):
            kept.append(item.name)
            tell(item.name, path.stat().st_size, path.stat().st_size)
        else:
            order = sorted(range(len(item.addresses)), key=lambda i: i != preferred)
            for i in order:
                try:
                    fetch(item, item.addresses[i], path, tell=tell, sleep=sleep)
                except NotThere:
                    continue
                manifest.note(path, item.addresses[i])
                fetched.append(item.name)
                preferred = i if item.name.endswith(".XPT") else preferred
                break
            else:
                missing.append(item)
                continue
        files[item.name] = path
        if manifest.files[item.name]["sha256"] != known.get(
            item.name, manifest.files[item.name]["sha256"]
        ):
            revised.append(item.name)
    return Downloaded(files, tuple(fetched), tuple(kept), tuple(missing), tuple(revised))


def fetch(
    item: PublicFile,
    address: str,
    path: Path,
    *,
    tell: Tell = lambda name, done, total: None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """
    Fetch one file from one address, going on where an earlier attempt stopped.

    Parameters
    ----------
    item : PublicFile
        The file, for messages and for what it must look like.
    address : str
        Where it is.
    path : Path
        Where to write it; ``<path>.part`` beside it while it is not complete.
    tell, sleep : callable, optional
        As in `download`.

    Raises
    ------
    NotThere
        If the server says so (404, 410).
    DownloadError
        As in `download`.
    """
    part = path.with_name(f"{path.name}.part")
    failures, wait = 0, FIRST_WAIT
    for attempt in range(ATTEMPTS_IN_ALL):
        before = part.stat().st_size if part.exists() else 0
        try:
            if _attempt(item, address, part, tell):
                break
            reason, asked = "the connection broke", None
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in GONE:
                raise NotThere(f"{_what(item)}: not found at {address}") from None
            if error.code not in BUSY:
                raise DownloadError(f"{_what(item)}: {address} answers {error.code}") from None
            reason = f"the server answers {error.code}"
            asked = _retry_after(error.headers.get("Retry-After"))
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            reason, asked = f"{getattr(error, 'reason', error) or type(error).__name__}", None
        after = part.stat().st_size if part.exists() else 0
        # A connection that brings something each time is slow, not broken.
        failures, wait = (1, FIRST_WAIT) if after > before else (failures + 1, wait)
        if failures >= ATTEMPTS or attempt == ATTEMPTS_IN_ALL - 1:
            raise DownloadError(f"{_what(item)}: {reason}, {attempt + 1} times; try again later")
        pause = wait if asked is None else asked
        if pause > LONGEST_WAIT:
            raise DownloadError(
                f"{_what(item)}: the server asks to come back in {pause:.0f} s; try again then"
            )
        sleep(pause)
        wait *= 2
    _refuse_what_it_is_not(item, part)
    part.replace(path)
    _tag(part).unlink(missing_ok=True)


def _attempt(item: PublicFile, address: str, part: Path, tell: Tell) -> bool:
    """One request; whether the file is complete now."""
    start, validator = _resumable(part)
    headers = {"User-Agent": "cdss-nhanes (public-use data)", "Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-"} | ({"If-Range": validator} if validator else {})
    # Only http and https: public_files refuses anything else.
    request = urllib.request.Request(address, headers=headers)  # noqa: S310
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        error.close()
        part.unlink(missing_ok=True)  # what we hold is not a beginning of what is there
        return False
    with answer:
        length = answer.headers.get("Content-Length")
        if answer.status == 206 and _begins_at(answer.headers.get("Content-Range"), start):
            total = start + int(length) if length else None
        else:  # the whole file: no ranges here, or it changed since
            start, total = 0, int(length) if length else None
        tag = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        # A weak tag does not vouch for bytes.
        _tag(part).write_text("" if tag.startswith("W/") else tag, encoding="utf-8")
        done = start
        with part.open("ab" if start else "wb") as out:
            while block := answer.read(CHUNK):
                out.write(block)
                done += len(block)
                tell(item.name, done, total)
    return total is None or done == total


def _resumable(part: Path) -> tuple[int, str]:
    """How much of a file is there, and what said which version it was."""
    if not part.exists():
        return 0, ""
    tag = _tag(part)
    return part.stat().st_size, tag.read_text(encoding="utf-8") if tag.exists() else ""


def _tag(part: Path) -> Path:
    return part.with_name(f"{part.name}.tag")


def _begins_at(content_range: str | None, start: int) -> bool:
    return (content_range or "").startswith(f"bytes {start}-")


def _retry_after(value: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or as a date."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        then = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (then - datetime.now(UTC)).total_seconds())


def _what(item: PublicFile) -> str:
    return f"{item.name} of {item.cycle}"


def _refuse_what_it_is_not(item: PublicFile, part: Path) -> None:
    """Delete and refuse what is neither a SAS transport file nor a mortality file."""
    with part.open("rb") as file:
        head = file.read(80)
    if item.name.endswith(".XPT"):
        good = head.startswith(b"HEADER RECORD*******LIBRARY HEADER RECORD")
        good &= part.stat().st_size % 80 == 0
        kind = "a complete SAS transport file"
    else:
        good, kind = head[:5].strip().isdigit(), "a linked mortality file"
    if not good:
        page = b"<" in head[:20]
        part.unlink()
        _tag(part).unlink(missing_ok=True)
        raise DownloadError(
            f"{_what(item)}: what came is not {kind}" + (" but a web page" if page else "")
        )
