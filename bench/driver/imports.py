"""`rollcall import` of a large file beside `sqlite3 .import` of the same one."""

import subprocess

from . import data
from .figures import ratios, spread, table
from .process import finish
from .tools import say

# What is wanted: rows per second in those of `.import`.
OF_SQLITE = 1
# A file so much smaller shows by its peak memory whether memory is flat.
SMALLER = 10

TABLE = """CREATE TABLE counts (
    reportRefreshDate TEXT, office365 INTEGER, exchange INTEGER, oneDrive INTEGER,
    sharePoint INTEGER, skypeForBusiness INTEGER, yammer INTEGER, teams INTEGER,
    reportDate TEXT, reportPeriod TEXT);
CREATE UNIQUE INDEX fact ON counts (reportDate, reportRefreshDate, reportPeriod);"""


def measure(run):
    """The table of imports."""
    large, small = run.folder / "large.csv", run.folder / "small.csv"
    data.write_csv(large, run.import_rows)
    data.write_csv(small, run.import_rows // SMALLER)
    ours, theirs = [], []
    for pair in range(run.pairs):
        ours.append(rollcall(run, large))
        theirs.append(sqlite(run, large))
        say(f"import {pair + 1}/{run.pairs}: {ours[-1][0]:.1f} s, .import {theirs[-1][0]:.1f} s")
    peak = rollcall(run, small)[2]
    rows = [line("rollcall import", run, ours), line("sqlite3 .import", run, theirs)]
    head = [f"{run.import_rows:,} rows", "rows/s", "seconds", "CPU seconds", "peak MiB"]
    rates = ratios([1 / one[0] for one in ours], [1 / one[0] for one in theirs])
    return (table(head, rows) + f"\n\nImport in `.import`: {spread(rates, '{:.2f}')} times as fast; "
            f"wanted {OF_SQLITE}. A tenth of the rows took {peak:.0f} MiB at the peak.")


def line(name, run, runs):
    seconds, cpu, peak = zip(*runs, strict=True)
    return [name, spread([run.import_rows / one for one in seconds]), spread(seconds, "{:.1f}"),
            spread(cpu, "{:.1f}"), spread(peak)]


def rollcall(run, file):
    """Into an empty folder, on the disk when it ends."""
    folder = run.fresh("import")
    run.serve("rollcall", folder).stop()
    program = run.programs["rollcall"]
    return finish([program, "import", "--data", folder, "--tenant", run.tenants[0], file],
                  stdout=subprocess.DEVNULL)


def sqlite(run, file):
    """Into an empty database with the fact's unique index, as the tool does it by itself."""
    database = run.fresh("sqlite") / "counts.db"
    subprocess.run(["sqlite3", database, TABLE], check=True)
    return finish(["sqlite3", database, f".import --csv --skip 1 {file} counts"])
