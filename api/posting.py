"""Posts a message to the webhook: signed, in limited time, to public addresses, never elsewhere.

What: a request of our own over asyncio's streams, of whose answer the status line is read.
Why: the address must be checked after its name was resolved, and then be the one that is called; no
redirect must ever be followed; and the end of the service must end a post to a host that hangs.
Else considered: httpx and http.client (both resolve the name themselves, once more, and the latter
cannot be stopped).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import quote, urlsplit

from api.setting_kinds import WHSEC

TIMEOUT = 10.0  # seconds for everything
KEPT_WHOLE = "/%:@!$&'()*+,;=~-._?"
_NAT64 = ip_network("64:ff9b::/96")
_TLS = ssl.create_default_context()


class NotDelivered(Exception):
    """The receiver does not have it; `str()` says why, for the operator."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where messages go, what they are signed with, and whether the address may be private."""

    url: str
    secret: str
    private: bool = False
    timeout: float = TIMEOUT

    async def post(self, id_: str, body: bytes, at: datetime) -> None:
        """Deliver a message.

        Raises:
            NotDelivered: It was not taken, or nobody knows.
        """
        try:
            async with asyncio.timeout(self.timeout):
                status = await self._status(self._request(id_, body, at))
        except TimeoutError:
            raise NotDelivered(f"it did not answer within {self.timeout:g} seconds") from None
        except (OSError, UnicodeError) as error:
            raise NotDelivered(f"it cannot be reached: {_why(error)}") from None
        except (ValueError, EOFError, asyncio.LimitOverrunError):
            raise NotDelivered("what it answered is not HTTP") from None
        if 300 <= status < 400:
            raise NotDelivered(f"it answered {status}, and redirects are not followed")
        if not 200 <= status < 300:
            raise NotDelivered(f"it answered {status}")

    def _request(self, id_: str, body: bytes, at: datetime) -> bytes:
        target = urlsplit(self.url)
        path = quote(target.path or "/", safe=KEPT_WHOLE)
        path += f"?{quote(target.query, safe=KEPT_WHOLE)}" if target.query else ""
        port = "" if target.port is None else f":{target.port}"
        timestamp = str(int(at.timestamp()))
        head = (
            f"POST {path} HTTP/1.1",
            f"Host: {_ascii(target.hostname or '')}{port}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "User-Agent: variorum",
            "Connection: close",
            f"webhook-id: {id_}",
            f"webhook-timestamp: {timestamp}",
            f"webhook-signature: {signature(self.secret, id_, timestamp, body)}",
        )
        return "\r\n".join((*head, "", "")).encode("ascii") + body

    async def _status(self, request: bytes) -> int:
        reader, writer = await self._connected()
        try:
            writer.write(request)
            await writer.drain()
            while (status := _status_of(await reader.readuntil(b"\r\n"))) < 200:
                await reader.readuntil(b"\r\n\r\n")  # 100 Continue and its like come before it
            return status
        finally:
            writer.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        target = urlsplit(self.url)
        host, tls = target.hostname or "", target.scheme == "https"
        port = target.port or (443 if tls else 80)
        address = await self._address(host, port)
        if not tls:
            return await asyncio.open_connection(address, port)
        return await asyncio.open_connection(address, port, ssl=_TLS, server_hostname=_ascii(host))

    async def _address(self, host: str, port: int) -> str:
        """An address of the host that may be called; it is then called and no other."""
        loop = asyncio.get_running_loop()
        found = [info[4][0] for info in await loop.getaddrinfo(host, port, proto=6)]
        for address in found:
            if self.private or is_public(str(address)):
                return str(address)
        raise NotDelivered(
            "its address is a private one; VARIORUM_WEBHOOK_PRIVATE=true allows that"
        )


def signature(secret: str, id_: str, timestamp: str, body: bytes) -> str:
    """What proves the sender (Standard Webhooks 1.0, "Signature scheme"): HMAC-SHA256.

    >>> signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
    ...           "1614265330", b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    plain = secret.removeprefix(WHSEC)
    key = plain.encode() if plain == secret else base64.b64decode(plain)
    said = b".".join((id_.encode(), timestamp.encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()}"


def is_public(address: str) -> bool:
    """Whether an address can be reached by everybody, also what may be packed into it.

    >>> is_public("8.8.8.8"), is_public("::ffff:10.0.0.1"), is_public("169.254.169.254")
    (True, False, False)
    """
    return all(part.is_global and not part.is_multicast for part in _parts(address))


def _parts(address: str) -> Iterator[IPv4Address | IPv6Address]:
    ip = ip_address(address.partition("%")[0])
    yield ip
    if isinstance(ip, IPv6Address):
        within = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in _NAT64:
            within = IPv4Address(int(ip) & 0xFFFF_FFFF)
        if within:
            yield within


def _status_of(line: bytes) -> int:
    protocol, status = line.split(b" ", 2)[:2]
    if not protocol.startswith(b"HTTP/1.") or not 100 <= int(status) <= 999:
        raise ValueError(line)
    return int(status)


def _ascii(host: str) -> str:
    """A host's name as it is sent; an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host.encode("idna").decode()


def _why(error: OSError | UnicodeError) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
