"""Tokens as a CDS Hooks client signs them: one for each call, for five minutes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any
from uuid import uuid4

_ALGORITHMS = {("EC", "P-384"): "ES384", ("RSA", None): "RS384"}
_LIFE = 300


class Signer:
    """
    Signs tokens.

    Parameters
    ----------
    jwk : mapping
        Private key with its ``kid``, or a set of keys of which the first counts.
    issuer : str
        Name of the client, ``iss``.

    Raises
    ------
    ValueError
        If it is no key that CDS Hooks recommends: EC of curve P-384, or RSA.
    ImportError
        If joserfc is not installed, which signs; it comes with the extra ``serve``.
    """

    def __init__(self, jwk: Mapping[str, Any], issuer: str) -> None:
        jwk = jwk["keys"][0] if jwk.get("keys") else jwk
        algorithm = _ALGORITHMS.get((str(jwk.get("kty")), jwk.get("crv")))
        if algorithm is None or not jwk.get("kid") or "d" not in jwk:
            raise ValueError("not a private key of kty EC (P-384) or RSA with a kid")
        self._jwt = import_module("joserfc.jwt")
        try:
            self._key = import_module("joserfc.jwk").import_key(dict(jwk))
        except import_module("joserfc.errors").JoseError as error:
            raise ValueError(str(error)) from None
        self._algorithm, self._kid, self.issuer = algorithm, jwk["kid"], issuer

    def token(self, address: str) -> str:
        """
        Sign a token for one call.

        Parameters
        ----------
        address : str
            Public address that is called, ``aud``.

        Returns
        -------
        str
            JWT in compact form.
        """
        now = int(time.time())
        header = {"alg": self._algorithm, "typ": "JWT", "kid": self._kid}
        claims = {
            "iss": self.issuer, "aud": address, "iat": now, "exp": now + _LIFE, "jti": str(uuid4()),
        }  # fmt: skip
        return str(self._jwt.encode(header, claims, self._key, algorithms=[self._algorithm]))
