"""`make promcheck`: rules, dashboards and metrics before a real Prometheus and promtool."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import uvloop

from loadtests.incidents.mortal import free_port
from loadtests.incidents.process import ReplayError
from loadtests.incidents.progress import Progress
from loadtests.incidents.stage import Stage
from loadtests.promcheck import prometheus, story
from loadtests.promcheck.questions import (
    Question,
    against_conventions,
    against_story,
    of_dashboards,
    of_rules,
)
from tests.support.dns_server import DnsServer
from tools.monitoring import ALERTS, dashboards, rule_files
from tools.source import ROOT

_READY = r"Server is ready to receive web requests"
_READY_S = 20.0
_LAST_SCRAPES_S = 3.0
EXIT_PROBLEMS = 1


def check_rules() -> list[str]:
    """What promtool says of the rules and of their tests."""
    rules = sorted(str(path) for path in (ROOT / ALERTS).glob("*.yaml"))
    tests = sorted(str(path) for path in (ROOT / ALERTS / "tests").glob("*.yaml"))
    said = (prometheus.promtool("check", "rules", *rules),
            prometheus.promtool("test", "rules", *tests))  # fmt: skip
    return [text for text in said if text is not None]


async def replay(folder: Path, progress: Progress) -> tuple[int, list[str]]:
    """Play the story before a real Prometheus; how many questions there were, and what is wrong."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20.0)) as session:
        with DnsServer() as server:
            async with Stage(folder, progress) as stage:
                sidecar, partners = await story.begin(stage, server)
                port = free_port(random.Random("promcheck"))
                target = sidecar.admin.url.removeprefix("http://")
                rules = sorted((ROOT / ALERTS).glob("*.yaml"))
                settings = prometheus.configuration(target, rules)
                process = stage.process(
                    "prometheus", prometheus.command(stage.directory, port, settings)
                )
                await process.line(_READY, process.err_path, _READY_S)
                begins_at = time.time()
                progress.say(f"the story takes {story.STORY_S:.0f} s")
                await story.play(sidecar, partners, server)
                await asyncio.sleep(_LAST_SCRAPES_S)
                asked = prometheus.Prometheus(f"http://127.0.0.1:{port}", session)
                questions = [*of_dashboards(dashboards(ROOT)), *of_rules(rule_files(ROOT))]
                problems = await ask(asked, questions, begins_at)
                problems += [
                    f"rule {rule['name']}: {rule['lastError']}"
                    for rule in await asked.rules()
                    if rule["health"] != "ok"
                ]
                problems += await check_alerts(asked, begins_at)
                async with session.get(f"{sidecar.admin.url}/metrics") as reply:
                    problems += check_exposition(await reply.text())
    return len(questions), problems


async def ask(
    asked: prometheus.Prometheus, questions: list[Question], begins_at: float
) -> list[str]:
    """What has no data, or is no question."""
    problems = []
    for question in questions:
        try:
            found = await asked.series(question.expression, begins_at, time.time())
        except ValueError as error:
            problems.append(f"{question.where}: {error}: {question.expression}")
            continue
        if not found:
            problems.append(f"{question.where}: no data: {question.expression}")
    return problems


async def check_alerts(asked: prometheus.Prometheus, begins_at: float) -> list[str]:
    """What the story raised, and what was raised of partners that were still well."""
    well_until = begins_at + story.WELL_S - 1.0
    raised = await asked.alerts(begins_at, time.time())
    too_early = await asked.alerts(begins_at, well_until, '{route=~"north|south"}')
    too_early |= await asked.alerts(begins_at, well_until, '{upstream=~"primary|standby|only"}')
    return list(against_story(raised, too_early))


def check_exposition(text: str) -> list[str]:
    """What promtool and the conventions say of the sidecar's metrics."""
    said = prometheus.promtool("check", "metrics", text=text)
    return [*([said] if said else []), *against_conventions(text)]


def main() -> int:
    """0 when everything holds, 1 with what does not."""
    progress = Progress("promcheck")
    problems = check_rules()
    with tempfile.TemporaryDirectory(prefix="promcheck-") as folder:
        try:
            number, more = uvloop.run(replay(Path(folder), progress))
        except ReplayError as error:
            number, more = 0, [str(error)]
    problems += more
    for problem in problems:
        print(problem)
    print(f"promcheck: {number} queries asked; {len(problems) or 'no'} problems")
    return EXIT_PROBLEMS if problems else 0


if __name__ == "__main__":
    sys.exit(main())
