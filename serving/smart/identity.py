"""Who the user is: the id token of OpenID Connect, verified."""

from __future__ import annotations

from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError

from serving.clients import Client
from serving.jwt import LEEWAY, MOST_BYTES, MOST_ID
from serving.problems import RequestError
from serving.smart.discovery import Endpoints
from serving.smart.failed import failed
from serving.smart.servers import SmartServer
from serving.tokens import OAUTH_ALGORITHMS

SCOPES = frozenset({"assess", "read"})
"""What the user of a session may do: the page, and the pages about the models."""


async def user_of(id_token: str, server: SmartServer, endpoints: Endpoints, nonce: str) -> Client:
    """
    Find out who the user is.

    Parameters
    ----------
    id_token : str
        As the EMR gave it.
    server : SmartServer
        The EMR.
    endpoints : Endpoints
        Of the EMR.
    nonce : str
        What the token must repeat: it was made for this launch.

    Returns
    -------
    Client
        For the audit log: the EMR, and the name it has for the user.

    Raises
    ------
    RequestError
        502 if anything about the token is wrong, 403 if it is a patient's or a relative's.
    """
    claims = await _claims(id_token, server, endpoints, nonce)
    parties = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    other = len(parties) > 1 and claims.get("azp") != server.client_id
    subject, user = claims["sub"], claims.get("fhirUser", "")
    if other or not isinstance(subject, str) or not 0 < len(subject) <= MOST_ID:
        raise failed("no_user")
    kind = user.split("/")[-2:][0] if isinstance(user, str) else ""
    if kind in ("Patient", "RelatedPerson"):
        raise failed("not_for_patients")
    return Client(endpoints.issuer, subject, SCOPES, server.iss)


async def _claims(
    id_token: str, server: SmartServer, endpoints: Endpoints, nonce: str
) -> dict[str, Any]:
    """What a token says, if it is signed by the EMR, about us, for this launch, and now."""
    registry = jwt.JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": endpoints.issuer},
        aud={"essential": True, "value": server.client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
        sub={"essential": True},
    )
    try:
        if len(id_token) > MOST_BYTES:
            raise ValueError
        kid = jws.extract_compact(id_token.encode("ascii")).headers().get("kid")
        key = await endpoints.find(kid) if isinstance(kid, str) and len(kid) <= MOST_ID else None
        if key is None:
            raise ValueError
        signed = jws.JWSRegistry(algorithms=OAUTH_ALGORITHMS, strict_check_header=False)
        claims = jwt.decode(
            id_token, key, algorithms=list(OAUTH_ALGORITHMS), registry=signed
        ).claims
        registry.validate(claims)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise failed("no_user") from None
    except RequestError:  # its keys cannot be fetched
        raise failed("emr_unreachable") from None
    return claims
