#!/usr/bin/python3
"""Tests of the lab itself, on real QEMU guests and real databases. Needs root; a missing part is a failure."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from databases import Influxd, VictoriaMetrics
from guest import disk_targets
from lab import HALTED, LINUX, GuestSpec, Lab, LabError
from lab_base import wait_until

# Whatever a shell, XML, libvirt or QEMU could stumble over.
ODD_NAME = """5, "zwei" <três> & 'четыре'="""


def interfaces():
    return set(os.listdir("/sys/class/net"))


def processes_with(text):
    """The pids of processes whose command line holds `text`, without this one."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                if entry.isdigit() and text.encode() in file.read() and int(entry) != os.getpid():
                    found.append(int(entry))
        except OSError:
            continue
    return found


class LabTest(unittest.TestCase):
    """One lab for all tests here: two idle guests and a Linux guest."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab(tcp=True))
        specs = [GuestSpec(name, nics=2, disks=3) for name in ("idle", ODD_NAME)]
        cls.lab.start_guests([GuestSpec("linux", LINUX, vcpus=2, nics=1, disks=1), *specs])
        cls.lab.wait_linux_ready("linux")

    def test_an_idle_guest_is_paused_with_the_devices_asked_for(self):
        stats = self.lab.domstats("idle")
        self.assertEqual("3", stats["state.state"])
        self.assertEqual("2", stats["net.count"])
        self.assertEqual("3", stats["block.count"])
        self.assertEqual(["vda", "vdb", "vdc"], [stats[f"block.{index}.name"] for index in range(3)])
        self.assertEqual(self.lab.guest("idle").nics, [stats[f"net.{index}.name"] for index in range(2)])
        self.assertLessEqual(set(self.lab.guest("idle").nics), interfaces())

    def test_a_halted_guest_runs_for_next_to_no_cpu(self):
        self.lab.start_guest(GuestSpec("halted", HALTED, nics=1, disks=1))
        self.assertEqual(self.lab.domstats("halted")["state.state"], "1")
        cpu_clock = (~self.lab.qemu_pid("halted") << 3) | 2  # clock_getcpuclockid(3)
        began = time.clock_gettime_ns(cpu_clock)
        time.sleep(2)
        self.assertLess(time.clock_gettime_ns(cpu_clock) - began, 10_000_000)

    def test_an_odd_name_survives(self):
        self.assertEqual(ODD_NAME, self.lab.xml(ODD_NAME).findtext("name"))
        self.assertEqual(ODD_NAME, self.lab.virsh("domname", self.lab.uuid(ODD_NAME)).rstrip("\n"))

    def test_a_linux_guest_moves_its_counters(self):
        keys = ("cpu.time", "block.0.wr.reqs", "block.0.rd.reqs", "net.0.tx.pkts", "balloon.minor_fault")
        before = self.lab.domstats("linux")

        def all_moved():
            now = self.lab.domstats("linux")
            return all(int(now[key]) > int(before[key]) for key in keys)

        wait_until(all_moved, 15, f"each of {keys} to move", interval=0.5)
        self.assertEqual("2", before["vcpu.current"])

    def test_frames_sent_to_a_tap_are_received_by_the_guest(self):
        tap = self.lab.guest("linux").nics[0]
        before = int(self.lab.domstats("linux", "--interface")["net.0.rx.bytes"])
        self.lab.send_frames(tap, count=20, size=1000)
        after = int(self.lab.domstats("linux", "--interface")["net.0.rx.bytes"])
        self.assertGreaterEqual(after - before, 20 * 1000)

    def test_devices_are_plugged_into_and_out_of_a_linux_guest(self):
        tap = self.lab.tap_name("hot")
        self.lab.attach_disk("linux", "vdb")
        self.lab.attach_nic("linux", tap)
        stats = self.lab.domstats("linux")
        self.assertEqual(("vdb", tap), (stats["block.1.name"], stats["net.1.name"]))
        self.assertIn(tap, interfaces())
        wait_until(lambda: self.lab.domstats("linux", "--block")["block.1.wr.reqs"] != "0", 15,
                   "the guest to use the new disk", interval=0.5)
        self.lab.detach_device("linux", "vdb")
        self.lab.detach_device("linux", tap)
        stats = self.lab.domstats("linux")
        self.assertEqual(("1", "1"), (stats["block.count"], stats["net.count"]))
        wait_until(lambda: tap not in interfaces(), 5, "the unplugged tap to vanish")

    def test_devices_are_plugged_into_an_idle_guest(self):
        guest = self.lab.start_guest(GuestSpec("plugged"))
        self.lab.attach_disk("plugged", "vda")
        self.lab.attach_nic("plugged", self.lab.tap_name("idle"))
        stats = self.lab.domstats("plugged")
        self.assertEqual(("1", "1"), (stats["block.count"], stats["net.count"]))
        self.lab.destroy("plugged")
        self.assertNotIn(guest.uuid, self.lab.virsh("list", "--uuid"))
        wait_until(lambda: self.lab.tap_name("idle") not in interfaces(), 5, "the guest's tap to vanish")

    def test_a_restarted_libvirtd_finds_its_guests_again(self):
        before = (self.lab.libvirtd_pid(), self.lab.qemu_pid("linux"), self.lab.virsh("list"))
        self.lab.kill_libvirtd()
        with self.assertRaises(LabError):
            self.lab.virsh("list")
        self.lab.start_libvirtd()
        self.assertNotEqual(before[0], self.lab.libvirtd_pid())
        self.assertEqual(before[1:], (self.lab.qemu_pid("linux"), self.lab.virsh("list")))

    def test_a_stopped_qemu_holds_a_call_until_it_goes_on(self):
        self.lab.stop_process(ODD_NAME)
        self.addCleanup(self.lab.cont_process, ODD_NAME)
        command = [*self.lab.virsh_command(), "domstats", "--block", self.lab.uuid(ODD_NAME)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as call:
            with self.assertRaises(subprocess.TimeoutExpired):
                call.communicate(timeout=1)
            self.lab.cont_process(ODD_NAME)
            self.assertIn("block.count=3", call.communicate(timeout=10)[0])

    def test_a_tap_deleted_behind_libvirts_back_is_gone_only_for_the_kernel(self):
        guest = self.lab.start_guest(GuestSpec("robbed", nics=2))
        self.lab.delete_tap(guest.nics[1])
        self.assertNotIn(guest.nics[1], interfaces())
        targets = [target.get("dev") for target in self.lab.xml("robbed").findall("devices/interface/target")]
        self.assertEqual(guest.nics, targets)
        self.lab.destroy("robbed")

    def test_the_read_only_socket_reads_only(self):
        command = ["virsh", "--quiet", "--connect", self.lab.uri_ro]
        read = subprocess.run([*command, "list", "--name"], capture_output=True, text=True, check=True)
        self.assertIn("linux", read.stdout)
        write = subprocess.run([*command, "destroy", "linux"], capture_output=True, text=True, check=False)
        self.assertIn("read only access", write.stderr)

    def test_tcp_answers(self):
        read = subprocess.run(["virsh", "--quiet", "--connect", self.lab.tcp_uri, "list", "--name"],
                              capture_output=True, text=True, check=True)
        self.assertIn("linux", read.stdout)

    def test_libvirts_own_files_are_reached_by_the_enter_command(self):
        listing = subprocess.run([*self.lab.enter_command(), "ls", "/run/libvirt/qemu"], capture_output=True,
                                 text=True, check=True).stdout
        self.assertIn("linux.pid", listing.splitlines())

    def test_an_error_has_libvirts_words(self):
        with self.assertRaisesRegex(LabError, "already exists"):
            self.lab.start_guest(GuestSpec("idle"))

    def test_close_leaves_nothing(self):
        with Lab() as lab:
            guest = lab.start_guest(GuestSpec("short", nics=1, disks=1))
            lab.stop_process("short")
            folder = lab.folder
        self.assertFalse(os.path.exists(folder))
        self.assertEqual([], processes_with(folder) + processes_with(guest.uuid))
        self.assertNotIn(guest.nics[0], interfaces())


class CommandLine(unittest.TestCase):
    """The `lab` command as a shell or another language's test would use it."""

    def start(self, *arguments):
        lab = subprocess.Popen([os.path.join(HERE, "lab"), "up", *arguments], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
        self.addCleanup(lab.communicate)
        self.addCleanup(lab.kill)
        line = lab.stdout.readline()
        self.assertTrue(line, "the lab did not come up; its reason is on stderr")
        return lab, json.loads(line)

    def assert_nothing_runs(self, ready):
        """Waits a little: after a SIGKILL nobody can tell us when the kernel is done."""
        for text in (ready["dir"], ready["guests"][0]["uuid"]):
            wait_until(lambda text=text: not processes_with(text), 15, f"the processes of {text} to end")
        wait_until(lambda: not os.path.exists(f"/proc/{ready['libvirtd_pid']}"), 5, "libvirtd to end")
        wait_until(lambda: not set(ready["guests"][0]["nics"]) & interfaces(), 5, "the taps to vanish")

    def test_sigkill_leaves_no_process_and_no_tap(self):
        lab, ready = self.start("--idle", "1", "--nics", "2", "--influx")
        self.addCleanup(shutil.rmtree, ready["dir"])
        self.addCleanup(shutil.rmtree, ready["influx_dir"])
        for text in (ready["guests"][0]["uuid"], ready["influx_dir"]):
            self.assertEqual(1, len(processes_with(text)))
        self.assertLessEqual(set(ready["guests"][0]["nics"]), interfaces())
        lab.kill()
        self.assert_nothing_runs(ready)
        wait_until(lambda: not processes_with(ready["influx_dir"]), 5, "influxd to end")

    def test_sigterm_ends_in_good_order(self):
        lab, ready = self.start("--idle", "1", "--tcp", "--victoria")
        lab.send_signal(signal.SIGTERM)
        self.assertEqual(0, lab.wait(timeout=30))
        self.assert_nothing_runs(ready)
        self.assertFalse(os.path.exists(ready["dir"]))

    def test_end_of_input_ends_it_when_asked(self):
        lab, ready = self.start("--idle", "1", "--until-eof")
        lab.stdin.close()
        lab.stdin = None
        self.assertEqual(0, lab.wait(timeout=30))
        self.assertFalse(os.path.exists(ready["dir"]))

    def test_check_and_need(self):
        self.assertEqual(0, subprocess.run([os.path.join(HERE, "lab"), "check"], check=False).returncode)
        need = subprocess.run([os.path.join(HERE, "lab"), "need"], capture_output=True, text=True, check=True)
        self.assertIn("qemu-system-x86", need.stdout.splitlines())

    def test_usage_is_64(self):
        done = subprocess.run([os.path.join(HERE, "lab"), "up", "--idle", "-1"], capture_output=True, check=False)
        self.assertEqual(64, done.returncode)


class InfluxdTest(unittest.TestCase):
    def test_a_point_is_found_again_after_kill_and_start(self):
        with Influxd() as influx:
            influx.create_database("vmstats")
            influx.write("vmstats", 'm,host=a value=7i,state="running" 1000000000')
            want = [{"_measurement": "m", "host": "a", "time": 1000000000, "value": 7, "state": "running"}]
            query = "SELECT value, state FROM m GROUP BY host"
            self.assertEqual(want, influx.query(query, db="vmstats"))
            influx.kill()
            influx.start()
            self.assertEqual(want, influx.query(query, db="vmstats"))

    def test_with_a_user_it_refuses_strangers(self):
        with Influxd(user="root", password="it's") as influx:
            influx.create_database("vmstats")
            influx.user = None
            with self.assertRaisesRegex(LabError, "401"):
                influx.query("SHOW DATABASES")

    def test_a_bad_statement_is_an_error(self):
        with Influxd() as influx:
            with self.assertRaisesRegex(LabError, "database not found: none"):
                influx.query("SELECT * FROM m", db="none")

    def test_close_leaves_nothing(self):
        with Influxd() as influx:
            folder = influx.folder
        self.assertEqual((False, []), (os.path.exists(folder), processes_with(folder)))


class VictoriaMetricsTest(unittest.TestCase):
    def test_a_point_is_found_again_after_stop_and_start(self):
        second = int(time.time())
        with VictoriaMetrics() as victoria:
            victoria.write(f"m,host=a value=7 {second}000000000", db="vmstats")
            want = [{"metric": {"__name__": "m_value", "db": "vmstats", "host": "a"}, "values": [7],
                     "timestamps": [second * 1000]}]
            self.assertEqual(want, victoria.export("m_value"))
            victoria.stop()
            victoria.start()
            self.assertEqual(want, victoria.export("m_value"))

    def test_with_a_user_it_refuses_strangers(self):
        with VictoriaMetrics(user="root", password="secret") as victoria:
            victoria.write(f"m value=1 {int(time.time())}000000000")
            victoria.user = None
            with self.assertRaisesRegex(LabError, "401"):
                victoria.export("m_value")


class DiskTargets(unittest.TestCase):
    def test_go_on_after_z(self):
        self.assertEqual(["vda", "vdb"], disk_targets(2))
        self.assertEqual(["vdz", "vdaa", "vdab"], disk_targets(28)[25:])


if __name__ == "__main__":
    unittest.main()
