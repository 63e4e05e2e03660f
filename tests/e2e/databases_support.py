"""What the tests of delivery share: HTTP servers under a test's hand, hypervisors of many VMs, daemons that write to a
database, and what a database holds, in the form of support.Line.

    with Influxd() as influx, RecordingProxy(influx.port) as proxy, DatabaseDaemon(uri, proxy.url) as daemon:
        daemon.wait_cycle(3)
        daemon.stop()
        daemon.summary().delivered == len(proxy.lines())
"""

import collections
import gzip
import http.client
import http.server
import json
import os
import re
import ssl
import subprocess
import threading
import time
import urllib.parse
import uuid
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from support import STOP_SECONDS, Daemon, parse_lines  # First: it puts tests/lab on sys.path.
import databases
from lab_base import LabError, free_port

# --- hypervisors ---


@dataclass
class Vm:
    """A VM of libvirt's test driver; its name and devices may be anything that libvirt takes."""

    name: str
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    nics: list = field(default_factory=lambda: ["tap0"])
    disks: list = field(default_factory=lambda: ["vda"])


def write_node(path, vms):
    """Writes a node file of libvirt's test driver with these VMs, all running; its URI."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write("<node>" + "".join(_domain_xml(vm) for vm in vms) + "</node>")
    return f"test://{path}"


def plain_vms(count):
    return [Vm(f"vm{number}") for number in range(count)]


def lines_of_cycle(vms, number):
    """How many lines a daemon's cycle of that number has with so many plain_vms(): one more for each VM once there are
    rates, and collector_latency and collector_stats."""
    return vms * (4 if number == 1 else 5) + 2


def _domain_xml(vm):
    nics = "".join(f"<interface type='ethernet'><target dev={quoteattr(nic)}/></interface>" for nic in vm.nics)
    disks = "".join(f"<disk type='file' device='disk'><source file='/none'/><target dev={quoteattr(disk)}/></disk>"
                    for disk in vm.disks)
    # A literal carriage return would be read as the end of a line.
    name = escape(vm.name, {"\r": "&#13;"})
    return (f"<domain type='test'><name>{name}</name><uuid>{vm.uuid}</uuid><memory>65536</memory><vcpu>1</vcpu>"
            f"<os><type>hvm</type></os><devices>{disks}{nics}</devices></domain>")


# --- daemons ---


@dataclass
class Summary:
    """The daemon's last words about its lines."""

    cycles: int
    collected: int
    delivered: int
    waiting: int  # In the spool, for the next start.
    dropped: int
    reasons: dict

    @property
    def rejected(self):
        return self.reasons["rejected"]


_SUMMARY = re.compile(r"stopped after (\d+) cycles .* lines: (\d+) collected, (\d+) delivered, (\d+) waiting, "
                      r"(\d+) dropped \(([^)]*)\)")


class LoggingDaemon(Daemon):
    """`virtmeter run` with two cycles a second, and everything in its log that it can say."""

    def __init__(self, uri, *arguments, **variables):
        # In the environment, where every flag of a test goes before them.
        super().__init__(uri, "--http-listen", "", *arguments,
                         **{"POLL_INTERVAL": "500ms", "LOG_LEVEL": "debug", **variables})

    def wait_cycle(self, number, seconds=30):
        """Returns when that cycle is taken, delivered or not."""
        self.wait_log(rf"\bcycle {number}: ", seconds)

    def cycle_count(self):
        return len(self.log_lines(r"\bcycle \d+: "))

    def end(self, signal_number):
        """Sends the signal; (exit code, seconds) when it has ended because of it."""
        started = time.monotonic()
        os.kill(self.pid, signal_number)
        code = self._process.wait(timeout=STOP_SECONDS + 5)
        return code, time.monotonic() - started

    def wait_end(self):
        """Waits for an end that is under way, which must be a good one."""
        code = self._process.wait(timeout=STOP_SECONDS)
        if code != 0:
            raise AssertionError(f"virtmeter ended with {code}: {self.log()[-3000:]}")

    def is_running(self):
        return self._process.poll() is None

    def summary(self):
        found = _SUMMARY.findall(self.log())
        if len(found) != 1:
            raise AssertionError(f"{len(found)} summaries of lines, not 1: {self.log()[-3000:]}")
        *numbers, reasons = found[0]
        counts = {name: int(count) for name, count in (reason.split(" ") for reason in reasons.split(", "))}
        summary = Summary(*map(int, numbers), counts)
        # Conservation holds at every end.
        if summary.collected != summary.delivered + summary.waiting + summary.dropped:
            raise AssertionError(f"the daemon's counts do not add up: {summary}")
        if summary.dropped != sum(counts.values()):
            raise AssertionError(f"the reasons do not add up: {summary}")
        return summary

    def dead_letters(self, sink="influx"):
        """The lines that were put aside, oldest first, as dicts."""
        path = os.path.join(self.state_dir, "deadletter", f"{sink}.ndjson")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


