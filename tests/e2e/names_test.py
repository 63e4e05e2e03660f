#!/usr/bin/python3
"""Hostile names of VMs and devices through the whole program into real databases: each VM and device is one series,
found by its uuid, under the name that the portable policy of line protocol makes of the true one, and nothing else
exists there.

Several hundred VMs of libvirt's test driver, with names from a seed (E2E_SEED; it is printed when a test fails).
Names that libvirt itself refuses, such as one with a '/', take no part; a test sees to it that few are refused.

Needs the packages influxdb and victoria-metrics. A missing one is a failure.
"""

import collections
import os
import random
import subprocess
import sys
import unittest
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from support import (DISK_FIELDS, FEATURES_FIELDS, LATENCY_FIELDS, METRICS_FIELDS, NIC_FIELDS, STATS_FIELDS,
                     TOTALS_FIELDS, temp_folder)
from databases_support import (MEASUREMENTS, DatabaseDaemon, Influxd, Vm, count_points, export_all, stored_points,
                               write_node)
from databases import VictoriaMetrics

DB = "vmstats"
SEED = int(os.environ.get("E2E_SEED", "20240229"))
RANDOM_NAMES = 240
NAME_BYTES_MAX = 256
TAGS = {"VMID", "name", "uuid"}
DEVICE_TAGS = TAGS | {"device", "devtype"}

PIECES = [",", "=", " ", "  ", '"', "'", "\\", "\\\\", "#", "%", "%s", "$x", "`", ";", "|", "::", ".", "-", "<&>", "\t",
          "\n", "\r", "\x7f", "vm", "web", "0", "i", "t=1i", " v=1", "name=",
          # Emoji alone and joined, right to left, turned around, without width, other blanks and ends of lines,
          # combining, two bytes, four bytes.
          "\U0001f600", "\U0001f469\u200d\U0001f4bb", "\u05e9\u05dc\u05d5\u05dd", "\u202eoof\u202c", "\u200b", "\ufeff",
          "\u00a0", "\u0085", "\u2028", "e\u0301", "\u00fc", "\U0010fffd"]
FIXED = [
    "plain", "web,server", "a=b", "a b", " leading", "trailing ", "trailing\\", "\\", "\\\\", "\\,", "\\ ", "\\=", ",",
    "=", " ",
    "#comment", '"', '"quoted"', "a,b=c d", "x value=1i 1", "vm_totals,name=forged cpus=9i", "C:\\dir\\new", "time",
    "null", "true", "1", "-1", "1i", "NaN", "*", "?", "''", "${HOME}", "..", "-rf", "\U0001f600",
    "\u05e9\u05dc\u05d5\u05dd", "line\nfeed", "end\n", "\nvm_totals,name=forged cpus=9i 1\n", "back\\\nslash",
    # Each line becomes one and the same name.
    "same\ttext", "same_text", "same\x7ftext", "same\ntext", "same\rtext",
    "a\\\tb", "a\\_b", "a\\\x7fb",
    "n" * 250, "n" * 256, "n" * 257, "n" * 300, "\u00fc" * 125, "\u00fc" * 129, "n" * 255 + "\u00fc",
    "\U0001f600" * 64, "x" + "\U0001f600" * 64, "," * 250, "\\" * 250, " " * 250, "=" * 300,
]
DISKS = ["vda", "vdb", "sda"]
HOSTILE_NICS = ["tap0", "a b", "a,b", "a=b", "a\\b", "tap\\", "#tap", 'ta"p', "t\u00e4p", "\U0001f600"]


def policy(name):
    """The portable policy, written down a second time: what a tag's value is in the database."""
    stored = ""
    for character in name:
        if character == "\\":
            character = "/"
        elif character < " " or character == "\x7f":
            character = "_"
        if len((stored + character).encode()) > NAME_BYTES_MAX:
            break
        stored += character
    return stored


def random_name(source):
    name = "".join(source.choice(PIECES) for _ in range(source.randint(1, 12)))
    if source.random() < 0.1:
        name = (name * 40)[:source.randint(200, 320)]
    return name


def hostile_names():
    source = random.Random(SEED)
    names = list(dict.fromkeys(FIXED + [random_name(source) for _ in range(RANDOM_NAMES)]))
    # Names are unique in libvirt; "/" is what its test driver refuses.
    return [name for name in names if "/" not in name]


