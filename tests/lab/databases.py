"""Real databases for tests: InfluxDB 1.x and VictoriaMetrics, each a private process on free loopback ports.

    with Influxd() as influx:
        influx.create_database("vmstats")
        influx.write("vmstats", "m,host=a value=1i 1000000000")
        influx.query("SELECT value FROM m", db="vmstats")

Both keep their data over stop() or kill() and start(), on the same port, and remove it on close(). The thread
that starts one must outlive it (see die_with_parent).
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import time
import urllib.parse
import urllib.request

from lab_base import EX_UNAVAILABLE, LabError, die_with_parent, free_port, tail, wait_until
from lab_need import DATABASE_PACKAGES, require_packages

# A proxy of the environment has no business between a test and its own loopback.
_open_directly = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class Database:
    """A server process with a folder and a port. Subclasses say how it is started and asked."""

    package = None

    def __init__(self, user=None, password=None):
        self.user = user
        self.password = password
        self.port = None
        self.folder = None
        self._process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self._process.pid

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_exception):
        self.close()

    def start(self):
        """Starts the server, the first time in a new folder, and returns when it answers."""
        if self._process:
            raise LabError(f"{self.package} is already running")
        is_new = self.folder is None
        if is_new:
            require_packages({self.package: DATABASE_PACKAGES[self.package]})
            self.folder = tempfile.mkdtemp(prefix=f"virtmeter-lab-{self.package}-")
            self.port = free_port()
        try:
            with open(self._log_path(), "ab") as log:
                self._process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                 cwd=self.folder, preexec_fn=die_with_parent(),
                                                 # Out of the terminal's reach: a Ctrl-C is the owner's to handle.
                                                 start_new_session=True)
            wait_until(self._answers, 30, f"{self.package} to answer at {self.url}")
            if is_new:
                self._prepare()
        except BaseException:
            self.close()
            raise

    def stop(self):
        """SIGTERM: the server ends in good order. Its data stays for start()."""
        self._end(signal.SIGTERM)

    def kill(self):
        """SIGKILL: what a power cut leaves. Its data stays for start()."""
        self._end(signal.SIGKILL)

    def close(self):
        """Ends the server and removes its data. Safe to repeat."""
        self._end(signal.SIGKILL)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def request(self, path, parameters=None, body=None, method=None):
        """One HTTP request with the credentials; the answer's body as text, LabError with it on failure."""
        url = self.url + path
        if parameters:
            url += "?" + urllib.parse.urlencode(parameters)
        request = urllib.request.Request(url, data=body.encode() if body is not None else None, method=method)
        if self.user is not None:
            token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            request.add_header("Authorization", f"Basic {token}")
        try:
            with _open_directly(request, timeout=30) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            words = error.read().decode(errors="replace").strip()
            raise LabError(f"{self.package} {path}: status {error.code}: {words}") from error
        except OSError as error:
            raise LabError(f"{self.package} {path}: {error}", EX_UNAVAILABLE) from error

    def _prepare(self):
        """What a server with an empty folder is told first."""

    def _end(self, signal_number):
        if self._process is None:
            return
        # A server that a test stopped with SIGSTOP hears SIGTERM only after SIGCONT.
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(signal_number)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _answers(self):
        if self._process.poll() is not None:
            raise LabError(f"{self.package} ended: {tail(self._log_path())}", EX_UNAVAILABLE)
        try:
            with _open_directly(f"{self.url}{self.ping_path}", timeout=5):
                return True
        except OSError:
            return False

    def _log_path(self):
        return os.path.join(self.folder, "log")


class Influxd(Database):
    """influxd 1.x. With `user` and `password` it asks for them, and that user is its administrator."""

    package = "influxdb"
    ping_path = "/ping"

    def __init__(self, user=None, password=None):
        super().__init__(user, password)
        self._rpc_port = free_port()

    def create_database(self, name):
        self.query(f"CREATE DATABASE {_identifier(name)}")

    def write(self, db, lines):
        """Line protocol in, timestamps in nanoseconds."""
        self.request("/write", {"db": db}, body=lines)

    def query(self, influxql, db=None):
        """The rows of all statements, in order: each a dict of its columns and, where grouped, its tags.

        Times are integers in nanoseconds. A row also has "_measurement", the name of its series.
        """
        parameters = {"q": influxql, "epoch": "ns"}
        if db is not None:
            parameters["db"] = db
        answer = json.loads(self.request("/query", body=urllib.parse.urlencode(parameters), method="POST"))
        rows = []
        for result in answer["results"]:
            if "error" in result:
                raise LabError(f"{influxql}: {result['error']}")
            for series in result.get("series", []):
                rows += _rows(series)
        return rows

    def _prepare(self):
        if self.user is not None:
            # The one statement influxd takes from strangers while it has no administrator.
            self.query(f"CREATE USER {_identifier(self.user)} WITH PASSWORD {_string(self.password)} "
                       "WITH ALL PRIVILEGES")

    def _command(self):
        path = os.path.join(self.folder, "influxd.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(_INFLUXD_CONF.format(folder=self.folder, port=self.port, rpc_port=self._rpc_port,
                                            auth="true" if self.user is not None else "false"))
        return ["influxd", "run", "-config", path]


class VictoriaMetrics(Database):
    """VictoriaMetrics, single node. `options` are more flags of its command line.

    It holds fresh points in memory: stop() saves them, kill() loses those of the last seconds. It refuses points
    older than its retention of ten years without a word.
    """

    package = "victoria-metrics"
    ping_path = "/health"

    def __init__(self, user=None, password=None, options=()):
        super().__init__(user, password)
        self._options = list(options)

    def write(self, lines, db=None):
        """Line protocol in, timestamps in nanoseconds; `db` becomes the label of that name."""
        self.request("/write", {"db": db} if db is not None else None, body=lines)

    def export(self, match):
        """The series that match a selector, each {"metric": labels, "values": [...], "timestamps": [ms, ...]}."""
        # What was just written is invisible until it is flushed.
        self.request("/internal/force_flush")
        # By default the current second is left out. Names may hold characters that splitlines() takes for line ends.
        body = urllib.parse.urlencode({"match[]": match, "end": int(time.time()) + 60})
        return [json.loads(line) for line in self.request("/api/v1/export", body=body).split("\n") if line]

    def _command(self):
        command = ["victoria-metrics", f"-storageDataPath={self.folder}/data",
                   f"-httpListenAddr=127.0.0.1:{self.port}",
                   # By default it takes most of the machine's memory for caches.
                   "-memory.allowedBytes=128MiB", "-retentionPeriod=10y"]
        if self.user is not None:
            command += [f"-httpAuth.username={self.user}", f"-httpAuth.password={self.password}"]
        return command + self._options


_INFLUXD_CONF = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"

[meta]
  dir = "{folder}/meta"

[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"

[monitor]
  store-enabled = false

[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = {auth}
  log-enabled = false
"""


def _identifier(name):
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _string(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _rows(series):
    fixed = {"_measurement": series.get("name", ""), **series.get("tags", {})}
    return [{**fixed, **dict(zip(series["columns"], values))} for values in series.get("values", [])]
