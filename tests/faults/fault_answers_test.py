#!/usr/bin/python3
"""Everything a database can answer to a write, and every way in which it can fail to: what is good arrives, what is bad
is set aside, and both are counted.

A proxy stands before a real influxd. For a fault it answers in influxd's stead, with the words that real servers were
seen to say; what it lets pass is stored for real. InfluxDB 2 and 3 are not to be had: their answers are those of their
documentation.
"""

import json
import os
import signal
import sys
import time
import unittest

import faults_support as faults
from faults_support import DB, Host, Influxd, tally
from databases_support import Answer, RecordingProxy, json_answer

VMS = 40


class Script(RecordingProxy):
    """Answers the next writes by `plan`, a list of (answer, whether influxd gets the lines all the same)."""

    def __init__(self, port):
        super().__init__(port)
        self.plan = []
        self.played = 0

    def play(self, answer, times=1, stored=False):
        self.plan += [(answer, stored)] * times

    def answer(self, request):
        if request.method != "POST" or not request.body or not self.plan:
            return super().answer(request)
        answer, stored = self.plan.pop(0)
        if stored:
            super().answer(request)
        self.played += 1
        return answer


class AnswersCase(unittest.TestCase):
    def setUp(self):
        self.influx = self.enterContext(Influxd())
        self.influx.create_database(DB)
        self.proxy = self.enterContext(Script(self.influx.port))

    def host(self, vms=VMS, *arguments):
        host = self.enterContext(Host(faults.node(self, vms), self.proxy.url, *arguments))
        host.start()
        host.wait_cycles(2)
        return host

    def played(self, host, seconds=60):
        host.wait(lambda: not self.proxy.plan, "the answers to be given", seconds)

    def finish(self, fault, host, allowed=(), already=0):
        """`already`: points that the test itself has put there."""
        faults.wait_until_even(host, seconds=90)
        host.stop()
        return tally(self, fault, host, faults.count_points(self.influx, DB) - already, allowed)


class PassingFaults(AnswersCase):
    """Nothing is wrong with the lines: all of them arrive in the end."""

    def test_busy_and_broken_servers(self):
        """One after the other; each is met by a wait and the same bytes again."""
        host = self.host()
        for answer in (Answer(429, {"Retry-After": "1"}), Answer(503, body=b"request throttled, queue full"),
                       json_answer(500, {"error": "timeout"}), Answer(manner="drop"),
                       Answer(502, body=b"<html>bad gateway</html>")):
            self.proxy.play(answer)
            self.played(host)
        self.finish("429 with Retry-After, 503, 500, empty reply, 502", host)

    def test_answers_that_do_not_end(self):
        host = self.host()
        for manner in ("endless", "drip"):
            self.proxy.play(Answer(200, manner=manner), stored=True)
            self.played(host)
            # Past the batch that was answered so: until then it counts as not delivered.
            taken = faults.sink_of(host.status())["collected"]
            host.wait(lambda: faults.sink_of(host.status())["delivered"] >= taken, "the answer to be given up", 90)
        self.finish("an endless body, a body byte by byte", host)

    def test_garbage_with_a_good_status(self):
        host = self.host()
        self.proxy.play(Answer(200, body=b"\x00\xff<<<{]" * 100), times=3, stored=True)
        self.played(host)
        self.finish("200 with garbage", host)

    def test_too_large(self):
        """413 until the batch is small enough."""
        class Narrow(Script):
            def answer(self, request):
                if request.method == "POST" and request.body and request.text().count("\n") > 300:
                    self.played += 1
                    return json_answer(413, {"error": "Request Entity Too Large"})
                return super().answer(request)

        self.proxy = self.enterContext(Narrow(self.influx.port))
        host = self.host(400)
        host.wait_cycles(2)
        self.finish("413", host)
        self.assertGreater(self.proxy.played, 3)

    def test_a_conflict_on_a_new_shard(self):
        """influxd 1.x then rejects the whole batch, and takes the same bytes when they come again."""
        host = self.host()
        self.proxy.play(json_answer(400, {"error": "field type conflict"}))
        self.played(host)
        self.finish("field type conflict on a new shard", host)


class FaultsThatAskForSomebody(AnswersCase):
    """Nothing gets through until somebody acts: it says what to do, keeps everything, and goes on after a reload."""

    def check_stops_and_says(self, answer, words):
        host = self.host()
        self.proxy.play(answer, times=1000)
        host.wait_log(words)
        code, said = host.ready()
        self.assertEqual(503, code)
        self.assertIn("fix", json.dumps(said))
        host.wait_cycles(3)
        self.proxy.plan.clear()
        host.signal(signal.SIGHUP)
        self.finish(f"{answer.status} {words}", host)

    def test_401(self):
        self.check_stops_and_says(json_answer(401, {"error": "authorization failed"}), "credential")

    def test_404_database(self):
        self.check_stops_and_says(json_answer(404, {"error": f'database not found: "{DB}"'}), "CREATE DATABASE")

    def test_500_of_a_missing_policy(self):
        self.check_stops_and_says(json_answer(500, {"error": "retention policy not found: d7"}), "retention policy")


class BadLines(AnswersCase):
    """One line of a batch is bad: it alone is set aside, with the server's words."""

    def dead_letters(self, host):
        folder = os.path.join(host.state_dir, "deadletter")
        letters = []
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                letters += [json.loads(line) for line in file]
        return letters

    def test_one_bad_line_in_two_thousand(self):
        """collector_latency meets a field of another type that somebody else has written: one line of each cycle."""
        # The conflict holds within a shard, so the text must lie in the shard of the lines to come.
        self.influx.write(DB, f"collector_latency loop_latency_ms=\"slow\" {time.time_ns() - 10**9}")
        host = self.host(400)
        host.wait_cycles(3)
        sink = self.finish("one bad line in 2,000", host, allowed=("rejected",), already=1)
        letters = self.dead_letters(host)
        self.assertEqual(sink["dropped_by_reason"]["rejected"], len(letters))
        for letter in letters:
            self.assertTrue(letter["line"].startswith("collector_latency "), letter)
            self.assertIn("field type conflict", letter["words"])
        # One for each batch that had a chance to be sent; none of the VMs' lines is among them.
        self.assertGreaterEqual(len(letters), 3)

    def test_400_whole(self):
        """A server that takes no part of a batch with a bad line, as InfluxDB 2 does: found by halving."""
        marker = f"name=vm7,"

        class Strict(Script):
            def answer(self, request):
                if request.method == "POST" and request.body:
                    bad = [line for line in request.text().split("\n")
                           if line.startswith("vm_totals,") and marker in line]
                    if bad:
                        self.played += 1
                        return json_answer(400, {"code": "invalid", "message": f"unable to parse '{bad[0]}': bad"})
                return super().answer(request)

        self.proxy = self.enterContext(Strict(self.influx.port))
        host = self.host(100)
        host.wait_cycles(2)
        sink = self.finish("400 whole", host, allowed=("rejected",))
        letters = self.dead_letters(host)
        self.assertEqual(sink["dropped_by_reason"]["rejected"], len(letters))
        self.assertTrue(all(marker in letter["line"] for letter in letters))


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
