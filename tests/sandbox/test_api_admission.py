"""Admission: defaults, service accounts, priorities, limits, quotas, pod security, webhooks, addresses."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.admission.quota import status_of, usage
from sandbox.admission.quota_ledger import Ledger
from sandbox.bootstrap import new_store
from sandbox.clock import SimClock
from sandbox.errors import ApiError, Forbidden, NotFound
from sandbox.fields import Obj, annotations_of, meta, with_in
from sandbox.kinds import kind_of
from sandbox.store import Store
from tests.sandbox.api_objects import config, container, deployment, pod

PODS = kind_of("Pod")


@pytest.fixture
def store() -> Store:
    clock = SimClock(seed=1)
    made = new_store(clock)
    clock.run_due()
    return made


def put(store: Store, kind: str, name: str, **body: Any) -> Obj:
    spaced = {"namespace": "default"} if kind_of(kind).namespaced else {}
    return store.create(kind_of(kind), {"metadata": {"name": name, **spaced}, **body})


def refused(store: Store, obj: Obj) -> str:
    with pytest.raises(Forbidden) as caught:
        store.create(kind_of(obj.get("kind", "ConfigMap")), obj)
    return caught.value.message


def asking(cpu: str, memory: str = "256Mi") -> Obj:
    resources = {"requests": {"cpu": cpu}, "limits": {"memory": memory}}
    return pod(f"p{cpu}", containers=[container(resources=resources)])


def test_a_pod_is_completed(store: Store) -> None:
    made = store.create(PODS, pod(containers=[container(resources={"limits": {"memory": "1Gi"}})]))
    spec = made["spec"]
    assert spec["serviceAccountName"] == "default"
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert [item["tolerationSeconds"] for item in spec["tolerations"]] == [300, 300]
    assert spec["containers"][0]["resources"]["requests"] == {"memory": "1Gi"}
    assert made["status"] == {"phase": "Pending", "qosClass": "Burstable"}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1", "IfNotPresent"),
        ("host:5000/nginx", "Always"),
        ("nginx@sha256:abc", "IfNotPresent"),
    ],
)
def test_what_is_pulled_always(store: Store, image: str, policy: str) -> None:
    made = store.create(PODS, pod(containers=[container(image=image)]))
    assert made["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_every_namespace_gets_an_account(store: Store) -> None:
    put(store, "Namespace", "shop")
    store.clock.run_due()
    assert store.find(kind_of("ServiceAccount"), "shop", "default") is not None


def test_a_missing_account_or_priority_is_forbidden(store: Store) -> None:
    assert refused(store, pod(serviceAccountName="nope")) == (
        'pods "p" is forbidden: error looking up service account default/nope: '
        'serviceaccount "nope" not found'
    )
    assert refused(store, pod(priorityClassName="nope")) == (
        'pods "p" is forbidden: no PriorityClass with name nope was found'
    )


def test_a_pod_without_a_name_of_its_own_is_refused_by_its_prefix(store: Store) -> None:
    unnamed = pod(serviceAccountName="nope")
    unnamed["metadata"] = {"generateName": "web-", "namespace": "default"}
    assert refused(store, unnamed).startswith('pods "web-" is forbidden: error looking up')


def test_priority_comes_from_the_class_or_the_default(store: Store) -> None:
    put(store, "PriorityClass", "usual", value=10, globalDefault=True)
    put(store, "PriorityClass", "high", value=1000)
    assert store.create(PODS, pod("a"))["spec"]["priority"] == 10
    assert store.create(PODS, pod("b", priorityClassName="high"))["spec"]["priority"] == 1000


def test_quotas_name_what_was_asked_used_and_allowed(store: Store) -> None:
    put(
        store,
        "ResourceQuota",
        "small",
        spec={"hard": {"pods": "1", "requests.cpu": "1", "limits.memory": "1Gi"}},
    )
    assert refused(store, pod()) == (
        'pods "p" is forbidden: failed quota: small: must specify limits.memory,requests.cpu'
    )
    store.create(PODS, asking("500m"))
    assert refused(store, asking("600m", "900Mi")) == (
        'pods "p600m" is forbidden: exceeded quota: small, requested: '
        "limits.memory=900Mi,pods=1,requests.cpu=600m, "
        "used: limits.memory=256Mi,pods=1,requests.cpu=500m, limited: limits.memory=1Gi,pods=1,requests.cpu=1"
    )


def test_usage_follows_the_objects(store: Store) -> None:
    quota = put(
        store, "ResourceQuota", "q", spec={"hard": {"pods": "3", "cpu": "2", "count/configmaps": "9"}}
    )
    store.create(PODS, asking("500m"))
    kept = store.get(kind_of("ResourceQuota"), "default", "q")
    assert kept["status"]["used"] == {"pods": "1", "cpu": "500m", "count/configmaps": "1"}
    store.delete(PODS, "default", "p500m")
    assert status_of(quota, usage(store, quota))["used"] == {"pods": "0", "cpu": "0", "count/configmaps": "1"}


def test_the_ledger_agrees_with_a_full_count(store: Store) -> None:
    quota = put(store, "ResourceQuota", "q", spec={"hard": {"pods": "50", "cpu": "9", "services": "5"}})
    ledger = Ledger(store)
    assert ledger.used(quota) == {"pods": 0, "cpu": 0, "services": 1}  # the API's own service
    for number in range(1, 6):
        store.create(PODS, asking(f"{number}00m"))
    put(store, "Service", "s", spec={"ports": [{"port": 80}]})
    store.delete(PODS, "default", "p100m")
    finished = {"phase": "Succeeded"}
    store.modify(PODS, "default", "p200m", lambda old: {**old, "status": finished}, subresource="status")
    assert ledger.used(quota) == usage(store, quota) == {"pods": 3, "cpu": Decimal("1.2"), "services": 2}


def test_a_scoped_quota_counts_only_its_pods(store: Store) -> None:
    put(store, "ResourceQuota", "effortless", spec={"hard": {"pods": "0"}, "scopes": ["BestEffort"]})
    assert "exceeded quota: effortless" in refused(store, pod())
    assert store.create(PODS, asking("100m"))


def test_limit_ranges_fill_in_and_bound(store: Store) -> None:
    limit = {
        "type": "Container",
        "default": {"cpu": "500m"},
        "defaultRequest": {"cpu": "100m"},
        "max": {"cpu": "1"},
        "min": {"cpu": "50m"},
    }
    put(store, "LimitRange", "lim", spec={"limits": [limit]})
    made = store.create(PODS, pod())
    assert made["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "100m"},
        "limits": {"cpu": "500m"},
    }
    assert annotations_of(made)["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
    )
    wrong = pod("q", containers=[container(resources={"limits": {"cpu": "2"}, "requests": {"cpu": "10m"}})])
    assert refused(store, wrong) == (
        'pods "q" is forbidden: [minimum cpu usage per Container is 50m, but request is 10m, '
        "maximum cpu usage per Container is 1, but limit is 2]"
    )


def test_a_terminating_namespace_takes_nothing_new(store: Store) -> None:
    put(store, "Namespace", "old")
    store.delete(kind_of("Namespace"), None, "old")
    obj = with_in(config(), ("metadata", "namespace"), "old")
    assert refused(store, obj).endswith(
        "unable to create new content in namespace old because it is being terminated"
    )


def test_a_namespace_that_does_not_exist(store: Store) -> None:
    with pytest.raises(NotFound, match='namespaces "nope" not found'):
        store.create(kind_of("ConfigMap"), with_in(config(), ("metadata", "namespace"), "nope"))


def enforce(store: Store, level: str) -> None:
    label = {"pod-security.kubernetes.io/enforce": level}
    store.modify(
        kind_of("Namespace"), None, "default", lambda old: with_in(old, ("metadata", "labels"), label)
    )


def test_baseline_refuses_privileged_pods(store: Store) -> None:
    enforce(store, "baseline")
    assert store.create(PODS, pod("fine"))
    text = refused(store, pod(hostNetwork=True, containers=[container(securityContext={"privileged": True})]))
    assert 'violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)' in text
    assert 'privileged (container "c" must not set securityContext.privileged=true)' in text


def test_restricted_names_everything_that_is_missing(store: Store) -> None:
    enforce(store, "restricted")
    text = refused(store, pod())
    for words in (
        "allowPrivilegeEscalation != false",
        "unrestricted capabilities",
        "runAsNonRoot != true",
        "seccompProfile (pod or container",
    ):
        assert words in text
    safe = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert store.create(PODS, pod(containers=[container(securityContext=safe)]))


def webhook(policy: str) -> list[Obj]:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    service = {"namespace": "default", "name": "gone", "path": "/x"}
    return [
        {
            "name": "a.b.c",
            "clientConfig": {"service": service},
            "rules": [rule],
            "failurePolicy": policy,
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
    ]


def test_a_webhook_without_its_service_blocks_writes(store: Store) -> None:
    put(store, "ValidatingWebhookConfiguration", "w", webhooks=webhook("Fail"))
    with pytest.raises(ApiError, match=r'failed calling webhook "a\.b\.c".*service "gone" not found'):
        store.create(kind_of("ConfigMap"), config())
    assert store.create(PODS, pod())


def test_a_webhook_that_may_fail_blocks_nothing(store: Store) -> None:
    put(store, "ValidatingWebhookConfiguration", "w", webhooks=webhook("Ignore"))
    assert store.create(kind_of("ConfigMap"), config())


def test_a_webhook_with_endpoints_lets_pass(store: Store) -> None:
    put(store, "Service", "gone", spec={"ports": [{"port": 443}]})
    put(store, "Endpoints", "gone", subsets=[{"addresses": [{"ip": "10.0.0.1"}]}])
    put(store, "ValidatingWebhookConfiguration", "w", webhooks=webhook("Fail"))
    assert store.create(kind_of("ConfigMap"), config())


def test_services_get_addresses_of_their_own(store: Store) -> None:
    made = [
        put(store, "Service", f"s{number}", spec={"type": "NodePort", "ports": [{"port": 80}]})
        for number in range(20)
    ]
    assert len({item["spec"]["clusterIP"] for item in made}) == 20
    assert len({item["spec"]["ports"][0]["nodePort"] for item in made}) == 20


def test_an_update_that_leaves_addresses_out_keeps_them(store: Store) -> None:
    made = put(store, "Service", "s", spec={"type": "NodePort", "ports": [{"port": 80}]})
    body = {
        "metadata": {"name": "s", "namespace": "default"},
        "spec": {"type": "NodePort", "ports": [{"port": 80}]},
    }
    again = store.update(kind_of("Service"), body)
    assert again["spec"] == made["spec"]


def test_a_claim_gets_the_default_class(store: Store) -> None:
    mark = {"storageclass.kubernetes.io/is-default-class": "true"}
    store.create(
        kind_of("StorageClass"), {"metadata": {"name": "fast", "annotations": mark}, "provisioner": "x/y"}
    )
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    assert put(store, "PersistentVolumeClaim", "c", spec=spec)["spec"]["storageClassName"] == "fast"


def test_a_job_selects_its_own_pods(store: Store) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [container()]}}
    made = put(store, "Job", "j", spec={"template": template})
    uid = meta(made)["uid"]
    assert made["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    assert made["spec"]["template"]["metadata"]["labels"]["job-name"] == "j"


def test_a_dry_run_takes_nothing_from_the_quota(store: Store) -> None:
    put(store, "ResourceQuota", "q", spec={"hard": {"pods": "1"}})
    store.create(PODS, pod("try"), dry_run=True)
    assert store.create(PODS, pod("real"))


def test_defaults_are_stable(store: Store) -> None:
    made = store.create(kind_of("Deployment"), deployment())
    assert store.update(kind_of("Deployment"), made) == made
