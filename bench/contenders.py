"""The collectors that are measured beside each other: each started on the lab's guests and followed reading by reading.

A contender says how many readings it has finished, how long each took where it tells, and how many fields it delivers
for a VM. What it costs is measured from outside (meter.py). Not thread-safe.
"""

import os
import re
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "lab"))

from lab_base import LabError, die_with_parent, tail

POLL_SECONDS = 0.02
MANY = 1_000_000
_LATENCY = re.compile(rb"^collector_latency loop_latency_ms=([0-9.e+-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Scene:
    """Where a contender runs: the lab's read-only and read-write sockets, the beat, a private folder, one VM's name."""

    uri_ro: str
    uri_rw: str
    interval: float
    folder: str
    build: str
    vm: str

    def path(self, name):
        return os.path.join(self.folder, name)


class Contender:
    """Common to all: a process whose stdout and stderr are files.

    key    names it in the raw numbers.
    name   names it in tables.
    """

    def __init__(self, key, name):
        self.key = key
        self.name = name
        self._process = None
        self.scene = None

    def start(self, scene):
        """Starts the process. Safe to repeat after stop()."""
        self.scene = scene
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
        with open(scene.path("out"), "wb") as out, open(scene.path("err"), "wb") as err:
            self._process = subprocess.Popen(
                self.command(scene), stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd="/",
                env={**environment, "LC_ALL": "C.UTF-8", **self.variables(scene)}, preexec_fn=die_with_parent())

    def stop(self):
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    @property
    def pid(self):
        return self._process.pid

    def wait_readings(self, count):
        """Returns when so many readings are finished; LabError when the process ends or takes far too long."""
        deadline = time.monotonic() + 60 + 3 * count * max(self.scene.interval, 2)
        while self.readings() < count:
            if self._process.poll() is not None:
                raise LabError(f"{self.name} ended with {self._process.returncode}: {tail(self.scene.path('err'))}")
            if time.monotonic() > deadline:
                raise LabError(f"{self.name}: {self.readings()} of {count} readings: {tail(self.scene.path('err'))}")
            time.sleep(POLL_SECONDS)

    def variables(self, _scene):
        """Environment variables."""
        return {}

    def command(self, scene):
        raise NotImplementedError

    def readings(self):
        raise NotImplementedError

    def walls_ms(self):
        """Milliseconds of each finished reading; empty where the contender does not tell."""
        return []

    def fields(self):
        """Values of one VM in one reading."""
        raise NotImplementedError

    def _lines(self, name):
        return whole_lines(self.scene.path(name))


def whole_lines(path):
    """Lines of a file that end with a newline; none when there is no file yet."""
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read().split("\n")[:-1]
    except FileNotFoundError:
        return []


def fields_of_vm(lines, vm):
    """How many fields line protocol carries for a VM in its last cycle."""
    mine = [line for line in lines if f",name={vm}," in line]
    last = mine[-1].rsplit(" ", 1)[1] if mine else None
    # Names and values of these lines hold no space but in a quoted state, and no comma or "=" in quotes.
    return sum(line.split(" ", 1)[1].count("=") for line in mine if line.endswith(f" {last}"))


class Virtmeter(Contender):
    """The daemon (`run`, lines through the spool into a file) or `once` (lines to stdout)."""

    def __init__(self, key, name, command="run", settings=()):
        super().__init__(key, name)
        self._command = command
        self._settings = settings
        self._latencies = []
        self._file = None
        self._torn = b""

    def variables(self, scene):
        return {"LIBVIRT_URI": scene.uri_ro}

    def command(self, scene):
        with open(scene.path("empty.toml"), "w", encoding="utf-8"):
            pass
        settings = [word for setting in self._settings for word in ("--set", setting)]
        start = [os.path.join(scene.build, "virtmeter"), "--config", scene.path("empty.toml"),
                 "--state-dir", scene.path("state"), "--http-listen=", *settings]
        if self._command == "run":
            return [*start, "--poll-interval", f"{scene.interval:g}s", "run"]
        return [*start, "--log-level", "error", "once", "--cycles", str(MANY), "--interval", f"{scene.interval:g}s"]

    def start(self, scene):
        self._latencies = []
        super().start(scene)

    def stop(self):
        super().stop()
        self._close()

    def readings(self):
        self._follow()
        return len(self._latencies)

    def walls_ms(self):
        self._follow()
        return self._latencies

    def fields(self):
        return fields_of_vm(whole_lines(self._output()), self.scene.vm)

    def _output(self):
        return self.scene.path("state/lines.lp" if self._command == "run" else "out")

    def _follow(self):
        """Takes what was added to the output: the whole of it may be many megabytes a cycle, and is rotated."""
        try:
            if self._file is None:
                self._file = open(self._output(), "rb")
            rotated = os.fstat(self._file.fileno()).st_ino != os.stat(self._output()).st_ino
        except FileNotFoundError:
            return
        lines, _, self._torn = (self._torn + self._file.read()).rpartition(b"\n")
        self._latencies += [float(text) for text in _LATENCY.findall(lines)]
        if rotated:
            self._close()
            self._follow()

    def _close(self):
        if self._file:
            self._file.close()
        self._file, self._torn = None, b""


class BareClient(Contender):
    """bench/bare_client.cc: one bulk call of the groups, and nothing else."""

    def __init__(self, key, groups):
        super().__init__(key, "bare client: " + groups.replace(",", ", "))
        self._groups = groups

    def command(self, scene):
        return [os.path.join(scene.build, "bench", "bare_client"), scene.uri_ro, self._groups, str(MANY),
                str(round(1000 * scene.interval))]

    def readings(self):
        return len(self._lines("out"))

    def walls_ms(self):
        return [int(line.split()[0]) / 1000 for line in self._lines("out")]

    def fields(self):
        _, domains, parameters = map(int, self._lines("out")[-1].split())
        return round(parameters / domains)


class PythonPoller(Contender):
    """bench/python_poller.py."""

    def __init__(self, key, name, way):
        super().__init__(key, name)
        self._way = way

    def command(self, scene):
        return ["/usr/bin/python3", os.path.join(ROOT, "bench", "python_poller.py"), scene.uri_ro, self._way, str(MANY),
                str(scene.interval)]

    def readings(self):
        return len(self._lines("err"))

    def walls_ms(self):
        return [float(line) for line in self._lines("err")]

    def fields(self):
        return fields_of_vm(self._lines("out"), self.scene.vm)


class Program(Contender):
    """A program of bench/ that prints a line per reading: its microseconds, the VMs, the fields of all."""

    def __init__(self, key, name, program):
        super().__init__(key, name)
        self._program = program

    def there(self, build):
        return os.access(os.path.join(build, "bench", self._program), os.X_OK)

    def command(self, scene):
        return [os.path.join(scene.build, "bench", self._program), scene.uri_ro, str(MANY),
                str(round(1000 * scene.interval)), scene.path("spool")]

    readings = BareClient.readings
    walls_ms = BareClient.walls_ms
    fields = BareClient.fields


def median_wall_ms(walls, count):
    """Of the last `count` readings."""
    return statistics.median(walls[-count:]) if walls else None
