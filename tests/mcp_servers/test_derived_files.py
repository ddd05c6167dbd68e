"""Roles and the page about tools are what the servers say, and the reading role cannot change anything."""

import pytest
import yaml

from mcp_servers import kube_change, kube_read
from mcp_servers.describe import PAGE, ROLES
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.connection import Access
from mcp_servers.kube.roles import declared, role_files
from mcp_servers.tool_pages import EXAMPLES, tools_page


def test_the_page_about_tools_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == tools_page(), "run `make docs-tools`"


@pytest.mark.parametrize("name", sorted(role_files()))
def test_the_roles_are_current(name: str) -> None:
    assert (ROLES / name).read_text(encoding="utf-8") == role_files()[name], "run `make rbac`"


def test_there_is_no_role_that_nobody_made() -> None:
    assert {path.name for path in ROLES.glob("*.yaml")} == set(role_files())


def test_the_reading_role_only_looks_and_not_at_secrets() -> None:
    assert {right.split()[0] for right in declared(kube_read.NAME)} == {"get", "list"}
    for document in yaml.safe_load_all(role_files()["kube-read.yaml"]):
        for rule in document.get("rules") or ():
            assert set(rule["verbs"]) <= {"get", "list"} and "*" not in rule["resources"]
            assert "secrets" not in rule["resources"]


def test_the_changing_role_reaches_no_rights_secrets_or_everything() -> None:
    for document in yaml.safe_load_all(role_files()["kube-change.yaml"]):
        for rule in document.get("rules") or ():
            named = {*rule["resources"], *rule["apiGroups"], *rule["verbs"]}
            assert not named & {"*", "secrets", "rbac.authorization.k8s.io", "impersonate", "escalate"}


def test_every_kubernetes_tool_has_an_example_but_for_good_reason() -> None:
    examples = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))
    api = ClusterApi(Access())
    served = {tool.name for server in (kube_read, kube_change) for tool in server.tools(api)}
    without = {
        "get_usage",  # needs metrics-server
        "expand_volume_claim",  # needs a class that lets claims grow
        "restart_workload",  # tells the hour
    }
    assert set(examples) == served - without
    assert all(text.startswith(f"{tool}(") for tool, text in examples.items())
