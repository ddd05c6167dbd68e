"""`drill`: scenarios through the real service against the sandbox, scored; a table, JSON and JUnit."""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import get_args

import click

from cli.common import Stopped
from cli.drill_results import Suite, print_baselines, print_table, write_json, write_junit
from domain.errors import LoopError
from drill import AnalystName, Score, broken_drill, run_drill
from utils.settings import HOME

SCENARIOS = HOME / "scenarios"
BASELINES: tuple[AnalystName, ...] = ("restart-only", "noop")


@click.command()
@click.argument("names", nargs=-1, metavar="[FILE|DIR|NAME]…")
@click.option(
    "--analyst",
    type=click.Choice(get_args(AnalystName)),
    default="rules",
    show_default=True,
    help="Who decides.",
)
@click.option("--baselines", is_flag=True, help="Run the analysts that understand nothing, too, and compare.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Drills at the same time; default one a processor.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the scores as JSON.")
@click.option("--junit", "junit_file", type=click.Path(path_type=Path), help="Write the scores as JUnit XML.")
def drill(
    names: tuple[str, ...],
    analyst: AnalystName,
    baselines: bool,
    jobs: int | None,
    json_file: Path | None,
    junit_file: Path | None,
) -> None:
    """Run drills: all shipped ones, or those of the files, folders and names given."""
    files = scenario_files(names)
    suite = run_suite(files, analyst, jobs or os.cpu_count() or 1)
    print_table(suite)
    if baselines:
        others = [run_suite(files, other, jobs or os.cpu_count() or 1) for other in BASELINES]
        print_baselines([suite, *others])
    if json_file:
        write_json(suite, json_file)
    if junit_file:
        write_junit(suite, junit_file)


def scenario_files(names: Sequence[str]) -> list[Path]:
    """The scenario files meant, each once. Raises Stopped for a name that means nothing."""
    found: list[Path] = []
    for name in names or (str(SCENARIOS),):
        shipped = [path for path in sorted(SCENARIOS.rglob("*.yaml")) if path.stem == name]
        if Path(name).is_dir():
            found += sorted(Path(name).rglob("*.yaml"))
        elif Path(name).is_file() or shipped:
            found.append(Path(name) if Path(name).is_file() else shipped[0])
        else:
            raise Stopped(f"{name!r} is no file, folder or shipped scenario; see {SCENARIOS}")
    return list(dict.fromkeys(found))


def run_suite(files: Sequence[Path], analyst: AnalystName, jobs: int) -> Suite:
    """Run all, each in a process of a pool; a drill that breaks is a score, not the end."""
    began_s = time.monotonic()
    # spawned, not forked: a fork would copy a running event loop's threads
    with ProcessPoolExecutor(max_workers=min(jobs, len(files)), mp_context=get_context("spawn")) as pool:
        scores = list(pool.map(_safely, [(file, analyst) for file in files]))
    return Suite(analyst=analyst, scores=tuple(scores), wall_s=time.monotonic() - began_s)


def _safely(what: tuple[Path, AnalystName]) -> Score:
    file, analyst = what
    try:
        return run_drill(file, analyst)
    except LoopError as error:
        return broken_drill(file, str(error))
