"""What the fault suite shares: a host whose virtmeter dies and comes back on the same state folder, and the checker that
adds up.

    with Influxd() as influx, Host(uri, influx.url) as host:
        host.start()
        host.kill()                      # SIGKILL
        host.start()
        host.stop()
        tally(self, "SIGKILL", host, count_points(influx, "vmstats"))

Every fault ends in tally(): it holds collected = delivered + waiting + in flight + dropped, for each sink, against the
points that the database really holds, and prints how many were expected, arrived and dropped, and why.

VIRTMETER_SOAK=1 asks for the long form of each fault (scripts/soak).
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))

from support import STOP_SECONDS, binary, environment, temp_folder
from databases_support import Influxd, count_points, plain_vms, write_node
from lab_base import die_with_parent, free_port

__all__ = ["DB", "Host", "Influxd", "LONG", "complete_cycles", "count_points", "longer", "node", "plain_vms",
           "sink_of", "tally", "temp_folder", "wait_until_even", "write_node"]

DB = "vmstats"
LONG = os.environ.get("VIRTMETER_SOAK") == "1"

_open_directly = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def longer(short, long):
    """The short form's number, or the long form's where that is asked for."""
    return long if LONG else short


def node(case, vms):
    """The URI of a hypervisor of libvirt's test driver with so many VMs, each with one NIC and one disk."""
    folder = case.enterContext(temp_folder())
    return write_node(os.path.join(folder, "node.xml"), plain_vms(vms))


