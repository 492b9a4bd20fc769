"""Reads: one entity by its id, and the report of 30 and of 180 days as JSON and as CSV."""

import random
import sqlite3

from . import data
from .figures import Series, ratio_cell, table
from .tools import fail, say
from .wrk import drive

SET = "/v1.0/reports/office365ActiveUserCounts"
REPORT = "/v1.0/reports/getOffice365ActiveUserCounts(period='{}')"
JSON = "?$format=application/json"
CONNECTIONS = 64
# What is wanted of D30 as JSON, in the same bytes from memory.
OF_STATIC = 0.25
STATIC = "D30's bytes from memory, null engine"


class Load:
    """What is asked of a server, and what the answers must be like."""

    def __init__(self, server, tokens, addresses, size=None, follow=False):
        self.server, self.tokens, self.addresses = server, tokens, addresses
        self.size, self.follow = size, follow


def measure(run):
    """The table of reads."""
    loads = start(run)
    results = {name: Series() for name in loads}
    for pair in range(run.pairs):
        for name, load in loads.items():
            one_run(run, name, load, results[name])
            say(f"read {pair + 1}/{run.pairs}, {name}: {results[name].rate[-1]:,.0f}/s, "
                f"{results[name].cpu[-1]:.1f} µs CPU {' '.join(results[name].faults)}")
    for server in {load.server for load in loads.values()}:
        server.stop()
    rows = [[name, f"{loads[name].size:,}" if loads[name].size else "", *series.cells(),
             share(name, series, results)] for name, series in results.items()]
    return table([f"read, {CONNECTIONS} connections", "body bytes", "answers/s", "CPU µs each",
                  "p50 ms", "p99 ms", "of the bytes from memory"], rows)


def share(name, series, results):
    if name == STATIC or "JSON" not in name:
        return ""
    return ratio_cell(series, results[STATIC], OF_STATIC if name.startswith("D30") else None)


def start(run):
    """Every load, those that are compared side by side."""
    ours = run.serve("rollcall", run.folder / "data")
    loads = {}
    for period in ("D30", "D180"):
        report = REPORT.format(period)
        body, size = expect(ours, report + JSON, run.lines[0], f'"{period[1:]}"')
        loads[f"{period} as JSON"] = Load(ours, run.all_tokens, everyone(run, report + JSON), size)
        if period == "D30":
            loads[STATIC] = static(run, report + JSON, body)
        _, size = expect(ours, report, run.lines[0], f",{period[1:]}\r\n")
        loads[f"{period} as CSV, link and file"] = Load(ours, run.all_tokens, everyone(run, report), size, True)
    loads["one entity by id"] = Load(ours, run.all_tokens, ids(run))
    return loads


def static(run, path, body):
    """The same service, its checks and headers, and this body without a store or a renderer."""
    folder = run.folder / "null"
    file, tokens = folder.with_suffix(".body"), folder.with_suffix(".tokens")
    file.write_bytes(body)
    server = run.serve("null", folder, {"ROLLCALL_BENCH_BODY": str(file)})
    lines = data.tokens(run.programs["null"], folder, run.tenants, tokens)
    if server.get(path, lines[-1])[2] != body:
        fail("the null engine does not answer with the bytes it was given")
    return Load(server, tokens, everyone(run, path), len(body))


def expect(server, path, token, row):
    """The body at this address, by way of a link where there is one: one row for each day."""
    status, headers, body = server.get(path, token)
    if status == 302:
        status, _, body = server.get(headers["Location"].split(str(server.port), 1)[1])
    days = int("".join(filter(str.isdigit, row)))
    if status != 200 or body.decode("utf-8-sig").count(row) != days:
        fail(f"{path} answered {status} and {body[:300]!r}; expected {days} days")
    return body, len(body)


def one_run(run, name, load, series):
    file = run.folder / "addresses"
    file.write_text("\n".join(load.addresses) + "\n")
    arguments = [load.tokens, file, *(["follow"] if load.follow else [])]
    seen, cpu = drive(load.server, "read.lua", "/", CONNECTIONS, run.seconds, arguments)
    series.add(seen["good"], seen["seconds"], cpu, seen["p50_us"], seen["p99_us"])
    if seen["bad"] or seen["broken"]:
        series.faults.append(f"{name}: {seen['bad']} answers were not good "
                             f"({seen['example'][:80]}), {seen['broken']} broken")


def everyone(run, path):
    """The same address for every tenant."""
    return [f"{number} {path}" for number in range(1, len(run.tenants) + 1)]


def ids(run, most=50_000):
    """Addresses of entities drawn from all tenants, found in the documented view."""
    database = sqlite3.connect(f"file:{run.folder / 'data' / 'rollcall.db'}?mode=ro", uri=True)
    numbers = {guid: number for number, guid in enumerate(run.tenants, 1)}
    rows = database.execute('SELECT "$tenant", id FROM office365ActiveUserCounts').fetchall()
    database.close()
    drawn = random.Random(1).sample(rows, min(most, len(rows)))
    return [f"{numbers[tenant]} {SET}/{key}" for tenant, key in drawn]
