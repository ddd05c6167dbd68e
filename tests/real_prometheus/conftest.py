"""These checks need the real programs; without them they are skipped, and say so."""

import pytest

from tests.real_prometheus.processes import missing_programs


@pytest.fixture(autouse=True, scope="session")
def _programs() -> None:
    reason = missing_programs("prometheus", "promtool", "prometheus-alertmanager")
    if reason:
        pytest.skip(reason)
