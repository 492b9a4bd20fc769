"""Creates: the real service, the same one with the null engine, bare hyper, and axum with a pool."""

import os

from . import data
from .figures import Series, ratio_cell, spread, table
from .figures import ratios as pairs_of
from .tools import say
from .wrk import REST, drive

PATH = "/v1.0/reports/office365ActiveUserCounts"
CONNECTIONS = (1, 64, 256)
POOL, AHEAD = "axum, rusqlite, pool of ten", "the same in write-ahead mode"
# What is wanted at 64 connections.
OF_BARE, OF_POOL = 0.42, 12


class Contender:
    """A server with what the load needs to know of it."""

    def __init__(self, server, tokens, count):
        self.server, self.tokens, self.count = server, tokens, count

    def run(self, series, connections, seconds, number):
        """One run: rates and costs, and whether every answer was a 201 that is stored."""
        before = self.count and self.count()
        os.sync()
        arguments = [str(seconds), str(number), self.tokens]
        seen, cpu = drive(self.server, "create.lua", PATH, connections, seconds + REST, arguments)
        series.add(seen["good"], seen["seconds"], cpu, seen["p50_us"], seen["p99_us"])
        if seen["bad"] or seen["broken"]:
            series.faults.append(f"{seen['bad']} answers were no 201 ({seen['example'][:80]}), "
                                 f"{seen['broken']} broken")
        elif self.count and self.count() - before != seen["good"]:
            series.faults.append(f"{seen['good']} answers were 201, and "
                                 f"{self.count() - before} rows came")


def measure(run):
    """The table of creates. `run` has programs, folders and options (see bench/run)."""
    contenders = start(run)
    results, number = {}, 0
    for connections in CONNECTIONS:
        for name in contenders:
            results[name, connections] = Series()
        for pair in range(run.pairs):
            for name, contender in contenders.items():
                number += 1
                series = results[name, connections]
                contender.run(series, connections, run.seconds, number)
                say(f"create, {connections} connections, {pair + 1}/{run.pairs}, {name}: "
                    f"{series.rate[-1]:,.0f}/s, {series.cpu[-1]:.1f} µs CPU, p99 {series.p99[-1]:.1f} ms")
    for contender in {id(one.server): one.server for one in contenders.values()}.values():
        contender.stop()
    return render(results, contenders)


def start(run):
    """All contenders, each on a port of its own."""
    folder = run.folder / "null-create"
    null = run.serve("null", folder)
    one, many = folder.with_suffix(".one"), folder.with_suffix(".all")
    lines = data.tokens(run.programs["null"], folder, run.tenants, many)
    one.write_text(lines[0] + "\n")
    bare = run.start("bare", [run.programs["bare"]])
    pool = run.start("pool", [run.programs["pool"]], run.folder / "pool.db")
    ahead = run.start("pool-wal", [run.programs["pool"]], run.folder / "pool-wal.db", "wal")
    ours = run.serve("rollcall", run.folder / "data")
    return {
        "Rollcall": Contender(ours, run.one_token, lambda: count(ours, run.lines[:1])),
        "Rollcall, creates of all tenants mixed":
            Contender(ours, run.all_tokens, lambda: count(ours, run.lines)),
        "Rollcall with the null engine": Contender(null, one, None),
        "bare hyper": Contender(bare, one, None),
        POOL: Contender(pool, one, lambda: int(pool.get("/count")[2])),
        AHEAD: Contender(ahead, one, lambda: int(ahead.get("/count")[2])),
    }


def count(server, lines):
    """How many rows these tenants have, as the service says."""
    return sum(int(server.get(f"{PATH}/$count", token)[2].decode("utf-8-sig")) for token in lines)


def render(results, contenders):
    rows = []
    for connections in CONNECTIONS:
        for name in contenders:
            series = results[name, connections]
            bare = results["bare hyper", connections]
            target = OF_BARE if (name, connections) == ("Rollcall", 64) else None
            share = "" if name == "bare hyper" else ratio_cell(series, bare, target)
            rows.append([f"{connections}: {name}", *series.cells(), share])
    head = ["create, by connections", "requests/s", "CPU µs each", "p50 ms", "p99 ms", "of bare hyper"]
    return "\n\n".join([table(head, rows), of_pool(results, POOL), of_pool(results, AHEAD)])


def of_pool(results, name):
    ours, pool = results["Rollcall", 64], results[name, 64]
    if ours.faults or pool.faults:
        return f"In those of {name}: no ratio, {(ours.faults + pool.faults)[0]}."
    times = spread(pairs_of(ours.rate, pool.rate), "{:.1f}")
    return f"Durable creates at 64 connections in those of {name}: {times} times; wanted {OF_POOL}."
