"""The tool servers' own accounts on a real API server, with exactly the roles of deploy/rbac."""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from mcp_servers.describe import ROLES
from mcp_servers.kube.connection import Connection
from mcp_servers.kube.roles import NAMESPACE

RBAC = "/apis/rbac.authorization.k8s.io/v1"
PLACES = {
    "ServiceAccount": f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts",
    "ClusterRole": f"{RBAC}/clusterroles",
    "ClusterRoleBinding": f"{RBAC}/clusterrolebindings",
}


async def apply_roles(connection: Connection) -> None:
    """Create or replace everything in deploy/rbac."""
    await connection.exchange(
        "POST", "/api/v1/namespaces", {}, {"apiVersion": "v1", "metadata": {"name": NAMESPACE}}
    )
    for file in sorted(ROLES.glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            await _apply(connection, document)


async def _apply(connection: Connection, document: Mapping[str, object]) -> None:
    place = PLACES[str(document["kind"])]
    status, body = await connection.exchange("POST", place, {}, dict(document))
    if status == 409 and document["kind"] != "ServiceAccount":
        metadata = document["metadata"]
        assert isinstance(metadata, Mapping)
        status, body = await connection.exchange("PUT", f"{place}/{metadata['name']}", {}, dict(document))
    assert status in (200, 201, 409), body.decode()


async def kubeconfig_of(connection: Connection, account: str, admin: Path, folder: Path) -> Path:
    """A kubeconfig that speaks as the account, with a fresh token."""
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": 3600},
    }
    path = f"{PLACES['ServiceAccount']}/{account}/token"
    status, body = await connection.exchange("POST", path, {}, request)
    assert status == 201, body.decode()
    token = json.loads(body)["status"]["token"]
    config = yaml.safe_load(admin.read_text(encoding="utf-8"))
    for user in config["users"]:
        user["user"] = {"token": token}
    made = folder / f"{account}.kubeconfig"
    made.write_text(yaml.safe_dump(config), encoding="utf-8")
    return made
