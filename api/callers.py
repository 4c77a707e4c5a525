"""Who is calling: the one place where a request's token becomes a principal, and is counted."""

from __future__ import annotations

from starlette.types import Scope

from api.api_keys import PREFIX, ApiKeys
from api.jwks import IssuerKeys
from api.limits import Rates
from api.links import PREFIX as LINK_PREFIX
from api.links import ShareLinks
from api.security import Principal, Tokens, UnknownKey, bearer
from domain.errors import Unauthenticated


class Callers:
    """Reads the tokens of requests: JWTs, API keys and share links."""

    def __init__(
        self,
        tokens: Tokens,
        issuer: IssuerKeys | None,
        api_keys: ApiKeys,
        links: ShareLinks,
        rates: Rates,
    ) -> None:
        self._tokens, self._issuer, self._rates = tokens, issuer, rates
        self._api_keys, self._links = api_keys, links

    async def of(self, scope: Scope) -> Principal:
        """The caller of a request, which counts once however often this is asked.

        Raises:
            Unauthenticated: There is no token, or it does not hold; the sentence says why.
            IssuerUnavailable: Nobody can say whether it holds.
            RateExceeded: The caller asks too often.
        """
        state = scope["state"]
        if (known := state.get("caller")) is not None:
            return known  # type: ignore[no-any-return]
        authorization = _authorization(scope)
        caller = self._tokens.remembered(authorization)
        if caller is None:
            caller = await self._checked(authorization, scope)
        self._rates.count(caller)
        state["caller"] = caller
        return caller

    async def still(self, scope: Scope) -> None:
        """Check again, later on, that the caller of a request holds; this counts as no request.

        Raises:
            Unauthenticated: The token has expired, or was revoked.
            IssuerUnavailable: Nobody can say whether it holds.
        """
        authorization = _authorization(scope)
        if self._tokens.remembered(authorization) is None:
            await self._principal(authorization)

    async def _checked(self, authorization: bytes | None, scope: Scope) -> Principal:
        try:
            return await self._principal(authorization)
        except Unauthenticated:
            self._rates.count_refused(scope)
            raise

    async def _principal(self, authorization: bytes | None) -> Principal:
        token = bearer(authorization)
        if token.startswith(PREFIX):
            return await self._api_keys.principal(token)
        if token.startswith(LINK_PREFIX):
            return await self._links.principal(token)
        return await self._signed(authorization)

    async def _signed(self, authorization: bytes | None) -> Principal:
        if self._issuer is not None:
            self._issuer.freshen()
        try:
            return self._tokens.check(authorization)
        except UnknownKey:
            if self._issuer is None:
                raise
            await self._issuer.look_again()
            return self._tokens.check(authorization)


def _authorization(scope: Scope) -> bytes | None:
    """The header.

    Raises:
        Unauthenticated: There are several; a proxy may have looked at another one.
    """
    found: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            if found is not None:
                raise Unauthenticated("Send one Authorization header, not several.")
            found = value
    return found
