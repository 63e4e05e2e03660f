"""The whole on real guests: every contender in turn, round by round, in one session of a private lab."""

import os
import re
import subprocess
import sys
import tempfile
import time

import contenders
import meter
import peers
from contenders import ROOT, BareClient, Contender, Program, PythonPoller, Scene, Virtmeter
from qmp import QmpTrace

sys.path.insert(0, os.path.join(ROOT, "tests", "lab"))

from lab import HALTED, GuestSpec, Lab
from lab_base import LabError

NICS, DISKS = 2, 3
WARM_UP_READINGS = 2
SIX_GROUPS = "state,cpu,balloon,vcpu,interface,block"
GROWTH_SIZES = (10, 40)
PAUSED_KEYS = ("virtmeter", "virtmeter_libvirt", "bare_six", "bare_block_balloon", "exporter")
GROWTH_KEYS = ("virtmeter", "virtmeter_libvirt", "bare_six", "exporter", "python_device", "collectd")


def knows_source(build):
    """Whether this binary can be told to read through libvirt alone."""
    done = subprocess.run([os.path.join(build, "virtmeter"), "config", "example"], capture_output=True, text=True,
                          check=True, stdin=subprocess.DEVNULL)
    return re.search(r'^# source = "', done.stdout, re.MULTILINE) is not None


def all_contenders(build):
    """(contenders, {key: why it is not measured})"""
    found: list[Contender] = [Virtmeter("virtmeter", "virtmeter"),
                              Virtmeter("virtmeter_once", "virtmeter once", "once")]
    absent = {}
    if knows_source(build):
        found.append(Virtmeter("virtmeter_libvirt", 'virtmeter, source = "libvirt"', settings=["source=libvirt"]))
    else:
        absent["virtmeter_libvirt"] = "this binary reads through libvirt alone, so it is the row `virtmeter`"
    kernel = Program("kernel_tier", "kernel tier alone, encoded and spooled", "kernel_tier")
    if kernel.there(build):
        found.append(kernel)
    else:
        absent["kernel_tier"] = "there is no program kernel_tier in this build"
    found += [BareClient("bare_six", SIX_GROUPS), BareClient("bare_cpu_interface", "cpu,interface"),
              BareClient("bare_block_balloon", "block,balloon"), BareClient("bare_state", "state")]
    for peer, package in ((peers.Exporter, "prometheus-libvirt-exporter"), (peers.Collectd, "collectd-core")):
        if peer.there():
            found.append(peer())
        else:
            absent[peer().key] = f"{package} is not installed"
    found += [PythonPoller("python_bulk", "Python script, one bulk call + XML per VM", "bulk"),
              PythonPoller("python_device", "Python script, a call per device", "device")]
    return found, absent


