"""Which object labels name, and which alerts meet in one incident."""

import pytest

from domain.alert import Alert, AlertStatus, Target
from receive.alertmanager import parse
from receive.grouping import group_alerts, group_key, target_of
from receive.parcel import Parcel
from tests.fakes import START
from tests.receive.bodies import captured, mixins

KSM = {
    "job": "kube-state-metrics",
    "namespace": "monitoring",
    "pod": "kube-state-metrics-b894d84cc-d6htw",
    "service": "kube-state-metrics",
    "instance": "10.0.2.15:8080",
}


def key(**labels: str) -> str:
    return group_key(target_of(labels))


def alert(**labels: str) -> Alert:
    return Alert(
        fingerprint=str(labels), status=AlertStatus.FIRING, labels=labels, annotations={}, started_at=START
    )


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        ({"deployment": "web", "namespace": "shop"}, "Deployment/shop/web"),
        ({"statefulset": "db", "namespace": "shop"}, "StatefulSet/shop/db"),
        ({"daemonset": "agent", "namespace": "shop"}, "DaemonSet/shop/agent"),
        ({"workload": "web", "workload_type": "deployment", "namespace": "shop"}, "Deployment/shop/web"),
        ({"job_name": "backup-28000000", "namespace": "shop"}, "Job/shop/backup-28000000"),
        ({"cronjob": "backup", "namespace": "shop"}, "CronJob/shop/backup"),
        ({"horizontalpodautoscaler": "web", "namespace": "shop"}, "HorizontalPodAutoscaler/shop/web"),
        ({"persistentvolumeclaim": "data", "namespace": "shop"}, "PersistentVolumeClaim/shop/data"),
        ({"persistentvolume": "pv-1", "namespace": "monitoring"}, "PersistentVolume/pv-1"),
        ({"pod": "web-0", "namespace": "shop"}, "Pod/shop/web-0"),
        ({"pod_name": "web-0", "kubernetes_namespace": "shop"}, "Pod/shop/web-0"),
        ({"app": "web", "namespace": "shop"}, "Deployment/shop/web"),
        ({"app_kubernetes_io_name": "web", "namespace": "shop"}, "Deployment/shop/web"),
        ({"service": "web", "namespace": "shop", "job": "web"}, "Service/shop/web"),
        ({"node": "n1"}, "Node/n1"),
        ({"job": "kubelet", "instance": "n1:10250"}, "Node/n1"),
        ({"job": "kubelet", "instance": "10.0.0.1:10250"}, "unknown"),
        ({"job": "node-exporter", "instance": "10.0.0.1:9100", "pod": "node-exporter-x2x4z"}, "unknown"),
        ({"app": "web"}, "unknown"),
        ({"job": "etcd", "instance": "n1:2379"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_the_object_is_read_from_common_labels(labels: dict[str, str], named: str) -> None:
    assert str(target_of(labels)) == named


def test_the_exporters_own_labels_are_not_the_target() -> None:
    assert target_of({**KSM, "node": "n1"}) == Target(kind="Node", name="n1")
    assert str(target_of({**KSM, "deployment": "web", "exported_namespace": "shop"})) == "Deployment/shop/web"
    assert str(target_of({**KSM, "exported_pod": "web-0", "exported_namespace": "shop"})) == "Pod/shop/web-0"


def test_an_alert_about_the_exporter_itself_names_its_pod() -> None:
    assert target_of({**KSM, "alertname": "KubePodCrashLooping"}).name == KSM["pod"]


def test_a_pods_node_label_does_not_hide_the_pod_but_a_node_rule_means_the_node() -> None:
    both = {"pod": "web-0", "namespace": "shop", "node": "n1"}
    assert target_of({**both, "alertname": "CPUThrottlingHigh"}).kind == "Pod"
    assert target_of({**both, "alertname": "KubeNodeNotReady"}).kind == "Node"


@pytest.mark.parametrize(
    "pod",
    [
        "web-7c9d8f6b5-x2x4z",
        "web-x2x4z",
        "web-0",
        "web-12",
        "web-28123456-x2x4z",
        "web",
    ],
)
def test_a_workload_and_its_pods_share_a_key(pod: str) -> None:
    assert key(pod=pod, namespace="shop", cluster="c1") == key(
        deployment="web", namespace="shop", cluster="c1"
    )


@pytest.mark.parametrize("pod", ["web-proxy", "my-service", "web-v2", "kube-apiserver-node1", "nginx-latest"])
def test_names_that_only_look_like_suffixes_are_kept(pod: str) -> None:
    assert key(pod=pod, namespace="shop") == f"workload//shop/{pod}"


def test_jobs_of_a_cron_job_share_its_key() -> None:
    assert key(job_name="backup-28123456", namespace="shop") == key(cronjob="backup", namespace="shop")


def test_other_namespaces_clusters_and_kinds_have_keys_of_their_own() -> None:
    keys = {
        key(deployment="web", namespace="shop"),
        key(deployment="web", namespace="test"),
        key(deployment="web", namespace="shop", cluster="c2"),
        key(persistentvolumeclaim="web", namespace="shop"),
        key(node="web"),
    }
    assert len(keys) == 5


def test_three_pods_of_a_stateful_set_become_one_group() -> None:
    (group,) = group_alerts(parse(captured("grouped-3-firing"), received_at=START))
    assert (group.key, len(group.alerts)) == ("workload//prod/api", 3)


def test_a_groups_target_is_the_workload_rather_than_a_pod() -> None:
    pod, workload = alert(pod="web-0", namespace="shop"), alert(statefulset="web", namespace="shop")
    (group,) = group_alerts(Parcel(alerts=(pod, workload)))
    assert group.target.kind == "StatefulSet"


def test_alerts_without_an_object_keep_the_senders_grouping() -> None:
    (group,) = group_alerts(parse(captured("truncated-8-to-3"), received_at=START))
    assert "ManyAlerts" in group.key and len(group.alerts) == 3
    assert not group.target.known


def test_without_an_object_and_a_senders_key_the_rule_is_the_key() -> None:
    down = [alert(alertname="Down", instance=f"10.0.0.{n}:80", namespace="shop") for n in range(3)]
    groups = group_alerts(Parcel(alerts=(*down, alert(alertname="Slow", namespace="shop"))))
    assert [len(group.alerts) for group in groups] == [3, 1]
    assert groups[0].target == Target(namespace="shop")


def test_the_clusters_name_is_assumed_where_labels_name_none() -> None:
    (group,) = group_alerts(Parcel(alerts=(alert(node="n1"),)), cluster="home")
    assert group.target.cluster == "home" and "home" in group.key


def test_mixin_payloads_name_the_object_that_a_person_would_name() -> None:
    named = {}
    for raw in mixins():
        for group in group_alerts(parse(raw, received_at=START)):
            named[group.alerts[0].name] = str(group.target)
    assert named["KubeNodeNotReady"] == named["KubeNodePressure"] == "Node/minikube"
    assert named["KubeDeploymentRolloutStuck"] == "Deployment/monitoring/stuck"
    assert named["KubePodNotReady"] == "Pod/ns1/pod-ds-7cc77d965f-cgsdv"
    assert named["KubeJobFailed"] == "Job/ns1/job-1597623120"
    assert named["KubeletInstanceUnreachable"] == "Node/node1"
    assert named["KubePersistentVolumeFillingUp"] == "PersistentVolumeClaim/monitoring/somepvc"
    assert named["KubeQuotaExceeded"] == "ResourceQuota/test-ns/pod-quota"
    assert sorted(name for name, target in named.items() if target == "unknown") == UNKNOWN


UNKNOWN = [
    "KubeAPIDown",
    "KubeAPIInstanceUnreachable",
    "KubeAPITerminatedRequests",
    "KubeCPUOvercommit",
    "KubeCPUQuotaOvercommit",
    "KubeControllerManagerDown",
    "KubeControllerManagerInstanceUnreachable",
    "KubeMemoryOvercommit",
    "KubeMemoryQuotaOvercommit",
    "KubeSchedulerDown",
    "KubeSchedulerInstanceUnreachable",
    "KubeletDown",
    "etcdDatabaseHighFragmentationRatio",
    "etcdExcessiveDatabaseGrowth",
    "etcdHighNumberOfLeaderChanges",
    "etcdInsufficientMembers",
    "etcdMembersDown",
]
