"""The most memory that the service takes for long answers, each asked of a fresh process."""

import http.client
import socket
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

from . import data
from .figures import table
from .process import finish
from .tools import fail, say

PATH = "/v1.0/reports/office365ActiveUserCounts"
REPORT = "/v1.0/reports/getOffice365ActiveUserCounts(period='ALL')"
# Loading a tenth of the rows shows whether memory grows with the answer.
SMALLER = 10
# How many clients ask for everything and read nothing.
DEAF = 20
MEAN = "teams with average as mean"
COMPUTED = ",".join(f"concat('{'x' * 100}',reportPeriod) as c{n}" for n in range(16))
ANSWERS = {
    "one object": f"{PATH}?$top=1",
    "all as CSV": f"{PATH}?$format=csv",
    "all as lines of JSON": f"{PATH}?$format=ndjson",
    "100,000 as lines, 16 computed": f"{PATH}?$format=ndjson&$top=100000&$compute={COMPUTED}",
    "20,000 as CSV, in an order": f"{PATH}?$format=csv&$top=20000&$orderby=teams desc",
    "$apply: mean of each period": f"{PATH}?$apply=groupby((reportPeriod),aggregate({MEAN}))",
    "$apply: of each day and period, rolled up":
        f"{PATH}?$apply=groupby((rollup(reportDate,reportPeriod)),aggregate({MEAN},$count as n))",
    "$apply: distinct ids": f"{PATH}?$apply=aggregate(id with countdistinct as ids)",
    "$apply: a group for each row": f"{PATH}?$apply=groupby((id),aggregate({MEAN}))/orderby(mean desc)",
    "$apply: two halves, one after the other":
        f"{PATH}?$apply=concat(filter(teams lt 830)/groupby((reportDate),aggregate({MEAN})),"
        f"compute(teams add yammer as both)/aggregate(both with sum as total))",
    "the report of all days, JSON": f"{REPORT}?$format=json",
    "the report of all days, CSV": REPORT,
}


def measure(run):
    """The table of memory: all rows of one tenant, and a tenth of them."""
    whole, few = load(run, run.memory_rows), load(run, run.memory_rows // SMALLER)
    rows = []
    for name, path in ANSWERS.items():
        size, seconds, peak = answer(run, *whole, path)
        of_few = answer(run, *few, path)[2]
        say(f"memory, {name}: {peak:.0f} MiB")
        rows.append([name, f"{size:,}", f"{seconds:.1f}", f"{peak:.0f}", f"{of_few:.0f}"])
    peaks = [deaf(run, *one) for one in (whole, few)]
    rows.append([f"all as CSV, to {DEAF} clients that do not read", "", "", *map("{:.0f}".format, peaks)])
    head = [f"{run.memory_rows:,} rows", "bytes", "seconds", "peak MiB", "of a tenth of the rows"]
    return table(head, rows)


def load(run, rows):
    """A folder with so many rows, and a token for them."""
    file, folder = run.folder / "memory.csv", run.fresh(f"memory-{rows}")
    data.write_csv(file, rows)
    run.serve("rollcall", folder).stop()
    program, tenant = run.programs["rollcall"], run.tenants[0]
    finish([program, "import", "--data", folder, "--tenant", tenant, file])
    return folder, data.tokens(program, folder, [tenant], run.folder / "memory.tokens")[0]


def answer(run, folder, token, path):
    """Bytes, seconds, and the peak of the process in MiB. An answer that is cut off ends the run."""
    server = run.serve("rollcall", folder)
    began = time.perf_counter()
    size = read(server, path, token)
    seconds = time.perf_counter() - began
    peak = peak_of(server)
    server.stop()
    return size, seconds, peak


def read(server, path, token):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request("GET", quote(path, safe="/?$=&,'()%"), headers=headers)
    response = connection.getresponse()
    if response.status == 302:
        response.read()
        return read(server, urlsplit(response.headers["Location"]).path, None)
    if response.status != 200:
        fail(f"{path} is {response.status}: {response.read()[:300]}")
    size = 0
    while piece := response.read(1 << 20):
        size += len(piece)
    return size


def deaf(run, folder, token):
    """The peak in MiB while clients wait that have asked for everything and read nothing."""
    server = run.serve("rollcall", folder)
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(DEAF)]
    for client in clients:
        client.sendall((f"GET {PATH}?$format=csv HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                        f"Authorization: Bearer {token}\r\n\r\n").encode())
    time.sleep(5)
    peak = peak_of(server)
    for client in clients:
        client.close()
    server.stop()
    return peak


def peak_of(server):
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
