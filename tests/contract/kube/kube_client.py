"""A small client of the plain Kubernetes API for the contract suite: urllib, JSON, polling."""

import base64
import json
import ssl
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

Obj = dict[str, Any]
T = TypeVar("T")

PLURALS = {
    "NetworkPolicy": "networkpolicies",
    "StorageClass": "storageclasses",
    "PriorityClass": "priorityclasses",
    "Endpoints": "endpoints",
}
VERSIONS: dict[str, tuple[str, ...]] = {
    "Deployment": ("apps/v1",),
    "ReplicaSet": ("apps/v1",),
    "StatefulSet": ("apps/v1",),
    "DaemonSet": ("apps/v1",),
    "Job": ("batch/v1",),
    "CronJob": ("batch/v1", "batch/v1beta1"),
    "PodDisruptionBudget": ("policy/v1", "policy/v1beta1"),
    "HorizontalPodAutoscaler": ("autoscaling/v2", "autoscaling/v2beta2"),
    "StorageClass": ("storage.k8s.io/v1",),
    "PriorityClass": ("scheduling.k8s.io/v1",),
}
CLUSTER_WIDE = ("Namespace", "Node", "PersistentVolume", "StorageClass", "PriorityClass")
POLL_S = 0.02
TIMEOUT_S = 20.0


class Refused(Exception):
    """An answer of 400 and above, with the Status the server sent."""

    def __init__(self, code: int, status: Obj) -> None:
        super().__init__(f"{code} {status.get('reason')}: {status.get('message')}")
        self.code = code
        self.reason = str(status.get("reason"))
        self.message = str(status.get("message"))
        self.causes = [str(c.get("message")) for c in (status.get("details") or {}).get("causes") or ()]


@dataclass(frozen=True, slots=True)
class Server:
    """Where the API is, and how to prove who one is."""

    url: str
    context: ssl.SSLContext | None
    headers: dict[str, str]

    @classmethod
    def read(cls, kubeconfig: Path) -> "Server":
        config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0].get("user") or {}
        token = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        return cls(cluster["server"], _context(cluster, user), token)

    def call(self, method: str, path: str, body: Obj | None = None, content: str = "application/json") -> str:
        """The answer's text; raises Refused."""
        payload = None if body is None else json.dumps(body).encode()
        headers = {**self.headers, "Content-Type": content, "Accept": "application/json, */*"}
        request = urllib.request.Request(self.url + path, payload, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self.context) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            raise Refused(error.code, _status(error.read().decode())) from error


