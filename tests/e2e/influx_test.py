#!/usr/bin/python3
"""virtmeter run into a real influxd 1.6.7: everything arrives, once, and what cannot is counted.

The nine queries of the contract, section 5, run against three real guests of the lab. VM names are those of the
contract; device names are the lab's: where the contract asks for the NIC eth0, the first tap of web-server is asked
for. NAME is a keyword of InfluxQL 1.x, which wants it in quotes: the contract's `name` is asked for as `"name"`, and a
test shows that influxd takes it in no other way.

The other tests need lines, not guests: they collect from libvirt's test driver.

Needs root and the packages of `tests/lab/lab need`. A missing part is a failure.
"""

import base64
import collections
import contextlib
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from support import (DISK_FIELDS, FEATURES_FIELDS, LATENCY_FIELDS, METRICS_FIELDS, NIC_FIELDS, STATS_FIELDS,
                     TOTALS_FIELDS, temp_folder)
import databases_support
from databases_support import (MEASUREMENTS, DatabaseDaemon, Influxd, RecordingProxy, count_points, plain_vms, point,
                               stored_points, wait_until_stored, write_node)
from lab import LINUX, GuestSpec, Lab, LabError

DB = "vmstats"
NAME = '"name"'
USER = "collector"
PASSWORD = "pass:word-Zuckerwatte-77"
WRONG = "not:the-password-Lakritze-13"
# Seconds that virtmeter waits after a refusal before it tries again.
REFUSED_WAIT = 60
VMS = 20

FOLDER = None  # A private folder; NODE is a hypervisor with VMS virtual machines, of one NIC and one disk each.
NODE = None
WAITING = None  # The daemons of RefusalTest, started first and asked last: most of their time they wait.


def setUpModule():
    global FOLDER, NODE, WAITING
    FOLDER = unittest.enterModuleContext(temp_folder())
    NODE = write_node(os.path.join(FOLDER, "node.xml"), plain_vms(VMS))
    WAITING = unittest.enterModuleContext(RefusedDaemons())


def lines_of_cycle(number):
    """How many lines the node's cycle of that number has: one more for each VM once there are rates."""
    return databases_support.lines_of_cycle(VMS, number)


def line_count(cycles):
    return sum(lines_of_cycle(number) for number in range(1, cycles + 1))


class InfluxTestCase(unittest.TestCase):
    """One influxd for all tests of a class, and a database of its own for each."""

    @classmethod
    def setUpClass(cls):
        cls.influx = cls.enterClassContext(Influxd())

    def setUp(self):
        self.db = self.id().rpartition(".")[2]
        self.influx.create_database(self.db)

    def daemon(self, *arguments, url=None, **variables):
        return DatabaseDaemon(NODE, url or self.influx.url, "--influx-db", self.db, *arguments, **variables)

    def assert_all_delivered(self, daemon, db=None):
        """The daemon has ended: nothing was lost, and the database holds exactly what was collected."""
        summary = daemon.summary()
        self.assertEqual(line_count(summary.cycles), summary.collected)
        self.assertEqual((summary.collected, 0), (summary.delivered, summary.dropped))
        self.assertEqual(summary.collected, count_points(self.influx, db or self.db))


# --- real guests ---


class Query:
    """One query of the contract, and what the lines say its answer must be."""

    def __init__(self, text, kind, fields, limit=None, descending=False, **tags):
        self.text, self.kind, self.fields, self.limit, self.descending, self.tags = (
            text, kind, fields.split(), limit, descending, tags)

    def expected(self, lines):
        rows = [(line.time, *[line.fields[name] for name in self.fields]) for line in lines
                if line.kind() == self.kind and self.tags.items() <= line.tags.items()]
        return sorted(rows, reverse=self.descending)[:self.limit]

    def rows(self, influx):
        rows = [(row["time"], *[row[name] for name in self.fields]) for row in influx.query(self.text, db=DB)]
        # Points of one time, of several VMs, come in any order.
        return rows if self.limit else sorted(rows, reverse=self.descending)


