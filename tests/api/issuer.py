"""Somebody who issues tokens: private keys, and an address that shows the public ones."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.running import NOON

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PATH = "/auth/v1/.well-known/jwks.json"


@cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key of the tests; the same number gives the same key."""
    return rsa.generate_private_key(65_537, bits)


@cache
def ec_key(number: int = 0) -> ec.EllipticCurvePrivateKey:
    """A key of the tests; the same number gives the same key."""
    return ec.generate_private_key(ec.SECP256R1())


def public_jwk(key: PrivateKey, kid: str, **members: Any) -> dict[str, Any]:
    """A public key as Supabase shows it."""
    if isinstance(key, rsa.RSAPrivateKey):
        shown, algorithm = json.loads(RSAAlgorithm.to_jwk(key.public_key())), "RS256"
    else:
        shown, algorithm = json.loads(ECAlgorithm.to_jwk(key.public_key())), "ES256"
    said = {"kid": kid, "alg": algorithm, "use": "sig", "key_ops": ["verify"], "ext": True}
    return {**shown, **said, **members}


def public_pem(key: PrivateKey) -> bytes:
    """A public key as everybody may know it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signed(key: Any, algorithm: str, kid: str | None, **claims: Any) -> str:
    """A token that somebody signed in some way."""
    whole = {"sub": "ann", "exp": NOON + timedelta(days=365), **claims}
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(whole, key, algorithm=algorithm, headers=headers)


def hs256(secret: bytes, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token made by hand, as no library would: any secret, any header."""
    said = {"sub": "ann", "exp": (NOON + timedelta(days=365)).timestamp(), **claims}
    parts = [_part(json.dumps(part).encode()) for part in ({"alg": "HS256", **header}, said)]
    mac = hmac.digest(secret, ".".join(parts).encode(), hashlib.sha256)
    return ".".join([*parts, _part(mac)])


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass
class Issuer:
    """An issuer whose address answers with `shown`, after `delay`, or as `answers` says."""

    keys: dict[str, PrivateKey] = field(default_factory=dict)
    url: str = ""
    name: str = "https://abcdefghijklmnopqrst.supabase.co/auth/v1"
    asked: int = 0
    delay: float = 0
    answers: Callable[[BaseHTTPRequestHandler], None] | None = None
    more: list[Any] = field(default_factory=list)

    def shown(self) -> bytes:
        """What lies at the address."""
        keys = [public_jwk(key, kid) for kid, key in self.keys.items()]
        return json.dumps({"keys": [*keys, *self.more]}).encode()

    def token(self, kid: str, **claims: Any) -> str:
        """A token by one of the keys."""
        key = self.keys[kid]
        algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        said = {"iss": self.name, "aud": "authenticated", **claims}
        return signed(key, algorithm, kid, **said)

    def supabase_token(self, kid: str, now: datetime = NOON, **claims: Any) -> str:
        """A token as Supabase documents it for a user who is signed in."""
        said = supabase_claims(self.name, now)
        return self.token(kid, **{**said, **claims})

    def is_down(self) -> None:
        """From now on connections end without an answer."""
        self.answers = lambda request: request.connection.close()

    def says(self, body: bytes, status: int = 200, **headers: str) -> None:
        """From now on this is the answer."""
        self.answers = lambda request: _answer(request, body, status, headers)

    def is_well(self) -> None:
        """From now on the keys are shown again."""
        self.answers, self.delay = None, 0


def supabase_claims(issuer: str, now: datetime = NOON) -> dict[str, Any]:
    """The claims in Supabase's reference (guides/auth/jwt-fields), of somebody's session."""
    began = int(now.timestamp())
    return {
        "aal": "aal1",
        "amr": [{"method": "password", "timestamp": began}],
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "aud": "authenticated",
        "email": "user@example.com",
        "exp": began + 3_600,
        "iat": began,
        "iss": issuer,
        "phone": "",
        "role": "authenticated",
        "session_id": "123e4567-e89b-12d3-a456-426614174001",
        "sub": "123e4567-e89b-12d3-a456-426614174000",
        "user_metadata": {"name": "John Doe", "roles": ["admin"]},
        "is_anonymous": False,
    }


@contextmanager
def issuing(**keys: PrivateKey) -> Iterator[Issuer]:
    """An issuer with these keys, by their ids, for the length of a `with`."""
    issuer = Issuer(keys)

    class Address(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            time.sleep(issuer.delay)
            if issuer.answers is not None:
                issuer.answers(self)
            else:
                _answer(self, issuer.shown(), 200, {})

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Nobody reads it."""

    with Server(("127.0.0.1", 0), Address) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}{PATH}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()


def _answer(
    request: BaseHTTPRequestHandler, body: bytes, status: int, headers: dict[str, str]
) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
