"""What is refused as invalid, in the words of a real API server (compared with v1.20.2)."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.bootstrap import new_store
from sandbox.clock import SimClock
from sandbox.errors import ApiError, Invalid
from sandbox.fields import Obj, with_in
from sandbox.kinds import kind_of
from sandbox.store import Store
from tests.sandbox.api_objects import config, container, deployment, pod

POD = ("spec", "template", "spec")


@pytest.fixture
def store() -> Store:
    return new_store(SimClock(seed=1))


def on_pod(**fields: Any) -> Obj:
    obj = deployment()
    return with_in(obj, POD, {**obj["spec"]["template"]["spec"], **fields})


def on_container(**fields: Any) -> Obj:
    return on_pod(containers=[container(**fields)])


def refusal(store: Store, kind: str, obj: Obj) -> str:
    with pytest.raises(ApiError) as caught:
        store.create(kind_of(kind), obj)
    return caught.value.message


C = "spec.template.spec.containers[0]"


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        (
            deployment("BAD_NAME"),
            'Deployment.apps "BAD_NAME" is invalid: metadata.name: Invalid value: "BAD_NAME": a lowercase',
        ),
        (deployment(replicas=-1), "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        (
            deployment(selector={"matchLabels": {"app": "other"}}),
            'spec.template.metadata.labels: Invalid value: map[string]string{"app":"web"}: `selector`',
        ),
        (deployment(selector=None), "spec.selector: Required value"),
        (deployment(selector={}), "empty selector is invalid for deployment"),
        (
            deployment(selector={"matchExpressions": [{"key": "a", "operator": "Foo"}]}),
            "not a valid selector operator",
        ),
        (
            deployment(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}),
            "may not be 0 when `maxSurge` is 0",
        ),
        (deployment(strategy={"rollingUpdate": {"maxSurge": "abc"}}), "a valid percent string must be"),
        (deployment(strategy={"type": "Foo"}), 'supported values: "Recreate", "RollingUpdate"'),
        (deployment(progressDeadlineSeconds=5, minReadySeconds=10), "must be greater than minReadySeconds"),
        (on_pod(containers=[]), "spec.template.spec.containers: Required value"),
        (on_pod(containers=[container(), container()]), 'containers[1].name: Duplicate value: "c"'),
        (
            on_pod(restartPolicy="Never"),
            'restartPolicy: Unsupported value: "Never": supported values: "Always"',
        ),
        (
            on_pod(dnsPolicy="Foo"),
            'supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
        ),
        (on_pod(tolerations=[{"key": "a", "operator": "Foo"}]), 'supported values: "Equal", "Exists"'),
        (on_pod(activeDeadlineSeconds=10), "activeDeadlineSeconds in ReplicaSet is not Supported"),
        (
            on_pod(volumes=[{"name": "v", "emptyDir": {}}, {"name": "v"}]),
            'volumes[1].name: Duplicate value: "v"',
        ),
        (
            on_pod(volumes=[{"name": "v", "emptyDir": {}, "secret": {"secretName": "x"}}]),
            "more than 1 volume type",
        ),
        (
            on_pod(topologySpreadConstraints=[{"maxSkew": 0}]),
            "maxSkew: Invalid value: 0: must be greater than zero",
        ),
        (on_container(image=""), f"{C}.image: Required value"),
        (on_container(imagePullPolicy="Sometimes"), 'supported values: "Always", "IfNotPresent", "Never"'),
        (on_container(ports=[{"containerPort": 70000}]), f"{C}.ports[0].containerPort: Invalid value: 70000"),
        (
            on_container(ports=[{"containerPort": 80, "protocol": "X"}]),
            'supported values: "SCTP", "TCP", "UDP"',
        ),
        (on_container(env=[{"name": "1 a"}]), "a valid environment variable name must consist of"),
        (
            on_container(env=[{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "a"}}}]),
            "may not be specified when `value` is not empty",
        ),
        (
            on_container(volumeMounts=[{"name": "v", "mountPath": "/x"}]),
            f'{C}.volumeMounts[0].name: Not found: "v"',
        ),
        (
            on_container(livenessProbe={"httpGet": {"port": 0}}),
            "livenessProbe.httpGet.port: Invalid value: 0",
        ),
        (
            on_container(livenessProbe={"periodSeconds": 3}),
            "livenessProbe: Required value: must specify a handler type",
        ),
        (
            on_container(livenessProbe={"tcpSocket": {"port": 1}, "successThreshold": 2}),
            "successThreshold: Invalid value: 2",
        ),
        (
            on_container(resources={"limits": {"memory": "1Mi"}, "requests": {"memory": "2Mi"}}),
            'resources.requests: Invalid value: "2Mi": must be less than or equal to memory limit',
        ),
        (
            on_container(resources={"limits": {"mem": "1Mi"}}),
            'limits[mem]: Invalid value: "mem": must be a standard',
        ),
    ],
)
def test_a_deployment_that_cannot_be(store: Store, obj: Obj, words: str) -> None:
    assert words in refusal(store, "Deployment", obj)


def other(name: str = "x", **body: Any) -> Obj:
    return {"metadata": {"name": name, "namespace": "default"}, **body}


JOB = {"template": {"spec": {"containers": [container()]}}}


@pytest.mark.parametrize(
    ("kind", "obj", "words"),
    [
        ("Service", other("9a", spec={"ports": [{"port": 80}]}), "a DNS-1035 label must consist of"),
        (
            "Service",
            other(spec={"ports": [{"port": 80}, {"port": 81}]}),
            "[spec.ports[0].name: Required value, spec.ports[1].name: Required value]",
        ),
        ("Service", other(spec={}), 'Service "x" is invalid: spec.ports: Required value'),
        ("Service", other(spec={"type": "ExternalName"}), "spec.externalName: Required value"),
        (
            "Service",
            other(spec={"clusterIP": "1.2.3.4", "ports": [{"port": 1}]}),
            "provided IP is not in the valid range",
        ),
        ("Service", other(spec={"type": "NodePort", "ports": [{"port": 1, "nodePort": 5}]}), "30000-32767"),
        (
            "PersistentVolumeClaim",
            other(spec={}),
            "spec.accessModes: Required value: at least 1 access mode is required",
        ),
        (
            "ConfigMap",
            other(data={"a b": "c"}),
            'data[a b]: Invalid value: "a b": a valid config key must consist',
        ),
        ("Secret", other(data={"a": "!!"}), "illegal base64 data"),
        (
            "ResourceQuota",
            other(spec={"hard": {"foo": "1"}}),
            'spec.hard[foo]: Invalid value: "foo": must be a standard',
        ),
        (
            "Job",
            other(spec=JOB),
            'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
        ),
        (
            "CronJob",
            other(spec={"schedule": "every day", "jobTemplate": {"spec": JOB}}),
            'spec.schedule: Invalid value: "every day": Expected exactly 5 fields, found 2: every day',
        ),
        (
            "HorizontalPodAutoscaler",
            other(spec={"minReplicas": 5, "maxReplicas": 2, "scaleTargetRef": {}}),
            "must be greater than or equal to `minReplicas`",
        ),
        ("PodDisruptionBudget", other(spec={"minAvailable": 1, "maxUnavailable": 1}), "cannot be both set"),
        ("Ingress", other(spec={}), "either `defaultBackend` or `rules` must be specified"),
        ("Namespace", {"metadata": {"name": "a.b"}}, "a lowercase RFC 1123 label must consist of"),
        (
            "ConfigMap",
            {"metadata": {"name": "a", "namespace": "default", "labels": {"a": "c d"}}},
            "a valid label must be",
        ),
        (
            "ConfigMap",
            {"metadata": {"namespace": "default"}},
            "metadata.name: Required value: name or generateName",
        ),
    ],
)
def test_other_kinds_that_cannot_be(store: Store, kind: str, obj: Obj, words: str) -> None:
    assert words in refusal(store, kind, obj)


def changed(path: tuple[str, ...], value: Any) -> Callable[[Obj], Obj]:
    return lambda obj: with_in(obj, path, value)


CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
STATEFUL = {**deployment()["spec"], "serviceName": "x"}


@pytest.mark.parametrize(
    ("kind", "obj", "change", "words"),
    [
        (
            "Deployment",
            deployment(),
            changed(("spec", "selector"), {"matchLabels": {"app": "z"}}),
            "field is immutable",
        ),
        (
            "Pod",
            pod(),
            changed(("spec", "containers"), [container(env=[{"name": "A", "value": "1"}])]),
            "pod updates may not change fields other than",
        ),
        (
            "StatefulSet",
            other(spec=STATEFUL),
            changed(("spec", "serviceName"), "y"),
            "updates to statefulset spec for fields",
        ),
        (
            "PersistentVolumeClaim",
            other(spec=CLAIM),
            changed(("spec", "accessModes"), ["ReadWriteMany"]),
            "spec is immutable after creation except resources.requests",
        ),
        (
            "Service",
            other(spec={"ports": [{"port": 80}]}),
            changed(("spec", "clusterIP"), "10.96.0.77"),
            "may not change once set",
        ),
        (
            "ConfigMap",
            other(immutable=True, data={"a": "b"}),
            changed(("data",), {"a": "c"}),
            "data: Forbidden: field is immutable when `immutable` is set",
        ),
        ("Secret", other(), changed(("type",), "other/type"), "field is immutable"),
        (
            "Job",
            other(spec={"template": {"spec": {"restartPolicy": "Never", "containers": [container()]}}}),
            changed((*POD, "containers"), [container(image="new")]),
            "spec.template: Invalid value",
        ),
    ],
)
def test_what_may_not_change(
    store: Store, kind: str, obj: Obj, change: Callable[[Obj], Obj], words: str
) -> None:
    made = store.create(kind_of(kind), obj)
    with pytest.raises(Invalid) as caught:
        store.update(kind_of(kind), change(made))
    assert words in caught.value.message


def test_what_may_change_in_a_pod(store: Store) -> None:
    made = store.create(kind_of("Pod"), pod())
    again = [{**made["spec"]["containers"][0], "image": "nginx:2"}]
    assert (
        store.update(kind_of("Pod"), with_in(made, ("spec", "containers"), again))["spec"]["containers"]
        == again
    )


def test_a_bound_claim_may_grow_but_not_shrink(store: Store) -> None:
    claims = kind_of("PersistentVolumeClaim")
    made = store.create(claims, other(spec=CLAIM))
    made = store.update(claims, with_in(made, ("status", "phase"), "Bound"), subresource="status")
    path = ("spec", "resources", "requests", "storage")
    grown = store.update(claims, with_in(made, path, "2Gi"))
    with pytest.raises(Invalid, match="field can not be less than previous value"):
        store.update(claims, with_in(grown, path, "1Gi"))


def test_all_faults_are_named_at_once(store: Store) -> None:
    text = refusal(store, "Deployment", deployment("A_B", replicas=-1))
    assert text.startswith('Deployment.apps "A_B" is invalid: [metadata.name: ')
    assert "spec.replicas: " in text


def test_the_status_has_a_cause_for_every_field(store: Store) -> None:
    with pytest.raises(Invalid) as caught:
        store.create(kind_of("ConfigMap"), config("A_B"))
    details = caught.value.status()["details"]
    assert (details["kind"], details["causes"][0]["field"]) == ("ConfigMap", "metadata.name")
    assert details["causes"][0]["reason"] == "FieldValueInvalid"
