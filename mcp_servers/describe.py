"""Write what can be derived from the tool servers: `python -m mcp_servers.describe roles|tools`.

It starts no server and reaches no cluster.
"""

from pathlib import Path

import click

from mcp_servers.kube.roles import role_files
from mcp_servers.tool_pages import tools_page

HOME = Path(__file__).resolve().parent.parent
ROLES, PAGE = HOME / "deploy" / "rbac", HOME / "docs" / "tools.md"


@click.group(help="Write the files that are made from the tool servers.")
def main() -> None:
    """The commands below."""


@main.command(help="deploy/rbac: the least-privilege roles.")
def roles() -> None:
    """One file a server, and one for what is optional."""
    ROLES.mkdir(parents=True, exist_ok=True)
    for name, text in role_files().items():
        (ROLES / name).write_text(text, encoding="utf-8")


@main.command(help="docs/tools.md: every tool.")
def tools() -> None:
    """The page about the tools."""
    PAGE.write_text(tools_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
