"""The programs that a run needs: installed or built, or a clear word that they are missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def say(text):
    """Progress goes to standard error; the table alone to standard output."""
    print(text, file=sys.stderr, flush=True)


def fail(text):
    say(f"bench/run: {text}")
    sys.exit(1)


def install(program):
    """Debian's package of this name, where the program is missing and this is root."""
    if shutil.which(program):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        fail(f"{program} is missing. Expected it in PATH: on Debian, `apt-get install {program}`.")
    say(f"installing {program}")
    quiet = {"stdout": subprocess.DEVNULL, "check": True}
    subprocess.run(["apt-get", "update", "-qq"], **quiet)
    subprocess.run(["apt-get", "install", "-y", "-qq", program], **quiet)


def build():
    """The product, the product with the null engine, the baselines; gives their programs."""
    return {
        "rollcall": cargo(ROOT, TARGET, "") / "rollcall",
        "null": cargo(ROOT, TARGET / "null", "--cfg rollcall_bench") / "rollcall",
        "bare": cargo(BENCH, TARGET / "bench", "") / "bare",
        "pool": TARGET / "bench" / "release" / "pool",
    }


def cargo(folder, target, flags):
    say(f"building {target.name}")
    flags = f"{os.environ.get('RUSTFLAGS', '')} {flags}".strip()
    command = ["cargo", "build", "--release", "--quiet", "--locked"]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target), "RUSTFLAGS": flags}
    if subprocess.run(command, cwd=folder, env=environment).returncode:
        fail(f"the build in {folder} failed")
    return target / "release"


def check_switch(programs):
    """The build switch shows itself; what is measured must be what is meant."""
    for name, wanted in [("rollcall", False), ("null", True)]:
        version = subprocess.check_output([programs[name], "--version"], text=True)
        if ("null engine" in version) != wanted:
            fail(f"{programs[name]} is another build than was meant: {version.strip()}")
