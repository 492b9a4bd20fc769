"""One run of wrk against one server."""

import json
import subprocess

from .tools import BENCH, fail

# wrk's threads; a run's facts are divided among so many (create.lua).
THREADS = 2
# What wrk waits for beyond the last request, so that every answer arrives.
REST = 1


def drive(server, script, path, connections, seconds, arguments):
    """What the script counted, and the server's CPU time meanwhile."""
    url = f"http://127.0.0.1:{server.port}{path}"
    command = ["wrk", "-t", str(min(THREADS, connections)), "-c", str(connections),
               "-d", f"{seconds}s", "--timeout", "30s", "-s", BENCH / script, url, "--", *arguments]
    before = server.cpu()
    done = subprocess.run(command, capture_output=True, text=True)
    cpu = server.cpu() - before
    if done.returncode:
        fail(f"wrk failed: {done.stdout}{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1]), cpu
