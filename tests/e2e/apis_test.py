#!/usr/bin/python3
"""The write interfaces of InfluxDB 1.x, 2.x and 3 and of VictoriaMetrics, and every answer that they give.

Real servers: influxd 1.6.7 (v1) and VictoriaMetrics 1.79.5, which has /write of 1.x and /api/v2/write of 2.x. An
InfluxDB 2 or 3 is not to be had on Debian 12: their endpoints are stood in for by a server of this file, which checks
requests and answers as InfluxDB's documentation and sources say. So what is shown for v2 and v3 is that virtmeter
keeps to that description, not that it was seen to work with those products; v2 was, with VictoriaMetrics.

Needs the packages influxdb, victoria-metrics and openssl. A missing one is a failure.
"""

import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from support import run_virtmeter, temp_folder
import databases_support
from databases_support import (Answer, DatabaseDaemon, Influxd, RecordingProxy, StandIn, count_points, export_all,
                               json_answer, make_certificate, plain_vms, point, write_node)
from databases import VictoriaMetrics

DB = "vmstats"
ORG = "ops team"
TOKEN = "Sahnebonbon=abc+/-token=="
VMS = 3
NODE = None


def setUpModule():
    global NODE, FOLDER
    FOLDER = unittest.enterModuleContext(temp_folder())
    NODE = write_node(os.path.join(FOLDER, "node.xml"), plain_vms(VMS))


def cycle_lines(number):
    return databases_support.lines_of_cycle(VMS, number)


# --- the stand-ins ---


class InfluxStandIn(StandIn):
    """What InfluxDB 2 and 3 have in common. `lines` are those it has taken.

    `troubles` are answers that it gives to writes first, each once; the last stays when `lasting` is set. Where
    a request is not what the documentation asks for, it says what is wrong in `mistakes`.
    """

    ping = Answer(204)

    def __init__(self, *troubles, lasting=False, certificate=None):
        super().__init__(self._respond, certificate)
        self.lines = []
        self.mistakes = []
        self._troubles = list(troubles)
        self._lasting = lasting

    def bodies(self):
        return [request.text() for request in self.writes()]

    def _respond(self, request):
        if request.method == "GET":
            return self.pong(request)
        self.mistakes += self.what_is_wrong_with(request)
        if self._troubles:
            trouble = self._troubles[0] if self._lasting else self._troubles.pop(0)
            return trouble(request) if callable(trouble) else trouble
        self.lines += request.lines()
        return Answer(204)

    def expect(self, request, path, parameters, authorization):
        """The differences between a write and what it must be."""
        found = (request.path, request.parameters, request.headers.get("authorization"),
                 request.headers.get("content-encoding"), request.headers.get("transfer-encoding"))
        encoding = "gzip" if len(request.text()) > 1024 else None
        wanted = (path, parameters, authorization, encoding, None)
        return [] if found == wanted else [(found, wanted)]


class Influx2(InfluxStandIn):
    def pong(self, _request):
        return Answer(204, {"X-Influxdb-Version": "v2.7.1", "X-Influxdb-Build": "OSS"})

    def what_is_wrong_with(self, request):
        return self.expect(request, "/api/v2/write", {"org": ORG, "bucket": DB, "precision": "ns"}, f"Token {TOKEN}")


class Influx3(InfluxStandIn):
    def pong(self, request):
        authorized = request.headers.get("authorization") == f"Bearer {TOKEN}"
        identity = {"cluster-uuid": "5b9f6a3e-0000-4000-8000-000000000000"}
        if not authorized:
            return Answer(401, identity)
        return json_answer(200, {"version": "3.0.1"}, x_influxdb_version="3.0.1", x_influxdb_build="Core")

    def what_is_wrong_with(self, request):
        return self.expect(request, "/api/v3/write_lp",
                           {"db": DB, "precision": "nanosecond", "accept_partial": "true"}, f"Bearer {TOKEN}")


def daemon_for(server, *arguments, **variables):
    return DatabaseDaemon(NODE, server.url, *arguments, **{"INFLUX_TOKEN": TOKEN, "INFLUX_ORG": ORG, **variables})


class ApiTestCase(unittest.TestCase):
    def assert_delivered_once(self, server, daemon, in_order=True):
        """The daemon has ended: the stand-in holds every line once, in order, and nothing is wrong with any request.

        Once there was trouble, new lines go before those that waited.
        """
        summary = daemon.summary()
        self.assertEqual((summary.collected, 0), (summary.delivered, summary.dropped))
        self.assertEqual(summary.collected, len(server.lines))
        times = [line.time for line in server.lines]
        if in_order:
            self.assertEqual(sorted(times), times)
        self.assertEqual(len(times), len(set(map(point, server.lines))))
        self.assertEqual([], server.mistakes)


