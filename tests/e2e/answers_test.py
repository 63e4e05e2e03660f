#!/usr/bin/python3
"""What servers do to lines, and that no line is lost by it: a line that kills a real influxd, lines of a type that a
real influxd does not take, a real VictoriaMetrics that is killed right after it acknowledged, and stand-ins for what
the real ones do not do on request.

Needs the packages influxdb and victoria-metrics. A missing one is a failure.
"""

import os
import re
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from support import temp_folder
import databases_support
from databases_support import (Answer, DatabaseDaemon, Influxd, RecordingProxy, StandIn, count_points, export_all,
                               json_answer, plain_vms, write_node)
from databases import VictoriaMetrics
from lab_base import LabError

DB = "vmstats"
VMS = 3
NODE = None


def setUpModule():
    global NODE, FOLDER
    FOLDER = unittest.enterModuleContext(temp_folder())
    NODE = write_node(os.path.join(FOLDER, "node.xml"), plain_vms(VMS))


def cycle_lines(number):
    return databases_support.lines_of_cycle(VMS, number)


class Supervisor:
    """Starts a database again whenever it has died, as systemd would."""

    def __init__(self, database):
        self.deaths = 0
        self._database = database
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exception):
        self._ended.set()
        self._thread.join()

    def _watch(self):
        while not self._ended.wait(0.1):
            process = self._database._process
            if process is not None and process.poll() is not None:
                self.deaths += 1
                self._database._process = None
                self._database.start()


class PoisoningProxy(RecordingProxy):
    """Puts what kills influxd 1.6.7 in the place of one line: virtmeter itself never writes a backslash into a key."""

    POISON = b'0 \\\\="="'

    def __init__(self, port, mark):
        super().__init__(port)
        self._mark = mark.encode()

    def _forward(self, request):
        if request.body:
            lines = request.text().encode().split(b"\n")
            request.body = b"\n".join(self.POISON if self._mark in line else line for line in lines)
            request.headers = {name: value for name, value in request.headers.items()
                               if name not in ("content-encoding", "content-length")}
        return super()._forward(request)


class DeadlyLineTest(unittest.TestCase):
    def test_influxd_dies_of_the_poison(self):
        # If this fails, the next test shows nothing.
        with Influxd() as influx:
            influx.create_database(DB)
            with self.assertRaises(LabError):
                influx.write(DB, PoisoningProxy.POISON.decode())
            influx._process.wait(timeout=10)
            influx._process = None

    def test_a_line_that_kills_influxd_costs_itself_only(self):
        mark = "vm_devices,VMID=2,device=vda,"
        with Influxd() as influx, Supervisor(influx) as supervisor, PoisoningProxy(influx.port, mark) as proxy:
            influx.create_database(DB)
            with DatabaseDaemon(NODE, proxy.url, "--poll-interval", "300s") as daemon:
                daemon.wait_log("lines dropped: 1, because .*connection", 180)
                daemon.wait(lambda: count_points(influx, DB) == cycle_lines(1) - 1, "all other lines", 60)
                daemon.stop()
                summary = daemon.summary()
                self.assertEqual((1, 1, cycle_lines(1) - 1), (summary.rejected, summary.dropped, summary.delivered))
                letter, = daemon.dead_letters()
                self.assertTrue(letter["line"].startswith(mark), letter)
                self.assertEqual("connection lost over it", letter["cause"])
            # Five times for the batch, then twice for each half that holds the line.
            self.assertGreater(supervisor.deaths, 5)
            self.assertLess(supervisor.deaths, 20)