def contract_queries(nic):
    """Section 5 but for its eighth, which is about means."""
    of_nic = f"SELECT rxbytes, txbytes FROM vm_devices WHERE devtype='nic' AND device='{nic}'"
    web, db, critical = ({"name": name} for name in ("web-server", "db-server", "critical-vm"))
    return [
        Query(f"{of_nic} ORDER BY time DESC LIMIT 10", "nic", "rxbytes txbytes", 10, True, device=nic),
        Query(f"{of_nic} AND time > now() - 1h ORDER BY time DESC", "nic", "rxbytes txbytes", None, True, device=nic),
        Query(f"SELECT net_rxbytes, net_txbytes, disk_rd_bytes, disk_wr_bytes FROM vm_totals WHERE {NAME}='web-server' "
              "ORDER BY time DESC LIMIT 10", "vm_totals", "net_rxbytes net_txbytes disk_rd_bytes disk_wr_bytes", 10,
              True, **web),
        Query("SELECT rd_bytes, wr_bytes, rd_req, wr_reqs FROM vm_devices WHERE devtype='disk' AND device='vda'",
              "disk", "rd_bytes wr_bytes rd_req wr_reqs", device="vda"),
        Query(f"SELECT memswap_in, memswap_out FROM vm_totals WHERE {NAME}='critical-vm'", "vm_totals",
              "memswap_in memswap_out", **critical),
        Query(f"SELECT timeusr, timesys FROM vm_totals WHERE {NAME}='web-server'", "vm_totals", "timeusr timesys",
              **web),
        Query(f"SELECT net_rxdrops, net_txdrops, net_rxerrors, net_txerrors FROM vm_totals WHERE {NAME}='db-server'",
              "vm_totals", "net_rxdrops net_txdrops net_rxerrors net_txerrors", **db),
        Query("SELECT memory_used_kb FROM vm_metrics WHERE VMID = '1' AND time > now() - 12h ORDER BY time DESC",
              "vm_metrics", "memory_used_kb", None, True, VMID="1"),
    ]


def influx_types(*kinds):
    names = {int: "integer", float: "float", str: "string"}
    return {field: names[kind] for fields in kinds for field, kind in fields.items()}


class GuestsTest(unittest.TestCase):
    """Two Linux guests at work and an idle one, a few seconds of collection; then the database is asked."""

    @classmethod
    def setUpClass(cls):
        lab = cls.enterClassContext(Lab())
        specs = [GuestSpec(name, LINUX, vcpus=vcpus, nics=2, disks=2)
                 for name, vcpus in (("web-server", 2), ("db-server", 1))]
        guests = [lab.start_guest(spec) for spec in specs + [GuestSpec("critical-vm", nics=1, disks=1)]]
        cls.nic = guests[0].nics[0]
        for guest in guests[:2]:
            lab.wait_linux_ready(guest.name, seconds=90)
        cls.influx = cls.enterClassContext(Influxd())
        cls.influx.create_database(DB)
        with RecordingProxy(cls.influx.port) as proxy:
            with DatabaseDaemon(lab.uri_ro, proxy.url, "--poll-interval", "1s") as daemon:
                daemon.wait_cycle(11)
                daemon.stop()
                cls.summary = daemon.summary()
        cls.proxy = proxy
        cls.lines = proxy.lines()

    def test_the_queries_of_the_contract_return_what_the_lines_say(self):
        for query in contract_queries(self.nic):
            with self.subTest(query.text):
                expected = query.expected(self.lines)
                self.assertTrue(expected)
                self.assertEqual(expected, query.rows(self.influx))

    def test_influxd_wants_the_tag_name_in_quotes(self):
        # Why the queries above differ from the contract's. If this fails, the quotes can go.
        with self.assertRaisesRegex(LabError, "found NAME, expected identifier"):
            self.influx.query("SELECT timeusr, timesys FROM vm_totals WHERE name='web-server'", db=DB)

    def test_the_mean_of_the_contract_is_one_for_each_name(self):
        query = f"SELECT MEAN(cpu_count) FROM vm_metrics WHERE time > now() - 7d GROUP BY {NAME}"
        means = {row["name"]: row["mean"] for row in self.influx.query(query, db=DB)}
        self.assertEqual({"web-server": 2, "db-server": 1, "critical-vm": 1}, means)

    def test_the_working_guests_counters_move(self):
        moved = "LAST(net_txbytes) - FIRST(net_txbytes) AS sent, LAST(disk_wr_bytes) - FIRST(disk_wr_bytes) AS written"
        for name in ("web-server", "db-server"):
            row, = self.influx.query(f"SELECT {moved} FROM vm_totals WHERE {NAME}='{name}'", db=DB)
            self.assertGreater(row["sent"], 0, name)
            self.assertGreater(row["written"], 0, name)

    def test_the_database_holds_the_lines_and_nothing_else(self):
        self.assertEqual(collections.Counter(map(point, self.lines)), stored_points(self.influx, DB))
        self.assertEqual(sorted(MEASUREMENTS), sorted(row["name"] for row in
                                                      self.influx.query("SHOW MEASUREMENTS", db=DB)))

    def test_fields_have_the_types_of_the_contract(self):
        expected = {"vm_metrics": influx_types(METRICS_FIELDS), "vm_features": influx_types(FEATURES_FIELDS),
                    "vm_devices": influx_types(NIC_FIELDS, DISK_FIELDS), "vm_totals": influx_types(TOTALS_FIELDS),
                    "collector_latency": influx_types(LATENCY_FIELDS), "collector_stats": influx_types(STATS_FIELDS)}
        stored = collections.defaultdict(dict)
        for row in self.influx.query("SHOW FIELD KEYS", db=DB):
            stored[row["_measurement"]][row["fieldKey"]] = row["fieldType"]
        self.assertEqual(expected, stored)

    def test_the_last_words_count_what_the_database_holds(self):
        self.assertEqual(self.summary.collected, self.summary.delivered)
        self.assertEqual(0, self.summary.dropped)
        # 2 guests with 2 NICs and 2 disks, 1 with one of each; trends from the second cycle on; the collector's line.
        cycles = self.summary.cycles
        expected = {"vm_metrics": 3 * cycles, "vm_features": 3 * (cycles - 1), "vm_devices": 10 * cycles,
                    "vm_totals": 3 * cycles, "collector_latency": cycles, "collector_stats": cycles}
        stored = collections.Counter(measurement for measurement, *_rest in stored_points(self.influx, DB).elements())
        self.assertEqual(expected, dict(stored))
        self.assertEqual(self.summary.delivered, sum(stored.values()))

    def test_each_cycle_has_one_time_in_whole_milliseconds(self):
        times = {line.time for line in self.lines}
        self.assertEqual(self.summary.cycles, len(times))
        self.assertEqual([], [time for time in times if time % 1_000_000])