# --- real servers ---


class RealServersTest(ApiTestCase):
    @classmethod
    def setUpClass(cls):
        cls.influx = cls.enterClassContext(Influxd())
        cls.influx.create_database(DB)
        cls.victoria = cls.enterClassContext(VictoriaMetrics())

    def assert_takes(self, database, path, *arguments, says=None):
        with RecordingProxy(database.port) as proxy, DatabaseDaemon(NODE, proxy.url, *arguments) as daemon:
            daemon.wait_cycle(2)
            daemon.stop()
            summary = daemon.summary()
            self.assertEqual((summary.collected, 0), (summary.delivered, summary.dropped))
            self.assertEqual({path}, {request.path for request in proxy.writes()})
            self.assertEqual([], proxy.refused)
            if says:
                self.assertEqual(1, len(daemon.log_lines(says)))
        return proxy.lines()

    def assert_victoria_holds(self, lines, **labels):
        """Each number of each line is a sample; VictoriaMetrics keeps 15 digits, and of a text nothing."""
        stored = {}
        for series in export_all(self.victoria):
            metric = series["metric"]
            for time_ms, value in zip(series["timestamps"], series["values"]):
                stored[metric["__name__"], metric.get("uuid"), metric.get("device"), metric.get("db"), time_ms] = value
        for line in lines:
            for name, value in line.fields.items():
                key = (f"{line.measurement}_{name}", line.tags.get("uuid"), line.tags.get("device"), labels.get("db"),
                       line.time // 1_000_000)
                self.assertIn(key, stored)
                if not isinstance(value, str):
                    self.assertAlmostEqual(value, stored[key], delta=abs(value) * 1e-9 + 1e-9)

    def test_v1_into_influxd(self):
        before = count_points(self.influx, DB)
        lines = self.assert_takes(self.influx, "/write", "--influx-api", "v1")
        self.assertEqual(before + len(lines), count_points(self.influx, DB))

    def test_auto_finds_out_what_influxd_is(self):
        self.assert_takes(self.influx, "/write", says="takes line protocol by API v1")

    def test_v1_into_victoriametrics(self):
        self.assert_victoria_holds(self.assert_takes(self.victoria, "/write", "--influx-api", "v1"), db=DB)

    def test_v2_into_victoriametrics(self):
        self.assert_victoria_holds(self.assert_takes(self.victoria, "/api/v2/write", "--influx-api", "v2",
                                                     "--influx-org", ORG))

    def test_auto_finds_out_what_victoriametrics_is(self):
        lines = self.assert_takes(self.victoria, "/write", says="takes line protocol by API victoria_metrics")
        self.assert_victoria_holds(lines, db=DB)

    def test_v3_is_told_that_victoriametrics_has_no_such_api(self):
        with DatabaseDaemon(NODE, self.victoria.url, "--influx-api", "v3") as daemon:
            warning, = daemon.wait_log("delivery fails")
            self.assertIn("has no such API (HTTP 400", warning)
            self.assertIn("influx_api", warning)


# --- stand-ins: good answers ---


class GoodAnswersTest(ApiTestCase):
    def assert_delivers(self, server, *arguments, says=None):
        with server, daemon_for(server, *arguments) as daemon:
            daemon.wait_cycle(3)
            daemon.stop()
            self.assert_delivered_once(server, daemon)
            if says:
                daemon.wait_log(says)
            return daemon.log()

    def test_v2(self):
        self.assert_delivers(Influx2(), "--influx-api", "v2")

    def test_v3(self):
        self.assert_delivers(Influx3(), "--influx-api", "v3")

    def test_auto_finds_out_v2(self):
        self.assert_delivers(Influx2(), says="takes line protocol by API v2")

    def test_auto_finds_out_v3_though_its_ping_wants_the_token(self):
        log = self.assert_delivers(Influx3(), says="takes line protocol by API v3")
        self.assertNotIn(TOKEN, log)

    def test_a_server_that_does_not_say_what_it_is_is_never_guessed(self):
        server = StandIn(lambda _request: json_answer(200, {"hello": "world"}))
        with server, daemon_for(server) as daemon:
            warning, = daemon.wait_log("delivery fails")
            self.assertIn("does not say which product it is", warning)
            self.assertIn("set influx_api to v1, v2 or v3", warning)
            self.assertEqual([], server.writes())

    def test_any_2xx_is_a_good_answer(self):
        # InfluxDB 1.x of old and some proxies say 200 where 204 is meant.
        with Influx2(json_answer(200, {}), lasting=True) as server, daemon_for(server) as daemon:
            daemon.wait_cycle(2)
            daemon.stop()
            summary = daemon.summary()
            self.assertEqual((summary.collected, 0), (summary.delivered, summary.dropped))
            self.assertEqual(summary.collected, sum(len(request.lines()) for request in server.writes()))


# --- stand-ins: trouble that passes ---


class PassingTroubleTest(ApiTestCase):
    """The same bytes come again until they are taken."""

    def assert_same_again(self, *troubles, kind=Influx2, at_least_seconds=0.0):
        with kind(*troubles) as server, daemon_for(server) as daemon:
            daemon.wait(lambda: server.lines, "lines after the trouble")
            daemon.stop()
            self.assert_delivered_once(server, daemon, in_order=False)
            tries = server.writes()[:len(troubles) + 1]
            self.assertEqual(1, len({request.body for request in tries}))
            self.assertGreaterEqual(tries[1].time - tries[0].time, at_least_seconds)
            return daemon.log_lines("delivery fails")

    def test_429_waits_as_long_as_the_server_asks(self):
        trouble = json_answer(429, {"code": "too many requests", "message": "write limit"}, Retry_After="2")
        warning, = self.assert_same_again(trouble, at_least_seconds=2)
        self.assertIn("wants fewer requests (HTTP 429: write limit)", warning)

    def test_503_with_a_date_to_come_back(self):
        later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 4))
        trouble = json_answer(503, {"code": "unavailable", "message": "starting"}, Retry_After=later)
        warning, = self.assert_same_again(trouble, at_least_seconds=1.5)
        self.assertIn("is not ready or overloaded (HTTP 503: starting)", warning)

    def test_500(self):
        warning, = self.assert_same_again(json_answer(500, {"code": "internal error", "message": "oops"}))
        self.assertIn("failed (HTTP 500: oops)", warning)

    def test_v3_503_as_text(self):
        self.assert_same_again(Answer(503, {"Content-Type": "text/plain"}, b"shutting down"), kind=Influx3)

    def test_an_empty_reply(self):
        # The first is no trouble yet: a kept connection may have been closed a moment before, so it is tried anew.
        warning, = self.assert_same_again(Answer(manner="drop"), Answer(manner="drop"))
        self.assertIn("connection closed without an answer", warning)

    def test_a_500_whose_body_never_ends(self):
        warning, = self.assert_same_again(Answer(500, {}, b"woe ", "endless"))
        self.assertLess(len(warning), 1000)

    def test_a_good_answer_whose_body_never_ends_is_a_good_answer(self):
        with Influx2(Answer(200, {}, b"x", "endless")) as server, daemon_for(server) as daemon:
            daemon.wait_cycle(3)
            daemon.stop()
            summary = daemon.summary()
            self.assertEqual((summary.collected, 0), (summary.delivered, summary.dropped))
            # The stand-in has not noted the lines of that one request.
            self.assertEqual(summary.collected - len(server.writes()[0].lines()), len(server.lines))

    def assert_ends_in_time(self, trouble):
        with Influx2(trouble, lasting=True) as server, daemon_for(server) as daemon:
            daemon.wait(server.writes, "a write", 20)
            daemon.wait_cycle(3)
            code, seconds = daemon.end(signal.SIGTERM)
            self.assertEqual(0, code)
            self.assertLess(seconds, 5)
            summary = daemon.summary()
            self.assertEqual((summary.collected, 0), (summary.delivered + summary.waiting, summary.dropped))

    def test_sigterm_while_no_answer_comes(self):
        self.assert_ends_in_time(Answer(manner="hang"))

    def test_sigterm_while_an_answer_trickles_without_an_end(self):
        self.assert_ends_in_time(Answer(200, {}, b"x", "drip"))


