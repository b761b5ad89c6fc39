"""From asking the Hub for servers to the last one ready: one person alone, ten at once, thirty at once; then the first page,
and the stop. Beside a stock JupyterHub with SimpleLocalProcessSpawner on the same machine, in the same run. Ours are
isolated; stock's are not.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from bench.results import Notes, Row
from bench.sides import Someone, measured_place, our_installation, start, stock_hub, stop
from tests.person import sign_up

ALONE, CROWDS = 8, {10: 2, 30: 1}
"""Starts of one person alone; how many people at once, and how many times."""


@dataclass
class Times:
    """Seconds; a crowd's is from the first request to the last server ready, or gone."""

    ready: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    stop: list[float] = field(default_factory=list)
    crowds: dict[int, list[float]] = field(default_factory=dict)
    crowd_stops: dict[int, list[float]] = field(default_factory=dict)


def measure() -> tuple[list[Row], Notes]:
    many = max(CROWDS)
    with measured_place() as place:
        with our_installation(place, "bench-spawn") as installation:
            people = [sign_up(installation, f"Mesure {n}", f"mesure{n}@exemple.fr") for n in range(many)]
            installation.wait_for_forkd_log("rehearsed hub.jupyter.singleuser")
            ours = start_again_and_again([Someone(person.jupyter, person.hub_name) for person in people])
            for person in people:
                person.close()
        with stock_hub(place / "stock") as client:
            names = [f"mesure{n}" for n in range(many)]
            for each in names:
                assert client.post(f"/hub/api/users/{each}").status_code == 201
            stock = start_again_and_again([Someone(client, each) for each in names])
    rows = [
        Row("server ready, alone", tuple(ours.ready), tuple(stock.ready)),
        Row("server ready and JupyterLab's page served, alone", tuple(ours.page), tuple(stock.page)),
        *(Row(f"last of {n} servers ready", tuple(ours.crowds[n]), tuple(stock.crowds[n])) for n in CROWDS),
        Row("server stopped, alone", tuple(ours.stop), tuple(stock.stop)),
        *(Row(f"last of {n} servers stopped", tuple(ours.crowd_stops[n]), tuple(stock.crowd_stops[n])) for n in CROWDS),
    ]
    return rows, {}


def start_again_and_again(people: list[Someone]) -> Times:
    times = Times()
    someone = people[0]
    for _number in range(ALONE):
        began = time.monotonic()
        start(someone)
        times.ready.append(time.monotonic() - began)
        page = someone.client.get(f"/user/{someone.name}/lab", follow_redirects=True)
        assert page.status_code == 200, page.text
        times.page.append(time.monotonic() - began)
        began = time.monotonic()
        stop(someone)
        times.stop.append(time.monotonic() - began)
    with ThreadPoolExecutor(max(CROWDS)) as pool:
        for count, repeats in CROWDS.items():
            for _number in range(repeats):
                for job, kept in ((start, times.crowds), (stop, times.crowd_stops)):
                    began = time.monotonic()
                    list(pool.map(job, people[:count]))
                    kept.setdefault(count, []).append(time.monotonic() - began)
    return times
