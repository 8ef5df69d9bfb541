"""
The journal: each assessment is in the audit log before it is answered.

One thread writes. What arrives while it is busy is written together, so that many requests share
the time a disk needs to say that it has something.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple, Protocol

import structlog
from starlette.requests import Request

from cdss import Assessment, Model
from cdss.audit.entry import Asking, Draft, draft, hash_of_body
from cdss.audit.identity import code, identities
from cdss.audit.keys import Keys
from cdss.audit.site import open_log, read_site
from cdss.audit.store import Store
from cdss.errors import AuditError, Problem
from serving.logs import where
from serving.problems import RequestError

_TURN = 25  # entries made before other requests have a turn: some milliseconds
_log = structlog.get_logger()


class _Group(NamedTuple):
    """Entries of one request, and whom to tell."""

    drafts: Sequence[Draft]
    loop: asyncio.AbstractEventLoop
    written: asyncio.Future[None]


class Keeps(Protocol):
    """Where assessments are recorded: `Journal`, or what stands for it."""

    async def keep(
        self,
        request: Request,
        entries: Sequence[tuple[str, Assessment]],
        body: bytes,
        *,
        lang: str,
        kind: str,
    ) -> None:
        """Record, or raise."""


async def recorded(
    journal: Keeps,
    request: Request,
    entries: Sequence[tuple[str, Assessment]],
    body: bytes,
    *,
    lang: str,
    kind: str,
) -> None:
    """
    Record assessments: what is not recorded is not answered.

    Parameters
    ----------
    journal : Keeps
        Where.
    request, entries, body, lang, kind : object
        As of `Journal.keep`.

    Raises
    ------
    RequestError
        503 whatever went wrong.
    """
    try:
        await journal.keep(request, entries, body, lang=lang, kind=kind)
    except RequestError:
        raise
    except Exception as error:
        _log.error("not_recorded", error=type(error).__name__, at=where(error))
        raise RequestError(503, [_NOT_RECORDED], {"retry-after": "5"}) from error


_NOT_RECORDED = Problem(
    "not_recorded", "assessment", "could not be recorded, so it is not answered: try again later"
)


class NoJournal:
    """The off position: must be asked for, and is said when the server starts."""

    async def keep(
        self,
        request: Request,
        entries: Sequence[tuple[str, Assessment]],
        body: bytes,
        *,
        lang: str,
        kind: str,
    ) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Journal:
    """
    Records assessments.

    Parameters
    ----------
    store : Store
        The log.
    keys : Keys
        Its keys.
    models : sequence of RiskModel or PointsScore
        All that can be asked.
    vault : bool
        Whether records and answers are kept, sealed.
    """

    def __init__(
        self, store: Store, keys: Keys, models: Sequence[Model], *, vault: bool = False
    ) -> None:
        self.store, self.keys, self.vault = store, keys, vault
        self._models = identities(models)
        self._queue: SimpleQueue[_Group | None] = SimpleQueue()
        self._writer = Thread(target=self._write, name="audit", daemon=True)
        code()  # hashed now, not while somebody waits
        self._writer.start()

    async def keep(
        self,
        request: Request,
        entries: Sequence[tuple[str, Assessment]],
        body: bytes,
        *,
        lang: str,
        kind: str,
    ) -> None:
        """
        Record assessments, all or none; they are on disk when this returns.

        Parameters
        ----------
        request : Request
            Which asked for them; `serving.security` says in its state who that is.
        entries : sequence of (str, Assessment)
            Assessments with their ids.
        body : bytes
            What was sent.
        lang : str
            Language of the answer.
        kind : str
            Format: ``json``, ``batch``, ``fhir``, ``cds-hooks``, ``checkup``, ``page`` or
            ``what-if``.

        Raises
        ------
        RequestError
            503 if they cannot be recorded.
        """
        client = getattr(request.state, "client", None)
        asking = Asking(
            kind,
            lang,
            getattr(client, "issuer", None),
            getattr(client, "subject", None),
            getattr(client, "token_id", None) or None,
            body,
        )
        key = self.keys.current
        body_hash = hash_of_body(body, key)
        drafts = []
        for at, (assessment_id, assessment) in enumerate(entries, start=1):
            drafts.append(
                draft(
                    assessment_id, assessment, asking, self._models, key,
                    keep=self.vault, body_hash=body_hash,
                )
            )  # fmt: skip
            if at % _TURN == 0:
                await asyncio.sleep(0)
        try:
            await self._written(drafts)
        except AuditError as error:
            _log.error("not_recorded", error=str(error), at=where(error))
            raise RequestError(503, [_NOT_RECORDED], {"retry-after": "5"}) from None

    def close(self) -> None:
        """Write what waits, and end."""
        self._queue.put(None)
        self._writer.join()
        self.store.close()

    async def _written(self, drafts: Sequence[Draft]) -> None:
        if not self._writer.is_alive():
            raise AuditError("the journal is closed")
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()
        self._queue.put(_Group(drafts, loop, written))
        await written

    def _write(self) -> None:
        """Write, in the thread, all that waits; again and again."""
        while True:
            groups: list[_Group | None] = [self._queue.get()]
            with suppress(Empty):
                while True:
                    groups.append(self._queue.get_nowait())
            some = [group for group in groups if group is not None]
            if some:
                error = self._append([draft for group in some for draft in group.drafts])
                for group in some:
                    with suppress(RuntimeError):  # the loop has ended, and nobody waits
                        group.loop.call_soon_threadsafe(_tell, group.written, error)
            if len(some) < len(groups):
                return

    def _append(self, drafts: Sequence[Draft]) -> AuditError | None:
        try:
            self.store.append(drafts)
        except AuditError as error:
            return error
        except Exception as error:  # the thread must live on, and nobody wait for ever
            return AuditError(f"{type(error).__name__} at {where(error)[-1]}")
        return None


def open_journal(environment: Mapping[str, str], models: Sequence[Model]) -> Journal | NoJournal:
    """
    Open the journal that the environment asks for, and say so in the server's log.

    Parameters
    ----------
    environment : mapping of str to str
        Of the process; `cdss.audit.site` says what it may set.
    models : sequence of RiskModel or PointsScore
        All that can be asked.

    Returns
    -------
    Journal or NoJournal
        The journal.

    Raises
    ------
    AuditError
        If it cannot be opened.
    """
    site = read_site(environment)
    if site is None:
        _log.warning("no_audit")
        return NoJournal()
    store, keys = open_log(site)
    head = store.head()
    # Noted elsewhere than in the log itself: `cdss audit verify --head` takes it.
    _log.info("audit", records=head.entries, at=head.hash)
    return Journal(store, keys, models, vault=site.vault)


def _tell(written: asyncio.Future[None], error: AuditError | None) -> None:
    """Tell who waits, unless they gave up."""
    if written.done():
        return
    if error is None:
        written.set_result(None)
    else:
        written.set_exception(error)