# --- requests ---


class RequestTest(InfluxTestCase):
    """How lines travel: in batches, compressed, over one connection."""

    def record(self, cycles, *arguments):
        """Collects so many cycles through a proxy; (proxy, daemon), both at their end."""
        with RecordingProxy(self.influx.port) as proxy, self.daemon(*arguments, url=proxy.url) as daemon:
            daemon.wait_cycle(cycles)
            daemon.stop()
            self.assert_all_delivered(daemon)
        return proxy

    def test_small_batches_deliver_everything(self):
        proxy = self.record(3, "--batch-max-lines", "7")
        sizes = [len(request.lines()) for request in proxy.accepted]
        self.assertEqual(7, max(sizes))
        self.assertGreater(len(sizes), 30)
        self.assertEqual([], proxy.refused)

    def test_a_cycle_is_one_compressed_request_on_one_connection(self):
        proxy = self.record(4)
        self.assertEqual([lines_of_cycle(number + 1) for number in range(len(proxy.accepted))],
                         [len(request.lines()) for request in proxy.accepted])
        for request in proxy.accepted:
            self.assertEqual("gzip", request.headers.get("content-encoding"))
            self.assertLess(len(request.body) * 4, len(request.text().encode()))
            self.assertEqual(("/write", {"db": self.db, "precision": "ns"}), (request.path, request.parameters))
        self.assertEqual(1, proxy.connections)

    def test_lines_wait_for_a_batch_no_longer_than_batch_max_sec(self):
        # No batch is ever full; two cycles a second wait together for 2 s.
        with RecordingProxy(self.influx.port) as proxy, \
                self.daemon("--batch-max-sec", "2s", url=proxy.url) as daemon:
            daemon.wait(lambda: proxy.accepted, "the first batch", 10)
            first = len({line.time for line in proxy.accepted[0].lines()})
            daemon.stop()
            self.assert_all_delivered(daemon)
        self.assertIn(first, (4, 5))


# --- credentials ---


