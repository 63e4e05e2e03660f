"""Growth to 10,000 VMs: the path from readings to the spool (scale_bench), and the whole daemon on a replayed host."""

import os
import re
import subprocess
import tempfile

import meter
from contenders import ROOT, LabError, Scene, Virtmeter

SIZES = (10, 100, 1000, 10000)
SPOOL_SIZES = (120, 1000, 3000, 10000)
# A line of scale_bench: VMs, lines, ms to read and derive, to encode and append, both, their range, µs a VM, ms to
# the disk, MB at the most.
_SPOOLED = re.compile(r"^ *(\d+) +\d+ +([\d.]+) +([\d.]+) +([\d.]+) +[\d.]+ *\.\. *[\d.]+ +[\d.]+ +([\d.]+) +(\d+)$",
                      re.MULTILINE)
RECORDING = os.path.join(ROOT, "src", "source", "replay", "testdata", "lab.lp")
WARM_UP_READINGS = 3
INTERVAL = 2.0


def address(vms):
    return f"replay://{RECORDING}?vms={vms}&seed=1&nics=2&disks=3"


def knows_replay(build):
    """Whether this binary can replay: it prints a cycle of one VM."""
    done = subprocess.run([os.path.join(build, "virtmeter"), "--config", "/dev/null", "once"], capture_output=True,
                          check=False, stdin=subprocess.DEVNULL, timeout=60,
                          env={"PATH": "/usr/bin:/bin", "LIBVIRT_URI": address(1)})
    return done.returncode == 0


def daemon_cost(build, vms, readings, interval):
    """CPU per cycle and memory of `virtmeter run` with that many simulated VMs."""
    with tempfile.TemporaryDirectory(prefix="virtmeter-bench-") as folder:
        daemon = Virtmeter("virtmeter", f"virtmeter, {vms} simulated VMs")
        uri = address(vms)
        try:
            daemon.start(Scene(uri, uri, interval, folder, build, ""))
            daemon.wait_readings(WARM_UP_READINGS)
            begun, first = daemon.readings(), meter.cpu_ns(daemon.pid)
            daemon.wait_readings(begun + readings)
            spent_ms = (meter.cpu_ns(daemon.pid) - first) / meter.NS_PER_MS
            done = daemon.readings() - begun
            now_kib, most_kib = meter.resident_kib(daemon.pid)
        finally:
            daemon.stop()
    return {"vms": vms, "collector_ms": spent_ms / done, "rss_kib": now_kib, "rss_kib_max": most_kib}


def spooled(text):
    """What scale_bench printed: [(benchmark's name, {cpu_ms, ...})]."""
    return [(f"readings_to_spool/{vms}", {"cpu_ms": float(both), "derive_ms": float(derive), "encode_ms": float(encode),
                                          "disk_ms": float(disk), "peak_mib": int(peak)})
            for vms, derive, encode, both, disk, peak in _SPOOLED.findall(text)]


def readings_to_spool(build, rounds, say):
    """{benchmark's name: [a dict for each round]}, or None when the build has no such program."""
    program = os.path.join(build, "bench", "scale_bench")
    if not os.access(program, os.X_OK):
        return None
    found = {}
    for number in range(rounds):
        say(f"scale_bench, round {number + 1} of {rounds}")
        done = subprocess.run([program, RECORDING, *map(str, SPOOL_SIZES)], stdout=subprocess.PIPE, text=True,
                              stdin=subprocess.DEVNULL, check=True)
        for name, values in spooled(done.stdout):
            found.setdefault(name, []).append(values)
    return found


def run(build, rounds, say):
    """This part's raw numbers."""
    results = {"daemon": []}
    spool = readings_to_spool(build, min(rounds, 3), say)
    if spool is None:
        results["absent"] = "there is no program scale_bench in this build"
    else:
        results["spooled"] = spool
    if not knows_replay(build):
        results["daemon_absent"] = "this binary has no replay source"
        return results
    for vms in SIZES:
        for _ in range(min(rounds, 3)):
            say(f"daemon on {vms:,} simulated VMs")
            try:
                results["daemon"].append(daemon_cost(build, vms, 5, INTERVAL))
            except LabError as error:
                say(str(error))
    return results
