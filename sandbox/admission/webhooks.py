"""Admission webhooks, as far as a cluster without their programs can play them: they cannot be reached.

A webhook whose service is missing or has no ready endpoint fails the write, unless it may be ignored. One
that has endpoints is taken to say yes.
"""

from sandbox.errors import InternalError
from sandbox.fields import Obj, get_in, labels_of, namespace_of
from sandbox.kinds import Kind, kind_of
from sandbox.selectors import Selector
from sandbox.store import Store

CONFIGURATIONS = {True: "MutatingWebhookConfiguration", False: "ValidatingWebhookConfiguration"}


class Webhooks:
    """Calls to the configured webhooks of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kinds = {mutating: kind_of(name) for mutating, name in CONFIGURATIONS.items()}

    def call(self, operation: str, kind: Kind, obj: Obj, *, mutating: bool) -> None:
        """Raises InternalError when a matching webhook cannot be reached and must not be ignored."""
        if kind.kind in CONFIGURATIONS.values():
            return  # nobody may lock themselves out of removing a webhook
        for configuration in self._store.list(self._kinds[mutating]):
            for hook in configuration.get("webhooks") or ():
                if hook["failurePolicy"] == "Fail" and self._concerns(hook, operation, kind, obj):
                    self._reach(hook)

    def _concerns(self, hook: Obj, operation: str, kind: Kind, obj: Obj) -> bool:
        if not any(_matches(rule, operation, kind) for rule in hook.get("rules") or ()):
            return False
        if not Selector.from_obj(hook.get("objectSelector")).matches(labels_of(obj)):
            return False
        space = self._store.find(kind_of("Namespace"), None, namespace_of(obj)) if kind.namespaced else None
        return space is None or Selector.from_obj(hook.get("namespaceSelector")).matches(labels_of(space))

    def _reach(self, hook: Obj) -> None:
        client = hook.get("clientConfig") or {}
        url, why = self._service(client["service"]) if client.get("service") else _foreign(client)
        if why is not None:
            post = f'Post "{url}?timeout={hook["timeoutSeconds"]}s": {why}'
            text = f'failed calling webhook "{hook["name"]}": failed to call webhook: {post}'
            raise InternalError(f"Internal error occurred: {text}", {"causes": [{"message": text}]})

    def _service(self, target: Obj) -> tuple[str, str | None]:
        """The URL of a webhook behind a service, and why it cannot be reached, if so."""
        name, space = target["name"], target["namespace"]
        url = f"https://{name}.{space}.svc:{target['port']}{target.get('path', '')}"
        if self._store.find(kind_of("Service"), space, name) is None:
            return url, f'service "{name}" not found'
        endpoints = self._store.find(kind_of("Endpoints"), space, name) or {}
        if not any(subset.get("addresses") for subset in endpoints.get("subsets") or ()):
            return url, f'no endpoints available for service "{name}"'
        return url, None


def _foreign(client: Obj) -> tuple[str, str]:
    """A webhook outside of the cluster: the sandbox has no way out."""
    url = str(client.get("url", ""))
    host = url.partition("://")[2].partition("/")[0].partition(":")[0]
    return url, f"dial tcp: lookup {host}: no such host"


def _matches(rule: Obj, operation: str, kind: Kind) -> bool:
    scope = "Namespaced" if kind.namespaced else "Cluster"
    return (
        _one_of(rule.get("operations"), operation)
        and _one_of(rule.get("apiGroups"), kind.group)
        and _one_of(rule.get("apiVersions"), kind.version)
        and (_one_of(rule.get("resources"), kind.plural) or "*/*" in get_in(rule, ("resources",), []))
        and rule.get("scope", "*") in ("*", scope)
    )


def _one_of(listed: list[str] | None, value: str) -> bool:
    return "*" in (listed or ()) or value in (listed or ())
