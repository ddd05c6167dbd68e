"""The Loki API over the containers' logs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.logql.parse import parse
from sandbox.logql.query import BadLogQuery, Entry
from sandbox.logql.stages import parse_json, parse_logfmt
from tests.sandbox.observed import Asked, asked
from tests.sandbox.worlds import deployment, pod_template

LINES = """level=info msg="began well" took=12
level=error msg="lost it" took=250
{"level":"warn","http":{"status":503}}"""
TALKING = deployment("talk", replicas=1, template=pod_template(notes={"logs": LINES}))
CRASHING = deployment("bad", replicas=1, template=pod_template(notes={"fault": "crashloop"}))


async def _lines(api: Asked, query: str, **parameters: str) -> list[str]:
    data = await api.data("/loki/api/v1/query_range", query=query, **parameters)
    assert data["resultType"] == "streams"
    return [line for stream in data["result"] for _, line in stream["values"]]


async def test_lines_are_found_by_labels_and_filtered() -> None:
    async with asked(TALKING) as api:
        assert len(await _lines(api, '{app="talk"}')) == 3
        assert await _lines(api, '{app=~"t.*", namespace!="kube-system"} |= "lost"') == [LINES.split("\n")[1]]
        assert await _lines(api, '{app="talk"} != "level=" !~ "nothing"') == [LINES.split("\n")[2]]
        assert await _lines(api, '{app="talk"} |~ `began|lost` | logfmt | took > 100') == [
            LINES.split("\n")[1]
        ]
        assert await _lines(api, '{app="talk"} | json | http_status = "503"') == [LINES.split("\n")[2]]
        assert await _lines(api, '{app="talk"} | logfmt | level="error" | line_format "{{.msg}}!"') == [
            "lost it!"
        ]
        assert await _lines(api, '{app="other"}') == []


async def test_streams_carry_the_labels_of_their_containers() -> None:
    async with asked(TALKING) as api:
        (stream,) = (await api.data("/loki/api/v1/query", query='{app="talk"}'))["result"]
        pod = api.world.pods(app="talk")[0]["metadata"]["name"]
        assert stream["stream"] == {"namespace": "default", "pod": pod, "container": "app", "app": "talk"}
        at_ns = int(stream["values"][0][0])
        assert 0 < api.now - at_ns / 1e9 < 600
        labels = await api.data("/loki/api/v1/labels")
        assert labels == ["app", "container", "namespace", "pod"]
        assert await api.data("/loki/api/v1/label/pod/values") == [pod]
        assert await api.data("/loki/api/v1/series", match='{app="talk"}') == [stream["stream"]]


async def test_every_run_of_a_crashing_container_is_kept_also_after_the_pod_is_gone() -> None:
    async with asked(CRASHING) as api:
        query = '{app="bad"} |= "RuntimeError"'
        before = await _lines(api, query)
        restarts = api.world.pods(app="bad")[0]["status"]["containerStatuses"][0]["restartCount"]
        assert len(before) in (restarts, restarts + 1)
        api.world.delete("Deployment", "bad")
        api.world.advance(60)
        assert api.world.pods(app="bad") == []
        assert len(await _lines(api, query)) >= len(before)


async def test_limit_and_direction_choose_the_newest_or_the_oldest() -> None:
    async with asked(CRASHING) as api:
        times = {"start": str(api.now - 590)}
        newest = await api.data("/loki/api/v1/query_range", query='{app="bad"}', limit="2", **times)
        oldest = await api.data(
            "/loki/api/v1/query_range", query='{app="bad"}', limit="2", direction="forward", **times
        )
        (new,), (old,) = newest["result"], oldest["result"]
        assert [int(at) for at, _ in new["values"]] == sorted(
            (int(at) for at, _ in new["values"]), reverse=True
        )
        assert int(old["values"][-1][0]) < int(new["values"][-1][0])


async def test_lines_are_counted_over_time() -> None:
    async with asked(CRASHING) as api:
        count = 'sum by (app) (count_over_time({namespace="default"} |= "RuntimeError" [10m]))'
        (found,) = (await api.data("/loki/api/v1/query", query=count))["result"]
        assert found["metric"] == {"app": "bad"}
        assert int(found["value"][1]) == len(await _lines(api, '{app="bad"} |= "RuntimeError"'))
        rate = 'sum(rate({app="bad"} |= "RuntimeError" [10m])) > 0'
        data = await api.data("/loki/api/v1/query_range", query=rate, start=str(api.now - 60), step="30")
        assert data["resultType"] == "matrix"
        assert len(data["result"][0]["values"]) == 3
        assert float(data["result"][0]["values"][-1][1]) == pytest.approx(int(found["value"][1]) / 600)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ('{app="x"', "parse error at line 1, col 9: syntax error: unexpected $end"),
        ("{}", "queries require at least one regexp or equality matcher"),
        ('{app="x"} | unpack', "parse error at line 1, col 13: syntax error: unexpected unpack"),
        ('{app=~"("}', "error parsing regexp"),
        ('sum({app="x"})', "parse error at line 1, col 5: syntax error: unexpected {"),
        ("", "parse error at line 1, col 1: syntax error: unexpected $end"),
    ],
)
async def test_what_is_no_logql_is_refused_in_plain_text(query: str, text: str) -> None:
    async with asked() as api:
        status, answer = await api.text("/loki/api/v1/query_range", query=query)
        assert status == 400
        assert answer.startswith(text)


async def test_limits_hold() -> None:
    async with asked() as api:
        status, text = await api.text("/loki/api/v1/query_range", query='{app="x"}', limit="9999")
        assert (status, text.split(",")[0]) == (400, "max entries limit per query exceeded")
        assert (await api.text("/loki/api/v1/query_range", query='{app="x"}', start="9", end="8"))[0] == 400
        assert (await api.text("/ready"))[0] == 200


@given(st.text(max_size=60))
def test_whatever_is_asked_is_understood_or_refused(text: str) -> None:
    try:
        parse(text)
    except BadLogQuery as error:
        assert str(error)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text(max_size=10) | st.integers(), max_size=4
    )
)
def test_json_fields_become_labels(fields: dict[str, str | int]) -> None:
    entry = parse_json(Entry(0, json.dumps(fields), {}))
    assert entry.fields == {name: str(value) for name, value in fields.items()}


def test_a_field_that_the_stream_has_already_gets_another_name() -> None:
    entry = parse_logfmt(Entry(0, 'app=inner msg="a \\"b\\" c"', {"app": "outer"}))
    assert entry.fields == {"app": "outer", "app_extracted": "inner", "msg": 'a "b" c'}
    assert parse_json(Entry(0, "no json", {})).fields == {"__error__": "JSONParserErr"}
