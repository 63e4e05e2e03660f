"""What processes cost: their CPU clocks, their memory. Of Linux; needs no permission."""

import time
from dataclasses import dataclass

NS_PER_MS = 1_000_000


def cpu_ns(pid):
    """CPU time of a process with all its threads, those that ended too; 0 when it is gone.

    The clock that clock_getcpuclockid(3) names: nanoseconds, where /proc/<pid>/stat has ticks of 10 ms.
    """
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return 0


def resident_kib(pid):
    """(now, most so far); (None, None) when it is gone."""
    found = {}
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
            for line in status:
                key, _, value = line.partition(":")
                if key in ("VmRSS", "VmHWM"):
                    found[key] = int(value.split()[0])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found.get("VmRSS"), found.get("VmHWM")


@dataclass(frozen=True)
class Mark:
    """CPU clocks at one moment, in ns."""

    time: int
    collector: int
    libvirtd: int
    qemu: int


class Meter:
    """Marks of one collector and of the lab that it reads."""

    def __init__(self, lab, qemu_pids):
        self._libvirtd = lab.libvirtd_pid()
        self._qemu = qemu_pids

    def mark(self, collector=None):
        return Mark(time.monotonic_ns(), cpu_ns(collector) if collector else 0, cpu_ns(self._libvirtd),
                    sum(map(cpu_ns, self._qemu)))


def between(first, last):
    """ms of CPU from one mark to the other, and the seconds that passed."""
    return {"collector_ms": (last.collector - first.collector) / NS_PER_MS,
            "libvirtd_ms": (last.libvirtd - first.libvirtd) / NS_PER_MS,
            "qemu_ms": (last.qemu - first.qemu) / NS_PER_MS,
            "seconds": (last.time - first.time) / 1e9}


def per_reading(spent, readings, idle):
    """`spent` of a window with that many readings, as ms per reading; `idle` is what the lab spends by itself in a
    second, as between() gives it."""
    def net(key):
        own = idle[key] / idle["seconds"] * spent["seconds"]
        return max(0.0, spent[key] - own) / readings
    return {"collector_ms": spent["collector_ms"] / readings, "libvirtd_ms": net("libvirtd_ms"),
            "qemu_ms": net("qemu_ms")}