class DatabaseDaemon(LoggingDaemon):
    """One that writes to a database."""

    def __init__(self, uri, url, *arguments, **variables):
        super().__init__(uri, *arguments, **{"INFLUX_URL": url, **variables})


# --- servers ---


@dataclass
class Request:
    method: str
    path: str
    parameters: dict
    headers: dict  # Names in lower case.
    body: bytes
    time: float

    def text(self):
        body = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return body.decode()

    def lines(self):
        return parse_lines(self.text())


@dataclass
class Answer:
    status: int = 204
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    # Instead of the above: "drop" closes the connection without a word, "hang" never answers. Or after the headers:
    # "endless" sends a body without an end, as fast as it is taken, "drip" one that comes byte by byte.
    manner: str = "plain"


def json_answer(status, content, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"Content-Type": "application/json", **named}, json.dumps(content).encode())


class StandIn:
    """An HTTP server on a free port of 127.0.0.1 that keeps every request and answers what `answer(request)` says.

    With `certificate`, the path of a PEM file with certificate and key, it speaks TLS. `answer` is called by one
    thread for each connection; requests, connections and refusals may be read at any time.
    """

    def __init__(self, answer, certificate=None):
        self.requests = []
        self.connections = 0
        self.closing = threading.Event()
        self._answer = answer
        self._certificate = certificate
        self._server = None

    def __enter__(self):
        self._server = _Server(self)
        if self._certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate)
            # The handshake belongs to the thread of the connection: one that fails must not end the server.
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True,
                                                      do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_exception):
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self):
        return self._server.server_address[1]

    @property
    def url(self):
        return f"{'https' if self._certificate else 'http'}://127.0.0.1:{self.port}"

    def writes(self):
        return [request for request in self.requests if request.method == "POST" and request.body]

    def answer(self, request):
        self.requests.append(request)
        return self._answer(request)


class RecordingProxy(StandIn):
    """Stands before a real database and keeps what passes; `accepted` are the writes that it answered with 2xx."""

    def __init__(self, port):
        super().__init__(self._forward)
        self.accepted = []
        self.refused = []
        self._database_port = port

    def lines(self):
        """Every line that the database has accepted, in order of arrival."""
        return [line for request in list(self.accepted) for line in request.lines()]

    def _forward(self, request):
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "connection")}
        target = request.path + ("?" + urllib.parse.urlencode(request.parameters) if request.parameters else "")
        connection = http.client.HTTPConnection("127.0.0.1", self._database_port, timeout=20)
        try:
            connection.request(request.method, target, body=request.body, headers=headers)
            reply = connection.getresponse()
            body = reply.read()
        except OSError:
            return Answer(manner="drop")
        finally:
            connection.close()
        if request.method == "POST" and request.body:
            (self.accepted if reply.status // 100 == 2 else self.refused).append(request)
        kept = {name: value for name, value in reply.getheaders()
                if name.lower() not in ("content-length", "transfer-encoding", "connection")}
        return Answer(reply.status, kept, body)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, stand_in):
        self.stand_in = stand_in
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request, client_address):
        """A client that goes away in the middle is what the tests are about."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without it every answer in two packets waits for an acknowledgement.
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.server.stand_in.connections += 1

    def do_GET(self):
        self._serve()

    def do_POST(self):
        self._serve()

    def _serve(self):
        url = urllib.parse.urlsplit(self.path)
        parameters = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        request = Request(self.command, url.path, parameters, headers, body, time.monotonic())
        self._send(self.server.stand_in.answer(request))

    def _send(self, answer):
        if answer.manner == "hang":
            self.server.stand_in.closing.wait()
        if answer.manner in ("hang", "drop"):
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.manner == "plain":
            if answer.status != 204:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
            return
        self.close_connection = True
        self.end_headers()
        self._send_without_end(answer)

    def _send_without_end(self, answer):
        chunk = answer.body or b"x"
        pause = 0.2 if answer.manner == "drip" else 0
        while not self.server.stand_in.closing.wait(pause):
            self.wfile.write(chunk if answer.manner == "drip" else chunk * 4096)

    def log_message(self, *_arguments):
        """Not on the test's stderr."""


