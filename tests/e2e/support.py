"""What the end-to-end tests share: the built binary, its output parsed strictly, and a daemon under a test's hand.

    from support import Daemon, run_once                      # puts tests/lab on sys.path as well
    cycles, stderr = run_once(lab.uri_ro, 2, 1.0)              # [[Line, ...], [Line, ...]]
    with Daemon(lab.uri_ro, "--poll-interval", "1s") as daemon:
        daemon.wait_cycles(3)
        daemon.wait_log("connected to")
        daemon.cycles()[-1]

Nothing of the machine takes part: no settings file, no setting from the caller's environment, no folder but private
ones. The binary is $VIRTMETER, else build/release/virtmeter of this checkout.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lab"))

from lab_base import die_with_parent

STOP_SECONDS = 5.0

# The contract, section 1, written down a second time: a test that asked the catalog would agree with any mistake in it.
METRICS_FIELDS = {"state": str, "cpu_count": int, "memory_max_kb": int, "memory_used_kb": int, "cputime_ns": int}
NIC_FIELDS = dict.fromkeys(
    "rxbytes rxpackets rxerrors rxdrops txbytes txpackets txerrors txdrops".split(), int)
DISK_FIELDS = dict.fromkeys("rd_req rd_bytes wr_reqs wr_bytes errors".split(), int)
TOTALS_FIELDS = dict.fromkeys(
    ["net_" + name for name in NIC_FIELDS] + ["disk_" + name for name in DISK_FIELDS] +
    """memactual memrss memavailable memusable memdisk_cache memswap_in memswap_out memmajor_fault memminor_fault
    timeusr timesys cpus cputime state""".split(), int)
NET_RATES = "net_rxbytes net_txbytes net_rxpackets net_txpackets".split()
DISK_RATES = "disk_rd_req disk_rd_bytes disk_wr_reqs disk_wr_bytes".split()
FEATURES_FIELDS = dict.fromkeys(
    ["memory_rate_kb_per_sec", "memory_angle_deg"] +
    [name + end for name in NET_RATES + DISK_RATES for end in ("_rate", "_angle_deg")], float)
LATENCY_FIELDS = {"loop_latency_ms": float, "feature_latency_ms": float}
# Of the daemon only, one line a cycle and sink: not in the contract's section 1, which counts without it.
DROP_REASONS = """evicted expired disk_space memory corrupt missing rejected refused oversize shutdown""".split()
STATS_FIELDS = dict.fromkeys(
    """collected delivered waiting in_flight dropped retries cycles failed_cycles missed_beats vms absent_values""".split() +
    ["dropped_" + reason for reason in DROP_REASONS], int)


# --- line protocol ---

@dataclass
class Line:
    """One point. Types of fields are exact: int had the suffix i, float had none, str was quoted."""

    measurement: str
    tags: dict
    fields: dict
    time: int
    text: str = field(repr=False, default="")

    def kind(self):
        """The measurement, or of vm_devices the devtype: nic, disk."""
        return self.tags["devtype"] if self.measurement == "vm_devices" else self.measurement

    def types(self):
        return {key: type(value) for key, value in self.fields.items()}


# Escapes are only those that line protocol needs, and a backslash stands nowhere else: any other is an error here,
# since servers differ in what they make of it.
_MEASUREMENT = re.compile(r"(?:[^\\, \n\r\t]|\\[, ])+")
_TAG_TEXT = re.compile(r"(?:[^\\,= \n\r\t]|\\[,= ])+")
_NUMBER = re.compile(r"(-?\d+)i|(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\di.])")
_STRING = re.compile(r'"((?:[^"\\\n\r]|\\["\\])*)"')
_TIME = re.compile(r" (-?\d+)\Z")


class _Reader:
    def __init__(self, text):
        self.text = text
        self.at = 0

    def expect(self, pattern, what):
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"{what} expected at character {self.at} of {self.text!r}")
        self.at = match.end()
        return match

    def skip(self, character):
        """Whether `character` stood here."""
        found = self.text.startswith(character, self.at)
        self.at += len(character) if found else 0
        return found

    def must_skip(self, character):
        if not self.skip(character):
            raise ValueError(f"{character!r} expected at character {self.at} of {self.text!r}")


def _unescaped(text):
    return re.sub(r"\\(.)", r"\1", text)


def _put_once(items, key, value, text):
    if key in items:
        raise ValueError(f"{key!r} twice in {text!r}")
    items[key] = value


def _field_value(reader):
    if reader.text.startswith('"', reader.at):
        return _unescaped(reader.expect(_STRING, "the end of a string").group(1))
    integer, real = reader.expect(_NUMBER, "a number or a string").groups()
    if integer is None:
        return float(real)
    if not -2**63 <= int(integer) < 2**63:
        raise ValueError(f"{integer} does not fit 64 bits in {reader.text!r}")
    return int(integer)


def parse_line(text):
    """One line without its newline, as a Line; ValueError for anything that is not exactly one point."""
    reader = _Reader(text)
    measurement = _unescaped(reader.expect(_MEASUREMENT, "a measurement").group())
    tags, fields = {}, {}
    while reader.skip(","):
        key = _unescaped(reader.expect(_TAG_TEXT, "a tag's key").group())
        reader.must_skip("=")
        _put_once(tags, key, _unescaped(reader.expect(_TAG_TEXT, "a tag's value").group()), text)
    reader.must_skip(" ")
    while True:
        key = _unescaped(reader.expect(_TAG_TEXT, "a field's key").group())
        reader.must_skip("=")
        _put_once(fields, key, _field_value(reader), text)
        if not reader.skip(","):
            break
    return Line(measurement, tags, fields, int(reader.expect(_TIME, "a timestamp").group(1)), text)


def parse_lines(text):
    """Every line of `text`, which ends with a newline unless it is empty."""
    if text and not text.endswith("\n"):
        raise ValueError(f"the last line has no end: {text[-200:]!r}")
    # Not splitlines(): a name may hold characters that only Unicode takes for the end of a line.
    return [parse_line(line) for line in text.split("\n")[:-1]]


def by_cycle(lines):
    """Lists of lines with one timestamp each, in the order of output; ValueError where a cycle is torn apart."""
    cycles = {}
    last = None
    for line in lines:
        if line.time != last and line.time in cycles:
            raise ValueError(f"lines of {line.time} are not together: {line.text!r}")
        cycles.setdefault(line.time, []).append(line)
        last = line.time
    return list(cycles.values())


def select(lines, kind=None, **tags):
    """The lines of a kind (Line.kind) that carry all these tags."""
    return [line for line in lines if (kind is None or line.kind() == kind)
            and all(line.tags.get(key) == value for key, value in tags.items())]


def only(lines, kind, **tags):
    """The one line of which there must be exactly one."""
    found = select(lines, kind, **tags)
    if len(found) != 1:
        raise AssertionError(f"{len(found)} lines {kind} {tags}, not 1: {[line.text for line in found]}")
    return found[0]


# --- running it ---

def binary():
    path = os.environ.get("VIRTMETER") or os.path.join(ROOT, "build", "release", "virtmeter")
    if not os.access(path, os.X_OK):
        raise AssertionError("no virtmeter to test: cmake --preset release && ninja -C build/release virtmeter, "
                             "or say where it is in VIRTMETER")
    return path


def temp_folder():
    """A private folder, as a context manager that yields its path."""
    return tempfile.TemporaryDirectory(prefix="virtmeter-e2e-")


def environment(**variables):
    """An environment in which nothing but `variables` is a setting."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    # A sanitizer's report must not look like a normal end.
    base = {"LC_ALL": "C.UTF-8", "HTTP_LISTEN": "", "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "exitcode=99")}
    return {**kept, **base, **variables}


def _command(folder, arguments):
    settings = os.path.join(folder, "empty.toml")
    with open(settings, "w", encoding="utf-8"):
        pass  # Instead of the machine's settings file.
    return [binary(), "--config", settings, "--state-dir", os.path.join(folder, "state"), *arguments]


def run_virtmeter(*arguments, timeout=60, **variables):
    """Runs it to its end; the subprocess.CompletedProcess with text. `variables` go into the environment."""
    with temp_folder() as folder:
        return subprocess.run(_command(folder, arguments), capture_output=True, text=True, encoding="utf-8",
                              timeout=timeout, env=environment(**variables), stdin=subprocess.DEVNULL, check=False,
                              preexec_fn=die_with_parent())


def run_once(uri, cycles, interval, *arguments, **variables):
    """`virtmeter once`: (its cycles, each a list of Line; what it said on stderr). Fails unless it ends with 0."""
    done = run_virtmeter(*arguments, "once", "--cycles", str(cycles), "--interval", f"{interval:g}s",
                         timeout=60 + cycles * interval, LIBVIRT_URI=uri, **variables)
    if done.returncode != 0:
        raise AssertionError(f"virtmeter once ended with {done.returncode}: {done.stderr[-3000:]}")
    return by_cycle(parse_lines(done.stdout)), done.stderr


class Daemon:
    """`virtmeter run` for as long as the with block lasts; then SIGTERM, and it must end with 0 within 5 s.

    Lines go to a file in its private state folder unless `arguments` name a database. When the block ends with an
    exception the daemon is killed and its log printed.
    """

    def __init__(self, uri, *arguments, **variables):
        # No pages unless they are asked for: their usual port is the machine's.
        pages = [] if "HTTP_LISTEN" in variables else ["--http-listen="]
        self._arguments = [*pages, *arguments, "run"]
        # Each cycle is in the file as soon as it is taken.
        self._environment = environment(LIBVIRT_URI=uri, **{"BATCH_MAX_SEC": "0s", **variables})
        self._folder = None
        self._process = None

    def __enter__(self):
        self._folder = temp_folder()
        with open(self._path("log"), "wb") as log:
            self._process = subprocess.Popen(_command(self._folder.name, self._arguments), env=self._environment,
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             preexec_fn=die_with_parent())
        return self

    def __exit__(self, kind, *_exception):
        try:
            if kind is None:
                self.stop()
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            if kind is not None:
                print(f"\nthe log of virtmeter:\n{self.log()[-6000:]}", file=sys.stderr)
            self._folder.cleanup()

    @property
    def pid(self):
        return self._process.pid

    @property
    def state_dir(self):
        return self._path("state")

    @property
    def settings_path(self):
        """Its settings file, which is empty at the start."""
        return self._path("empty.toml")

    def reload(self, settings):
        """Writes its settings file and sends SIGHUP."""
        with open(self.settings_path, "w", encoding="utf-8") as file:
            file.write(settings)
        self._process.send_signal(signal.SIGHUP)

    def stop(self):
        """SIGTERM; the seconds it took to end. Safe to repeat. log() and cycles() still answer until the block ends."""
        if self._process.returncode is not None:
            return 0.0
        started = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"not ended {STOP_SECONDS:g} s after SIGTERM: {self.log()[-3000:]}") from None
        if code != 0:
            raise AssertionError(f"SIGTERM ended it with {code}: {self.log()[-3000:]}")
        return time.monotonic() - started

    def log(self):
        with open(self._path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def log_lines(self, pattern):
        """The lines of the log that the regular expression matches somewhere."""
        return [line for line in self.log().split("\n") if re.search(pattern, line)]

    def cycles(self):
        """The finished cycles in the file of lines; collector_latency is the last line of each. Without collector_stats."""
        cycles = [cycle for cycle in by_cycle(self.lines()) if cycle[-1].measurement == "collector_latency"]
        return [[line for line in cycle if line.measurement != "collector_stats"] for cycle in cycles]

    def lines(self):
        """Every whole line in the file of lines."""
        try:
            with open(os.path.join(self.state_dir, "lines.lp"), encoding="utf-8", newline="") as file:
                text = file.read()
        except FileNotFoundError:
            return []
        return parse_lines(text[:text.rfind("\n") + 1])

    def wait(self, condition, what, seconds=30):
        """Polls until `condition()` is true and returns its value; fails after `seconds`, or when the daemon ended."""
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if self._process.poll() is not None:
                raise AssertionError(f"virtmeter ended with {self._process.returncode} before {what}")
            if time.monotonic() >= deadline:
                raise AssertionError(f"waited {seconds:g} s in vain for {what}")
            time.sleep(0.05)

    def wait_log(self, pattern, seconds=30, count=1):
        """Waits until `count` lines of the log match; returns them."""
        return self.wait(lambda: len(found := self.log_lines(pattern)) >= count and found,
                         f"{pattern!r} in the log", seconds)

    def wait_cycles(self, count, seconds=30):
        """Waits for the count-th cycle; returns all there are."""
        return self.wait(lambda: len(found := self.cycles()) >= count and found, f"cycle {count}", seconds)

    def _path(self, name):
        return os.path.join(self._folder.name, name)
