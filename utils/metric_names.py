"""Which queries answer which question about pods, nodes and services, and how labels are called.

The known names are those of cAdvisor, node-exporter, the OpenTelemetry collector, and HTTP instrumentation in
common use. A setup's own come before them, from the `metrics:` section of config.yaml.
"""

from collections.abc import Sequence
from string import Template

from pydantic import BaseModel, ConfigDict, field_validator

PLACEHOLDERS = frozenset({"scope", "by", "window", "errors"})
BUSY = 'mode!~"idle|iowait|steal"'

NODE_CPU = (
    f"sum by ($by) (rate(node_cpu_seconds_total{{{BUSY},$scope}}[$window]))"
    " / sum by ($by) (rate(node_cpu_seconds_total{$scope}[$window]))",
    'sum by ($by) (rate(system_cpu_time_seconds_total{state!~"idle|wait|steal",$scope}[$window]))'
    " / sum by ($by) (rate(system_cpu_time_seconds_total{$scope}[$window]))",
    'sum by ($by) (rate(windows_cpu_time_total{mode!="idle",$scope}[$window]))'
    " / sum by ($by) (rate(windows_cpu_time_total{$scope}[$window]))",
)
NODE_MEMORY = (
    "1 - sum by ($by) (node_memory_MemAvailable_bytes{$scope})"
    " / sum by ($by) (node_memory_MemTotal_bytes{$scope})",
    'sum by ($by) (system_memory_usage_bytes{state="used",$scope})'
    " / sum by ($by) (system_memory_usage_bytes{$scope})",
    "sum by ($by) (k8s_node_memory_working_set_bytes{$scope}) / sum by ($by)"
    " (k8s_node_memory_working_set_bytes{$scope} + k8s_node_memory_available_bytes{$scope})",
)
NODE_DISK = (
    'max by ($by,mountpoint) (1 - node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|ramfs|squashfs",$scope}'
    ' / node_filesystem_size_bytes{fstype!~"tmpfs|overlay|ramfs|squashfs",$scope})',
    'sum by ($by,mountpoint) (system_filesystem_usage_bytes{state="used",$scope})'
    " / sum by ($by,mountpoint) (system_filesystem_usage_bytes{$scope})",
    "1 - sum by ($by) (k8s_node_filesystem_available_bytes{$scope})"
    " / sum by ($by) (k8s_node_filesystem_capacity_bytes{$scope})",
)
POD_CPU = (
    'sum by ($by) (rate(container_cpu_usage_seconds_total{container!="",container!="POD",$scope}[$window]))',
    "sum by ($by) (rate(container_cpu_usage_seconds_total{$scope}[$window]))",  # runtimes without containers
    "sum by ($by) (rate(k8s_pod_cpu_time_seconds_total{$scope}[$window]))",
    "sum by ($by) (k8s_pod_cpu_usage{$scope})",
)
POD_MEMORY = (
    'sum by ($by) (container_memory_working_set_bytes{container!="",container!="POD",$scope})',
    "sum by ($by) (container_memory_working_set_bytes{$scope})",
    "sum by ($by) (k8s_pod_memory_working_set_bytes{$scope})",
    "sum by ($by) (k8s_pod_memory_usage_bytes{$scope})",
)

# What counts requests, and what measures them: histograms by their plain name, which count by _count as well.
COUNTERS = (
    "http_requests_total",
    "http_server_requests_total",
    "istio_requests_total",
    "nginx_ingress_controller_requests",
    "traefik_service_requests_total",
    "envoy_cluster_upstream_rq",
    "flask_http_request_total",
    "grpc_server_handled_total",
)
MEASURES = (
    "http_request_duration_seconds",
    "http_server_request_duration_seconds",  # OpenTelemetry, stable conventions
    "http_server_duration_seconds",
    "http_server_duration_milliseconds",  # OpenTelemetry, earlier conventions
    "http_server_requests_seconds",  # Micrometer: Spring Boot, Quarkus
    "http_request_duration_milliseconds",
    "istio_request_duration_milliseconds",
    "nginx_ingress_controller_request_duration_seconds",
    "traefik_service_request_duration_seconds",
    "flask_http_request_duration_seconds",
    "starlette_request_duration_seconds",
    "http_request_latency_seconds",
    "rpc_server_duration_milliseconds",
    "grpc_server_handling_seconds",
)
COUNTED = (*COUNTERS, *(f"{name}_count" for name in MEASURES))