def make_certificate(folder, *names):
    """A self-signed certificate and its key in one PEM file; `names` as in subjectAltName, e.g. IP:127.0.0.1."""
    path = os.path.join(folder, f"certificate-{len(os.listdir(folder))}.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=virtmeter test", "-addext", "subjectAltName=" + ",".join(names),
                    "-keyout", path + ".key", "-out", path], check=True, capture_output=True,
                   stdin=subprocess.DEVNULL)
    with open(path, "a", encoding="ascii") as file, open(path + ".key", encoding="ascii") as key:
        file.write(key.read())
    return path


# --- databases ---

# Between the moment a port was found free and the moment a server listens on it, another process may take it.
_STARTS = 3


class Influxd(databases.Influxd):
    def start(self):
        tries = 1 if self.port else _STARTS  # One that has data on its port is not tried on another.
        for left in reversed(range(tries)):
            try:
                return super().start()
            except LabError as error:
                if left == 0 or "address already in use" not in str(error):
                    raise
                self._rpc_port = free_port()


# --- what a database holds ---

MEASUREMENTS = ("vm_metrics", "vm_features", "vm_devices", "vm_totals", "collector_latency", "collector_stats")


def point(line):
    """A line as what it means: measurement, time, and all its tags and fields. Hashable."""
    return line.measurement, line.time, frozenset({**line.tags, **line.fields}.items())


def stored_points(influx, db, measurements=MEASUREMENTS):
    """Every point of these measurements in a real InfluxDB, as a Counter of point()."""
    points = collections.Counter()
    for measurement in measurements:
        for row in influx.query(f'SELECT * FROM "{measurement}"', db=db):
            values = {key: value for key, value in row.items()
                      if value is not None and key not in ("time", "_measurement")}
            points[measurement, row["time"], frozenset(values.items())] += 1
    return points


# One field of each kind of line that is never left out.
_COUNTED = (("vm_metrics", "cpu_count"), ("vm_features", "memory_rate_kb_per_sec"), ("vm_devices", "rxbytes"),
            ("vm_devices", "rd_req"), ("vm_totals", "cpus"), ("collector_latency", "loop_latency_ms"),
            ("collector_stats", "cycles"), ("vm_health", "health_code"))


def count_points(influx, db):
    statements = [f"SELECT COUNT({field}) FROM {measurement}" for measurement, field in _COUNTED]
    return sum(row["count"] for row in influx.query("; ".join(statements), db=db))


def wait_until_stored(daemon, influx, db, count, seconds=60):
    """Waits until the database holds at least so many points."""
    daemon.wait(lambda: count_points(influx, db) >= count, f"{count} points in the database", seconds)


def export_all(database):
    """Every series of a VictoriaMetrics, with the second that is under way, and with names that hold what Unicode calls
    the end of a line: VictoriaMetrics.export() of the lab lacks both."""
    database.request("/internal/force_flush")
    body = urllib.parse.urlencode({"match[]": '{__name__!=""}', "end": int(time.time()) + 60})
    return [json.loads(line) for line in database.request("/api/v1/export", body=body).split("\n") if line]
