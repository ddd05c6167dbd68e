"""Serve one tool server to any MCP client: `python -m mcp_servers.serve kube-read [--kubeconfig FILE]`."""

from collections.abc import Callable

import click
from mcp.server.mcpserver import MCPServer

from mcp_servers import kube_change, kube_read
from mcp_servers.kube.connection import Access

LOOPBACK = "127.0.0.1"  # there is no sign-in: whoever reaches the port may use the tools

SERVERS: dict[str, Callable[[Access], MCPServer[None]]] = {
    kube_read.NAME: kube_read.build,
    kube_change.NAME: kube_change.build,
}


@click.command(help="Serve Kubernetes tools over the Model Context Protocol.")
@click.argument("server", type=click.Choice(list(SERVERS)))
@click.option(
    "--kubeconfig", default="", help="Kubeconfig file; default $KUBECONFIG, ~/.kube/config, in-cluster."
)
@click.option("--context", default="", help="Context in the kubeconfig; default its current one.")
@click.option("--transport", type=click.Choice(["stdio", "http"]), default="stdio", show_default=True)
@click.option("--port", default=8765, show_default=True, help="Loopback port with http; the path is /mcp.")
def main(server: str, kubeconfig: str, context: str, transport: str, port: int) -> None:
    """Run until the client leaves (stdio) or the process is ended (http)."""
    built = SERVERS[server](Access(kubeconfig=kubeconfig, context=context))
    if transport == "stdio":
        built.run("stdio")
    else:
        built.run("streamable-http", host=LOOPBACK, port=port)


if __name__ == "__main__":
    main()
