"""
A signed token (JWT) taken apart, its signature and its claims verified.

Only keys that the configuration knows are used: a token's ``jku``, ``jwk``, ``x5u`` and ``x5c``
fetch and trust nothing. What is refused is told by name, without any of its content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError

from serving.clients import Issuer
from serving.problems import RequestError, unauthorized

LEEWAY = 60
"""Seconds by which clocks may differ."""

MOST_BYTES = 8192
MOST_ID = 256

_SIZES = jws.JWSRegistry(strict_check_header=False)
_SIZES.max_header_length = MOST_BYTES  # 512 by default: too few for a header with certificates


class Claims:
    """
    What a token says, its signature being that of one of the issuers.

    Parameters
    ----------
    claims : mapping
        Decoded JSON.
    issuer : Issuer
        Who signed it.
    """

    def __init__(self, claims: Mapping[str, Any], issuer: Issuer) -> None:
        self.claims, self.issuer = claims, issuer

    def check_audience(self, address: str, told: str) -> None:
        """Refuse what is meant for others; the address may have been sent, so another is told."""
        given = self.claims.get("aud")
        if address not in (given if isinstance(given, list) else [given]):
            raise unauthorized("wrong_audience", f"must have aud: {told}")

    def check_time(self, now: float) -> None:
        """Refuse what is no longer, or not yet, valid."""
        if self.seconds("exp") + LEEWAY <= now:
            raise unauthorized("token_expired", "has expired")
        for claim in ("iat", "nbf"):
            if claim in self.claims and self.seconds(claim) - LEEWAY > now:
                raise unauthorized("token_from_the_future", f"has an {claim} in the future")

    def seconds(self, claim: str) -> float:
        """A point in time, which must be given."""
        given = self.claims.get(claim)
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise _wrong(claim, "a number of seconds")
        return given

    def text(self, claim: str, default: str | None = None) -> str:
        """A short text, which must be given unless there is a default."""
        given = self.claims.get(claim, default)
        if not isinstance(given, str) or len(given) > MOST_ID or (default is None and not given):
            raise _wrong(claim, f"a text of at most {MOST_ID} characters")
        return given

    def scopes(self) -> Sequence[str]:
        """Scopes: RFC 9068 has one text, some servers a list."""
        given = self.claims.get("scope", self.claims.get("scp", ""))
        if isinstance(given, str):
            return given.split()
        if isinstance(given, list) and all(isinstance(each, str) for each in given):
            return given
        raise _wrong("scope", "a text with spaces between the scopes")


def _wrong(claim: str, form: str) -> RequestError:
    return unauthorized("wrong_claim", f"must have {claim}: {form}")


async def verified(
    token: str, issuers: Mapping[str, Issuer], algorithms: Sequence[str], types: Sequence[str]
) -> Claims:
    """
    Verify who signed a token.

    Parameters
    ----------
    token : str
        JWT in compact form.
    issuers : mapping of str to Issuer
        Who may have, by ``iss``.
    algorithms : sequence of str
        Signatures that are accepted.
    types : sequence of str
        Values of ``typ`` that are accepted; those in small letters however they are written.

    Returns
    -------
    Claims
        Neither audience nor time are checked.

    Raises
    ------
    RequestError
        401 if it is not a token, or not signed so by any of them.
    """
    header, claims, signed = _parts(token)
    if header.get("alg") not in algorithms:
        raise unauthorized(
            "algorithm_not_allowed", f"must be signed with {' or '.join(algorithms)}"
        )
    kind = header.get("typ")
    if not isinstance(kind, str) or (kind not in types and kind.lower() not in types):
        raise unauthorized("wrong_token_type", f"must have typ {' or '.join(types)}")
    iss, kid = claims.get("iss"), header.get("kid")
    issuer = issuers.get(iss) if isinstance(iss, str) else None
    if issuer is None:
        raise unauthorized("unknown_issuer", "has an iss that is not registered here")
    if issuer.jku and header.get("jku", issuer.jku) != issuer.jku:
        raise unauthorized("jku_not_allowed", "has a jku that is not registered for its iss")
    key = await issuer.find(kid) if isinstance(kid, str) and len(kid) <= MOST_ID else None
    if key is None:
        raise unauthorized("unknown_key", "has a kid that is not among the keys of its iss")
    registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
    try:
        key.check_alg(header["alg"])
        valid = jws.validate_compact(signed, key, algorithms, registry)
    except (JoseError, ValueError, TypeError):
        valid = False
    if not valid:
        raise unauthorized("wrong_signature", "is not signed with the key that it names")
    return Claims(claims, issuer)


def _parts(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any], jws.CompactSignature]:
    """Take a token apart. Nothing that it says is true until its signature is verified."""
    try:
        if len(token) > MOST_BYTES:
            raise ValueError
        signed = jws.extract_compact(token.encode("ascii"), registry=_SIZES)
        header, claims = signed.headers(), orjson.loads(signed.payload)
        if not isinstance(header, dict) or not isinstance(claims, dict):
            raise ValueError
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
        raise unauthorized(
            "malformed_token", f"is not a signed JWT of at most {MOST_BYTES} bytes"
        ) from None
    return header, claims, signed
