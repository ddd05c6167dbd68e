"""Serve one tool server to any MCP client.

`python -m mcp_servers.serve kube-read [--kubeconfig FILE]`, or `… prom --url http://127.0.0.1:9090`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import click
from mcp.server.mcpserver import MCPServer

from mcp_servers import kube_change, kube_read
from mcp_servers.http_access import Access as ApiAccess
from mcp_servers.kube.connection import Access
from mcp_servers.loki import server as loki
from mcp_servers.prom import server as prom

LOOPBACK = "127.0.0.1"  # there is no sign-in: whoever reaches the port may use the tools


@dataclass(frozen=True, slots=True, kw_only=True)
class Accesses:
    """What the command line says of a cluster and of an HTTP API; a server takes the one it needs."""

    cluster: Access
    api: ApiAccess

    def api_with_url(self) -> ApiAccess:
        """The API. Raises a usage error when no URL was given."""
        if not self.api.url:
            raise click.UsageError("This server needs --url.")
        return self.api


SERVERS: dict[str, Callable[[Accesses], MCPServer[None]]] = {
    kube_read.NAME: lambda accesses: kube_read.build(accesses.cluster),
    kube_change.NAME: lambda accesses: kube_change.build(accesses.cluster),
    prom.NAME: lambda accesses: prom.build(accesses.api_with_url()),
    loki.NAME: lambda accesses: loki.build(accesses.api_with_url()),
}


@click.command(help="Serve tools for Kubernetes, Prometheus or Loki over the Model Context Protocol.")
@click.argument("server", type=click.Choice(list(SERVERS)))
@click.option(
    "--kubeconfig", default="", help="Kubeconfig file; default $KUBECONFIG, ~/.kube/config, in-cluster."
)
@click.option("--context", default="", help="Context in the kubeconfig; default its current one.")
@click.option("--url", default="", help="Prometheus or Loki, with the path prefix.")
@click.option("--tenant", default="", help="Sent as X-Scope-OrgID.")
@click.option("--user", default="", help="For basic auth, with --password-file.")
@click.option("--password-file", default="", help="File with the password.")
@click.option("--token-file", default="", help="File with a bearer token.")
@click.option("--ca-file", default="", help="Certificates to trust instead of the system's.")
@click.option("--header", multiple=True, help="More headers, each 'Name: value'.")
@click.option("--transport", type=click.Choice(["stdio", "http"]), default="stdio", show_default=True)
@click.option("--port", default=8765, show_default=True, help="Loopback port with http; the path is /mcp.")
def main(
    server: str,
    kubeconfig: str,
    context: str,
    url: str,
    tenant: str,
    user: str,
    password_file: str,
    token_file: str,
    ca_file: str,
    header: tuple[str, ...],
    transport: str,
    port: int,
) -> None:
    """Run until the client leaves (stdio) or the process is ended (http)."""
    api = ApiAccess(
        url=url, tenant=tenant, user=user, password_file=password_file, token_file=token_file,
        ca_file=ca_file, headers=header,
    )  # fmt: skip
    accesses = Accesses(cluster=Access(kubeconfig=kubeconfig, context=context), api=api)
    built = SERVERS[server](accesses)
    if transport == "stdio":
        built.run("stdio")
    else:
        built.run("streamable-http", host=LOOPBACK, port=port)


if __name__ == "__main__":
    main()
