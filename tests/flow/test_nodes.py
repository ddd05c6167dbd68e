"""What single nodes put on the timeline."""

from nodes import ReceiveAlertNode
from tests.builders import alert, incident
from tests.fakes import FakeClock


async def test_of_many_rules_the_timeline_names_the_first_and_counts_the_rest() -> None:
    storm = incident(alerts=[alert(fingerprint=f"f{n:02}", alertname=f"Rule{n % 9}") for n in range(20)])
    assert await ReceiveAlertNode(FakeClock()).visit(storm) == "analyze"
    assert storm.timeline[-1].text == (
        "20 alerts about Deployment/shop/web: Rule0, Rule1, Rule2, Rule3, Rule4 and 4 more"
    )