def taken_by_libvirt(folder, names):
    """Those that libvirt takes as they are. One refused name refuses the whole file, so it is asked for in halves."""
    uri = write_node(os.path.join(folder, "asked.xml"), [Vm(name) for name in names])
    asked = subprocess.run(["virsh", "--quiet", "--connect", uri, "list", "--name"], capture_output=True,
                           stdin=subprocess.DEVNULL, check=False)
    if asked.returncode == 0 and asked.stdout == "".join(name + "\n" for name in names).encode():
        return names
    if len(names) == 1:
        return []
    half = len(names) // 2
    return taken_by_libvirt(folder, names[:half]) + taken_by_libvirt(folder, names[half:])


def hostile_vms(names):
    source = random.Random(SEED + 1)
    return [Vm(name, str(uuid.UUID(int=source.getrandbits(128), version=4)),
               source.sample(HOSTILE_NICS, source.randint(0, 3)), source.sample(DISKS, source.randint(0, 2)))
            for name in names]


def expected_series(vms):
    """A Counter of (measurement, tags without VMID) over all VMs: each of them must be there once."""
    series = collections.Counter()
    for vm in vms:
        tags = {"name": policy(vm.name), "uuid": vm.uuid}
        for measurement in ("vm_metrics", "vm_features", "vm_totals"):
            series[measurement, frozenset(tags.items())] += 1
        for devtype, devices in (("nic", vm.nics), ("disk", vm.disks)):
            for device in devices:
                full = {**tags, "devtype": devtype, "device": policy(device)}
                series["vm_devices", frozenset(full.items())] += 1
    return series


def setUpModule():
    global FOLDER, VMS, NODE, REFUSED
    FOLDER = unittest.enterModuleContext(temp_folder())
    names = hostile_names()
    taken = taken_by_libvirt(FOLDER, names)
    REFUSED = [name for name in names if name not in set(taken)]
    VMS = hostile_vms(taken)
    NODE = write_node(os.path.join(FOLDER, "node.xml"), VMS)


def collect(url):
    """Some cycles of all VMs into a database; the daemon's last words, and its warnings about delivery."""
    with DatabaseDaemon(NODE, url, "--poll-interval", "1s") as daemon:
        daemon.wait_cycle(3, 60)
        daemon.stop()
        return daemon.summary(), daemon.log_lines("warning (?!W201)")


class InputTest(unittest.TestCase):
    """What the other tests stand on."""

    def test_libvirt_takes_nearly_all_of_the_names(self):
        self.assertLess(len(REFUSED), 5, REFUSED[:9])
        self.assertGreater(len(VMS), 280, f"E2E_SEED={SEED}")

    def test_different_names_become_the_same_text(self):
        texts = collections.Counter(policy(vm.name) for vm in VMS)
        self.assertGreaterEqual(texts["same_text"], 4)
        self.assertGreaterEqual(texts["n" * 256], 3)


class InfluxTest(unittest.TestCase):
    """Into a real influxd 1.6.7."""

    @classmethod
    def setUpClass(cls):
        cls.influx = cls.enterClassContext(Influxd())
        cls.influx.create_database(DB)
        cls.summary, cls.warnings = collect(cls.influx.url)

    def column(self, influxql, *names):
        return sorted(tuple(row[name] for name in names) for row in self.influx.query(influxql, db=DB))

    def series(self):
        """(measurement, tags) of every series, with the number of its points."""
        found = []
        for measurement, fields in (("vm_metrics", "cpu_count"), ("vm_features", "memory_rate_kb_per_sec"),
                                    ("vm_totals", "cpus"), ("vm_devices", "rxbytes"), ("vm_devices", "rd_req")):
            rows = self.influx.query(f"SELECT COUNT({fields}) FROM {measurement} GROUP BY *", db=DB)
            found += [(measurement, {key: row[key] for key in DEVICE_TAGS & row.keys()}, row["count"]) for row in rows]
        return found

    def test_nothing_is_refused_or_lost(self):
        self.assertEqual([], self.warnings)
        self.assertEqual((self.summary.collected, 0), (self.summary.delivered, self.summary.dropped))
        self.assertEqual(self.summary.collected, count_points(self.influx, DB))
        self.assertEqual(self.summary.collected, sum(stored_points(self.influx, DB).values()))

    def test_each_vm_and_device_is_one_series_under_its_own_name(self):
        found = collections.Counter()
        for measurement, tags, _count in self.series():
            found[measurement, frozenset((key, value) for key, value in tags.items() if key != "VMID")] += 1
        expected = expected_series(VMS)
        self.assertEqual([], sorted(map(repr, expected - found)), f"missing, E2E_SEED={SEED}")
        self.assertEqual([], sorted(map(repr, found - expected)), f"too many, E2E_SEED={SEED}")

    def test_each_series_has_a_point_for_each_cycle(self):
        for measurement, tags, count in self.series():
            self.assertEqual(self.summary.cycles - (measurement == "vm_features"), count, (measurement, tags))

    def test_each_vm_has_the_id_that_libvirt_gave_it(self):
        # The test driver counts from 1 in the order of its file.
        expected = {(vm.uuid, str(number)) for number, vm in enumerate(VMS, 1)}
        self.assertEqual(expected, {(tags["uuid"], tags["VMID"]) for _measurement, tags, _count in self.series()})

    def test_no_measurement_tag_or_field_is_forged(self):
        self.assertEqual(sorted((name,) for name in MEASUREMENTS), self.column("SHOW MEASUREMENTS", "name"))
        tags = {(measurement, key) for measurement in MEASUREMENTS[:4] for key in TAGS}
        tags |= {("vm_devices", key) for key in DEVICE_TAGS} | {("collector_stats", "sink")}
        self.assertEqual(sorted(tags), self.column("SHOW TAG KEYS", "_measurement", "tagKey"))
        fields = {(measurement, key) for measurement, keys in FIELDS.items() for key in keys}
        self.assertEqual(sorted(fields), self.column("SHOW FIELD KEYS", "_measurement", "fieldKey"))


