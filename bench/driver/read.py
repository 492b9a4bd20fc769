"""Reads: one entity by its id, and the report of 30 and of 180 days as JSON and as CSV."""

import json
import random
import sqlite3

from .figures import Series, ratio_cell, table
from .tools import fail, say
from .wrk import drive

SET = "/v1.0/reports/office365ActiveUserCounts"
REPORT = "/v1.0/reports/getOffice365ActiveUserCounts(period='{}')"
JSON = "?$format=application/json"
CONNECTIONS = 64
# What is wanted of D30 as JSON.
OF_STATIC = 0.25


def measure(run):
    """The table of reads."""
    ours = run.serve("rollcall", run.folder / "data")
    loads = {"one entity by id": (ours, ids(run), [])}
    for period in ("D30", "D180"):
        report = REPORT.format(period)
        if ours.get(report + JSON, run.lines[0])[0] == 200:
            loads[f"{period} as JSON"] = (ours, everyone(run, report + JSON), [])
            loads[f"{period} as CSV, link and download"] = (ours, everyone(run, report), ["follow"])
    results = {name: Series() for name in loads}
    for pair in range(run.pairs):
        for name, (server, addresses, follow) in loads.items():
            one_run(run, server, name, addresses, follow, results[name])
    ours.stop()
    rows = [[name, *series.cells()] for name, series in results.items()]
    return table([f"read, {CONNECTIONS} connections", "answers/s", "CPU µs each", "p50 ms", "p99 ms"], rows)


def one_run(run, server, name, addresses, follow, series):
    file = run.folder / "addresses"
    file.write_text("\n".join(addresses) + "\n")
    seen, cpu = drive(server, "read.lua", "/", CONNECTIONS, run.seconds, [run.all_tokens, file, *follow])
    series.add(seen["good"], seen["seconds"], cpu, seen["p50_us"], seen["p99_us"])
    if seen["bad"] or seen["broken"]:
        series.faults.append(f"{seen['bad']} answers were not good ({seen['example'][:80]})")
    say(f"{name}: {series.rate[-1]:,.0f}/s, {series.cpu[-1]:.1f} µs CPU {series.faults[-1:]}")


def everyone(run, path):
    """The same address for every tenant."""
    return [f"{number} {path}" for number in range(1, len(run.tenants) + 1)]


def ids(run, most=50_000):
    """Addresses of entities drawn from all tenants."""
    database = sqlite3.connect(f"file:{run.folder / 'data' / 'rollcall.db'}?mode=ro", uri=True)
    numbers = {guid: number for number, guid in enumerate(run.tenants, 1)}
    rows = database.execute('SELECT "$tenant", id FROM office365ActiveUserCounts').fetchall()
    database.close()
    drawn = random.Random(1).sample(rows, min(most, len(rows)))
    return [f"{numbers[tenant]} {SET}/{key}" for tenant, key in drawn]