class Kube:
    """One namespace of a cluster."""

    def __init__(self, server: Server, namespace: str, *, is_real: bool, patience_s: float) -> None:
        self.server = server
        self.namespace = namespace
        self.is_real = is_real
        self.patience_s = patience_s
        self._served: dict[str, set[str]] = {}

    # --- objects

    def get(self, kind: str, name: str) -> Obj:
        return self._json("GET", self.path(kind, name))

    def all(self, kind: str, **labels: str) -> list[Obj]:
        query = urllib.parse.urlencode({"labelSelector": ",".join(f"{k}={v}" for k, v in labels.items())})
        found: list[Obj] = self._json("GET", f"{self.path(kind)}?{query}")["items"]
        return found

    def create(self, *objects: Obj) -> None:
        for obj in objects:
            kind = obj["kind"]
            meta = {**obj["metadata"]}
            if kind not in CLUSTER_WIDE:
                meta["namespace"] = self.namespace
            body = {**obj, "apiVersion": self.version(kind), "metadata": meta}
            self._json("POST", self.path(kind), body)

    def patch(self, kind: str, name: str, body: Obj, subresource: str = "") -> Obj:
        return self._json("PATCH", self.path(kind, name, subresource), body, "application/merge-patch+json")

    def annotate(self, kind: str, name: str, key: str, value: str | None) -> None:
        self.patch(kind, name, {"metadata": {"annotations": {key: value}}})

    def delete(self, kind: str, name: str, propagation: str = "Background") -> None:
        self._json("DELETE", self.path(kind, name), {"propagationPolicy": propagation})

    def evict(self, pod: str) -> None:
        version = self.version("PodDisruptionBudget")
        meta = {"name": pod, "namespace": self.namespace}
        body = {"apiVersion": version, "kind": "Eviction", "metadata": meta}
        self._json("POST", self.path("Pod", pod, "eviction"), body)

    def exists(self, kind: str, name: str) -> bool:
        try:
            self.get(kind, name)
        except Refused as refusal:
            if refusal.code == 404:
                return False
            raise
        return True

    def log(self, pod: str, **query: str) -> list[str]:
        path = f"{self.path('Pod', pod, 'log')}?{urllib.parse.urlencode(query)}"
        return self.server.call("GET", path).splitlines()

    # --- events

    def events(self, name: str, reason: str = "") -> list[Obj]:
        found = [event for event in self.all("Event") if event["involvedObject"]["name"].startswith(name)]
        return [event for event in found if reason in ("", event["reason"])]

    def messages(self, name: str, reason: str) -> list[str]:
        return [str(event["message"]) for event in self.events(name, reason)]

    # --- waiting

    def until(self, look: Callable[[], T], *, what: str = "", patience: float = 1.0) -> T:
        """Asks again until the answer is true; fails with the last answer after the cluster's patience."""
        end = time.monotonic() + self.patience_s * patience
        while not (found := look()):
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {what or look}: {found!r}")
            time.sleep(POLL_S if not self.is_real else 10 * POLL_S)
        return found

    def until_message(self, name: str, reason: str, text: str) -> None:
        """Waits for an event with exactly this message."""
        self.until(lambda: text in self.messages(name, reason), what=f"{reason} {text!r} of {name}")

    def until_condition(self, kind: str, name: str, condition: str, expected: str) -> None:
        """Waits for `status reason` of a condition, such as `True NewReplicaSetAvailable`."""
        self.until(lambda: self.condition(kind, name, condition) == expected, what=f"{name} {expected}")

    def condition(self, kind: str, name: str, condition: str) -> str:
        for entry in (self.get(kind, name).get("status") or {}).get("conditions") or ():
            if entry["type"] == condition:
                return f"{entry['status']} {entry.get('reason') or ''}".strip()
        return ""

    # --- paths

    def version(self, kind: str) -> str:
        """The newest version of the kind that this server has."""
        candidates = VERSIONS.get(kind, ("v1",))
        if len(candidates) == 1:
            return candidates[0]
        return next(version for version in candidates if _plural(kind) in self._resources(version))

    def _resources(self, version: str) -> set[str]:
        if version not in self._served:
            try:
                listed = self._json("GET", f"/apis/{version}")["resources"]
            except Refused:
                listed = []  # this server does not have that version
            self._served[version] = {entry["name"] for entry in listed}
        return self._served[version]

    def path(self, kind: str, name: str = "", subresource: str = "") -> str:
        version = self.version(kind)
        root = f"/api/{version}" if version == "v1" else f"/apis/{version}"
        scope = "" if kind in CLUSTER_WIDE else f"/namespaces/{self.namespace}"
        parts = [root + scope, _plural(kind), name, subresource]
        return "/".join(part for part in parts if part)

    def _json(
        self, method: str, path: str, body: Obj | None = None, content: str = "application/json"
    ) -> Obj:
        found: Obj = json.loads(self.server.call(method, path, body, content))
        return found


def _plural(kind: str) -> str:
    return PLURALS.get(kind, f"{kind.lower()}s")


def _context(cluster: Obj, user: Obj) -> ssl.SSLContext | None:
    if not cluster["server"].startswith("https"):
        return None
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    if "client-certificate-data" in user:
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, name) for name in ("crt", "key")]
            for file, field in zip(files, ("client-certificate-data", "client-key-data"), strict=True):
                file.write_bytes(base64.b64decode(user[field]))
            context.load_cert_chain(files[0], files[1])
    return context


def _status(text: str) -> Obj:
    try:
        found: Obj = json.loads(text)
    except json.JSONDecodeError:
        return {"message": text}
    return found
