"""Access to an HTTP API that answers in JSON, such as Prometheus' or Loki's. It knows no paths.

Every call is bounded in time and size, and every failure is an error that names the next step.
"""

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from domain.errors import LoopError, Permanent, Transient
from utils.redact import redact

CALL_S = 10.0  # a query that takes longer is one to narrow, not to wait for
MAX_BODY_BYTES = 4 * 2**20  # about seven times that as Python objects; parsing takes less than 0.1 s
MAX_SAID_LENGTH = 500

Parameters = Sequence[tuple[str, str]]


class TooLarge(Permanent):
    """The answer is larger than what is read; the text says how to ask for less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where an API is and how to sign in. `url` carries the path prefix, such as `https://mimir/prometheus`.

    `tenant` is sent as X-Scope-OrgID. Files are read at each connection, so that secrets may be renewed.
    """

    url: str
    tenant: str = ""
    user: str = ""
    password_file: str = ""
    token_file: str = ""
    ca_file: str = ""
    headers: tuple[str, ...] = ()  # each "Name: value"

    def sent_headers(self) -> dict[str, str]:
        """Headers of every request. Raises Permanent for a file that cannot be read."""
        headers = {"Accept": "application/json", "User-Agent": "alert-agent"}
        headers |= {"X-Scope-OrgID": self.tenant} if self.tenant else {}
        if self.token_file:
            headers["Authorization"] = f"Bearer {_secret(self.token_file)}"
        elif self.user:
            password = _secret(self.password_file) if self.password_file else ""
            headers["Authorization"] = f"Basic {b64encode(f'{self.user}:{password}'.encode()).decode()}"
        return headers | dict(_header(line) for line in self.headers)

    def tls(self) -> ssl.SSLContext | bool:
        """Which certificates are trusted: the system's, or those of the CA file alone."""
        if not self.ca_file:
            return True
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise Permanent(f"The CA file {self.ca_file} cannot be used ({error}); check ca_file.") from error


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and body of one answer."""

    status: int
    body: bytes


class HttpAccess:
    """Calls to one API, over connections that are opened by the first and closed with the last user.

    `name` is how error texts call it, such as "Prometheus".
    """

    def __init__(self, access: Access, name: str) -> None:
        self.name = name
        self._access = access
        self._session: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()
        self._users_count = 0

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Hold the connections; over HTTP there may be several holders at a time."""
        self._users_count += 1
        try:
            yield
        finally:
            self._users_count -= 1
            if not self._users_count:
                await self._close()

    async def get(self, path: str, query: Parameters = ()) -> Reply:
        """Read a path below the URL; any status is an answer. Raises Transient or Permanent."""
        return await self._send("GET", path, query=query)

    async def post(self, path: str, form: Parameters) -> Reply:
        """Ask with a form, which may be longer than a URL. Raises Transient or Permanent."""
        return await self._send("POST", path, form=form)

    async def _send(self, method: str, path: str, *, query: Parameters = (), form: Parameters = ()) -> Reply:
        session = await self._opened()
        url = self._access.url.rstrip("/") + path
        try:
            async with session.request(method, url, params=list(query), data=list(form) or None) as answer:
                return Reply(answer.status, await self._read(answer))
        except TimeoutError as error:
            raise Transient(
                f"{self.name} did not answer within {CALL_S:g} s; ask for less, or try again later."
            ) from error
        except aiohttp.InvalidURL as error:
            raise Permanent(f"{redact(url)} is no URL; check the url of {self.name}.") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise Permanent(
                f"The certificate of {self.name} is not trusted; set ca_file. ({error})"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            said = redact(str(error)) or type(error).__name__
            raise Transient(f"{self.name} cannot be reached ({said}); try again later.") from error

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in answer.content.iter_chunked(2**16):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise TooLarge(
                    f"The answer of {self.name} is larger than {MAX_BODY_BYTES // 2**20} MiB; ask for less: "
                    "more labels, a shorter time, an aggregation."
                )
        return bytes(body)

    async def _opened(self) -> aiohttp.ClientSession:
        async with self._opening:
            if self._session is None:
                headers, tls = await asyncio.to_thread(self._prepared)
                self._session = aiohttp.ClientSession(
                    headers=headers,
                    connector=aiohttp.TCPConnector(ssl=tls),
                    timeout=aiohttp.ClientTimeout(total=CALL_S),
                )
            return self._session

    def _prepared(self) -> tuple[dict[str, str], ssl.SSLContext | bool]:
        return self._access.sent_headers(), self._access.tls()

    async def forget_secrets(self) -> None:
        """Close the connections, so that the next call reads tokens and passwords anew."""
        async with self._opening:
            await self._close()

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def json_object(reply: Reply, name: str) -> Mapping[str, object]:
    """The body as a JSON object. Raises Permanent: whatever answers there is not the API."""
    try:
        found = json.loads(reply.body)
    except ValueError as error:
        raise _no_json(reply, name) from error
    if not isinstance(found, dict):
        raise _no_json(reply, name)
    return found


def refusal(status: int, said: str, name: str, path: str) -> LoopError:
    """The error for an answer with a status of 400 or more; `said` is the API's own message."""
    text = redact(said.strip())[:MAX_SAID_LENGTH]
    match status:
        case 401 | 403:
            return Permanent(
                f"{name} refused the credentials ({status}); check token_file, user, password_file and "
                f"tenant. {text}".rstrip()
            )
        case 404:
            return Permanent(f"There is no {path} at this URL; check the path prefix in the url of {name}.")
        case 408 | 429 | 502 | 503 | 504:
            return Transient(f"{name} is busy ({status}): {text}; ask for less, or try again later.")
        case _ if status >= 500:
            return Transient(f"{name} failed ({status}): {text}; try again later.")
        case _:
            return Permanent(f"{name} refused the request: {text}")


def _no_json(reply: Reply, name: str) -> Permanent | Transient:
    if reply.status >= 500:
        return Transient(f"{name} answered {reply.status} without JSON; try again later.")
    return Permanent(f"The answer is no JSON; is the url of {name} right, and no login page in between?")


def _secret(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Permanent(f"{file} cannot be read ({error.strerror}); check the file's path.") from error


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise Permanent(f"The header {name.strip()[:20]!r} has no value; write it as 'Name: value'.")
    return name.strip(), value.strip()
