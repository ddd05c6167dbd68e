"""Long answers keep head, tail and the lines around errors, and say what is left out."""

import pytest

from utils.tool_texts import cut_text, tokens_count


def log(count: int) -> list[str]:
    return [f"line {number:05} all is well with request number {number}" for number in range(count)]


def test_what_fits_is_left_alone() -> None:
    assert cut_text("one\ntwo", 100) == ("one\ntwo", 0)


def test_a_long_text_keeps_its_ends_and_what_went_wrong() -> None:
    lines = log(2000)
    lines[900] = "connection refused by db:5432"
    text, left_out_count = cut_text("\n".join(lines), 500)
    assert tokens_count(text) <= 500
    assert text.startswith(lines[0]) and text.endswith(lines[-1])
    for near in (899, 900, 901):
        assert lines[near] in text
    shown = [line for line in text.splitlines() if not line.startswith("[…")]
    assert left_out_count == 2000 - len(shown)
    noted = [int(line.split()[1]) for line in text.splitlines() if line.startswith("[…")]
    assert sum(noted) == left_out_count


@pytest.mark.parametrize("letter", ["x", "ж", "😀"])
def test_one_endless_line_keeps_both_ends(letter: str) -> None:
    text, left_out_count = cut_text(f"begin{letter * 500_000}end", 300)
    assert tokens_count(text) <= 300 and left_out_count == 1
    assert text.startswith("begin") and text.endswith("end")


def test_nothing_but_errors_still_fits() -> None:
    text, _ = cut_text("\n".join(f"error {number}" for number in range(9000)), 400)
    assert tokens_count(text) <= 400
    assert "error 0" in text and "error 8999" in text