class Host:
    """A state folder, and the virtmeters that run on it one after the other. Their logs are one log."""

    def __init__(self, uri, url, *arguments, prefix=(), **variables):
        self._uri = uri
        self._url = url
        self._arguments = list(arguments)
        self._prefix = list(prefix)  # Words before the command, e.g. a wrapper that fakes the clock.
        self._variables = variables
        self._folder = None
        self._process = None
        self._port = free_port()

    def __enter__(self):
        self._folder = temp_folder()
        self.settings_path = os.path.join(self._folder.name, "virtmeter.toml")
        self.write_settings("")
        return self

    def __exit__(self, kind, *_exception):
        if self.is_running():
            self._process.kill()
            self._process.wait()
        if kind is not None:
            print(f"\nthe log of virtmeter:\n{self.log()[-8000:]}", file=sys.stderr)
        self._folder.cleanup()

    def write_settings(self, text):
        with open(self.settings_path, "w", encoding="utf-8") as file:
            file.write(text)

    @property
    def state_dir(self):
        return os.path.join(self._folder.name, "state")

    @property
    def spool_dir(self):
        return os.path.join(self.state_dir, "spool")

    @property
    def pid(self):
        return self._process.pid

    def command(self, *words):
        return [*self._prefix, binary(), "--config", self.settings_path, "--state-dir", self.state_dir,
                "--http-listen", f"127.0.0.1:{self._port}", *self._arguments, *words]

    def environment(self):
        base = {"LIBVIRT_URI": self._uri, "POLL_INTERVAL": "500ms", "INFLUX_DB": DB, "BATCH_MAX_SEC": "100ms"}
        # Its port is its own; what the environment of the tests says of it is for daemons without one.
        found = environment(**{**base, **self._variables})
        if self._url:
            found["INFLUX_URL"] = self._url
        return found

    def start(self, wait=True):
        if self.is_running():
            raise AssertionError("it runs already")
        with open(self._log_path(), "ab") as log:
            self._process = subprocess.Popen(self.command("run"), env=self.environment(), stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log, preexec_fn=die_with_parent())
        if wait:
            self.wait(self.answers, "its status page")

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def kill(self):
        self._process.kill()
        self._process.wait()

    def signal(self, number):
        os.kill(self.pid, number)

    def stop(self):
        """SIGTERM; it must end well and in time."""
        self.signal(signal.SIGTERM)
        code = self._process.wait(timeout=STOP_SECONDS + 1)
        if code != 0:
            raise AssertionError(f"SIGTERM ended it with {code}: {self.log()[-3000:]}")

    def run(self, *words, timeout=60):
        """Another command of the same settings to its end, e.g. spool verify."""
        return subprocess.run(self.command(*words), env=self.environment(), capture_output=True, text=True,
                              timeout=timeout, stdin=subprocess.DEVNULL, check=False)

    def answers(self):
        try:
            return self.status()
        except OSError:
            return None

    def status(self):
        with _open_directly(f"http://127.0.0.1:{self._port}/api/v1/status", timeout=5) as answer:
            return json.load(answer)

    def ready(self):
        """(HTTP status, what /ready says)."""
        try:
            with _open_directly(f"http://127.0.0.1:{self._port}/ready", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def log(self):
        with open(self._log_path(), encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait(self, condition, what, seconds=30):
        """Polls until `condition()` is true and returns its value."""
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if not self.is_running():
                raise AssertionError(f"virtmeter ended with {self._process.returncode} before {what}")
            if time.monotonic() >= deadline:
                raise AssertionError(f"waited {seconds:g} s in vain for {what}; status: {self.answers()}")
            time.sleep(0.05)

    def wait_log(self, words, seconds=30):
        self.wait(lambda: words in self.log(), f"{words!r} in the log", seconds)

    def wait_cycles(self, more, seconds=60):
        """Returns when so many further cycles were taken."""
        start = self.status()["collector"]["cycles"]
        self.wait(lambda: self.status()["collector"]["cycles"] >= start + more, f"{more} more cycles", seconds)

    def _log_path(self):
        return os.path.join(self._folder.name, "log")


# --- the checker ---


def sink_of(status):
    """The one sink of a status."""
    if len(status["sinks"]) != 1:
        raise AssertionError(f"{len(status['sinks'])} sinks, not 1")
    return status["sinks"][0]


def left_over(sink):
    """collected - (delivered + waiting + in flight + dropped): 0, or lines are lost or invented without a count."""
    dropped = sum(sink["dropped_by_reason"].values())
    return sink["collected"] - sink["delivered"] - sink["waiting"] - sink["in_flight"] - dropped


def wait_until_even(host, seconds=60):
    """Returns the sink's figures when nothing waits any more but what came in just now."""
    def even():
        status = host.status()
        sink = sink_of(status)
        # Five lines for a VM with one NIC and one disk.
        newest = 5 * status["collector"]["vms"] + 2
        return sink if sink["backlog"] == 0 and sink["waiting"] + sink["in_flight"] <= 2 * newest else None
    return host.wait(even, "all that waits to be delivered", seconds)


def spool_counts(host):
    """The figures on disk of a virtmeter that has ended, in the form of a status's sink."""
    done = host.run("spool", "status", "-o", "json")
    if done.returncode != 0:
        raise AssertionError(f"spool status ended with {done.returncode}: {done.stderr}")
    readers = [reader for reader in json.loads(done.stdout)["readers"] if reader["valid"]]
    if len(readers) != 1:
        raise AssertionError(f"{len(readers)} readers, not 1")
    return readers[0]


def tally(case, fault, host, arrived, allowed=()):
    """Adds up, after the host's virtmeter was stopped: `arrived` points are in the database, and whatever was dropped was
    dropped for a reason in `allowed`. Returns the figures."""
    sink = spool_counts(host)
    dropped = {reason: count for reason, count in sink["dropped_by_reason"].items() if count}
    print(f"\n{fault}: expected {sink['collected']} points, arrived {arrived}, waiting {sink['waiting']}, dropped "
          f"{dropped or 0}", file=sys.stderr)
    case.assertEqual(0, left_over(sink), sink)
    case.assertEqual(sink["delivered"], arrived, sink)
    case.assertLessEqual(set(dropped), set(allowed), sink)
    return sink


def complete_cycles(case, influx, vms, db=DB):
    """Every cycle in the database is whole: each of its VMs has each of its lines. Returns the cycles' times."""
    times = {row["time"] for row in influx.query("SELECT cpus FROM vm_totals", db=db)}
    for field, measurement, per_cycle in (("cpu_count", "vm_metrics", vms), ("cpus", "vm_totals", vms),
                                          ("rxbytes", "vm_devices", vms), ("rd_req", "vm_devices", vms)):
        rows = influx.query(f"SELECT {field} FROM {measurement}", db=db)
        counts = {}
        for row in rows:
            counts[row["time"]] = counts.get(row["time"], 0) + 1
        odd = {moment: count for moment, count in counts.items() if count != per_cycle}
        case.assertEqual({}, odd, f"{measurement}.{field}")
        case.assertEqual(times, set(counts), f"{measurement}.{field}")
    return sorted(times)
