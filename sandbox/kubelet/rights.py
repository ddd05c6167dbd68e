"""What service accounts may read through the API, by roles and bindings, as programs in pods meet it."""

from collections.abc import Iterator

from sandbox.fields import Obj, namespace_of
from sandbox.kinds import kind_of
from sandbox.store import Store

CONFIG_MAP = kind_of("ConfigMap")
BINDINGS = (kind_of("RoleBinding"), kind_of("ClusterRoleBinding"))


def read_problem(store: Store, pod: Obj, config_map: str) -> str:
    """Why a pod cannot read a ConfigMap of its namespace, as kubectl words it; empty when it can."""
    namespace, account = namespace_of(pod), pod["spec"].get("serviceAccountName", "default")
    if not may_read(store, namespace, account, config_map):
        who = f'User "system:serviceaccount:{namespace}:{account}"'
        what = f'cannot get resource "configmaps" in API group "" in the namespace "{namespace}"'
        return f'Error from server (Forbidden): configmaps "{config_map}" is forbidden: {who} {what}'
    if store.find(CONFIG_MAP, namespace, config_map) is None:
        return f'Error from server (NotFound): configmaps "{config_map}" not found'
    return ""


def may_read(store: Store, namespace: str, account: str, config_map: str) -> bool:
    """Whether a role bound to the account allows to get that ConfigMap."""
    roles = _roles(store, namespace, account)
    return any(_allows(rule, config_map) for role in roles for rule in role.get("rules") or ())


def _roles(store: Store, namespace: str, account: str) -> Iterator[Obj]:
    for kind in BINDINGS:
        for binding in store.list(kind, namespace if kind.namespaced else None):
            if any(_is_meant(subject, namespace, account) for subject in binding.get("subjects") or ()):
                reference = binding["roleRef"]
                where = namespace if reference["kind"] == "Role" else None
                if (role := store.find(kind_of(reference["kind"]), where, reference["name"])) is not None:
                    yield role


def _is_meant(subject: Obj, namespace: str, account: str) -> bool:
    if subject["kind"] == "ServiceAccount":
        return (subject.get("namespace"), subject["name"]) == (namespace, account)
    groups = ("system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return subject["kind"] == "Group" and subject["name"] in groups


def _allows(rule: Obj, config_map: str) -> bool:
    wanted = (("apiGroups", ""), ("resources", "configmaps"), ("verbs", "get"))
    if not all({value, "*"} & set(rule.get(field) or ()) for field, value in wanted):
        return False
    return not rule.get("resourceNames") or config_map in rule["resourceNames"]
