"""Servers that are started, watched and ended; programs that run to their end."""

import atexit
import http.client
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from .tools import fail

TICK = os.sysconf("SC_CLK_TCK")


class Server:
    """A server on a port of its own, from its start to its end."""

    def __init__(self, name, command, port, log, environment=()):
        self.name, self.port = name, port
        variables = {**os.environ, **dict(environment)}
        with open(log, "wb") as file:
            self.process = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL,
                                            stderr=file)
        # Whatever becomes of the run, no server outlives it.
        atexit.register(self.process.kill)
        self.wait()

    def wait(self):
        for _ in range(200):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/health/live")
                connection.getresponse().read()
                return
            except OSError:
                if self.process.poll() is not None:
                    fail(f"{self.name} ended at once")
                time.sleep(0.05)
        fail(f"{self.name} does not answer on port {self.port}")

    def get(self, path, token=None):
        """The status, headers and body of one GET."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()

    def cpu(self):
        """Seconds of CPU so far, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def finish(command, **options):
    """Runs a program to its end: seconds of wall clock, seconds of CPU, peak memory in MiB."""
    began = time.perf_counter()
    process = subprocess.Popen(command, **options)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        fail(f"{command[0]} ended with {process.returncode}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