LABELS = {
    "namespace": (
        *("namespace", "exported_namespace", "k8s_namespace_name", "kubernetes_namespace"),
        *("destination_service_namespace", "destination_workload_namespace"),
    ),
    "pod": ("pod", "exported_pod", "pod_name", "k8s_pod_name", "kubernetes_pod_name"),
    "node": ("node", "nodename", "k8s_node_name", "kubernetes_node", "host_name", "instance", "host"),
    "service": (
        *(
            "service",
            "exported_service",
            "service_name",
            "destination_service_name",
            "app_kubernetes_io_name",
        ),
        *("app", "application", "k8s_deployment_name", "deployment", "exported_job", "job"),
    ),
    "status": (
        *("code", "status", "status_code", "http_status_code", "http_response_status_code", "response_code"),
        *("envoy_response_code", "grpc_code", "rpc_grpc_status_code"),
    ),
}
FAILED = (  # of HTTP, of gRPC by name, of gRPC by number
    *("5..", "5xx", "Unknown", "UNKNOWN", "DeadlineExceeded", "DEADLINE_EXCEEDED", "Unimplemented"),
    *("UNIMPLEMENTED", "Internal", "INTERNAL", "Unavailable", "UNAVAILABLE", "DataLoss", "DATA_LOSS"),
    *("2", "4", "12", "13", "14", "15"),
)
KNOWN = {
    "node_cpu": NODE_CPU,
    "node_memory": NODE_MEMORY,
    "node_disk": NODE_DISK,
    "pod_cpu": POD_CPU,
    "pod_memory": POD_MEMORY,
    "request_rate": tuple(f"sum by ($by) (rate({name}{{$scope}}[$window]))" for name in COUNTED),
    "error_ratio": tuple(
        f"(sum by ($by) (rate({name}{{$errors,$scope}}[$window]))"
        f" or 0 * sum by ($by) (rate({name}{{$scope}}[$window])))"
        f" / sum by ($by) (rate({name}{{$scope}}[$window]))"
        for name in COUNTED
    ),
}


def latency_queries(name: str) -> tuple[str, ...]:
    """P50, P90 and P99 of a histogram or else a summary of this name; the mean where there is neither."""
    of_buckets = (
        f"label_replace(histogram_quantile({ratio}, sum by ($by,le) (rate({name}_bucket{{$scope}}[$window])))"
        f', "quantile", "{ratio}", "", "")'
        for ratio in ("0.5", "0.9", "0.99")
    )
    mean = (
        f"sum by ($by) (rate({name}_sum{{$scope}}[$window]))"
        f" / sum by ($by) (rate({name}_count{{$scope}}[$window]))"
    )
    return (
        " or ".join(of_buckets),
        f'max by ($by,quantile) ({name}{{quantile=~"0.5|0.9|0.99",$scope}})',
        f'label_replace({mean}, "quantile", "mean", "", "")',
    )


class MetricNames(BaseModel):
    """A setup's own queries and labels; they are asked before the known ones.

    Queries are PromQL with `$scope` for label matchers, `$by` for the labels to keep, `$window` for the range
    of rates and `$errors` for the matcher of failed requests. `latencies` are names of histograms without
    `_bucket`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    node_cpu: list[str] = []
    node_memory: list[str] = []
    node_disk: list[str] = []
    pod_cpu: list[str] = []
    pod_memory: list[str] = []
    request_rate: list[str] = []
    error_ratio: list[str] = []
    latencies: list[str] = []
    namespace_labels: list[str] = []
    pod_labels: list[str] = []
    node_labels: list[str] = []
    service_labels: list[str] = []
    status_labels: list[str] = []

    @field_validator(*KNOWN)
    @classmethod
    def _has_known_placeholders(cls, queries: list[str]) -> list[str]:
        for query in queries:
            unknown = sorted(set(Template(query).get_identifiers()) - PLACEHOLDERS)
            if unknown:
                raise ValueError(f"${unknown[0]} is none of $scope, $by, $window, $errors")
        return queries

    def queries(self, quantity: str) -> Sequence[str]:
        """Templates that answer for a quantity, in the order in which they are tried."""
        if quantity == "latencies":
            return [query for name in (*self.latencies, *MEASURES) for query in latency_queries(name)]
        own: list[str] = getattr(self, quantity)
        return (*own, *KNOWN[quantity])

    def labels(self, role: str) -> Sequence[str]:
        """Names that a label may have: of a namespace, pod, node, service or status."""
        own: list[str] = getattr(self, f"{role}_labels")
        return (*own, *LABELS[role])
