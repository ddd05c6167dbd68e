"""What a tool's account needs, as `verb resource` in the words of RBAC; declared beside each tool."""

from mcp_servers.kube.kinds import KINDS

SUGGESTING = ("list namespaces",)  # an unknown name is answered with near ones


def to_look_at(*kinds: str) -> tuple[str, ...]:
    """Reading one object and many, of each kind."""
    return (*(f"{verb} {_resource(kind)}" for kind in kinds for verb in ("get", "list")), *SUGGESTING)


def to_change(*kinds: str, verb: str = "patch") -> tuple[str, ...]:
    """Changing objects of each kind, which are read before."""
    return (*(f"{verb} {_resource(kind)}" for kind in kinds), *to_look_at(*kinds))


def _resource(kind: str) -> str:
    return KINDS[kind].resource