class LabPart:
    """Measures contenders on a lab's guests. `say` takes a line of progress."""

    def __init__(self, build, interval, readings, say):
        self._build = build
        self._interval = interval
        self._readings = readings
        self._say = say
        self._lab = None
        self._guests = []
        self.fields = {}
        self.qmp = {}
        self.failures = {}

    def run(self, guests, rounds):
        """Everything of this part, as the dict that goes into the raw numbers."""
        found, absent = all_contenders(self._build)
        sizes = [size for size in GROWTH_SIZES if size < guests] + [guests]
        growth = []
        self._say(f"the guests take about {self._minutes(len(found), guests, rounds):.0f} minutes")
        with Lab() as self._lab:
            for size in sizes[:-1]:
                self._grow(size)
                growth += self._rounds([one for one in found if one.key in GROWTH_KEYS], min(rounds, 2))
            self._grow(guests)
            rows = self._rounds(found, rounds)
            self._count_qmp([one for one in found if one.key != "kernel_tier"])
            cache = self._cache_bytes_per_vm()
            self._pause()
            paused = self._rounds([one for one in found if one.key in PAUSED_KEYS], min(rounds, 3))
        return {"guests": guests, "interval_s": self._interval, "readings": self._readings, "rounds": rounds,
                "names": {contender.key: contender.name for contender in found}, "absent": absent,
                "rows": rows, "paused": paused, "growth": growth, "fields": self.fields, "qmp": self.qmp,
                "cache_bytes_per_vm": cache, "failures": self.failures}

    def _minutes(self, count, guests, rounds):
        turns = count * (rounds + 1) + 2 * len(GROWTH_SIZES) * len(GROWTH_KEYS) + min(rounds, 3) * len(PAUSED_KEYS)
        return (turns * (WARM_UP_READINGS + self._readings + 0.5) * self._interval + guests * 0.6) / 60

    def _grow(self, size):
        have = len(self._guests)
        self._say(f"starting guests {have + 1} to {size}")
        specs = [GuestSpec(f"vm{number}", HALTED, nics=NICS, disks=DISKS) for number in range(have, size)]
        self._guests += self._lab.start_guests(specs)
        time.sleep(2)  # The last ones are still setting up.

    def _pause(self):
        self._say(f"pausing {len(self._guests)} guests")
        for guest in self._guests:
            self._lab.virsh("suspend", guest.uuid)

    def _rounds(self, found, rounds):
        pids = qemu_pids(self._lab)
        if len(pids) != len(self._guests):
            raise LabError(f"{len(pids)} QEMU processes for {len(self._guests)} guests")
        rows = []
        for number in range(rounds):
            idle = self._idle(pids)
            # Each round begins with another one, so that none always follows the same neighbour.
            turn = number % len(found)
            for contender in found[turn:] + found[:turn]:
                if contender.key in self.failures:
                    continue
                self._say(f"{len(self._guests)} guests, round {number + 1} of {rounds}: {contender.name}")
                try:
                    row = self._measure(contender, meter.Meter(self._lab, pids), idle)
                except LabError as error:
                    # One peer that does not run here must not cost the others' numbers.
                    self.failures[contender.key] = last_words(error)
                    self._say(f"{contender.name} failed and is left out: {error}")
                    continue
                rows.append({"contender": contender.key, "guests": len(self._guests), "round": number + 1, **row})
        return rows

    def _idle(self, pids):
        self._say(f"{len(self._guests)} guests: what they cost by themselves")
        gauge = meter.Meter(self._lab, pids)
        first = gauge.mark()
        time.sleep(5)
        return meter.between(first, gauge.mark())

    def _scene(self, folder):
        return Scene(self._lab.uri_ro, self._lab.uri, self._interval, folder, self._build, self._guests[0].name)

    def _measure(self, contender, gauge, idle):
        with tempfile.TemporaryDirectory(prefix="virtmeter-bench-") as folder:
            try:
                contender.start(self._scene(folder))
                contender.wait_readings(WARM_UP_READINGS)
                begun = contender.readings()
                first = gauge.mark(contender.pid)
                contender.wait_readings(begun + self._readings)
                done = contender.readings() - begun
                spent = meter.between(first, gauge.mark(contender.pid))
                now_kib, most_kib = meter.resident_kib(contender.pid)
                self.fields[contender.key] = contender.fields()
                wall = contenders.median_wall_ms(contender.walls_ms(), done)
            finally:
                contender.stop()
        return {**meter.per_reading(spent, done, idle), "wall_ms": wall, "rss_kib": now_kib, "rss_kib_max": most_kib,
                "readings": done}

    def _count_qmp(self, found):
        """Apart from the timed rounds, since the log costs libvirtd time."""
        with QmpTrace(self._lab) as trace:
            for contender in found:
                if contender.key in self.failures:
                    continue
                self._say(f"{len(self._guests)} guests, QMP commands: {contender.name}")
                with tempfile.TemporaryDirectory(prefix="virtmeter-bench-") as folder:
                    try:
                        contender.start(self._scene(folder))
                        contender.wait_readings(WARM_UP_READINGS)
                        begun, first = contender.readings(), trace.size()
                        contender.wait_readings(begun + self._readings)
                        counts = trace.count(first, trace.size())
                        readings = (contender.readings() - begun) * len(self._guests)
                        self.qmp[contender.key] = {name: count / readings for name, count in counts.items()}
                    except LabError as error:
                        self._say(f"{contender.name}: its QMP commands are not counted: {error}")
                    finally:
                        contender.stop()

    def _cache_bytes_per_vm(self):
        """The daemon's own figure, from the line it writes when it stops; None where it writes none."""
        with tempfile.TemporaryDirectory(prefix="virtmeter-bench-") as folder:
            daemon = Virtmeter("virtmeter", "virtmeter")
            scene = self._scene(folder)
            try:
                daemon.start(scene)
                daemon.wait_readings(1)
            finally:
                daemon.stop()
            found = re.search(r"(\d+) entries of (\d+) bytes", "\n".join(contenders.whole_lines(scene.path("err"))))
        return int(found.group(2)) / int(found.group(1)) if found and int(found.group(1)) else None


def last_words(error):
    """Of an error that may carry a whole traceback; without the paths of this machine."""
    return re.sub(r"(?<!\S)/\S+", "a file", str(error).strip().rsplit("\n", 1)[-1]).rstrip(".")


def qemu_pids(lab):
    """The QEMU processes of a lab, as pids of ours."""
    found = []
    for pid in lab.pids():
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
                if comm.read().startswith("qemu-system"):
                    found.append(pid)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found