class CredentialTest(unittest.TestCase):
    """influxd with a user: the token `user:password` from each place it may come from, and a wrong one."""

    @classmethod
    def setUpClass(cls):
        cls.influx = cls.enterClassContext(Influxd(user=USER, password=PASSWORD))
        cls.influx.create_database(DB)
        cls.folder = cls.enterClassContext(temp_folder())

    def secret_file(self, name):
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(f"{USER}:{PASSWORD}\n")
        return path

    def assert_delivers(self, *arguments, **variables):
        before = count_points(self.influx, DB)
        with DatabaseDaemon("test:///default", self.influx.url, *arguments, **variables) as daemon:
            wait_until_stored(daemon, self.influx, DB, before + 5)
            daemon.stop()
            self.assertEqual(0, daemon.summary().dropped)
            assert_keeps_secret(self, daemon, f"{USER}:{PASSWORD}")

    def test_a_token_in_the_environment_opens(self):
        self.assert_delivers(INFLUX_TOKEN=f"{USER}:{PASSWORD}")

    def test_a_token_in_a_file_opens(self):
        self.assert_delivers("--influx-token-file", self.secret_file("token"))

    def test_a_systemd_credential_opens(self):
        self.secret_file("influx-token")
        self.assert_delivers(CREDENTIALS_DIRECTORY=self.folder)

    def test_no_token_is_told_to_set_one(self):
        with DatabaseDaemon("test:///default", self.influx.url) as daemon:
            warning, = daemon.wait_log("delivery fails")
            self.assertIn("HTTP 401", warning)
            self.assertIn("set influx_token", warning)


def assert_keeps_secret(test, daemon, token):
    """Neither the log nor a file of the daemon holds the token or a form in which it travels."""
    texts = [daemon.log().encode()]
    for folder, _folders, names in os.walk(daemon.state_dir):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                texts.append(file.read())
    for secret in (token, token.partition(":")[2], base64.b64encode(token.encode()).decode()):
        for text in texts:
            test.assertNotIn(secret.encode(), text)


# --- refusals ---


class RefusedDaemons:
    """A daemon without its database and one with a wrong password, from the start of this program to its end."""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.influx = stack.enter_context(Influxd(user=USER, password=PASSWORD))
            self.influx.create_database("another")
            self.proxy = stack.enter_context(RecordingProxy(self.influx.port))
            token = os.path.join(FOLDER, "wrong-token")
            with open(token, "w", encoding="utf-8") as file:
                file.write(f"{USER}:{WRONG}")
            self.homeless = stack.enter_context(DatabaseDaemon(
                NODE, self.influx.url, "--poll-interval", "2s", INFLUX_TOKEN=f"{USER}:{PASSWORD}"))
            self.stranger = stack.enter_context(DatabaseDaemon(
                NODE, self.proxy.url, "--poll-interval", "2s", "--influx-token-file", token, "--influx-db", "another"))
            # Made at once after the refusal, so that the second try, a long wait later, finds it.
            self.warning, = self.homeless.wait_log("delivery fails, lines wait")
            self.influx.create_database(DB)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exception):
        self._stack.close()


class RefusalTest(unittest.TestCase):
    """What a person has to mend. The wait for it began with this program; see WAITING."""

    def test_lines_wait_for_a_database_that_is_made_later(self):
        daemon = WAITING.homeless
        self.assertIn(f'has no database "{DB}" (HTTP 404', WAITING.warning)
        self.assertIn(f'CREATE DATABASE "{DB}"', WAITING.warning)
        collected = line_count(daemon.cycle_count())
        wait_until_stored(daemon, WAITING.influx, DB, collected, REFUSED_WAIT + 20)
        daemon.wait_log("works again after")
        daemon.stop()
        summary = daemon.summary()
        self.assertEqual(line_count(summary.cycles), summary.collected)
        self.assertEqual((summary.collected, 0), (summary.delivered, summary.dropped))
        self.assertEqual(summary.collected, count_points(WAITING.influx, DB))
        self.assertEqual(1, len(daemon.log_lines("warning delivery")), daemon.log())

    def test_a_wrong_token_is_told_once_and_never_shown(self):
        daemon = WAITING.stranger
        daemon.wait(lambda: len(WAITING.proxy.refused) >= 2, "the second refusal", REFUSED_WAIT + 20)
        warning, = daemon.log_lines("delivery fails, lines wait")
        self.assertIn("refused the credential (HTTP 401", warning)
        self.assertIn("set influx_token", warning)
        self.assertTrue(daemon.is_running())
        self.assertLess(daemon.stop(), 5)
        summary = daemon.summary()
        self.assertEqual((line_count(summary.cycles), 0, summary.collected),
                         (summary.collected, summary.delivered, summary.waiting))
        assert_keeps_secret(self, daemon, f"{USER}:{WRONG}")
        self.assertEqual(0, count_points(WAITING.influx, "another"))