# --- stand-ins: lines that cannot be stored ---


def v3_partial(*bad):
    """Takes all lines but those with these numbers, counted from 1, as InfluxDB 3 does."""

    def answer(request):
        lines = request.text().splitlines()
        errors = [{"original_line": lines[number - 1][:20], "line_number": number,
                   "error_message": f"invalid column type for column 'c{number}'"} for number in bad]
        return json_answer(400, {"error": "partial write of line protocol occurred", "data": errors})

    return answer


class RejectedLinesTest(ApiTestCase):
    def test_v3_partial_write_costs_the_lines_it_names(self):
        with Influx3(v3_partial(2, 5)) as server, daemon_for(server) as daemon:
            daemon.wait_cycle(3)
            daemon.stop()
            summary = daemon.summary()
            self.assertEqual((2, 2, summary.collected - 2), (summary.rejected, summary.dropped, summary.delivered))
            warning, = daemon.log_lines("lines dropped")
            self.assertIn("lines dropped: 2, because", warning)
            self.assertIn("invalid column type for column 'c2'", warning)
            self.assertIn("one of them: " + server.writes()[0].text().splitlines()[1][:100], warning)
            # What was taken is not sent again.
            self.assertEqual(summary.collected - cycle_lines(1), len(server.lines))

    def test_a_line_that_v2_refuses_is_found_by_halves(self):
        # InfluxDB 2 stores nothing of a request with a line that it cannot parse.
        def is_poison(text):
            return text.startswith("vm_totals") and "name=vm1," in text

        def refuse(request):
            if any(is_poison(line) for line in request.text().splitlines()):
                return json_answer(400, {"code": "invalid", "message": "unable to parse 'vm_totals...': bad"})
            server.lines += request.lines()
            return Answer(204)

        with Influx2(refuse, lasting=True) as server, daemon_for(server) as daemon:
            daemon.wait_cycle(3)
            daemon.stop()
            summary = daemon.summary()
            self.assertEqual(summary.cycles, summary.rejected)
            self.assertEqual(summary.collected - summary.cycles, summary.delivered)
            self.assertEqual(summary.delivered, len(server.lines))
            self.assertEqual(summary.delivered, len(set(map(point, server.lines))))
            warning, = daemon.log_lines("lines dropped")
            self.assertIn("one of them: vm_totals,VMID=2,name=vm1,", warning)

    def test_413_is_sent_in_pieces(self):
        def refuse(request):
            if len(request.lines()) > 4:
                return json_answer(413, {"code": "request too large", "message": "too large"})
            server.lines += request.lines()
            return Answer(204)

        with Influx2(refuse, lasting=True) as server, daemon_for(server) as daemon:
            daemon.wait_cycle(3)
            daemon.stop()
            self.assert_delivered_once(server, daemon)

    def test_lines_that_kill_a_server_are_found_and_left_out(self):
        # influxd 1.6.7 dies of 13 bytes. Whoever sends such a line again for ever keeps it dying.
        def die(request):
            if "vm_devices,VMID=3,device=vda," in request.text():
                return Answer(manner="drop")
            server.lines += request.lines()
            return Answer(204)

        with Influx2(die, lasting=True) as server, daemon_for(server, "--poll-interval", "60s") as daemon:
            daemon.wait_log("lines dropped: 1, because .*connection", 90)
            # A line that was taken before may come again, to see whether the server lives: it is the same point.
            daemon.wait(lambda: len(set(map(point, server.lines))) == cycle_lines(1) - 1, "the other lines", 20)
            daemon.stop()
            self.assertEqual(1, daemon.summary().rejected)


