#!/usr/bin/python3
"""Other ways to libvirt than the local socket of QEMU, and addresses that lead nowhere.

libvirt's own test driver answers little in bulk, so it shows that the calls per domain fill every field.
"""

import os
import sys
import unittest
import uuid

import truth
from support import (DISK_FIELDS, FEATURES_FIELDS, METRICS_FIELDS, NIC_FIELDS, TOTALS_FIELDS, Daemon, only,
                     parse_lines, run_once, run_virtmeter, select, temp_folder)

from lab import GuestSpec, Lab
from lab_base import free_port, run

NODE_VMS = 100
CORE = {"vm_metrics": METRICS_FIELDS, "nic": NIC_FIELDS, "disk": DISK_FIELDS, "vm_totals": TOTALS_FIELDS}
DEFAULT_URI = "test:///default"
# The fields by virsh's words for them.
VIRSH_WORDS = {
    **truth.MEMORY_KEYS, "timeusr": "user_time", "timesys": "system_time",
    **dict(zip(NIC_FIELDS, "rx_bytes rx_packets rx_errs rx_drop tx_bytes tx_packets tx_errs tx_drop".split())),
    **dict(zip(DISK_FIELDS, "rd_req rd_bytes wr_req wr_bytes errs".split()))}


def virsh_on_default():
    """{word: number as text} of all the calls that stand in for bulk statistics."""
    commands = "domifstat test testnet0; domblkstat test vda; dommemstat test; cpu-stats test --total; dominfo test"
    answer = run(["virsh", "--quiet", "--connect", DEFAULT_URI, commands])
    words = [line.replace("testnet0 ", "").replace("vda ", "").replace(" seconds", "").replace(":", "").rsplit(None, 1)
             for line in answer.splitlines()]
    return {pair[0].strip(): pair[1] for pair in words if len(pair) == 2}


class Tcp(unittest.TestCase):
    """The guests of one lab by the socket and by TCP."""

    def test_the_same_guests_give_the_same_fields(self):
        lab = self.enterContext(Lab(tcp=True))
        guests = lab.start_guests([GuestSpec("one", nics=2, disks=3, vcpus=2), GuestSpec("two", nics=1)])
        before = {guest.name: truth.ask(lab, guest.name)[0] for guest in guests}
        local, remote = (run_once(uri, 2, 0.5) for uri in (lab.uri_ro, lab.tcp_uri))
        after = {guest.name: truth.ask(lab, guest.name)[0] for guest in guests}
        self.assertIn(f"connected to {lab.tcp_uri}: QEMU", remote[1])
        for cycles in (local[0], remote[0]):
            for cycle in cycles:
                for guest in guests:
                    truth.check_vm(self, select(cycle, uuid=guest.uuid), before[guest.name], after[guest.name])
        for here, there in zip(local[0], remote[0]):
            self.assertEqual([(line.kind(), line.tags, line.types()) for line in here],
                             [(line.kind(), line.tags, line.types()) for line in there])
        self.watch_events(lab)

    def watch_events(self, lab):
        """A VM that is started while a daemon reads over TCP shows, and so does a hot-plugged disk."""
        with Daemon(lab.tcp_uri, "--poll-interval", "500ms") as daemon:
            daemon.wait_cycles(1)
            lab.start_guest(GuestSpec("late"))
            daemon.wait(lambda: select(daemon.cycles()[-1], name="late"), "the new VM")
            lab.attach_disk("late", "vda")
            daemon.wait(lambda: select(daemon.cycles()[-1], "disk", name="late", device="vda"), "the new disk")