# --- outages ---


class OutageTest(unittest.TestCase):
    """An influxd that goes and comes back."""

    def setUp(self):
        self.influx = self.enterContext(Influxd())
        self.influx.create_database(DB)

    def daemon(self, *arguments):
        return DatabaseDaemon(NODE, self.influx.url, *arguments)

    def assert_survives(self, end):
        """All lines arrive though the server ends, by `end`, and comes back some cycles later; the log says it once."""
        with self.daemon() as daemon:
            wait_until_stored(daemon, self.influx, DB, line_count(2))
            end()
            # Refused, or lost in the middle of a request.
            daemon.wait_log(f"delivery fails, lines wait: {self.influx.url}: connection .*; fix: ")
            daemon.wait_cycle(daemon.cycle_count() + 5)
            self.influx.start()
            collected = line_count(daemon.cycle_count())
            wait_until_stored(daemon, self.influx, DB, collected)
            daemon.wait_log("works again after")
            daemon.stop()
            self.assert_complete(daemon)
            self.assertEqual(1, len(daemon.log_lines("delivery fails")), daemon.log())

    def assert_complete(self, daemon):
        summary = daemon.summary()
        self.assertEqual(line_count(summary.cycles), summary.collected)
        self.assertEqual((summary.collected, 0), (summary.delivered, summary.dropped))
        self.assertEqual(summary.collected, count_points(self.influx, DB))

    def test_lines_of_a_restart_arrive(self):
        self.assert_survives(self.influx.stop)

    def test_lines_of_a_crash_arrive(self):
        self.assert_survives(self.influx.kill)

    def test_a_server_that_is_down_at_the_start_gets_everything_later(self):
        self.influx.stop()
        with self.daemon() as daemon:
            daemon.wait_log("delivery fails")
            daemon.wait_cycle(4)
            self.influx.start()
            wait_until_stored(daemon, self.influx, DB, line_count(4))
            daemon.stop()
            self.assert_complete(daemon)

    def test_a_small_queue_loses_nothing(self):
        # Lines that do not fit into memory are on disk.
        with self.daemon("--max-queue", "150", "--batch-max-lines", "50") as daemon:
            wait_until_stored(daemon, self.influx, DB, line_count(2))
            self.influx.stop()
            daemon.wait_log("delivery fails")
            daemon.wait_cycle(daemon.cycle_count() + 6)
            self.influx.start()
            daemon.wait_log("works again after", 60)
            wait_until_stored(daemon, self.influx, DB, line_count(daemon.cycle_count()))
            daemon.stop()
            self.assert_complete(daemon)

    def test_sigterm_while_the_server_is_down_ends_at_once(self):
        self.influx.stop()
        with self.daemon() as daemon:
            daemon.wait_log("delivery fails")
            daemon.wait_cycle(3)
            code, seconds = daemon.end(signal.SIGTERM)
            self.assertEqual(0, code)
            self.assertLess(seconds, 2.5)
            self.assert_left_in_the_spool(daemon)

    def test_sigterm_while_the_server_hangs_ends_in_time(self):
        with self.daemon() as daemon:
            wait_until_stored(daemon, self.influx, DB, line_count(1))
            os.kill(self.influx.pid, signal.SIGSTOP)
            self.addCleanup(self.influx.close)
            daemon.wait_cycle(daemon.cycle_count() + 3)
            code, seconds = daemon.end(signal.SIGTERM)
            self.assertEqual(0, code)
            self.assertLess(seconds, 5)
            self.assert_left_in_the_spool(daemon)
            # What was under way may have arrived all the same; nothing that was called delivered is missing.
            os.kill(self.influx.pid, signal.SIGCONT)
            self.assertGreaterEqual(count_points(self.influx, DB), daemon.summary().delivered)

    def assert_left_in_the_spool(self, daemon):
        summary = daemon.summary()
        self.assertEqual(line_count(summary.cycles), summary.collected)
        self.assertGreater(summary.waiting, 0)
        self.assertEqual(0, summary.dropped)
        left, = daemon.log_lines("virtmeter ends: ")
        self.assertIn(f"{summary.waiting} lines for {self.influx.url}", left)


if __name__ == "__main__":
    unittest.main()
