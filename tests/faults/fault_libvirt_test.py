#!/usr/bin/python3
"""VMs come and go as fast as libvirt can make them, and devices too: the VMs beside them lose no line and no beat.

Real QEMU guests on a private libvirtd, and for the rate of ten VMs a second libvirt's test driver inside that same
libvirtd, over its socket. Hung VMs and a stopped libvirtd are in tests/e2e/hung_test.py.
"""

import subprocess
import sys
import threading
import time
import unittest

import faults_support as faults
from faults_support import DB, Host, Influxd, tally
from lab import GuestSpec, Lab, LabError

SECONDS = faults.longer(10, 60)


class Storms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab())

    def setUp(self):
        self.influx = self.enterContext(Influxd())
        self.influx.create_database(DB)

    def host(self, uri, **variables):
        host = self.enterContext(Host(uri, self.influx.url, **{"POLL_INTERVAL": "1s", **variables}))
        host.start()
        host.wait_cycles(2)
        return host

    def finish(self, fault, host, name):
        """All has arrived, and the VM that stayed has its lines in every cycle."""
        host.wait_cycles(2)
        collector = host.status()["collector"]
        faults.wait_until_even(host)
        host.stop()
        tally(self, fault, host, faults.count_points(self.influx, DB))
        times = [row["time"] for row in self.influx.query(f'SELECT cpus FROM vm_totals WHERE "name"=\'{name}\'', db=DB)]
        beats = [row["time"] for row in self.influx.query("SELECT loop_latency_ms FROM collector_latency", db=DB)]
        self.assertEqual(beats, times)
        # libvirtd is busy with the storm itself, and answers a beat late now and then.
        self.assertLessEqual(collector["missed_beats"], 2)
        features = self.influx.query(f'SELECT COUNT(disk_wr_bytes_rate) FROM vm_features WHERE "name"=\'{name}\'', db=DB)
        self.assertEqual(len(beats) - 1, features[0]["count"])

    def run_beside(self, *jobs):
        """Runs the jobs in threads until SECONDS have passed; how often each was done, errors raised here."""
        counts, errors, until = [0] * len(jobs), [], time.monotonic() + SECONDS

        def repeat(index):
            try:
                while time.monotonic() < until:
                    jobs[index](counts[index])
                    counts[index] += 1
            except BaseException as error:  # Raised again below, in the test's own thread.
                errors.append(error)
        threads = [threading.Thread(target=repeat, args=(index,)) for index in range(len(jobs))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in errors:
            raise error
        return counts

    def test_real_vms_created_and_destroyed(self):
        self.lab.start_guest(GuestSpec("stays", nics=1, disks=1))
        self.addCleanup(self.lab.destroy, "stays")
        host = self.host(self.lab.uri_ro)

        def churn(number):
            self.lab.start_guest(GuestSpec("short-lived", nics=1, disks=1))
            self.lab.destroy("short-lived")
        lives, = self.run_beside(churn)
        self.assertGreater(lives, 3)
        self.finish(f"{lives} real VMs created and destroyed in {SECONDS} s", host, "stays")

    def test_ten_vms_a_second(self):
        uri = self.lab.uri.replace("qemu+unix:///system", "test+unix:///default")
        shell = self.enterContext(subprocess.Popen(["virsh", "--quiet", "--connect", uri], stdin=subprocess.PIPE,
                                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True))
        folder = self.enterContext(faults.temp_folder())
        path = f"{folder}/vm.xml"
        with open(path, "w", encoding="utf-8") as file:
            file.write("<domain type='test'><name>short-lived</name><memory>4096</memory><vcpu>1</vcpu>"
                       "<os><type>hvm</type></os></domain>")
        host = self.host(uri)
        for _life in range(SECONDS * 10):
            shell.stdin.write(f"create {path}\ndestroy short-lived\n")
            shell.stdin.flush()
            time.sleep(0.1)
        shell.stdin.close()
        self.assertEqual(0, shell.wait(timeout=20))
        host.wait_cycles(2)
        self.assertGreater(host.status()["sources"][0]["events"], SECONDS * 10)
        faults.wait_until_even(host)
        host.stop()
        tally(self, f"10 VMs a second for {SECONDS} s", host, faults.count_points(self.influx, DB))

    def test_hot_plug_storm(self):
        self.lab.start_guests([GuestSpec("stays", nics=1, disks=1), GuestSpec("grows", nics=1, disks=1)])
        for name in ("stays", "grows"):
            self.addCleanup(self.lab.destroy, name)
        host = self.host(self.lab.uri_ro)

        def plug(number):
            try:
                self.lab.attach_nic("grows", self.lab.tap_name(f"h{number}"))
                self.lab.attach_disk("grows", f"vd{chr(ord('b') + number)}")
            except LabError as error:
                # A PC has some thirty slots, and an idle guest lets go of nothing.
                if "No more available PCI slots" not in str(error):
                    raise
                time.sleep(0.2)
        plugged, = self.run_beside(plug)
        self.assertGreater(plugged, 5)
        host.wait_cycles(2)
        self.finish(f"hot-plug storm of {plugged} rounds", host, "stays")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
