#!/usr/bin/python3
"""Tests of what scripts/bench makes of its numbers: ratios, tables, the chart, the targets, the page. Pure functions."""

import copy
import json
import os
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
DOCS = os.path.join(os.path.dirname(HERE), "docs")
sys.path.insert(0, HERE)

import bench
import chart
import contenders
import figures
import machine
import meter
import page
import programs
import qmp
import scale_part
import targets
from figures import Spread

SVG = "{http://www.w3.org/2000/svg}"


def row(contender, number, own, libvirtd, qemu, guests=120):
    return {"contender": contender, "guests": guests, "round": number, "collector_ms": own, "libvirtd_ms": libvirtd,
            "qemu_ms": qemu, "wall_ms": 10.0, "rss_kib": 20480, "rss_kib_max": 25600, "readings": 4}


def results():
    """Two rounds in which every target that is measured is reached."""
    lab = {"guests": 120, "interval_s": 5.0, "readings": 4, "rounds": 2, "absent": {}, "failures": {}, "growth": [], "paused": [],
           "names": {"virtmeter": "virtmeter", "bare_six": "bare client: six", "exporter": "exporter"},
           "rows": [row("virtmeter", 1, 2, 100, 200), row("bare_six", 1, 2, 350, 700), row("exporter", 1, 280, 600, 600),
                    row("virtmeter", 2, 3, 110, 210), row("bare_six", 2, 2, 340, 690), row("exporter", 2, 290, 610, 590)],
           "fields": {"virtmeter": 81, "bare_six": 80, "exporter": 33}, "cache_bytes_per_vm": 900.0,
           "qmp": {"virtmeter": {"query-blockstats": 2.0}, "bare_six": {"query-blockstats": 2.0, "query-stats": 2.0}}}
    return {"machine": {"cores": 2, "processor": "P", "virtual": True, "memory_gib": 8, "kernel": "6.1",
                        "system": "Debian", "load": 0.1, "versions": {"libvirt": "9.0.0"}}, "lab": lab}


def verdicts(numbers):
    return [one.verdict for one in targets.all_rows(numbers)]


class Figures(unittest.TestCase):
    def test_a_spread_leaves_out_rounds_without_the_figure(self):
        self.assertEqual(figures.spread([3, None, 1, 2]), Spread(2, 1, 3))
        self.assertEqual(figures.spread([0, 4]), Spread(2, 0, 4))
        self.assertIsNone(figures.spread([None]))

    def test_a_ratio_is_taken_in_each_round_for_itself(self):
        self.assertEqual(figures.ratios([2, 9, None, 1], [1, 3, 1, 0]), [2, 3, None, None])

    def test_a_sum_needs_all_its_parts(self):
        self.assertEqual(figures.sums([1, 2], [10, None]), [11, None])

    def test_numbers_have_three_digits_and_no_exponent(self):
        for value, want in ((0, "0"), (0.000123456, "0.000123"), (0.98765, "0.988"), (12.345, "12.3"), (1234.5, "1,234"),
                            (99.96, "100"), (None, "-")):
            self.assertEqual(figures.number(value), want)

    def test_a_spread_of_one_value_is_that_value(self):
        self.assertEqual(figures.words(Spread(2, 2, 2)), "2.00")
        self.assertEqual(figures.words(Spread(2, 1, 3)), "2.00 (1.00 .. 3.00)")

    def test_tables_line_up_and_escape(self):
        self.assertEqual(figures.text_table(["a", "b"], [["long", "1"], ["c", "100"]]),
                         "a       b\n---------\nlong    1\nc     100")
        self.assertEqual(figures.markdown_table(["a", "b"], [["x|y", "1"]]), "| a | b |\n|---|---:|\n| x\\|y | 1 |")


class Chart(unittest.TestCase):
    def drawn(self, series):
        return ElementTree.fromstring(chart.log_chart("<t> & \"q\"", "x", "y", series))

    def test_is_xml_whatever_the_names(self):
        self.assertIn("<a> & b", [text.text for text in self.drawn([("<a> & b", [(1, 1), (10, 5)])]).iter(SVG + "text")])

    def test_a_decade_is_as_wide_as_any_other(self):
        circles = self.drawn([("a", [(1, 1), (10, 1), (100, 10)])]).findall(SVG + "circle")
        first, second, third = (float(circle.get("cx")) for circle in circles)
        self.assertAlmostEqual(second - first, third - second, places=1)
        self.assertGreater(float(circles[0].get("cy")), float(circles[2].get("cy")))

    def test_names_of_lines_that_end_together_do_not_overlap(self):
        drawn = self.drawn([("a", [(10, 5)]), ("b", [(10, 5)]), ("c", [(10, 5.01)])])
        heights = sorted(float(text.get("y")) for text in drawn.iter(SVG + "text") if text.text in ("a", "b", "c"))
        self.assertGreaterEqual(min(b - a for a, b in zip(heights, heights[1:])), 14.9)

    def test_values_that_no_logarithm_has_are_left_out(self):
        self.assertEqual(len(self.drawn([("a", [(0, 1), (10, 0), (10, 2)])]).findall(SVG + "circle")), 1)
        with self.assertRaises(ValueError):
            chart.log_chart("t", "x", "y", [("a", [(0, 0)])])


