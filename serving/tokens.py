"""Who sent a token: one that a CDS Hooks client signed, or an OAuth 2 access token."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping

from cdss.errors import Problem
from serving.clients import CDS_HOOKS, Client, Issuer
from serving.jwt import LEEWAY, verified
from serving.problems import RequestError, unauthorized

HOOKS_ALGORITHMS = ("ES384", "RS384")
OAUTH_ALGORITHMS = ("ES256", "ES384", "RS256", "RS384")
"""Signatures that are accepted: never ``none``, never with a shared secret."""

OAUTH_TYPES = ("jwt", "at+jwt", "application/at+jwt")

LONGEST_LIFE = 300
"""Seconds a CDS Hooks token may live."""

MOST_REMEMBERED = 100_000

_CACHED_SECONDS = 60.0
_CACHED = 1024


class Seen:
    """
    Names seen before, of one issuer: a token that is used once is used up.

    Parameters
    ----------
    most : int
        Names remembered; when there are more that have not expired, all are refused.
    """

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self.most = most
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def add(self, name: str, until: float, now: float) -> bool:
        """
        Remember a name.

        Parameters
        ----------
        name : str
            ``jti`` of a token.
        until : float
            When the token has expired.
        now : float
            The time.

        Returns
        -------
        bool
            False if it was seen before.

        Raises
        ------
        RequestError
            429 if no more can be remembered.
        """
        while self._until and next(iter(self._until.values())) < now:
            self._until.popitem(last=False)
        digest = hashlib.sha256(name.encode()).digest()[:16]
        if digest in self._until:
            return False
        if len(self._until) >= self.most:
            detail = "came with more tokens than can be told apart; wait until some expire"
            raise RequestError(
                429, [Problem("too_many_tokens", "authorization", detail)], {"retry-after": "60"}
            )
        self._until[digest] = until
        return True


class HooksTokens:
    """
    Tokens that CDS Hooks clients sign, each for one call.

    Which were used is remembered in this process: a token of the last minutes could be used again
    after a restart, or with another process of the same address.

    Parameters
    ----------
    issuers : mapping of str to Issuer
        Clients by ``iss``.
    """

    def __init__(self, issuers: Mapping[str, Issuer]) -> None:
        self.issuers = issuers
        self._seen = {iss: Seen() for iss in issuers}

    async def client(self, token: str, address: str) -> Client:
        """
        Find out who signed a token, and use it up.

        Parameters
        ----------
        token : str
            JWT in compact form.
        address : str
            Public address that is called: what ``aud`` must say.

        Returns
        -------
        Client
            May use CDS Hooks and nothing else.

        Raises
        ------
        RequestError
            401 if anything about the token is wrong.
        """
        claims = await verified(token, self.issuers, HOOKS_ALGORITHMS, ("JWT",))
        now, iss = time.time(), claims.issuer.iss
        claims.check_audience(address, "the public address that is called")
        issued, expires = claims.seconds("iat"), claims.seconds("exp")
        if expires - issued > LONGEST_LIFE:
            raise unauthorized("token_too_long_lived", f"lives longer than {LONGEST_LIFE} seconds")
        claims.check_time(now)
        name, tenant = claims.text("jti"), claims.text("tenant", iss)
        if not self._seen[iss].add(name, expires + LEEWAY, now):
            raise unauthorized("token_used_before", "was used before: sign a new one for each call")
        return Client(iss, tenant, CDS_HOOKS, iss, name)


class AccessTokens:
    """
    OAuth 2 access tokens in the form of RFC 9068 or near it.

    They may be used until they expire, so what was verified is remembered for a minute.

    Parameters
    ----------
    issuers : mapping of str to Issuer
        Authorization servers by ``iss``.
    base_url : str
        Our public address: what ``aud`` must say.
    """

    def __init__(self, issuers: Mapping[str, Issuer], base_url: str) -> None:
        self.issuers, self.base_url = issuers, base_url
        self._known: OrderedDict[bytes, tuple[Client, float]] = OrderedDict()

    async def client(self, token: str) -> Client:
        """
        Find out to whom a token was issued.

        Parameters
        ----------
        token : str
            JWT in compact form.

        Returns
        -------
        Client
            With the scopes that both token and configuration give.

        Raises
        ------
        RequestError
            401 if anything about the token is wrong.
        """
        now, digest = time.time(), hashlib.sha256(token.encode()).digest()
        if (known := self._known.get(digest)) and now < known[1]:
            return known[0]
        claims = await verified(token, self.issuers, OAUTH_ALGORITHMS, OAUTH_TYPES)
        claims.check_audience(self.base_url, self.base_url)
        claims.check_time(now)
        issuer = claims.issuer
        client = Client(
            issuer.iss,
            claims.text("sub"),
            issuer.scopes.intersection(claims.scopes()),
            issuer.iss,
            claims.text("jti", ""),
        )
        self._known[digest] = client, min(now + _CACHED_SECONDS, claims.seconds("exp") + LEEWAY)
        if len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return client
