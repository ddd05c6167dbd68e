"""Which lists of the Kubernetes API are maps in disguise, and by which field their items are told apart.

Strategic merge and server-side apply both ask here. Lists that are not named are atomic: replaced whole.
"""

KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "conditions": "type",
    "addresses": "type",
    "ownerReferences": "uid",
    "secrets": "name",
    "topologySpreadConstraints": "topologyKey",
    "webhooks": "name",
    "resourceClaims": "name",
}
"""List field → merge key, where the field's name alone decides."""

CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
SECOND_KEYS = {"containerPort": "protocol", "port": "protocol", "topologyKey": "whenUnsatisfiable"}
"""Server-side apply tells these items apart by two fields; strategic merge only by the first."""

SETS = ("finalizers",)
"""Lists of scalars that merge as sets."""


def merge_key(kind: str, path: tuple[str, ...]) -> str | None:
    """The key of the list at `path` (field names only, list positions left out); None for atomic lists."""
    field = path[-1]
    if field == "ports":
        return _port_key(kind, path)
    if field == "secrets" and kind != "ServiceAccount":
        return None
    if field == "addresses" and kind != "Node":
        return None
    return KEYS.get(field)


def _port_key(kind: str, path: tuple[str, ...]) -> str | None:
    if len(path) > 1 and path[-2] in CONTAINERS:
        return "containerPort"
    return "port" if kind == "Service" and path == ("spec", "ports") else None


def item_keys(kind: str, path: tuple[str, ...]) -> tuple[str, ...]:
    """The fields that make an item's identity for server-side apply; empty for atomic lists."""
    key = merge_key(kind, path)
    if key is None:
        return ()
    second = SECOND_KEYS.get(key)
    return (key, second) if second else (key,)