# --- stand-ins: what a person has to mend ---


class RefusalTest(ApiTestCase):
    """Said once, with the fix; the daemon keeps running, keeps its lines, and does not hammer the server."""

    def assert_says(self, kind, refusal, cause, fix, *arguments):
        with kind(refusal, lasting=True) as server, daemon_for(server, *arguments) as daemon:
            warning, = daemon.wait_log("delivery fails, lines wait")
            daemon.wait_cycle(4)
            self.assertEqual(1, len(server.writes()))
            self.assertEqual(1, len(daemon.log_lines("delivery fails")))
            self.assertIn(cause, warning)
            self.assertRegex(warning, "; fix: .*" + fix)
            self.assertNotIn(TOKEN, daemon.log())
            self.assertLess(daemon.stop(), 3)
            summary = daemon.summary()
            self.assertEqual((summary.collected, 0), (summary.waiting, summary.delivered))

    def test_v2_401(self):
        self.assert_says(Influx2, json_answer(401, {"code": "unauthorized", "message": "unauthorized access"}),
                         "refused the credential (HTTP 401: unauthorized access)", "set influx_token")

    def test_v3_401(self):
        self.assert_says(Influx3, Answer(401), "refused the credential (HTTP 401)", "set influx_token")

    def test_403(self):
        self.assert_says(Influx2, json_answer(403, {"code": "forbidden", "message": "insufficient permissions"}),
                         f'does not let this credential write "{DB}"', "set influx_token")

    def test_a_server_that_repeats_the_token_does_not_bring_it_into_the_log(self):
        self.assert_says(Influx2, json_answer(401, {"code": "unauthorized", "message": f"bad token {TOKEN}"}),
                         "bad token ***", "set influx_token")

    def test_v2_404_bucket(self):
        self.assert_says(Influx2, json_answer(404, {"code": "not found", "message": f'bucket "{DB}" not found'}),
                         f'has no bucket "{DB}"', f"influx bucket create -n .*{DB}")

    def test_v2_404_organization(self):
        message = f'organization name "{ORG}" not found'
        self.assert_says(Influx2, json_answer(404, {"code": "not found", "message": message}),
                         f'has no organization "{ORG}"', "set influx_org")

    def test_v3_404(self):
        self.assert_says(Influx3, Answer(404, {}, b"not found"), "has no such API (HTTP 404", "influx_api",
                         "--influx-api", "v3")

    def test_a_redirect_is_not_followed(self):
        self.assert_says(Influx2, Answer(307, {"Location": "https://influx.example/api/v2/write"}),
                         "redirects to another address (HTTP 307, to https://influx.example/", "influx_url")