class TypeConflictTest(unittest.TestCase):
    def test_lines_of_another_type_are_found_and_all_others_stored(self):
        with Influxd() as influx:
            influx.create_database(DB)
            influx.write(DB, f'vm_totals,name=old cpus="four" {time.time_ns()}')
            with DatabaseDaemon(NODE, influx.url) as daemon:
                daemon.wait_cycle(4)
                daemon.stop()
                summary = daemon.summary()
                letters = daemon.dead_letters()
            conflicts = VMS * summary.cycles
            self.assertEqual((conflicts, conflicts, 0), (summary.rejected, summary.dropped, summary.waiting))
            self.assertEqual(summary.collected - conflicts, summary.delivered)
            self.assertEqual(conflicts, len(letters))
            for letter in letters:
                self.assertTrue(letter["line"].startswith("vm_totals,"), letter)
                self.assertEqual(("field type conflict", 400), (letter["cause"], letter["status"]))
                self.assertIn("field type conflict", letter["words"])
            # One is the test's own.
            totals, = influx.query("SELECT COUNT(cpus) FROM vm_totals", db=DB)
            self.assertEqual(1, totals["count"])
            self.assertEqual(summary.delivered, count_points(influx, DB) - 1)


class SentAgainByHandTest(unittest.TestCase):
    def commands(self, url):
        """What docs/delivery.md says, for this database."""
        docs = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/delivery.md")
        with open(docs, encoding="utf-8") as file:
            block = re.search(r"^    cat influx\.ndjson\.1 .*?^    done$", file.read(), re.MULTILINE | re.DOTALL)
        return block[0].replace("http://influx:8086", url)

    def test_dead_letters_are_stored_when_the_cause_is_mended(self):
        with Influxd() as influx:
            influx.create_database(DB)
            influx.write(DB, f'vm_totals,name=old cpus="four" {time.time_ns()}')
            with DatabaseDaemon(NODE, influx.url) as daemon:
                daemon.wait_cycle(3)
                daemon.stop()
                summary = daemon.summary()
                folder = os.path.join(daemon.state_dir, "deadletter")
                send = ["bash", "-c", self.commands(influx.url)]
                refused = subprocess.run(send, cwd=folder, capture_output=True, text=True, check=False)
                self.assertIn("field type conflict", refused.stdout)
                self.assertIn("again.aa", os.listdir(folder))
                influx.query("DROP MEASUREMENT vm_totals", db=DB)
                sent = subprocess.run(send, cwd=folder, capture_output=True, text=True, check=False)
                self.assertEqual((0, ["influx.ndjson"]), (sent.returncode, os.listdir(folder)), sent)
            totals, = influx.query("SELECT COUNT(cpus) FROM vm_totals", db=DB)
            self.assertEqual(summary.rejected, totals["count"])
            self.assertEqual(summary.collected, count_points(influx, DB))


class KilledVictoriaTest(unittest.TestCase):
    def times(self, victoria):
        """Of each VM the times of its samples, each once."""
        return [set(series["timestamps"]) for series in export_all(victoria)
                if series["metric"]["__name__"] == "vm_metrics_cpu_count"]

    def test_what_it_acknowledged_last_is_sent_again(self):
        with VictoriaMetrics() as victoria, DatabaseDaemon(NODE, victoria.url) as daemon:
            daemon.wait_cycle(8)
            daemon.wait(lambda: len(self.times(victoria)) == VMS, "the first samples")
            daemon.wait_cycle(daemon.cycle_count() + 3)
            time.sleep(0.2)
            victoria.kill()
            daemon.wait_log("delivery fails")
            victoria.start()
            restarted, = daemon.wait_log("was restarted: the .* lines that it took last are sent again")
            daemon.wait_cycle(daemon.cycle_count() + 4)
            daemon.stop()
            summary = daemon.summary()
            self.assertEqual((summary.collected, 0), (summary.delivered, summary.dropped), restarted)
            self.assertEqual([summary.cycles] * VMS, [len(times) for times in self.times(victoria)])

    def test_it_is_noticed_between_two_writes(self):
        # No request ever fails, and yet lines were lost.
        with VictoriaMetrics() as victoria, DatabaseDaemon(NODE, victoria.url, "--poll-interval", "4s") as daemon:
            daemon.wait_cycle(2)
            time.sleep(0.5)
            victoria.kill()
            victoria.start()
            daemon.wait_log("was restarted")
            daemon.stop()
            summary = daemon.summary()
            self.assertEqual((summary.collected, 0), (summary.delivered, summary.dropped))
            self.assertEqual([summary.cycles] * VMS, [len(times) for times in self.times(victoria)])
            self.assertEqual([], daemon.log_lines("delivery fails"))