class TestDriver(unittest.TestCase):
    def check_core(self, cycle, vms, without=()):
        """All fields of all lines, with their types; of the VMs named in `without` but for the memory statistics."""
        for kind, fields in CORE.items():
            lines = select(cycle, kind)
            self.assertGreaterEqual(len(lines), vms, kind)
            for line in lines:
                wanted = fields
                if kind == "vm_totals" and line.tags["name"] in without:
                    wanted = {key: value for key, value in fields.items() if not key.startswith("mem")}
                self.assertEqual(wanted, line.types(), line.text)

    def test_default_gives_complete_core_measurements(self):
        # Under "omit" no zero stands in for a value: what is there was read.
        for missing in ("zero", "omit"):
            cycles, stderr = run_once(DEFAULT_URI, 3, 0.5, "--missing", missing)
            self.assertEqual([4, 5, 5], [len(cycle) - 1 for cycle in cycles])
            for number, cycle in enumerate(cycles):
                self.check_core(cycle, 1)
                self.assertEqual([FEATURES_FIELDS] * bool(number),
                                 [line.types() for line in select(cycle, "vm_features")])
            self.assertNotRegex(stderr, "(?i)warning|error|absent")

    def test_default_gives_the_values_of_the_test_driver(self):
        """The driver makes counters up from the clock, each with another factor, and the same in every process."""
        before = virsh_on_default()
        cycle = run_once(DEFAULT_URI, 1, 1.0)[0][0]
        after = virsh_on_default()
        metrics, totals, nic, disk = (only(cycle, kind) for kind in ("vm_metrics", "vm_totals", "nic", "disk"))
        self.assertEqual({"VMID": "1", "name": "test", "uuid": "6695eb01-f6a4-8304-79aa-97f2502e193f"}, metrics.tags)
        self.assertEqual(("running", 2, 8388608, 2097152),
                         tuple(metrics.fields[key] for key in list(METRICS_FIELDS)[:4]))
        self.assertAlmostEqual(float(after["CPU time"].rstrip("s")), metrics.fields["cputime_ns"] / 1e9, delta=30)
        seen = {**nic.fields, **disk.fields,
                **{key: totals.fields[key] for key in truth.MEMORY_KEYS},
                **{key: totals.fields[key] / 1e9 for key in ("timeusr", "timesys")}}
        for field, value in seen.items():
            first, last = (float(answer[VIRSH_WORDS[field]]) for answer in (before, after))
            self.assertTrue(first <= value <= last, (field, first, value, last))

    def test_default_sums_and_copies(self):
        cycle = run_once(DEFAULT_URI, 1, 1.0)[0][0]
        metrics, totals, nic, disk = (only(cycle, kind).fields for kind in ("vm_metrics", "vm_totals", "nic", "disk"))
        self.assertEqual({"net_" + key: value for key, value in nic.items()} |
                         {"disk_" + key: value for key, value in disk.items()},
                         {key: value for key, value in totals.items() if key.startswith(("net_", "disk_"))})
        self.assertEqual((metrics["cputime_ns"], 2, 1), (totals["cputime"], totals["cpus"], totals["state"]))

    def test_a_node_file_with_100_domains(self):
        identities = {f"vm-{number:03}": str(uuid.uuid4()) for number in range(NODE_VMS)}
        with temp_folder() as folder:
            path = os.path.join(folder, "node.xml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(node_xml(identities))
            # One chunk of bulk statistics, and several.
            for chunk in ("1000", "7"):
                cycles, stderr = run_once(f"test://{path}", 2, 1.0, "--libvirt-chunk-vms", chunk, "--missing", "omit")
                self.check_node(cycles, identities)
                self.assertNotRegex(stderr, "(?i)warning|error")

    def check_node(self, cycles, identities):
        per_vm = 1 + 2 + 3 + 1
        self.assertEqual([NODE_VMS * per_vm, NODE_VMS * (per_vm + 1)], [len(cycle) - 1 for cycle in cycles])
        for cycle in cycles:
            self.check_core(cycle, NODE_VMS, without=list(identities)[1::2])
            metrics = select(cycle, "vm_metrics")
            self.assertEqual(identities, {line.tags["name"]: line.tags["uuid"] for line in metrics})
            self.assertEqual(NODE_VMS, len({line.tags["VMID"] for line in metrics}))
            for name in identities:
                number = int(name[3:])
                self.assertEqual((1 + number % 4, 1024 * (64 + number)),
                                 tuple(only(metrics, "vm_metrics", name=name).fields[key]
                                       for key in ("cpu_count", "memory_max_kb")))
                found = {line.tags["device"] for line in select(cycle, uuid=identities[name]) if "device" in line.tags}
                self.assertEqual({f"n{number}a", f"n{number}b", "vda", "vdb", "vdc"}, found)


def node_xml(identities):
    """A test driver's node with these running domains; every other one has no balloon, so no memory statistics."""
    domains = []
    for number, (name, domain_uuid) in enumerate(identities.items()):
        nics = "".join(f"<interface type='network'><source network='default'/>"
                       f"<target dev='n{number}{letter}'/></interface>" for letter in "ab")
        disks = "".join(f"<disk type='file' device='disk'><source file='/{number}{letter}'/>"
                        f"<target dev='vd{letter}' bus='virtio'/></disk>" for letter in "abc")
        balloon = "none" if number % 2 else "virtio"
        domains.append(f"<domain type='test'><name>{name}</name><uuid>{domain_uuid}</uuid>"
                       f"<memory unit='MiB'>{64 + number}</memory><vcpu>{1 + number % 4}</vcpu>"
                       "<os><type>hvm</type></os>"
                       f"<devices>{nics}{disks}<memballoon model='{balloon}'/></devices></domain>")
    return ("<node><cpu><mhz>6000</mhz><model>i986</model><active>50</active><nodes>1</nodes><sockets>4</sockets>"
            f"<cores>4</cores><threads>2</threads></cpu><memory>80000000</memory>{''.join(domains)}</node>")


class WrongAddresses(unittest.TestCase):
    """Exit codes are sysexits, the words name the mistake and the fix, and stdout stays empty."""

    def refused(self, uri, command, code):
        done = run_virtmeter(command, timeout=30, LIBVIRT_URI=uri)
        self.assertEqual(code, done.returncode, (uri, command, done.stdout, done.stderr))
        if command != "check":  # Its findings are its data.
            self.assertEqual("", done.stdout)
        return done.stdout + done.stderr

    def test_a_driver_or_path_that_does_not_exist(self):
        for uri in ("kvm:///system", "qemu:///sytem"):
            for command in ("once", "run", "check"):
                words = self.refused(uri, command, 78)
                self.assertIn("E103", words)
                self.assertIn(uri, words)
                self.assertIn("fix: did you mean qemu:///system ?", words)

    def test_what_is_no_address(self):
        usual = "local: qemu:///system; over ssh: qemu+ssh://user@host/system"
        self.assertIn(usual, self.refused("system", "once", 78))
        self.assertIn("did you mean qemu+ssh://h/system ?", self.refused("qemu+shh://h/system", "once", 78))

    def test_an_absent_socket(self):
        with temp_folder() as folder:
            uri = f"qemu+unix:///system?socket={folder}/libvirt-sock-ro"
            for command in ("once", "check"):
                words = self.refused(uri, command, 69)
                self.assertIn("E101 libvirt is not running", words)
                self.assertIn(f"{folder}/libvirt-sock-ro", words)
                self.assertIn("fix: sudo systemctl start libvirtd.socket", words)

    def test_a_host_where_nobody_listens(self):
        port = free_port()
        words = self.refused(f"qemu+tcp://127.0.0.1:{port}/system", "once", 69)
        self.assertIn("E101", words)
        self.assertIn("Connection refused", words)

    def test_a_password_in_an_address_is_not_told(self):
        port = free_port()
        words = self.refused(f"qemu+tcp://someone:hunter2@127.0.0.1:{port}/system", "once", 69)
        self.assertIn("someone:***@", words)
        self.assertNotIn("hunter2", words)

    def test_a_node_file_that_is_not_there_or_makes_no_sense(self):
        with temp_folder() as folder:
            path = os.path.join(folder, "node.xml")
            self.refused(f"test://{path}", "once", 69)
            with open(path, "w", encoding="utf-8") as file:
                file.write("<node><domain type='test'><name>x</name>")
            self.refused(f"test://{path}", "once", 69)

    def test_a_host_without_vms_is_no_failure(self):
        with temp_folder() as folder:
            path = os.path.join(folder, "node.xml")
            with open(path, "w", encoding="utf-8") as file:
                file.write("<node><memory>80000000</memory></node>")
            done = run_virtmeter("once", LIBVIRT_URI=f"test://{path}")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(["collector_latency"], [line.measurement for line in parse_lines(done.stdout)])
        self.assertIn("I104", done.stderr)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
