"""From a kept delivery to incidents: parse, group, file. It runs nothing and decides nothing else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog

from domain.alert import AlertGroup, Delivery
from domain.clock import Clock
from domain.errors import BadInput
from journal.port import Filing
from receive import alertmanager, prometheus
from receive.grouping import CLUSTER_LABEL, group_alerts

ALERTMANAGER = "alertmanager"
PROMETHEUS = "prometheus"
PARSERS = {ALERTMANAGER: alertmanager.parse, PROMETHEUS: prometheus.parse}
HINTS = {ALERTMANAGER: alertmanager.HINT, PROMETHEUS: prometheus.HINT}

log = structlog.get_logger()


class FilingStore(Protocol):
    """What triage needs of the journal."""

    async def file_groups(self, delivery_id: str, groups: Sequence[AlertGroup], *, at: datetime) -> Filing:
        """Put alerts into incidents and mark the delivery handled."""
        ...

    async def drop_delivery(self, delivery_id: str, *, reason: str, at: datetime) -> None:
        """Mark a delivery handled that cannot be understood."""
        ...


class Triage:
    """Files deliveries; `cluster` is the name to assume for alerts without `cluster_label`."""

    def __init__(
        self, journal: FilingStore, *, clock: Clock, cluster: str = "", cluster_label: str = CLUSTER_LABEL
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._cluster = cluster
        self._cluster_label = cluster_label

    async def file(self, delivery: Delivery) -> Filing:
        """Put the delivery's alerts into incidents. Raises JournalUnavailable; then nothing was filed.

        A body that no parser understands any more, such as one kept by another release, is set aside
        with the reason.
        """
        try:
            groups = self._groups(delivery)
        except BadInput as error:
            log.warning("delivery_dropped", delivery=delivery.id, source=delivery.source, reason=str(error))
            await self._journal.drop_delivery(delivery.id, reason=str(error), at=self._clock.now())
            return Filing()
        return await self._journal.file_groups(delivery.id, groups, at=self._clock.now())

    def _groups(self, delivery: Delivery) -> list[AlertGroup]:
        parse = PARSERS.get(delivery.source)
        if parse is None:
            raise BadInput(f"source: no parser for {delivery.source!r}", field="source")
        parcel = parse(delivery.body, received_at=delivery.received_at)
        return group_alerts(parcel, cluster=self._cluster, cluster_label=self._cluster_label)
