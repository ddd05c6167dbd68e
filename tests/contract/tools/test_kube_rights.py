"""On a real API server: the accounts can do what their tools declare, and nothing else."""

import json
from pathlib import Path

import pytest

from domain.errors import ToolFailed
from mcp_servers import kube_change, kube_read
from mcp_servers.kube.connection import Access, Connection
from mcp_servers.kube.roles import declared
from tests.contract.tools.accounts import apply_roles, kubeconfig_of
from tests.contract.tools.manifests import deployment
from tests.contract.tools.world import REAL, World

pytestmark = pytest.mark.skipif(not REAL, reason="roles are enforced by a real API server alone")


async def may(connection: Connection, right: str) -> bool:
    """Whether the API server would let this account do it."""
    verb, resource = right.split()
    plural, _, group = resource.partition(".")
    plural, _, part = plural.partition("/")
    asked = {"verb": verb, "resource": plural, "subresource": part, "group": group, "namespace": "default"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    status, body = await connection.exchange("POST", path, {}, review)
    assert status == 201, body.decode()
    return bool(json.loads(body)["status"]["allowed"])


async def test_each_account_may_do_what_its_tools_declare_and_the_reading_one_no_change(
    tmp_path: Path,
) -> None:
    admin = await Connection.open(Access(kubeconfig=REAL))
    await apply_roles(admin)
    accounts = {}
    for name in (kube_read.NAME, kube_change.NAME):
        file = await kubeconfig_of(admin, name, Path(REAL), tmp_path)
        accounts[name] = await Connection.open(Access(kubeconfig=str(file)))
    for name, connection in accounts.items():
        missing = [right for right in sorted(declared(name)) if not await may(connection, right)]
        assert not missing, name
    changes = {right for right in declared(kube_change.NAME) if right.split()[0] not in ("get", "list")}
    assert len(changes) > 20
    allowed = [right for right in sorted(changes) if await may(accounts[kube_read.NAME], right)]
    assert not allowed
    for connection in (admin, *accounts.values()):
        await connection.close()


async def test_a_change_with_the_reading_token_is_refused_with_the_role_to_apply(
    world_of_reader: World,
) -> None:
    await world_of_reader.create("Deployment", deployment("web"))
    place = {"namespace": world_of_reader.namespace, "kind": "Deployment", "name": "web"}
    with pytest.raises(ToolFailed, match=r"grant verb 'patch'.*deploy/rbac/kube-change\.yaml"):
        await world_of_reader.change("scale_workload", key="no", **place, replicas=3)