class VictoriaMetricsTest(unittest.TestCase):
    """Into a real VictoriaMetrics 1.79.5, which takes a broken line without a word: its own counters are asked."""

    @classmethod
    def setUpClass(cls):
        cls.database = cls.enterClassContext(VictoriaMetrics())
        cls.summary, cls.warnings = collect(cls.database.url)
        # One series for each field here: (measurement, tags) -> its fields.
        cls.fields = collections.defaultdict(set)
        cls.exported = export_all(cls.database)
        for series in cls.exported:
            tags = dict(series["metric"])
            measurement, field = split_metric(tags.pop("__name__"))
            cls.fields[measurement, frozenset(tags.items())].add(field)

    def counters(self, prefix):
        lines = self.database.request("/metrics").splitlines()
        return {name: int(value) for name, value in (line.rsplit(" ", 1) for line in lines if line.startswith(prefix))}

    def test_nothing_is_refused_or_lost(self):
        self.assertEqual([], self.warnings)
        self.assertEqual((self.summary.collected, 0), (self.summary.delivered, self.summary.dropped))
        invalid = self.counters('vm_rows_invalid_total{type="influx"}')
        self.assertEqual([0], list(invalid.values()))
        ignored = self.counters("vm_rows_ignored_total")
        self.assertTrue(ignored)
        self.assertEqual({0}, set(ignored.values()), ignored)

    def test_each_vm_and_device_is_one_series_under_its_own_name(self):
        found = collections.Counter()
        for measurement, tags in self.fields:
            if not measurement.startswith("collector_"):
                found[measurement, frozenset((key, value) for key, value in tags if key not in ("VMID", "db"))] += 1
        expected = expected_series(VMS)
        self.assertEqual([], sorted(map(repr, expected - found)), f"missing, E2E_SEED={SEED}")
        self.assertEqual([], sorted(map(repr, found - expected)), f"too many, E2E_SEED={SEED}")

    def test_each_series_has_the_fields_of_the_contract_and_a_sample_for_each_cycle(self):
        for (measurement, tags), fields in self.fields.items():
            tags = dict(tags)
            if measurement == "vm_devices":
                expected = set(NIC_FIELDS if tags["devtype"] == "nic" else DISK_FIELDS)
            else:
                expected = set(FIELDS[measurement])
            self.assertEqual(expected, fields, (measurement, tags))
            self.assertEqual(DB, tags["db"])
        for series in self.exported:
            # The first cycle has no trends.
            first = series["metric"]["__name__"].startswith("vm_features")
            self.assertEqual(self.summary.cycles - first, len(series["values"]), series["metric"])


FIELDS = {"vm_metrics": METRICS_FIELDS, "vm_features": FEATURES_FIELDS, "vm_devices": {**NIC_FIELDS, **DISK_FIELDS},
          "vm_totals": TOTALS_FIELDS, "collector_latency": LATENCY_FIELDS, "collector_stats": STATS_FIELDS}


def split_metric(name):
    """VictoriaMetrics calls a field measurement_field."""
    for measurement in MEASUREMENTS:
        if name.startswith(measurement + "_"):
            return measurement, name[len(measurement) + 1:]
    raise AssertionError(f"a forged metric: {name!r}")


if __name__ == "__main__":
    unittest.main()