# --- TLS ---


class TlsTest(ApiTestCase):
    """Certificates of the test's own, from openssl."""

    @classmethod
    def setUpClass(cls):
        cls.certificate = make_certificate(FOLDER, "IP:127.0.0.1")
        cls.other_host = make_certificate(FOLDER, "DNS:influx.example")

    def check(self, url, *arguments):
        """`virtmeter check`: (exit code, what it says of the database)."""
        done = run_virtmeter(*arguments, "check", LIBVIRT_URI=NODE, INFLUX_URL=url, INFLUX_TOKEN=TOKEN, INFLUX_ORG=ORG)
        found = done.stdout.partition("  influx ")[2]
        self.assertTrue(found, done)
        return done.returncode, found

    def assert_refused(self, server, cause, fix, *arguments):
        with server:
            self.assert_words(server.url, cause, fix, *arguments)
            self.assertEqual([], server.requests)

    def assert_words(self, url, cause, fix, *arguments):
        code, words = self.check(url, *arguments)
        self.assertEqual(77, code, words)
        self.assertIn(cause, words)
        self.assertIn(fix, words)

    def test_a_certificate_of_an_unknown_issuer_is_refused(self):
        self.assert_refused(Influx2(certificate=self.certificate), "TLS: certificate of an unknown issuer",
                            "influx_ca_file")

    def test_the_daemon_refuses_it_as_well_and_keeps_running(self):
        with Influx2(certificate=self.certificate) as server, daemon_for(server) as daemon:
            warning, = daemon.wait_log("delivery fails")
            self.assertIn("TLS: certificate of an unknown issuer", warning)
            self.assertIn("influx_ca_file", warning)
            daemon.wait_cycle(3)
            self.assertEqual([], server.requests)

    def test_with_its_issuer_in_influx_ca_file_lines_flow(self):
        with Influx2(certificate=self.certificate) as server, \
                daemon_for(server, "--influx-ca-file", self.certificate) as daemon:
            daemon.wait_cycle(3)
            daemon.stop()
            self.assert_delivered_once(server, daemon)
            self.assertEqual(1, server.connections)
        with Influx2(certificate=self.certificate) as server:
            code, words = self.check(server.url, "--influx-ca-file", self.certificate)
            self.assertEqual(0, code, words)

    def test_a_certificate_for_another_host_is_refused(self):
        self.assert_refused(Influx2(certificate=self.other_host), "TLS: certificate is for another host name",
                            "write in the URL the host name", "--influx-ca-file", self.other_host)

    def test_a_missing_ca_file_is_told(self):
        self.assert_refused(Influx2(certificate=self.certificate), "/dev/null/ca.pem cannot be used", "influx_ca_file",
                            "--influx-ca-file", "/dev/null/ca.pem")

    def test_https_to_a_server_without_tls_is_told(self):
        with Influx2() as server:
            self.assert_words(server.url.replace("http:", "https:"), "the server does not speak TLS", "write http://")


if __name__ == "__main__":
    unittest.main()
