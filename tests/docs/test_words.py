"""The glossary names what the code has, and the record of dependencies what the requirements have."""

import ast
import re
from pathlib import Path

import yaml

from analyze.remedies import REMEDIES
from analyze.rules.table import TABLE
from execute.arguments import ARGUMENTS
from tests.docs.pages import ROOT, read, rows

GLOSSARY = ROOT / "docs" / "glossary.md"
CONFIGURATION = ROOT / "docs" / "configuration.md"
DEPENDENCIES = ROOT / "docs" / "adr" / "0001-dependencies.md"


def classes(path: Path) -> set[str]:
    return {node.name for node in ast.parse(read(path)).body if isinstance(node, ast.ClassDef)}


def entries() -> dict[str, str]:
    """Each word of the glossary with the file that it names."""
    return {word: where.strip("`") for word, _, where in rows(GLOSSARY, 3)}


def required(name: str) -> set[str]:
    lines = [line.split("#")[0].strip() for line in read(ROOT / name).splitlines()]
    return {line.split("==")[0] for line in lines if "==" in line}


def test_each_word_is_defined_where_the_glossary_says() -> None:
    assert len(entries()) > 50
    for word, where in entries().items():
        assert word in classes(ROOT / where), f"{word} is not in {where}"


def test_every_class_of_domain_is_in_the_glossary() -> None:
    known = set().union(*(classes(path) for path in (ROOT / "domain").glob("*.py")))
    assert known <= set(entries())


def test_reserved_words_are_not_in_use_yet() -> None:
    reserved = {word for words, _ in rows(GLOSSARY, 2) for word in words.split(", ")}
    used = set().union(*(classes(path) for path in (ROOT / "domain").glob("*.py")))
    assert reserved
    assert not reserved & used


def test_every_dependency_has_its_reason_and_no_reason_is_left_over() -> None:
    reasons = {package for package, _ in rows(DEPENDENCIES, 2)}
    assert reasons == required("requirements.txt") | required("requirements-dev.txt")


def test_the_pages_name_every_action_and_every_rule_of_policy() -> None:
    page = read(CONFIGURATION)
    (line,) = [line for line in page.splitlines() if line.startswith("Actions that exist:")]
    assert set(re.findall(r"`(\w+)`", line)) == set(ARGUMENTS)
    assert set(yaml.safe_load(read(ROOT / "policy.yaml"))["actions"]) == set(ARGUMENTS)
    code = read(ROOT / "policy" / "judge.py") + read(ROOT / "execute" / "actions.py")
    given = set(re.findall(r'(?:_deny\(|rule=)"([\w-]+)"', code))
    assert given
    assert given <= {rule.strip("`") for rule, _ in rows(CONFIGURATION, 2)}


def test_the_readme_counts_the_faults_that_rules_can_mend() -> None:
    assert len({row.cause for row in TABLE} | set(REMEDIES)) > 40
    assert "know more than forty faults" in " ".join(read(ROOT / "README.md").split())


def test_records_of_decisions_are_numbered_without_gaps_and_fit_a_page() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [path.name[:4] for path in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    for path in records:
        assert read(path).startswith(f"# {path.name[:4]} ")
        assert len(read(path).splitlines()) <= 60, path.name
