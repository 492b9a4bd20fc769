"""The machine that figures come from, and whether it was quiet."""

import os
import platform
import time


def describe(folder):
    """One line for the table."""
    cores = os.cpu_count()
    return (f"{cpu()}, {cores} cores, {memory():.0f} GiB, Linux {platform.release()}, "
            f"{file_system(folder)}; {fsync(folder)}")


def cpu():
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def memory():
    with open("/proc/meminfo") as lines:
        return int(lines.readline().split()[1]) / 2**20


def file_system(folder):
    """The device and the file system under a folder."""
    best = ("", "?", "?")
    path = os.path.realpath(folder)
    with open("/proc/mounts") as lines:
        for line in lines:
            device, at, kind = line.split()[:3]
            if (path + "/").startswith(at.rstrip("/") + "/") and len(at) >= len(best[0]):
                best = (at, device, kind)
    return f"{best[2]} on {os.path.basename(best[1])}"


def fsync(folder, times=200):
    """How long one page takes to reach the disk."""
    path = os.path.join(folder, "fsync")
    taken = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(times):
            file.write(b"\0" * 4096)
            before = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - before) * 1e6)
    os.remove(path)
    taken.sort()
    return f"fdatasync of 4 KiB {taken[times // 2]:.0f} µs (99 %: {taken[times * 99 // 100]:.0f} µs)"


def busy_share(seconds=2.0):
    """The share of all cores that somebody used while this process slept."""
    def read():
        with open("/proc/stat") as lines:
            numbers = [int(number) for number in lines.readline().split()[1:]]
        return sum(numbers[:8]), numbers[3] + numbers[4]
    all_before, idle_before = read()
    time.sleep(seconds)
    all_after, idle_after = read()
    return 1 - (idle_after - idle_before) / max(1, all_after - all_before)
