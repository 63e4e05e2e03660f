#!/usr/bin/python3
"""What the kernel reader says of real guests is what libvirt says, field by field (the table of docs/kernel.md).

Each reading of the kernel stands between two of libvirt. A counter must lie between them, and at most a clock tick
beyond; whatever stands still in libvirt must be equal. The reader is asked through tests/tools/kernel_values, so that
no other way to a value can stand in for it.
"""

import contextlib
import glob
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
import unittest

from support import HERE, NIC_FIELDS, binary

import lab as lab_module
from lab import LINUX, GuestSpec, Lab
from lab_base import die_with_parent, run, wait_until

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
# The kernel keeps pages in counters of each CPU, and adds them up loosely where it prints them.
LOOSE_KIB = 2048
NOBODY = 65534

_NIC_KEYS = dict(zip(NIC_FIELDS, "rx.bytes rx.pkts rx.errs rx.drop tx.bytes tx.pkts tx.errs tx.drop".split()))
_CPU_KEYS = {"cputime_ns": "cpu.time", "timeusr": "cpu.user", "timesys": "cpu.system"}
_GROUPS = ("--cpu-total", "--vcpu", "--interface", "--balloon")


def program():
    path = os.path.join(os.path.dirname(binary()), "tests", "kernel_values")
    if not os.access(path, os.X_OK):
        raise AssertionError(f"{path}: not built: ninja kernel_values")
    return path