class Numbers(unittest.TestCase):
    def test_what_the_lab_spends_by_itself_is_taken_out(self):
        idle = {"collector_ms": 0, "libvirtd_ms": 5, "qemu_ms": 10, "seconds": 5}
        spent = {"collector_ms": 8, "libvirtd_ms": 100, "qemu_ms": 20, "seconds": 20}
        self.assertEqual(meter.per_reading(spent, 4, idle), {"collector_ms": 2, "libvirtd_ms": 20, "qemu_ms": 0})

    def test_cpu_and_memory_of_a_process_are_seen(self):
        self.assertGreater(meter.cpu_ns(os.getpid()), 1_000_000)
        now, most = meter.resident_kib(os.getpid())
        self.assertTrue(1000 < now <= most)

    def test_a_process_that_is_gone_costs_nothing(self):
        # Above the kernel's limit of pids.
        self.assertEqual(meter.cpu_ns(2**22 + 1), 0)
        self.assertEqual(meter.resident_kib(2**22 + 1), (None, None))

    def test_fields_are_those_of_one_vm_in_its_last_cycle(self):
        lines = ['vm_metrics,VMID=1,name=vm0,uuid=u state="no state",cpu_count=1i 5',
                 "vm_totals,VMID=1,name=vm0,uuid=u a=1i 9",
                 'vm_metrics,VMID=1,name=vm0,uuid=u state="no state",cpu_count=1i 9',
                 "vm_totals,VMID=2,name=vm01,uuid=u a=1i 9"]
        self.assertEqual(contenders.fields_of_vm(lines, "vm0"), 3)
        self.assertEqual(contenders.fields_of_vm([], "vm0"), 0)

    def test_the_cycles_of_a_rotated_file_are_all_counted(self):
        with tempfile.TemporaryDirectory() as folder:
            daemon = contenders.Virtmeter("virtmeter", "virtmeter", "once")
            daemon.scene = contenders.Scene("", "", 1.0, folder, "", "vm0")
            out = daemon.scene.path("out")
            self.assertEqual(daemon.readings(), 0)
            latency = "collector_latency loop_latency_ms={},feature_latency_ms=0.1 1\n".format
            with open(out, "w", encoding="utf-8") as file:
                file.write(latency(1.5) + latency(2)[:30])
                file.flush()
                self.assertEqual(daemon.walls_ms(), [1.5])
                file.write(latency(2)[30:])
            os.rename(out, out + ".1")
            with open(out, "w", encoding="utf-8") as file:
                file.write(latency(3))
            self.assertEqual(daemon.walls_ms(), [1.5, 2, 3])
            daemon.stop()

    def test_qmp_commands_are_counted_by_name(self):
        log = ('info : QEMU_MONITOR_SEND_MSG: mon=0x7f msg={"execute":"query-balloon","id":"libvirt-7"}\n'
               'QEMU_MONITOR_RECV_REPLY: mon=0x7f reply={"execute":"query-balloon"}\n') * 2
        self.assertEqual(qmp.commands(log), {"query-balloon": 2})

    def test_a_report_of_google_benchmark_loses_host_and_path(self):
        one = {"name": "n", "run_name": "encode_lines/10", "run_type": "iteration", "repetition_index": 0,
               "cpu_time": 2.0, "real_time": 3.0, "time_unit": "us", "items_per_second": 5e6}
        report = {"context": {"host_name": "h", "executable": "/p"},
                  "benchmarks": [one, {**one, "run_type": "aggregate", "cpu_time": 9.0}]}
        self.assertEqual(programs.kept(report),
                         {"encode_lines/10": [{"cpu_ms": 0.002, "real_ms": 0.003, "items_per_second": 5e6}]})

    def test_the_table_of_scale_bench_is_understood(self):
        text = ("   VMs   lines  read+sum\n                + derive\n"
                "   120     961      0.20      0.30      0.50     0.45..0.61        4.167      0.10     12\n"
                " 10000   80001     30.00     40.50     70.50    66.10..91.00       7.050     12.00    210\n")
        self.assertEqual([name for name, _ in scale_part.spooled(text)],
                         ["readings_to_spool/120", "readings_to_spool/10000"])
        self.assertEqual(scale_part.spooled(text)[1][1], {"cpu_ms": 70.5, "derive_ms": 30.0, "encode_ms": 40.5,
                                                          "disk_ms": 12.0, "peak_mib": 210})

    def test_the_machine_has_no_name(self):
        self.assertNotIn(os.uname().nodename, json.dumps(machine.describe()))


