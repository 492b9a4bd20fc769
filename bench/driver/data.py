"""Tenants, tokens and facts: the same in every run."""

import subprocess
import time
import uuid
from datetime import date, timedelta

from .process import finish
from .tools import say

PERIODS = (7, 30, 90, 180)
NEWEST = date(2026, 10, 31)
HEAD = ("Report Refresh Date,Office 365,Exchange,OneDrive,SharePoint,Skype For Business,Yammer,"
        "Teams,Report Date,Report Period\n")


def tenants(count):
    return [str(uuid.uuid5(uuid.NAMESPACE_DNS, f"tenant-{n}.example")) for n in range(count)]


def tokens(program, folder, guids, file):
    """One bearer token for each tenant, in a file."""
    command = [program, "token", "--data", folder, "--valid", "1d", "--role",
               "Reports.ReadWrite.All", "--tenant"]
    lines = [subprocess.check_output([*command, guid], text=True).strip() for guid in guids]
    file.write_text("\n".join(lines) + "\n")
    return lines


def write_csv(file, rows):
    """What somebody has who kept a tenant's four reports of every day, D7 to D180, as Graph
    handed them out: 307 rows a day, the oldest refresh date first."""
    counts = [f"{1000 + n},{900 + n % 89},{700 + n % 83},{600 + n % 79},0,{n % 7},{800 + n % 73}"
              for n in range(97)]
    first = NEWEST - timedelta(rows // sum(PERIODS))
    text = {}
    written = 0
    with open(file, "w", encoding="utf-8", buffering=1 << 20) as out:
        out.write(HEAD)
        while written < rows:
            refreshed = first + timedelta(written // sum(PERIODS))
            for period in PERIODS:
                for back in range(period):
                    ordinal = refreshed.toordinal() - back
                    if ordinal not in text:
                        text[ordinal] = date.fromordinal(ordinal).isoformat()
                    if written < rows:
                        out.write(f"{refreshed},{counts[written % 97]},{text[ordinal]},{period}\n")
                        written += 1


def load(run):
    """Fills the folder that is read and written: the same rows for every tenant."""
    folder, each = run.folder / "data", run.rows // len(run.tenants)
    run.serve("rollcall", folder).stop()
    file = run.folder / "rows.csv"
    write_csv(file, each)
    say(f"loading {each:,} rows for each of {len(run.tenants)} tenants")
    began = time.perf_counter()
    for tenant in run.tenants:
        command = [run.programs["rollcall"], "import", "--data", folder, "--tenant", tenant, file]
        finish(command, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    run.lines = tokens(run.programs["rollcall"], folder, run.tenants, run.all_tokens)
    run.one_token.write_text(run.lines[0] + "\n")
    size = (folder / "rollcall.db").stat().st_size / 2**20
    return (f"Loaded: {each * len(run.tenants):,} rows of {len(run.tenants)} tenants in "
            f"{seconds:.0f} s; the database has {size:,.0f} MiB.")
