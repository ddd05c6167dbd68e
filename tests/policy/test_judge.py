"""What policy answers, and that every refusal names its rule."""

from pathlib import Path
from typing import Any

import pytest

from domain.alert import Target
from domain.attempt import Answer, Approval, Attempt, Effect, Verdict, Verification
from domain.decision import Action
from domain.errors import BadInput
from execute.arguments import ARGUMENTS
from policy.judge import Policy
from policy.table import PolicyTable, load_policy
from tests.builders import NOW, WEB, action, incident

SHIPPED = Path(__file__).parents[2] / "policy.yaml"
ARGUMENTS_THAT_FIT: dict[str, dict[str, Any]] = {
    "scale_workload": {"replicas": 3},
    "set_image": {"container": "web", "image": "shop/web:1"},
    "set_resources": {"container": "web", "memory_limit": "512Mi"},
}


def policy(place: Any = "sandbox", **table: Any) -> Policy:
    given = {"version": 1, "actions": {name: {} for name in ARGUMENTS}, **table}
    return Policy(PolicyTable.model_validate(given), place)


def verdict(
    judge: Policy, asked: Action, approval: Approval | None = None, *, target: Target = WEB
) -> Verdict:
    return judge.judge(asked, incident(target=target), approval)


def approval(*, granted: bool) -> Approval:
    return Approval(
        incident_id="inc-1", action_key="inc-1-1", approver="on-call", granted=granted, decided_at=NOW
    )


@pytest.mark.parametrize("tool", sorted(ARGUMENTS))
def test_every_action_is_refused_without_a_row_and_in_a_protected_namespace(tool: str) -> None:
    asked = action(tool, **ARGUMENTS_THAT_FIT.get(tool, {}))
    assert verdict(policy(actions={}), asked).rule == "unlisted-action"
    system = Target(kind="Deployment", namespace="kube-system", name="dns")
    protected = action(tool, target=system, **ARGUMENTS_THAT_FIT.get(tool, {}))
    assert verdict(policy(), protected, target=system).rule == "protected-namespace"


@pytest.mark.parametrize("tool", sorted(ARGUMENTS))
def test_the_shipped_policy_has_a_row_for_every_action_and_asks_on_a_cluster(tool: str) -> None:
    asked = action(tool, **ARGUMENTS_THAT_FIT.get(tool, {}))
    assert verdict(Policy(load_policy(SHIPPED), "cluster"), asked).answer is Answer.ASK


def test_the_shipped_policy_allows_in_the_sandbox() -> None:
    assert verdict(Policy(load_policy(SHIPPED), "sandbox"), action()).answer is Answer.ALLOW


def test_an_action_on_something_unrelated_is_refused() -> None:
    other = Target(kind="Deployment", namespace="shop", name="db")
    assert verdict(policy(), action(target=other)).rule == "unrelated-target"


def test_limits_hold_also_with_an_approval() -> None:
    judge = policy(actions={"scale_workload": {"max_replicas": 5}, "set_resources": {"max_memory": "1Gi"}})
    assert verdict(judge, action("scale_workload", replicas=6), approval(granted=True)).rule == "limit"
    too_much = action("set_resources", container="web", memory_limit="2Gi")
    assert "above max_memory 1Gi" in verdict(judge, too_much).reason
    assert verdict(judge, action("set_resources", container="web", memory_limit="none")).rule == "limit"


@pytest.mark.parametrize("count", ["6", 6.0, "many"])
def test_a_limit_cannot_be_passed_by_writing_the_number_otherwise(count: object) -> None:
    judge = policy(actions={"scale_workload": {"max_replicas": 5}})
    assert verdict(judge, action("scale_workload", replicas=count)).rule == "limit"


def test_bounds_of_autoscalers_and_sizes_of_claims_have_limits() -> None:
    judge = Policy(load_policy(SHIPPED), "sandbox")
    scaler = Target(kind="HorizontalPodAutoscaler", namespace="shop", name="web")
    assert (
        "max_replicas 50 is above"
        in verdict(
            judge, action("set_autoscaler_bounds", target=scaler, max_replicas=50), target=scaler
        ).reason
    )
    claim = Target(kind="PersistentVolumeClaim", namespace="shop", name="data")
    assert (
        "above max_storage"
        in verdict(judge, action("expand_volume_claim", target=claim, size="1Ti"), target=claim).reason
    )


@pytest.mark.parametrize("tool", ["delete_resource", "restore_object", "drain_node"])
def test_what_is_dangerous_is_asked_for_even_in_the_sandbox(tool: str) -> None:
    assert verdict(Policy(load_policy(SHIPPED), "sandbox"), action(tool)).answer is Answer.ASK


def test_the_first_matching_rule_overrides_the_row() -> None:
    rules = [{"action": "restart_*", "namespace": "sh*", "mode": "deny"}, {"mode": "auto"}]
    judge = policy(rules=rules)
    assert verdict(judge, action()).rule == "rules[1]"
    assert verdict(judge, action()).answer is Answer.DENY
    assert verdict(judge, action("rollback_workload")).rule == "rules[2]"


def test_a_yes_turns_ask_into_allow_and_a_no_into_deny() -> None:
    judge = policy("cluster")
    assert verdict(judge, action()).answer is Answer.ASK
    assert verdict(judge, action(), approval(granted=True)).answer is Answer.ALLOW
    assert verdict(judge, action(), approval(granted=False)).answer is Answer.DENY


def test_a_yes_never_overrides_a_deny() -> None:
    judge = policy(rules=[{"mode": "deny"}])
    assert verdict(judge, action(), approval(granted=True)).answer is Answer.DENY


def test_what_did_not_help_is_not_done_again() -> None:
    about = incident()
    seen = Verification(effect=Effect.NO_EFFECT, text="", checks=(), at=NOW, took_s=1)
    allowed = Verdict(answer=Answer.ALLOW, rule="r", reason="")
    about.put_attempt(Attempt(action=action(key="inc-1-1"), verdict=allowed, verification=seen))
    assert policy().judge(action(key="inc-1-2"), about).rule == "tried-already"
    assert policy().judge(action(key="inc-1-1"), about).answer is Answer.ALLOW


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("version: 1\nactions: {}\ntypo: 1\n", "typo"),
        ("version: 1\nactions: {restart_workload: {mode: maybe}}\n", "actions.restart_workload.mode"),
        ("version: [\n", "policy"),
    ],
)
def test_a_broken_policy_file_names_the_place(tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    with pytest.raises(BadInput) as error:
        load_policy(file)
    assert error.value.field == place
    assert str(file) in str(error.value)