class Targets(unittest.TestCase):
    def test_are_reached_by_their_median(self):
        numbers = results()
        numbers["lab"]["rows"][0]["qemu_ms"] = 700  # One round of the two: 0.76, and with the other 0.54.
        self.assertEqual(verdicts(numbers)[0], "reached")
        numbers["lab"]["rows"][0]["qemu_ms"] = 750
        self.assertEqual(verdicts(numbers)[0], "not reached")

    def test_say_which_are_reached_and_which_not_measured(self):
        self.assertEqual(verdicts(results()), ["reached", "not measured", "not measured", "reached", "reached"] +
                         ["not measured"] * 3 + ["reached", "not measured", "reached"])

    def test_paused_guests_are_judged_by_their_own_rows(self):
        numbers = results()
        numbers["lab"]["paused"] = [row("virtmeter", 1, 2, 0, 0), row("bare_six", 1, 2, 2, 2)]
        paused = targets.all_rows(numbers)[1]
        self.assertEqual((paused.measured, paused.verdict), ("0.500", "reached"))

    def test_one_that_is_missed_says_so(self):
        numbers = results()
        for one in numbers["lab"]["rows"]:
            if one["contender"] == "virtmeter":
                one.update(collector_ms=50, qemu_ms=900, rss_kib_max=40000)
        numbers["lab"]["qmp"]["virtmeter"]["query-stats"] = 1.0
        self.assertEqual(verdicts(numbers), ["not reached", "not measured", "not measured", "not reached", "not reached"] +
                         ["not measured"] * 3 + ["not reached", "not measured", "not reached"])

    def test_an_exporter_with_more_fields_is_not_beaten(self):
        numbers = results()
        numbers["lab"]["fields"]["exporter"] = 90
        self.assertEqual(verdicts(numbers)[4], "not reached")

    def test_nothing_measured_is_never_reached(self):
        self.assertEqual(set(verdicts({"machine": {}})), {"not measured"})

    def test_encoding_is_judged_by_its_slowest_size(self):
        numbers = results()
        numbers["parts"] = {"encode_lines/10": [{"cpu_ms": 1, "items_per_second": 6e6, "bytes_per_second": 8e8}],
                            "encode_lines/later_cycle/100": [{"cpu_ms": 1, "items_per_second": 3e6, "bytes_per_second": 4e8}]}
        self.assertEqual(targets.all_rows(numbers)[5].verdict, "not reached")
        numbers["parts"]["encode_lines/later_cycle/100"][0]["bytes_per_second"] = 1e9
        self.assertEqual(targets.all_rows(numbers)[5].verdict, "reached")

    def test_growth_is_by_vm(self):
        numbers = results()
        numbers["scale"] = {"daemon": [],
                            "spooled": {"readings_to_spool/1000": [{"cpu_ms": 8.0}],
                                        "readings_to_spool/10000": [{"cpu_ms": 92.0}]}}
        cycle, growth = targets.all_rows(numbers)[6:8]
        self.assertEqual((cycle.measured, cycle.verdict), ("92.0 ms", "reached"))
        self.assertEqual((growth.measured, growth.verdict), ("1.15", "reached"))


class Page(unittest.TestCase):
    def test_names_each_contender_with_its_ratio(self):
        text = page.markdown(results())
        self.assertIn("| exporter | 285 (280 .. 290) | 605 (600 .. 610) | 595 (590 .. 600) |", text)
        self.assertIn("1.43 (1.41 .. 1.45)", text)

    def test_says_why_a_row_is_missing(self):
        numbers = results()
        numbers["lab"]["absent"]["collectd"] = "it is not installed"
        self.assertIn("* `collectd` is not measured: it is not installed.", page.markdown(numbers))

    def test_says_that_the_machine_was_busy(self):
        numbers = results()
        self.assertNotIn("Provisional", page.markdown(numbers))
        numbers["machine"]["load"] = 6.0
        self.assertIn("**Provisional: the machine was busy with other work (load 6.0", page.markdown(numbers))

    def test_is_made_of_whatever_was_measured(self):
        without = copy.deepcopy(results())
        del without["lab"]
        for numbers in (without, results()):
            self.assertIn("## What it must reach", page.markdown(numbers))
            self.assertIn("not measured", page.terminal(numbers))

    def test_raw_numbers_survive_being_written(self):
        self.assertEqual(json.loads(bench.as_json(results())), results())

    def test_the_page_in_docs_is_that_of_the_numbers_beside_it(self):
        with open(os.path.join(DOCS, "performance.json"), encoding="utf-8") as file:
            numbers = json.load(file)
        for name, made in (("performance.md", page.markdown(numbers)), ("performance_growth.svg", page.chart(numbers))):
            with open(os.path.join(DOCS, name), encoding="utf-8") as file:
                self.assertEqual(file.read(), made, "scripts/bench --from docs/performance.json --write-docs")


if __name__ == "__main__":
    unittest.main()
