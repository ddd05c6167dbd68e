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
    """The resource of a kind; `Pod/log` is the log of pods."""
    name, slash, part = kind.partition("/")
    plural, dot, group = KINDS[name].resource.partition(".")
    return f"{plural}{slash}{part}{dot}{group}"
