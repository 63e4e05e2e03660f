#!/usr/bin/python3
"""What the daemon says of itself: pages, `virtmeter status`, collector_stats; and what strangers cannot do with them."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import unittest

from support import STATS_FIELDS, Daemon, binary, environment, run_virtmeter, temp_folder

from lab_base import free_port

NODE = "test:///default"
FAST = ("--poll-interval", "500ms")
NOBODY_LISTENS = "http://127.0.0.1:1"
TOKEN = "Quarkstrudel-0815-geheim"


def conserved(sink):
    return sink["collected"] == sink["delivered"] + sink["waiting"] + sink["in_flight"] + sink["dropped"]


class Served:
    """A daemon with pages on a port of its own."""

    def __init__(self, *arguments, uri=NODE, **variables):
        self.port = free_port()
        self.listen = f"127.0.0.1:{self.port}"
        self.daemon = Daemon(uri, *FAST, *arguments, **{"HTTP_LISTEN": self.listen, **variables})

    def __enter__(self):
        self.daemon.__enter__()
        self.daemon.wait_log("status on http://")
        return self

    def __exit__(self, *exception):
        return self.daemon.__exit__(*exception)

    def get(self, path, **headers):
        """(HTTP status, headers, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    def status(self):
        return json.loads(self.get("/api/v1/status")[2])

    def wait_status(self, condition, what):
        return self.daemon.wait(lambda: condition(status := self.status()) and status, what)


class Healthy(unittest.TestCase):
    """A daemon that lacks nothing."""

    @classmethod
    def setUpClass(cls):
        cls.served = cls.enterClassContext(Served())
        cls.served.wait_status(lambda status: status["collector"]["cycles"] >= 3, "3 cycles")

    def test_health_and_ready_say_so(self):
        status, _, body = self.served.get("/health")
        self.assertEqual(200, status)
        self.assertEqual(self.served.daemon.pid, json.loads(body)["pid"])
        status, _, body = self.served.get("/ready")
        self.assertEqual((200, {"ready": True, "reasons": []}), (status, json.loads(body)))

    def test_the_status_adds_up(self):
        status = self.served.status()
        self.assertTrue(status["ready"])
        self.assertEqual(1, status["collector"]["vms"])
        self.assertEqual(NODE, status["sources"][0]["target"])
        self.assertTrue(status["sources"][0]["connected"])
        sink, = status["sinks"]
        self.assertTrue(conserved(sink), sink)
        self.assertEqual(sum(sink["dropped_by_reason"].values()), sink["dropped"])
        self.assertGreater(sink["delivered"], 0)

    def test_the_command_prints_a_table_of_80_columns_and_ends_with_0(self):
        done = run_virtmeter("status", "--http-listen", self.served.listen)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertRegex(done.stdout, rf"\Avirtmeter  \S+, process {self.served.daemon.pid}, up \S.*: ready\n")
        for line in done.stdout.split("\n"):
            # Where lines go is as long as it is.
            self.assertTrue(len(line) <= 80 or line.startswith("sink "), line)

    def test_the_command_prints_the_json_of_the_daemon(self):
        done = run_virtmeter("status", "-o", "json", "--http-listen", self.served.listen)
        self.assertEqual(self.served.daemon.pid, json.loads(done.stdout)["pid"])

    def test_another_page_is_a_problem_with_the_pages_there_are(self):
        status, headers, body = self.served.get("/nowhere")
        self.assertEqual((404, "application/problem+json"), (status, headers["Content-Type"]))
        self.assertIn("/api/v1/status", json.loads(body)["fix"])

    def test_a_page_from_elsewhere_gets_nothing(self):
        status, headers, body = self.served.get("/api/v1/status", Host=f"evil.example:{self.served.port}")
        self.assertEqual(403, status)
        self.assertNotIn(NODE, body)
        _, headers, _ = self.served.get("/api/v1/status", Origin="http://evil.example")
        self.assertNotIn("Access-Control-Allow-Origin", headers)
        self.assertEqual("nosniff", headers["X-Content-Type-Options"])

    def test_each_cycle_writes_what_became_of_the_lines_before(self):
        stats = [line for line in self.served.daemon.lines() if line.measurement == "collector_stats"]
        self.assertGreaterEqual(len(stats), 3)
        for number, line in enumerate(stats, start=1):
            self.assertEqual({"sink": "file"}, line.tags)
            self.assertEqual(number, line.fields["cycles"])
            dropped = {key for key in line.fields if key.startswith("dropped_")}
            self.assertEqual(STATS_FIELDS, line.types())
            self.assertTrue(conserved(line.fields), line.text)
            self.assertEqual(sum(line.fields[key] for key in dropped), line.fields["dropped"])

    def test_once_writes_none(self):
        done = run_virtmeter("once", LIBVIRT_URI=NODE)
        self.assertNotIn("collector_stats", done.stdout)

    def test_the_port_is_of_this_machine_only(self):
        with socket.create_connection(("127.0.0.1", self.served.port), timeout=5):
            pass
        own = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
        for address in [address for address in own if ":" not in address]:
            with self.assertRaises(OSError, msg=address):
                socket.create_connection((address, self.served.port), timeout=5).close()


class NotWell(unittest.TestCase):
    def test_nobody_there_is_69_with_the_fix(self):
        done = run_virtmeter("status", "--http-listen", f"127.0.0.1:{free_port()}")
        self.assertEqual((69, ""), (done.returncode, done.stdout))
        self.assertIn("fix: start it: systemctl start virtmeter", done.stderr)

    def test_a_database_that_is_away_is_75_and_503_and_said_with_the_fix(self):
        with Served("--influx-url", NOBODY_LISTENS) as served:
            status = served.wait_status(lambda status: status["sinks"][0]["retries"] > 0, "a retry")
            self.assertFalse(status["ready"])
            self.assertTrue(conserved(status["sinks"][0]), status)
            code, _, body = served.get("/ready")
            self.assertEqual(503, code)
            reason, = json.loads(body)["reasons"]
            self.assertIn("delivery to http://127.0.0.1:1", reason["what"])
            self.assertTrue(reason["fix"])
            self.assertEqual(200, served.get("/health")[0])
            done = run_virtmeter("status", "--http-listen", served.listen)
            self.assertEqual(75, done.returncode)
            self.assertIn("NOT READY", done.stdout)

    def test_a_libvirt_that_is_away_is_said_with_the_fix(self):
        with Served(uri="qemu+unix:///system?socket=/nowhere/sock") as served:
            status = served.wait_status(lambda status: status["collector"]["cycles"] > 0, "a cycle")
            self.assertFalse(status["ready"])
            self.assertFalse(status["sources"][0]["connected"])
            self.assertIn("E101", status["reasons"][0]["what"])

    def test_a_taken_port_does_not_stop_telemetry(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with Daemon(NODE, *FAST, HTTP_LISTEN=f"127.0.0.1:{port}") as daemon:
                daemon.wait_cycles(2)
                line, = daemon.log_lines("Address already in use")
                self.assertIn(f"fix: find who listens there with: ss -ltnp 'sport = :{port}'", line)

    def test_an_address_for_strangers_is_refused_at_the_start(self):
        done = run_virtmeter("run", "--http-listen", "0.0.0.0:9178", LIBVIRT_URI=NODE)
        self.assertEqual(78, done.returncode, done.stderr)
        self.assertIn("others could reach it, and there is neither TLS nor a credential to keep them out", done.stderr)


class HostileClients(unittest.TestCase):
    def test_a_crowd_of_slow_ones_stops_neither_the_beat_nor_the_pages(self):
        with Served() as served:
            crowd = []
            try:
                for number in range(300):
                    client = socket.create_connection(("127.0.0.1", served.port), timeout=5)
                    client.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: lo"[:number % 30])
                    crowd.append(client)
                missed = served.status()["collector"]["missed_beats"]
                before = served.status()["collector"]["cycles"]
                served.wait_status(lambda status: status["collector"]["cycles"] >= before + 4, "4 cycles more")
                self.assertEqual(missed, served.status()["collector"]["missed_beats"])
                self.assertLess(len(os.listdir(f"/proc/{served.daemon.pid}/fd")), 200)
            finally:
                for client in crowd:
                    client.close()

    def test_a_client_that_sends_a_byte_now_and_then_is_closed(self):
        with Served() as served, socket.create_connection(("127.0.0.1", served.port), timeout=0.5) as client:
            began = time.monotonic()
            while time.monotonic() < began + 20:
                try:
                    client.sendall(b"G")
                    if client.recv(100) == b"":
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
            self.assertLess(time.monotonic() - began, 15)

    def test_a_flood_of_requests_leaves_it_alive(self):
        with Served() as served:
            for _ in range(500):
                self.assertEqual(200, served.get("/health")[0])
            self.assertTrue(served.status()["ready"])


class Secrets(unittest.TestCase):
    """The token is in no place where another user, a log reader or a core file would find it."""

    def test_a_token_from_the_command_line(self):
        with Served("--influx-url", NOBODY_LISTENS, "--influx-token", TOKEN, LOG_LEVEL="debug") as served:
            served.wait_status(lambda status: status["sinks"][0]["retries"] > 0, "a retry")
            self.assert_hidden(served)

    def test_a_token_behind_set(self):
        with Served("--influx-url", NOBODY_LISTENS, "--set", f"influx_token={TOKEN}") as served:
            served.wait_status(lambda status: status["sinks"][0]["retries"] > 0, "a retry")
            self.assert_hidden(served)

    def test_a_token_from_a_file_is_not_in_the_environment_either(self):
        with temp_folder() as folder:
            path = os.path.join(folder, "token")
            with open(path, "w", encoding="ascii") as file:
                file.write(TOKEN)
            os.chmod(path, 0o600)
            with Served("--influx-url", NOBODY_LISTENS, "--influx-token-file", path) as served:
                served.wait_status(lambda status: status["sinks"][0]["retries"] > 0, "a retry")
                self.assert_hidden(served)
                with open(f"/proc/{served.daemon.pid}/environ", "rb") as file:
                    self.assertNotIn(TOKEN.encode(), file.read())

    def assert_hidden(self, served):
        with open(f"/proc/{served.daemon.pid}/cmdline", "rb") as file:
            self.assertNotIn(TOKEN.encode(), file.read())
        for path in ("/health", "/ready", "/api/v1/status", f"/{TOKEN[:4]}"):
            self.assertNotIn(TOKEN, served.get(path)[2])
        done = run_virtmeter("status", "--http-listen", served.listen)
        self.assertNotIn(TOKEN, done.stdout + done.stderr)
        self.assertNotIn(TOKEN, served.daemon.log())

    def test_there_is_no_core_and_nobody_else_reads_the_process(self):
        with Served() as served:
            pid = served.daemon.pid
            with open(f"/proc/{pid}/limits", encoding="ascii") as file:
                self.assertRegex(file.read(), r"Max core file size +0 +0 ")
            # PR_SET_DUMPABLE 0: the process's files in /proc are root's, whoever runs it.
            self.assertEqual(0, os.stat(f"/proc/{pid}/environ").st_uid)

    def test_a_daemon_that_is_not_roots_gives_its_own_user_nothing(self):
        with temp_folder() as folder:
            os.chmod(folder, 0o777)
            copy = os.path.join(folder, "virtmeter")
            subprocess.run(["install", "-m", "755", binary(), copy], check=True)
            port = free_port()
            as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            with open(os.path.join(folder, "log"), "wb") as log:
                daemon = subprocess.Popen([*as_nobody, copy, "--config", "/dev/null", "--state-dir", folder + "/state",
                                           "--libvirt-uri", NODE, "--http-listen", f"127.0.0.1:{port}", "run"],
                                          env=environment(INFLUX_TOKEN=TOKEN), stdout=log, stderr=log)
            try:
                self.wait_port(port)
                done = subprocess.run([*as_nobody, "cat", f"/proc/{daemon.pid}/environ"], capture_output=True,
                                      check=False)
                self.assertNotEqual(0, done.returncode)
                self.assertNotIn(TOKEN.encode(), done.stdout)
            finally:
                daemon.send_signal(signal.SIGTERM)
                self.assertEqual(0, daemon.wait(timeout=10))

    def wait_port(self, port):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.fail("nobody listens")

    def test_files_are_closed_to_others(self):
        with temp_folder() as folder:
            log = os.path.join(folder, "log")
            with Served("--log-file", log) as served:
                served.daemon.wait_cycles(1)
                for path in (log, os.path.join(served.daemon.state_dir, "lines.lp")):
                    self.assertEqual(0, os.stat(path).st_mode & 0o027, path)
                self.assertEqual(0, os.stat(served.daemon.state_dir).st_mode & 0o027)

    def test_a_setuid_binary_refuses_to_run(self):
        with temp_folder() as folder:
            os.chmod(folder, 0o755)
            copy = os.path.join(folder, "virtmeter")
            subprocess.run(["install", "-m", "4755", binary(), copy], check=True)
            done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy, "--version"],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(77, done.returncode, done)
            self.assertRegex(done.stderr, r"more rights than its user has\n  fix: take away the setuid")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
