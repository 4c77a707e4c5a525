"""Where a writing request comes from, and what tells it from any other."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import orjson
from starlette.types import Scope

from api import schemas
from api.parts import Parts
from api.security import Principal
from domain.origin import Origin


async def origin(
    parts: Parts, model: schemas.Repeatable, caller: Principal, scope: Scope, digest: str | None
) -> Origin:
    """Who asks, when, and from where."""
    client = scope.get("client")
    return Origin(
        by=await parts.people.key_for(caller.sub),
        at=parts.clock(),
        device=model.device,
        seq=model.seq,
        digest=digest,
        request=scope["state"]["request_id"],
        address=client[0] if client else None,
        reason=model.reason,
        auditor=caller.is_auditor,
    )


def digest_of(act: str, request: Any) -> str:
    """What tells two requests of one number apart, however they came: 96 bits as 16 characters."""
    said = {name: value for name, value in request.items() if name not in ("device", "seq")}
    packed = orjson.dumps(said, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    digest = hashlib.blake2b(packed, digest_size=12, person=act.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()
