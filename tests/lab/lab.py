"""A private libvirtd with real QEMU guests, for tests: `with Lab() as lab: lab.start_guest(...)`.

The machine's own libvirt, its guests and its networks are not touched; see README.md for how. Needs root and
the packages of `lab need`. Not thread-safe, except that virsh() may be called from several threads.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

import guest as guest_model
from guest import HALTED, IDLE, LINUX, Guest, GuestSpec
from guest_kernel import default_cache, guest_kernel
from lab_base import EX_UNAVAILABLE, EX_USAGE, LabError, free_port, run, tail, wait_until
from lab_need import require
from sandbox import Sandbox

__all__ = ["HALTED", "IDLE", "LINUX", "Guest", "GuestSpec", "Lab", "LabError"]

# sockaddr_un holds 108 bytes; the longest socket name below the folder is sock/libvirt-sock-ro.
_FOLDER_BYTES_MAX = 80
_IMAGE_MIB = 64

_LIBVIRTD_CONF = """\
unix_sock_dir = "{folder}/sock"
unix_sock_ro_perms = "0777"
unix_sock_rw_perms = "0700"
auth_unix_ro = "none"
auth_unix_rw = "none"
listen_tls = 0
listen_tcp = {tcp}
listen_addr = "127.0.0.1"
tcp_port = "{port}"
auth_tcp = "none"
log_level = 3
log_outputs = "3:stderr"
"""

# Root and no security driver, cgroups or mount namespaces: the lab works where no systemd delegates them.
# stdio_handler "file" does without a virtlogd.
_QEMU_CONF = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
"""


