"""One open connection to an API server through the official client. No retries, no meaning."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from domain.errors import Permanent, ToolTimeout, Transient

if TYPE_CHECKING:
    import aiohttp
    from kubernetes.aio.client import ApiClient

CALL_S = 10.0  # a healthy API server answers in well under a second; more than this is an outage
MAX_BODY_BYTES = 64 * 2**20  # a page of 500 large pods is about 10 MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Which cluster: a kubeconfig file and context; empty means $KUBECONFIG, ~/.kube/config or in-cluster."""

    kubeconfig: str = ""
    context: str = ""

    @property
    def file(self) -> str:
        """The kubeconfig to read; empty when only the in-cluster account is left."""
        if self.kubeconfig:
            return self.kubeconfig
        usual = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
        return usual if any(Path(part).exists() for part in usual.split(os.pathsep)) else ""


class Connection:
    """An open client. `exchange` raises Transient, or ToolTimeout when a change may have been applied."""

    def __init__(self, client: "ApiClient") -> None:
        self._client = client

    @classmethod
    async def open(cls, access: Access) -> "Connection":
        """Load the configuration. Raises Permanent when there is none that can be used."""
        modules = await asyncio.to_thread(_import_client)  # takes most of a second, so not on the loop
        client, config = modules
        settings = client.Configuration()
        try:
            await _load(config, access, settings)
        except (config.ConfigException, OSError, ValueError, KeyError, TypeError) as error:
            place = access.file or "the in-cluster account"
            raise Permanent(
                f"No usable access to a cluster from {place} ({type(error).__name__}: {error}); "
                "check --kubeconfig and --context."
            ) from error
        api_client = client.ApiClient(settings)
        api_client.user_agent = "alert-agent"
        return cls(api_client)

    async def close(self) -> None:
        """Close the connections of the pool."""
        await self._client.close()  # type: ignore[no-untyped-call]

    async def exchange(
        self, method: str, path: str, query: Mapping[str, str], body: object, *, keep_bytes: int = 0
    ) -> tuple[int, bytes]:
        """Send one request; returns status and body, whatever the status.

        With `keep_bytes` only so much of the body's end is kept, however long it is.
        """
        import aiohttp  # the client's own; here so that importing a tool server stays light

        try:
            async with asyncio.timeout(CALL_S):
                return await self._call(method, path, query, body, keep_bytes)
        except aiohttp.ClientConnectorError as error:
            raise Transient(f"The API server cannot be reached ({error}); try again later.") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _broken(method, error) from error

    async def _call(
        self, method: str, path: str, query: Mapping[str, str], body: object, keep_bytes: int
    ) -> tuple[int, bytes]:
        import aiohttp

        headers = {"Accept": "application/json"}
        if body is not None:
            kind = "application/json-patch+json" if method == "PATCH" else "application/json"
            headers["Content-Type"] = kind
        asked = [(name, value) for name, value in query.items() if value]
        request = await self._client.param_serialize(
            method, path, query_params=asked, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        timeout = aiohttp.ClientTimeout(total=CALL_S)
        answer = await self._client.call_api(*request, _request_timeout=timeout)
        try:
            return answer.status, await _read(answer.response, keep_bytes)
        finally:
            answer.response.release()


async def _read(response: "aiohttp.ClientResponse", keep_bytes: int) -> bytes:
    """The whole body, refused above the bound; or its end alone."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(2**16):
        body += chunk
        if keep_bytes and len(body) > 2 * keep_bytes:
            del body[:-keep_bytes]
        if len(body) > MAX_BODY_BYTES:
            raise Permanent(
                "The API server's answer is too large; ask for less (namespace, selector, limit)."
            )
    return bytes(body[-keep_bytes:])


def _broken(method: str, error: Exception) -> Transient:
    """A call without an answer: harmless for a look, unknown for a change."""
    what = f"{type(error).__name__} {error}".strip()
    if method == "GET":
        return Transient(f"The API server did not answer ({what}); try again later.")
    return ToolTimeout(f"No answer to the change ({what}); it may have been applied: look before repeating.")


def _import_client() -> tuple[ModuleType, ModuleType]:
    from kubernetes.aio import client, config

    return client, config


async def _load(config: ModuleType, access: Access, settings: object) -> None:
    if not access.file:
        config.load_incluster_config(client_configuration=settings)
        return
    await config.load_kube_config(
        config_file=access.file,
        context=access.context or None,
        client_configuration=settings,
        persist_config=False,  # the file is the user's
    )