class StandInTest(unittest.TestCase):
    """An InfluxDB 1.x that answers what the test says."""

    def server(self, answer):
        def respond(request):
            if request.method == "GET":
                return Answer(204, {"X-Influxdb-Version": "1.8.10"})
            return answer(request)
        return StandIn(respond)

    def test_a_web_page_is_no_acknowledgement(self):
        page = Answer(200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><title>Log in to the hotel</title>")
        with self.server(lambda _request: page) as server, DatabaseDaemon(NODE, server.url) as daemon:
            warning, = daemon.wait_log("delivery fails")
            self.assertIn("answers with a web page", warning)
            daemon.wait_cycle(3)
            daemon.stop()
            summary = daemon.summary()
            self.assertEqual((summary.collected, 0), (summary.waiting, summary.delivered))

    def test_lines_past_the_retention_are_counted_and_not_looked_for(self):
        def answer(request):
            return json_answer(400, {"error": "partial write: points beyond retention policy dropped=2"})
        with self.server(answer) as server, DatabaseDaemon(NODE, server.url) as daemon:
            daemon.wait_cycle(3)
            daemon.stop()
            summary = daemon.summary()
            self.assertEqual(len(server.writes()) * 2, summary.reasons["expired"])
            self.assertEqual(summary.collected - summary.dropped, summary.delivered)
            self.assertEqual([], daemon.dead_letters())

    def test_a_series_limit_is_counted_and_not_looked_for(self):
        def answer(request):
            return json_answer(400, {"error": "partial write: max-series-per-database limit exceeded: (10) dropped=3"})
        with self.server(answer) as server, DatabaseDaemon(NODE, server.url) as daemon:
            daemon.wait_cycle(3)
            daemon.stop()
            summary = daemon.summary()
            self.assertEqual(len(server.writes()) * 3, summary.reasons["refused"])
            self.assertIn("raise max-series-per-database", daemon.log())

    def test_a_token_file_is_read_again_when_the_token_is_refused(self):
        path = os.path.join(FOLDER, "token")
        def write_token(token):
            with open(path, "w", encoding="utf-8") as file:
                file.write(token)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        write_token("old-token")
        accepted = {"Token old-token"}
        refused = json_answer(401, {"error": "authorization failed"})
        def answer(request):
            return Answer(204) if request.headers.get("authorization") in accepted else refused
        with self.server(answer) as server, DatabaseDaemon(NODE, server.url, "--influx-token-file", path) as daemon:
            daemon.wait_cycle(2)
            write_token("new-token")
            accepted.clear()
            accepted.add("Token new-token")
            daemon.wait_log("was read again: it has changed")
            daemon.wait_cycle(daemon.cycle_count() + 2)
            daemon.stop()
            summary = daemon.summary()
            self.assertEqual((summary.collected, 0), (summary.delivered, summary.dropped))
            self.assertEqual([], daemon.log_lines("delivery fails"))
            self.assertNotIn("new-token", daemon.log())

    def test_dead_letters_are_for_their_owner_only(self):
        def answer(request):
            bad = any("vm_totals" in line.text for line in request.lines())
            return json_answer(400, {"error": "unable to parse"}) if bad else Answer(204)
        with self.server(answer) as server, DatabaseDaemon(NODE, server.url) as daemon:
            daemon.wait_log("lines dropped")
            daemon.wait(daemon.dead_letters, "a dead letter")
            path = os.path.join(daemon.state_dir, "deadletter")
            self.assertEqual(0, os.stat(path).st_mode & 0o027)
            self.assertEqual(0, os.stat(os.path.join(path, "influx.ndjson")).st_mode & 0o137)


if __name__ == "__main__":
    unittest.main()