class KernelValues:
    """The program, running; a new one knows nothing of what an earlier one has found."""

    def __init__(self, *prefix, path=None):
        self._command = [*prefix, path or program()]
        self._process = None

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                         preexec_fn=die_with_parent())
        return self

    def __exit__(self, *_exception):
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()

    def cycle(self, *vms):
        """One cycle over these VMs (words_of()): the answer as a dict."""
        print("\t".join(vms), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


def words_of(lab, name, nics=None):
    guest = lab.guest(name)
    escaped = "".join(letter if letter.isalnum() else "".join(f"%{byte:02x}" for byte in letter.encode())
                      for letter in name)
    domain_id = lab.virsh("domid", guest.uuid).strip()
    return " ".join([guest.uuid, domain_id, escaped, *(guest.nics if nics is None else nics)])


def nics_of(stats):
    """{name: {field: number}} out of libvirt's statistics."""
    names = {value: key.split(".")[1] for key, value in stats.items()
             if key.startswith("net.") and key.endswith(".name")}
    return {name: {field: int(stats[f"net.{place}.{key}"]) for field, key in _NIC_KEYS.items()}
            for name, place in names.items()}


class Agreement(unittest.TestCase):
    """Helpers of the test cases below; `moved` collects what was seen to move."""

    def setUp(self):
        self.moved = set()

    def between(self, what, before, value, after, beyond=0):
        self.assertLessEqual(before - beyond, value, what)
        self.assertGreaterEqual(after + beyond, value, what)
        if before != after:
            self.moved.add(what)

    def check(self, lab, values, name, nics=None):
        """One bracketed reading of one guest; the kernel's values."""
        guest = lab.guest(name)
        nics = guest.nics if nics is None else nics
        words = words_of(lab, name, nics)
        self.follow(values, words)
        before = lab.domstats(name, *_GROUPS)
        answer = values.cycle(words)
        after = lab.domstats(name, *_GROUPS)
        seen = answer[guest.uuid]
        self.assertEqual([1, 1, 1, 1], seen["covered"], answer["status"])
        for field, key in _CPU_KEYS.items():
            self.between(field, int(before[key]), seen[field], int(after[key]))
        sizes = sorted((int(before["balloon.rss"]), int(after["balloon.rss"])))
        self.between("memrss", sizes[0], seen["memrss"], sizes[1], LOOSE_KIB if sizes[0] != sizes[1] else 0)
        self.assertEqual(int(before["vcpu.current"]), seen["cpu_count"])
        self.check_vcpus(before, seen["vcpus"], after)
        self.assertEqual(len(nics), len(seen["nics"]))
        for nic, counters in zip(nics, seen["nics"]):
            first, last = nics_of(before)[nic], nics_of(after)[nic]
            for field in NIC_FIELDS:
                self.between(field, first[field], counters[field], last[field])
        return seen

    def follow(self, values, words):
        """Until all is covered: passes over the processes rest, and a thread that has just started has no name."""
        uuid = words.split()[0]
        wait_until(lambda: values.cycle(words)[uuid]["covered"] == [1, 1, 1, 1], 10, f"the kernel to tell of {words}",
                   interval=0.2)

    def check_vcpus(self, before, vcpus, after):
        self.assertEqual(int(before["vcpu.current"]), len(vcpus))
        for number, (run_ns, delay_ns) in vcpus.items():
            self.between("delay", int(before[f"vcpu.{number}.delay"]), delay_ns, int(after[f"vcpu.{number}.delay"]))
            # libvirt rounds user and system time to ticks, each for itself.
            self.between("time", int(before[f"vcpu.{number}.time"]), run_ns,
                         int(after[f"vcpu.{number}.time"]) + 2 * TICK_NS)


class Guests(Agreement):
    """Paused guests with odd names, and Linux guests that work."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab())
        cls.idle = ["idle", "a b,c=d,,e", "-uuid", "ü) S 1 2"]
        cls.lab.start_guests([GuestSpec(name, vcpus=1 + number % 3, nics=2, disks=1)
                              for number, name in enumerate(cls.idle)])
        cls.lab.start_guest(GuestSpec("worker", LINUX, vcpus=2, nics=2, disks=2, pause_s=0.2))
        cls.lab.wait_linux_ready("worker")

    def test_paused_guests_agree(self):
        with KernelValues() as values:
            for name in self.idle:
                with self.subTest(name=name):
                    self.lab.send_frames(self.lab.guest(name).nics[1], count=3)
                    self.check(self.lab, values, name)

    def test_a_working_guest_agrees(self):
        with KernelValues() as values:
            for _ in range(15):
                self.lab.send_frames(self.lab.guest("worker").nics[0], count=2, size=700)
                self.check(self.lab, values, "worker")
                time.sleep(0.2)
        self.assertLessEqual({"cputime_ns", "timeusr", "delay", "time", "txbytes", "txpackets"}, self.moved)

    def test_drops_agree(self):
        """A paused guest takes no frames, and a queue of one is full at once."""
        nic = self.lab.guest("idle").nics[0]
        run(["ip", "link", "set", "dev", nic, "txqueuelen", "1"])
        for _ in range(10):
            with contextlib.suppress(OSError):
                self.lab.send_frames(nic)
        with KernelValues() as values:
            seen = self.check(self.lab, values, "idle")
        self.assertGreater(seen["nics"][0]["rxdrops"], 0)

    def test_all_guests_take_one_pass_and_one_list_of_links(self):
        names = [*self.idle, "worker"]
        with KernelValues() as values:
            words = [words_of(self.lab, name) for name in names]
            for _ in range(3):
                status = values.cycle(*words)["status"]
        self.assertEqual((len(names), 1, 0, 0),
                         (status["followed"], status["passes"], status["failed_dumps"], status["nics_left"]))

    def test_an_ordinary_user_reads_the_same(self):
        with unprivileged_copy() as path, KernelValues(*AS_NOBODY, path=path) as values:
            for name in [*self.idle, "worker"]:
                with self.subTest(name=name):
                    self.check(self.lab, values, name)

    def test_a_new_nic_is_read_in_the_next_cycle_and_an_old_one_no_more(self):
        with KernelValues() as values:
            self.check(self.lab, values, "worker")
            tap = self.lab.tap_name("new")
            self.lab.attach_nic("worker", tap)
            nics = [*self.lab.guest("worker").nics, tap]
            self.check(self.lab, values, "worker", nics)
            self.lab.detach_device("worker", tap)
            answer = values.cycle(words_of(self.lab, "worker", nics))
            self.assertEqual(0, answer[self.lab.uuid("worker")]["covered"][3])
            self.check(self.lab, values, "worker")
            self.assertEqual(1, answer["status"]["link_dumps"])

    def test_another_network_namespace_leaves_the_nics_to_libvirt(self):
        with KernelValues("unshare", "--net") as values:
            answer = values.cycle(words_of(self.lab, "idle"))
        self.assertEqual([1, 1, 1, 0], answer[self.lab.uuid("idle")]["covered"])
        self.assertEqual(1, answer["status"]["foreign_networks"])

    def test_a_hidden_process_leaves_its_vm_to_libvirt(self):
        """hidepid=2: other users' processes are not there for whoever is not root."""
        hidden = "mount -t proc -o hidepid=2 proc /proc && exec " + " ".join([*AS_NOBODY, '"$0"'])
        with unprivileged_copy() as path, \
                KernelValues("unshare", "--mount", "sh", "-c", hidden, path=path) as values:
            answer = values.cycle(words_of(self.lab, "idle"))
        self.assertEqual([0, 0, 0, 0], answer[self.lab.uuid("idle")]["covered"])
        self.assertEqual(1, answer["status"]["not_found"])


class Replaced(Agreement):
    """Processes that end, begin anew, and are not what they say."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab())

    def test_a_guest_that_is_started_again_is_another_process(self):
        spec = GuestSpec("again", nics=1)
        guest = self.lab.start_guest(spec)
        with KernelValues() as values:
            self.check(self.lab, values, "again")
            words = words_of(self.lab, "again")
            pid = self.lab.qemu_pid("again")
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not os.path.exists(f"/proc/{pid}/task/{pid}/children") or ended(pid), 10, "its end")
            answer = values.cycle(words)
            self.assertEqual([0, 0, 0, 0], answer[guest.uuid]["covered"])
            self.assertNotIn("cputime_ns", answer[guest.uuid])
            wait_until(lambda: guest.uuid not in self.lab.virsh("list", "--uuid"), 10, "libvirt to see it")
            self.lab.destroy("again")
            spec.uuid = guest.uuid
            self.lab.start_guest(spec)
            wait_until(lambda: values.cycle(words_of(self.lab, "again"))["status"]["followed"] == 1, 10,
                       "the new process to be found", interval=0.5)
            self.check(self.lab, values, "again")

    def test_an_impostor_is_not_believed(self):
        self.lab.start_guest(GuestSpec("victim", nics=1))
        uuid = self.lab.uuid("victim")
        with impostor("-name", "guest=victim", "-uuid", uuid), KernelValues() as values:
            answer = values.cycle(words_of(self.lab, "victim"))
        self.assertEqual([0, 0, 0, 0], answer[uuid]["covered"])
        self.assertEqual(1, answer["status"]["ambiguous"])

    def test_an_impostor_changes_nothing_for_a_vm_that_is_followed(self):
        self.lab.start_guest(GuestSpec("followed", nics=1))
        with KernelValues() as values:
            self.check(self.lab, values, "followed")
            with impostor("-name", "guest=followed", "-uuid", self.lab.uuid("followed")):
                self.check(self.lab, values, "followed")


class Groups(Agreement):
    """libvirt counts CPU time in a control group of the VM, helpers of QEMU included."""

    @classmethod
    def setUpClass(cls):
        if not glob.glob("/sys/fs/cgroup/cgroup.controllers") and not os.path.isdir("/sys/fs/cgroup/unified"):
            raise unittest.SkipTest("no unified hierarchy of control groups here")
        root = "/sys/fs/cgroup/unified" if os.path.isdir("/sys/fs/cgroup/unified") else "/sys/fs/cgroup"
        cls.made = os.path.join(root, "machine")
        if os.path.exists(cls.made) or not os.access(root, os.W_OK):
            raise unittest.SkipTest(f"{root}: not to be written, or another libvirt uses it")
        usual = lab_module._QEMU_CONF
        lab_module._QEMU_CONF = usual.replace("cgroup_controllers = []", 'cgroup_controllers = ["cpuacct"]')
        cls.addClassCleanup(setattr, lab_module, "_QEMU_CONF", usual)
        cls.addClassCleanup(cls.remove_groups)
        cls.lab = cls.enterClassContext(Lab())
        cls.lab.start_guest(GuestSpec("grouped", LINUX, nics=1, disks=1, pause_s=0.2))
        cls.lab.wait_linux_ready("grouped")

    @classmethod
    def remove_groups(cls):
        for folder, _folders, _files in os.walk(cls.made, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)

    def test_the_groups_time_agrees(self):
        with open(f"/proc/{self.lab.qemu_pid('grouped')}/cgroup", encoding="utf-8") as file:
            if "qemu-" not in file.read():
                self.skipTest("this libvirt made no group")
        with KernelValues() as values:
            for _ in range(10):
                seen = self.check(self.lab, values, "grouped")
                time.sleep(0.2)
        self.assertNotEqual(0, seen["cputime_ns"] % TICK_NS, "that was counted in ticks")
        self.assertLessEqual({"cputime_ns", "timeusr"}, self.moved)


class Macvtap(Agreement):
    """A NIC of type direct sees as its guest does: nothing is turned around."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab())
        cls.link, cls.peer, cls.nic = (cls.lab.tap_name(end) for end in ("low", "peer", "mv"))
        try:
            run(["ip", "link", "add", cls.link, "type", "veth", "peer", "name", cls.peer])
        except Exception as error:
            raise unittest.SkipTest(f"no pair of links to put a macvtap on: {error}") from error
        cls.addClassCleanup(run, ["ip", "link", "delete", cls.link])
        for name in (cls.link, cls.peer):
            run(["ip", "link", "set", "dev", name, "up"])
        direct = (f"<interface type='direct'><source dev='{cls.link}' mode='bridge'/>"
                  f"<target dev='{cls.nic}'/><model type='virtio'/></interface>")
        with device_node_of(cls.nic):
            cls.lab.start_guest(GuestSpec("direct", LINUX, nics=1, disks=1, pause_s=0.2, devices_xml=direct))
        cls.lab.wait_linux_ready("direct")

    def test_it_agrees_unturned(self):
        nics = [*self.lab.guest("direct").nics, self.nic]
        with KernelValues() as values:
            for _ in range(10):
                self.lab.send_frames(self.peer, count=3, size=900)
                seen = self.check(self.lab, values, "direct", nics)
                time.sleep(0.2)
        macvtap = seen["nics"][1]
        # The guest sends frames of 42 bytes, and receives those of 900.
        self.assertGreater(macvtap["rxbytes"], 10 * 3 * 800)
        self.assertGreater(macvtap["txpackets"], 0)
        self.assertLess(macvtap["txbytes"], macvtap["rxbytes"])


AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


@contextlib.contextmanager
def unprivileged_copy():
    """The program where any user may run it."""
    folder = f"/tmp/virtmeter-agreement-{os.getpid()}"
    os.mkdir(folder, 0o755)
    try:
        yield shutil.copy(program(), folder)
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def impostor(*words):
    """A process that is no QEMU, with these words on its command line."""
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()", *words],
                               stdin=subprocess.PIPE, preexec_fn=die_with_parent())
    try:
        wait_until(lambda: words[-1].encode() in command_line(process.pid), 10, "the impostor to start")
        yield
    finally:
        process.stdin.close()
        process.wait(timeout=10)


def command_line(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()


def ended(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@contextlib.contextmanager
def device_node_of(nic):
    """Makes /dev/tap<index> when the macvtap appears, as udev would; libvirt waits 0.4 s for it."""
    done = threading.Event()
    made = []

    def watch():
        while not done.wait(0.005):
            for path in glob.glob(f"/sys/class/net/{nic}/tap*/dev"):
                node = "/dev/" + path.split("/")[-2]
                if os.path.exists(node):
                    return
                with open(path, encoding="utf-8") as file:
                    major, minor = map(int, file.read().split(":"))
                os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(major, minor))
                made.append(node)
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        for node in made:
            os.unlink(node)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
