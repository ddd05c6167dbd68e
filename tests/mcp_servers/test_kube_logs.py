"""The end of a log, whatever its lines are like."""

import time

from domain.alert import Target
from domain.cluster import LogTail
from mcp_servers.kube.logs import MAX_LINE_LENGTH, MAX_LOG_BYTES, log_tail

POD = Target(kind="Pod", namespace="shop", name="web-1")


async def tail(body: bytes, grep: str = "") -> LogTail:
    return await log_tail(POD, "app", previous=False, body=body, grep=grep)


async def test_one_line_of_megabytes_keeps_its_end() -> None:
    body = b"x" * 1_700_000 + b" OutOfMemoryError: Java heap space"
    started_s = time.perf_counter()
    seen = await tail(body[-MAX_LOG_BYTES:])
    assert time.perf_counter() - started_s < 0.5
    (line,) = seen.lines
    assert seen.truncated and line.endswith("OutOfMemoryError: Java heap space")
    assert len(line) <= MAX_LINE_LENGTH + 3


async def test_a_line_cut_by_the_bound_is_dropped_where_others_follow() -> None:
    seen = await tail(b"y" * MAX_LOG_BYTES + b"\nwhole\n")
    assert seen.lines == ("whole",)


async def test_credentials_are_masked_even_where_a_line_is_cut() -> None:
    secret = "hunter2" * 4
    line = "a" * (MAX_LINE_LENGTH - 620) + f" password={secret} " + "b" * 40_000
    seen = await tail(line.encode())
    assert "hunter2" not in seen.lines[0] and not seen.truncated


async def test_grep_keeps_lines_with_one_of_the_words() -> None:
    seen = await tail(b"GET /\nERROR no db\nwarn slow\n", grep="error|WARN")
    assert seen.lines == ("ERROR no db", "warn slow")
