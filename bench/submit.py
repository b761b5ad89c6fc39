"""From « Soumettre » to the feedback on the module page, in a real installation; beside `nbgrader autograde` on the same answer.

Alone: the whole way of a browser (module page, Hub, bridge, door, worker, events of the page, its feedback).
At once: 20 people send through the door as their bridges do (20 learners' servers would measure the machine's memory), then
wait with the page's own events. Stock: the command that a teacher types, in a plain nbgrader course made from the same source;
its exchange, its `collect` and its `generate_feedback` are not counted. At once, stock marks the 20 with one command, and a
learner has waited until their own submission was marked.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.results import Notes, Row
from tests.answers import answers_of, fill_answers
from tests.installation import Installation, make_courses, running_installation
from tests.person import Person, sign_up

ALONE = 20
AT_ONCE = 20
STOCK_ALONE = 5
PATIENCE_S = 300


def measure() -> tuple[list[Row], Notes]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "courses").mkdir()
        (place / "state").mkdir()
        courses = make_courses(place / "courses")
        with running_installation(place / "state", courses, "bench-submit", PUPITRE_SIGNUP="open") as installation:
            people = [make_person(installation, number) for number in range(AT_ONCE)]
            good = prepare_answer(people[0], courses)
            alone, notes = measure_alone(installation, people[0])
            together = measure_together(people, json.dumps(good).encode())
            for person in people:
                person.close()
        stock_alone, stock_together = measure_stock(place / "stock", courses / "essai" / "m1" / "exercices.ipynb", good)
    rows = [
        Row("submit → feedback, alone", tuple(alone), tuple(stock_alone)),
        Row(f"submit → feedback, {AT_ONCE} at once", tuple(together), tuple(stock_together)),
    ]
    return rows, notes


def make_person(installation: Installation, number: int) -> Person:
    person = sign_up(installation, f"Mesure {number}", f"mesure{number}@exemple.fr")
    person.enrol("essai")
    return person


def prepare_answer(person: Person, courses: Path) -> dict[str, Any]:
    """The first person's server runs, holds module m1, and the right answers are saved in it."""
    person.start_server()
    person.open_module("m1")
    good = fill_answers(person.read_notebook("m1"), answers_of(courses / "essai", "m1"))
    person.write_notebook("m1", good)
    return good


# --- ours ---------------------------------------------------------------------------------------------------------------


def measure_alone(installation: Installation, person: Person) -> tuple[list[float], Notes]:
    """Seconds per submission, and the median of each stage (from the log's times)."""
    lasted_s: list[float] = []
    stages: dict[str, list[float]] = {}
    for _number in range(ALONE):
        since = len(installation.hub_log)
        clicked = time.time()
        page = person.submit("m1")
        assert page.url.path == "/session/essai/module/m1/", page.text
        arrived = time.time()
        wait_for_feedback(person)
        seen = time.time()
        lasted_s.append(seen - clicked)
        received, taken, marked, engine_s = read_stages(installation, since)
        for what, value in (
            ("click → attempt stored (portal, Hub, bridge, door)", received - clicked),
            ("attempt stored → taken by a worker", taken - received),
            ("taken → marks stored", marked - taken),
            ("of which the engine: process, kernel, cells", engine_s),
            ("marks stored → feedback shown (the bell, the event, the fragment)", seen - marked),
            ("click → module page, meanwhile", arrived - clicked),
        ):
            stages.setdefault(what, []).append(value)
    return lasted_s, {what: statistics.median(values) for what, values in stages.items()}


def wait_for_feedback(person: Person) -> None:
    """As the page's script does: read the events until the end, then fetch what is shown of the attempts."""
    address = f"{person.installation.public_url}/session/essai/module/m1"
    with person.portal.stream("GET", f"{address}/etat/", timeout=PATIENCE_S) as events:
        for line in events.iter_lines():
            if line.startswith("data: ") and json.loads(line[6:]).get("state") in ("marked", "refused", "failed"):
                break
    shown = person.portal.get(f"{address}/essais/")
    assert 'data-result="passed"' in shown.text and 'data-result="failed"' not in shown.text, shown.text


def read_stages(installation: Installation, since: int) -> tuple[float, float, float, float]:
    """Times of the last attempt in the log (received, taken, marked), and the engine's seconds."""
    installation.wait_for_log(
        r"INFO graders\.marking attempt \d+ marked", since
    )  # said just after the marks can be read
    log = installation.hub_log[since:]

    def when(pattern: str) -> float:
        found = re.search(rf"^(\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{{3}}) {pattern}", log, re.MULTILINE)
        assert found, log
        text, milliseconds = found.groups()
        at = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").timestamp() + int(milliseconds) / 1000
        return at - round((at - time.time()) / 900) * 900  # the log's time zone is the portal's

    engine = re.search(r"marked in (\d+\.\d+) s", log)
    assert engine, log
    return (
        when(r"INFO graders\.attempts attempt \d+ received"),
        when(r"INFO django_tasks Task id=\S+ path=graders\.tasks\.mark_attempt state=RUNNING"),
        when(r"INFO graders\.marking attempt \d+ marked"),
        float(engine[1]),
    )


def measure_together(people: list[Person], content: bytes) -> list[float]:
    lasted_s: list[float] = []
    ready = threading.Barrier(len(people))

    def work(person: Person) -> None:
        ready.wait()
        began = time.monotonic()
        answer = person.send("m1", content, client_id=str(uuid.uuid4()))
        assert answer.status_code == 201, answer.text
        wait_for_feedback(person)
        lasted_s.append(time.monotonic() - began)

    run_all([lambda person=person: work(person) for person in people])  # type: ignore[misc]
    assert len(lasted_s) == len(people), "each has had feedback"
    return lasted_s


def run_all(bodies: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)


# --- stock nbgrader -----------------------------------------------------------------------------------------------------


def measure_stock(place: Path, source: Path, good: dict[str, Any]) -> tuple[list[float], list[float]]:
    """Seconds of `nbgrader autograde`: one submission a command, then 20 submissions in one command."""
    (place / "source" / "m1").mkdir(parents=True)
    shutil.copy(source, place / "source" / "m1" / "exercices.ipynb")
    shutil.copytree(source.parent / "data", place / "source" / "m1" / "data")
    (place / "nbgrader_config.py").write_text(f"c = get_config()\nc.CourseDirectory.root = {str(place)!r}\n")
    nbgrader(place, "generate_assignment", "m1")
    for number in range(STOCK_ALONE + AT_ONCE):
        folder = place / "submitted" / f"p{number:02}" / "m1"
        shutil.copytree(place / "release" / "m1", folder)
        (folder / "exercices.ipynb").write_text(json.dumps(good), encoding="utf-8")
    alone = [nbgrader(place, "autograde", "m1", "--student", f"p{number:02}") for number in range(STOCK_ALONE)]
    began = time.time()
    nbgrader(place, "autograde", "m1")
    marked = [
        place / "autograded" / f"p{number:02}" / "m1" / "exercices.ipynb" for number in range(STOCK_ALONE + AT_ONCE)
    ]
    together = [file.stat().st_mtime - began for file in marked[STOCK_ALONE:]]
    assert len(together) == AT_ONCE and min(together) > 0
    return alone, together


def nbgrader(place: Path, *arguments: str) -> float:
    began = time.monotonic()
    done = subprocess.run(
        [Path(sys.executable).parent / "nbgrader", *arguments],
        cwd=place,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(place)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began
