"""Scenario files: what a scenario begins with, and what its steps do to the cluster."""

from sandbox.scenario import AlertSpec, Scenario, prepare
from tests.sandbox.worlds import World

SLOW_SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: default}
spec:
  serviceName: db
  replicas: 3
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
        - name: app
          image: db:1
          readinessProbe: {tcpSocket: {port: 5432}, initialDelaySeconds: 20}
"""
NEVER_READY = SLOW_SET.replace("image: db:1", "image: db:doesnotexist")


def scenario(given: str) -> Scenario:
    return Scenario(name="s", title="s", fault="none", given=given, alert=AlertSpec(rules=True))


def test_a_scenario_begins_when_all_its_pods_are_ready_however_long_probes_wait() -> None:
    world = World()
    prepare(world, scenario(SLOW_SET))
    assert world.get("StatefulSet", "db")["status"]["readyReplicas"] == 3


def test_a_scenario_that_is_never_ready_begins_all_the_same() -> None:
    world = World()
    prepare(world, scenario(NEVER_READY))
    assert "readyReplicas" not in world.get("StatefulSet", "db")["status"]