class Lab:
    """One libvirtd and its guests.

    tcp     listen on plain TCP of 127.0.0.1 as well; tcp_uri then says where.
    cache   folder that keeps the built kernel of Linux guests between labs.

    uri, uri_ro, tcp_uri and folder hold while the lab is up. The thread that starts it must outlive it.
    """

    def __init__(self, tcp=False, cache=None):
        self._tcp_port = free_port() if tcp else 0
        self._cache = cache or default_cache()
        self._guests = {}
        self._guest_count = 0
        self._image_count = 0
        self._libvirtd_pid = None
        self._sandbox = None
        # Random, so that labs that run at once do not fight over names of the shared network namespace.
        self._tap_prefix = "vl" + secrets.token_hex(2)
        self.folder = None
        self.uri = None
        self.uri_ro = None
        self.tcp_uri = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_exception):
        self.close()

    def start(self):
        require()
        self.folder = tempfile.mkdtemp(prefix="virtmeter-lab-")
        try:
            self._write_settings()
            self._sandbox = Sandbox(self.folder)
            self._sandbox.start()
            self.start_libvirtd()
        except BaseException:
            self.close()
            raise

    def close(self):
        """Ends every guest and libvirtd and removes the folder. Safe to repeat, and after a failed start."""
        try:
            if self._sandbox:
                self._sandbox.close()
        finally:
            self._sandbox = None
            self._guests.clear()
            if self.folder:
                shutil.rmtree(self.folder, ignore_errors=True)
                self.folder = None

    # --- libvirtd ---

    def start_libvirtd(self):
        """Starts libvirtd and returns when it answers; guests of an earlier one are found again."""
        options = ["--listen"] if self._tcp_port else []
        self._libvirtd_pid = self._sandbox.start_libvirtd(*options)
        wait_until(self._libvirtd_answers, 30, "libvirtd to answer", interval=0.1)

    def kill_libvirtd(self):
        """SIGKILL, without a chance to tidy up; the guests run on."""
        pid = self.libvirtd_pid()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 10, "libvirtd to end")
        self._libvirtd_pid = None

    def libvirtd_pid(self):
        """The daemon's pid in the caller's namespace."""
        if self._libvirtd_pid is None:
            raise LabError("libvirtd is not running: start_libvirtd() first")
        return self._libvirtd_pid

    def virsh(self, *arguments, timeout=60):
        """One virsh command over the read-write socket; its stdout. Name guests by uuid(name)."""
        return run([*self.virsh_command(), *arguments], timeout=timeout)

    def virsh_command(self):
        return ["virsh", "--quiet", "--connect", self.uri]

    def enter_command(self):
        """Prefix of a command that is to run inside the lab's namespaces, as libvirt's own tools would."""
        return ["nsenter", "--mount", "--pid", "--target", str(self._sandbox.init_pid())]

    # --- guests ---

    def start_guest(self, spec):
        """Starts one guest and returns it as a Guest. A Linux guest still boots: wait_linux_ready()."""
        guest, xml = self._prepare(spec)
        self._create(guest, xml)
        return guest

    def start_guests(self, specs):
        """Starts many, two at a time: libvirtd does not get quicker with more."""
        prepared = [self._prepare(spec) for spec in specs]
        with ThreadPoolExecutor(max_workers=2) as pool:
            creations = [pool.submit(self._create, guest, xml) for guest, xml in prepared]
            try:
                for creation in creations:
                    creation.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return [guest for guest, _xml in prepared]

    def destroy(self, name):
        """Ends a guest at once. The domain is transient, so libvirt forgets it; the name is free again."""
        guest = self.guest(name)
        # One whose QEMU crashed is gone already.
        if guest.uuid in self.virsh("list", "--uuid"):
            self.virsh("destroy", guest.uuid)
        del self._guests[name]

    def guest(self, name):
        if name not in self._guests:
            raise LabError(f"no guest {name!r} was started in this lab", EX_USAGE)
        return self._guests[name]

    def uuid(self, name):
        """What to call a guest by in virsh: a name may look like an id, an option or a uuid."""
        return self.guest(name).uuid

    def xml(self, name):
        """The live domain XML, parsed."""
        return ElementTree.fromstring(self.virsh("dumpxml", self.uuid(name)))

    def domstats(self, name, *groups):
        """The statistics virsh knows of a guest, as {key: value}, both strings."""
        lines = self.virsh("domstats", *groups, self.uuid(name)).splitlines()
        return dict(line.strip().split("=", 1) for line in lines if "=" in line and line.startswith("  "))

    def wait_linux_ready(self, name, seconds=60):
        """Returns when the guest's drivers work: its balloon answers and its disks and NICs were used."""
        self.guest(name)
        wait_until(lambda: self._linux_ready(name), seconds, f"Linux guest {name!r} to boot", interval=0.5)

    def console(self, name):
        """What a Linux guest has printed so far."""
        return tail(self._console_path(self.uuid(name)), lines=10_000)

    # --- devices ---

    def attach_disk(self, name, target):
        """Hot-plugs a new empty disk, e.g. target "vdd"."""
        self._attach(name, guest_model.disk_xml(self._new_image(), target))

    def attach_nic(self, name, target):
        """Hot-plugs a NIC whose tap has the given name; tap_name() makes one nobody else has."""
        self._attach(name, guest_model.nic_xml(target))

    def detach_device(self, name, target, seconds=30):
        """Unplugs the disk or NIC with that target name. Only a guest that answers (LINUX) lets go of it."""
        device = self._find_device(name, target)
        if device is None:
            raise LabError(f"guest {name!r} has no device {target!r}", EX_USAGE)
        self._with_xml_file("detach-device", name, ElementTree.tostring(device, encoding="unicode"))
        wait_until(lambda: self._find_device(name, target) is None, seconds,
                   f"guest {name!r} to let go of {target!r}", interval=0.1)

    def tap_name(self, suffix):
        """A name for a tap that no other lab uses; with the prefix it may have 15 characters."""
        name = f"{self._tap_prefix}{suffix}"
        if len(name.encode()) > 15:
            raise LabError(f"tap name {name!r} is longer than 15 characters", EX_USAGE)
        return name

    def delete_tap(self, target):
        """Removes a NIC behind libvirt's back, as a clumsy administrator would."""
        run(["ip", "link", "delete", "dev", target])

    def send_frames(self, target, count=1, size=100):
        """Puts `count` broadcast Ethernet frames of `size` bytes into a guest's NIC."""
        # 0x88b5 is the EtherType for local experiments: no protocol stack answers it.
        frame = b"\xff" * 6 + b"\x02\x00\x00\x00\x00\x01" + b"\x88\xb5"
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
            link.bind((target, 0))
            for _ in range(count):
                link.send(frame.ljust(size, b"\0"))

    # --- QEMU processes ---

    def qemu_pid(self, name):
        """The pid of a guest's QEMU in the caller's namespace."""
        wanted = self.uuid(name).encode()
        for pid in self._sandbox.pids():
            if _option_of(pid, b"-uuid") == wanted:
                return pid
        raise LabError(f"guest {name!r} has no QEMU process")

    def stop_process(self, name):
        """SIGSTOP: the guest stands still and its monitor hangs until cont_process()."""
        os.kill(self.qemu_pid(name), signal.SIGSTOP)

    def cont_process(self, name):
        os.kill(self.qemu_pid(name), signal.SIGCONT)

    def pids(self):
        """Every process of the lab, as pids of the caller's namespace."""
        return self._sandbox.pids()

    # --- helpers ---

    def _write_settings(self):
        if len(os.fsencode(self.folder)) > _FOLDER_BYTES_MAX:
            raise LabError(f"{self.folder}: too long for a socket's path: set TMPDIR to a shorter one", EX_USAGE)
        if os.path.realpath(self.folder).startswith("/run/"):
            raise LabError(f"{self.folder}: hidden by the lab's own /run: set TMPDIR to another", EX_USAGE)
        # Open to other users, so that a test can ask the read-only socket as one of them.
        os.chmod(self.folder, 0o755)
        for name in ("etc", "log", "sock", "images"):
            os.mkdir(os.path.join(self.folder, name))
        self._write("etc/libvirtd.conf", _LIBVIRTD_CONF.format(
            folder=self.folder, tcp=int(bool(self._tcp_port)), port=self._tcp_port or 16509))
        self._write("etc/qemu.conf", _QEMU_CONF)
        run(["qemu-img", "create", "-q", "-f", "qcow2", self._image_path(0), f"{_IMAGE_MIB}M"])
        self.uri = f"qemu+unix:///system?socket={self.folder}/sock/libvirt-sock"
        self.uri_ro = f"qemu+unix:///system?socket={self.folder}/sock/libvirt-sock-ro"
        if self._tcp_port:
            self.tcp_uri = f"qemu+tcp://127.0.0.1:{self._tcp_port}/system"

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def _libvirtd_answers(self):
        log = os.path.join(self.folder, "log", "libvirtd.log")
        if not os.path.exists(f"/proc/{self._libvirtd_pid}"):
            self._libvirtd_pid = None
            raise LabError(f"libvirtd ended: {tail(log)}", EX_UNAVAILABLE)
        answer = subprocess.run([*self.virsh_command(), "list", "--uuid"], capture_output=True, timeout=60,
                                stdin=subprocess.DEVNULL, check=False)
        return answer.returncode == 0

    def _prepare(self, spec):
        number = self._guest_count
        self._guest_count += 1
        nics = spec.nics if isinstance(spec.nics, list) else \
            [self.tap_name(f"g{number}n{index}") for index in range(spec.nics)]
        disks = spec.disks if isinstance(spec.disks, list) else guest_model.disk_targets(spec.disks)
        guest = Guest(spec.name, spec.uuid or str(uuid.uuid4()), spec.kind, list(nics), list(disks))
        boot = None
        if spec.kind == LINUX:
            boot = (*guest_kernel(self._cache), self._console_path(guest.uuid))
        elif spec.kind == HALTED:
            boot = (self._halting_rom(),)
        return guest, guest_model.domain_xml(spec, guest, [self._new_image() for _ in disks], boot)

    def _create(self, guest, xml):
        path = os.path.join(self.folder, f"domain-{guest.uuid}.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(xml)
        paused = ["--paused"] if guest.kind == IDLE else []
        try:
            self.virsh("create", path, *paused)
        finally:
            os.unlink(path)
        self._guests[guest.name] = guest

    def _attach(self, name, xml):
        self._with_xml_file("attach-device", name, xml)

    def _with_xml_file(self, command, name, xml):
        with tempfile.NamedTemporaryFile("w", suffix=".xml", dir=self.folder, encoding="utf-8") as file:
            file.write(xml)
            file.flush()
            self.virsh(command, self.uuid(name), file.name, "--live")

    def _find_device(self, name, target):
        for device in self.xml(name).find("devices"):
            element = device.find("target")
            if element is not None and element.get("dev") == target:
                return device
        return None

    def _linux_ready(self, name):
        stats = self.domstats(name, "--state", "--balloon", "--block", "--interface")
        guest = self.guest(name)
        used = [stats.get(f"block.{index}.wr.reqs", "0") for index in range(len(guest.disks))]
        used += [stats.get(f"net.{index}.tx.pkts", "0") for index in range(len(guest.nics))]
        return stats.get("state.state") == "1" and "balloon.usable" in stats and "0" not in used

    def _new_image(self):
        # A copy of an empty image, not a qemu-img each: hundreds are made for the scale tests.
        self._image_count += 1
        path = self._image_path(self._image_count)
        shutil.copy(self._image_path(0), path)
        return path

    def _halting_rom(self):
        path = os.path.join(self.folder, "images", "halt.rom")
        if not os.path.exists(path):
            with open(path, "wb") as file:
                file.write(guest_model.halting_rom())
        return path

    def _image_path(self, number):
        return os.path.join(self.folder, "images", f"{number}.qcow2")

    def _console_path(self, guest_uuid):
        return os.path.join(self.folder, "log", f"console-{guest_uuid}.log")


def _option_of(pid, option):
    """The word after `option` on a process's command line, as bytes; None if there is none."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return words[words.index(option) + 1] if option in words[:-1] else None
