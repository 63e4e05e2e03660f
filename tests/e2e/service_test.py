#!/usr/bin/python3
"""The daemon under a service manager: sd_notify, watchdog, SIGHUP, and the unit itself as systemd judges it."""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from support import ROOT, Daemon, binary, environment, temp_folder

from lab_base import die_with_parent

NODE = "test:///default"
FAST = ("--poll-interval", "500ms")
UNIT = os.path.join(ROOT, "packaging", "virtmeter.service")
SYSUSERS = os.path.join(ROOT, "packaging", "virtmeter.sysusers")
# systemd-analyze's scale ends at 10. What is left is the network, AF_* families and the host's /proc, which are needed.
EXPOSURE_MAX = 2.0


class Manager:
    """A service manager's socket: what came over it, as lists of lines with the time they came."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.settimeout(0.2)
        self.messages = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def variables(self, watchdog_seconds):
        return {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": str(int(watchdog_seconds * 1e6))}

    def _listen(self):
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                data = self._socket.recv(4096).decode()
                self.messages.append((time.monotonic(), data.strip().split("\n")))

    def count(self, line):
        return sum(line in lines for _, lines in list(self.messages))

    def lines(self):
        return [line for _, lines in list(self.messages) for line in lines]

    def close(self):
        self._ended.set()
        self._thread.join()
        self._socket.close()


class Notify(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(temp_folder())
        self.manager = Manager(folder)
        self.addCleanup(self.manager.close)

    def daemon(self, *arguments, uri=NODE, watchdog_seconds=1):
        return Daemon(uri, *FAST, *arguments, **self.manager.variables(watchdog_seconds))

    def test_ready_comes_after_the_first_cycle_and_stopping_at_the_end(self):
        with self.daemon() as daemon:
            daemon.wait(lambda: self.manager.count("READY=1"), "READY=1")
            self.assertGreaterEqual(len(daemon.cycles()), 1)
            daemon.wait(lambda: any(re.fullmatch(r"STATUS=1 VMs in \d+ ms; file: \d+ lines wait", line)
                                    for line in self.manager.lines()), "STATUS")
        self.assertEqual(1, self.manager.count("READY=1"))
        self.assertEqual(["STOPPING=1", "STATUS=stopping"], self.manager.messages[-1][1])

    def test_it_is_ready_without_libvirt_too(self):
        with self.daemon(uri="qemu+unix:///system?socket=/nowhere/sock") as daemon:
            daemon.wait(lambda: self.manager.count("READY=1"), "READY=1")
            daemon.wait(lambda: any("E101" in line for line in self.manager.lines()), "the reason as STATUS")
            daemon.wait(lambda: self.manager.count("WATCHDOG=1") > 5, "signs of life")

    def test_signs_of_life_come_well_within_the_interval(self):
        with self.daemon(watchdog_seconds=2) as daemon:
            daemon.wait(lambda: self.manager.count("WATCHDOG=1") > 8, "signs of life")
            times = [at for at, lines in self.manager.messages if "WATCHDOG=1" in lines]
            self.assertLess(max(after - before for before, after in zip(times, times[1:])), 2)

    def test_a_reload_is_framed_for_systemd(self):
        with self.daemon() as daemon:
            daemon.wait(lambda: self.manager.count("READY=1"), "READY=1")
            before = time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
            daemon.reload("poll_interval = 3600\n")
            daemon.wait(lambda: self.manager.count("READY=1") == 2, "the second READY=1")
            reloading, = [lines for _, lines in self.manager.messages if "RELOADING=1" in lines]
            stamp = int(re.fullmatch(r"MONOTONIC_USEC=(\d+)", reloading[1]).group(1))
            self.assertTrue(before <= stamp <= time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6)

    def test_a_daemon_whose_threads_stand_still_gives_no_sign_of_life(self):
        """Its stderr is a small pipe that nobody reads: the collector waits in a log line, for ever."""
        with temp_folder() as folder:
            reader, writer = os.pipe()
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
            process = subprocess.Popen(
                [binary(), "--config", "/dev/null", "--state-dir", folder, "--libvirt-uri", NODE, *FAST,
                 "--libvirt-timeout", "100ms", "--log-level", "debug", "run"],
                env=environment(**self.manager.variables(0.5)), stderr=writer, preexec_fn=die_with_parent())
            os.close(writer)
            try:
                self.wait_silence(5)
                drained = time.monotonic()
                threading.Thread(target=self.drain, args=(reader,), daemon=True).start()
                deadline = drained + 30
                while time.monotonic() < deadline:
                    if any("WATCHDOG=1" in lines and at > drained for at, lines in list(self.manager.messages)):
                        break
                    time.sleep(0.05)
                else:
                    self.fail("no sign of life after the pipe was read")
            finally:
                process.send_signal(signal.SIGTERM)
                self.assertEqual(0, process.wait(timeout=10))

    @staticmethod
    def drain(reader):
        while os.read(reader, 65536):
            pass

    def wait_silence(self, seconds):
        """Until signs of life had come, and then none for so long."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            times = [at for at, lines in list(self.manager.messages) if "WATCHDOG=1" in lines]
            if times and time.monotonic() - times[-1] > seconds:
                return
            time.sleep(0.1)
        self.fail("it never fell silent")


class Reload(unittest.TestCase):
    """SIGHUP: what may change does at once, the rest is named, and no line is lost."""

    def test_interval_tag_and_log_level(self):
        with Daemon(NODE, POLL_INTERVAL="") as daemon:
            daemon.wait_cycles(1)
            daemon.reload('poll_interval = "500ms"\nhost_tag = "hv-3"\nlog_level = "debug"\n')
            daemon.wait_log("reload: poll_interval is 500ms now")
            daemon.wait_log("reload: host_tag is hv-3 now")
            daemon.wait_log(r" debug .*cycle \d+: 1 VMs")
            daemon.wait(lambda: len(daemon.cycles()) >= 4, "4 cycles")
            cycles = daemon.cycles()
            self.assertNotIn("host", cycles[0][0].tags)
            self.assertEqual("hv-3", cycles[-1][0].tags["host"])

    def test_what_cannot_change_is_said_for_each_key(self):
        with Daemon(NODE, *FAST) as daemon:
            daemon.wait_cycles(1)
            daemon.reload('libvirt_timeout = 7\nmax_queue = 30000\n')
            daemon.wait_log(r"warning reload: libvirt_timeout takes effect at the next start")
            daemon.wait_log(r"warning reload: max_queue takes effect at the next start")
            daemon.reload('libvirt_timeout = 7\nmax_queue = 30000\n')
            daemon.wait_log(r"max_queue takes effect at the next start", count=2)

    def test_a_broken_file_changes_nothing_and_every_problem_is_told(self):
        with Daemon(NODE, *FAST) as daemon:
            daemon.wait_cycles(2)
            for _ in range(3):
                daemon.reload('poll_intervall = 1\nlog_level = "loud"\nhost_tag = "x"\n')
            daemon.wait_log("nothing is changed, virtmeter goes on as it was", count=1)
            self.assertTrue(daemon.log_lines(r'error reload: .*unknown key "poll_intervall".*did you mean'))
            self.assertTrue(daemon.log_lines(r"error reload: .*log_level must be one of"))
            seen = len(daemon.cycles())
            daemon.wait_cycles(seen + 3)
            self.assertNotIn("host", daemon.cycles()[-1][0].tags)

    def test_settings_that_cannot_work_change_nothing(self):
        with Daemon(NODE, *FAST) as daemon:
            daemon.wait_cycles(1)
            daemon.reload('log_file = "/proc/nowhere/log"\nhost_tag = "x"\n')
            daemon.wait_log("error reload: log_file /proc/nowhere/log: .*nothing is changed")
            daemon.wait_cycles(len(daemon.cycles()) + 2)
            self.assertNotIn("host", daemon.cycles()[-1][0].tags)

    def test_no_line_is_lost_when_the_sink_changes_again_and_again(self):
        """From file to file under load; then every line that was collected stands in exactly one of them."""
        with temp_folder() as folder, Daemon(NODE, *FAST) as daemon:
            paths = [os.path.join(folder, f"{number}.lp") for number in range(8)]
            daemon.wait_cycles(1)
            for path in paths:
                daemon.reload(f'[file]\npath = "{path}"\n')
                daemon.wait_log("reload: lines to .*" + re.escape(path))
                daemon.wait(lambda path=path: os.path.exists(path), path)
            daemon.stop()
            lines = []
            for path in [os.path.join(daemon.state_dir, "lines.lp"), *paths]:
                with open(path, encoding="utf-8") as file:
                    lines += file.read().splitlines()
            collected, delivered = map(int, re.search(r"lines: (\d+) collected, (\d+) delivered", daemon.log()).groups())
            self.assertEqual(collected, delivered)
            self.assertEqual(collected, len(lines))
            self.assertEqual(len(lines), len(set(lines)))

    def test_lines_that_wait_for_a_dead_database_go_to_the_new_one_at_once(self):
        with temp_folder() as folder, Daemon(NODE, *FAST) as daemon:
            path = os.path.join(folder, "lines.lp")
            daemon.wait_cycles(1)
            daemon.reload('influx_url = "http://127.0.0.1:1"\n')
            daemon.wait_log("delivery fails, lines wait")
            daemon.reload(f'[file]\npath = "{path}"\n')
            daemon.wait(lambda: os.path.exists(path), path, seconds=5)
            daemon.stop()
            collected, delivered = map(int, re.search(r"lines: (\d+) collected, (\d+) delivered", daemon.log()).groups())
            self.assertEqual(collected, delivered)

    def test_a_token_in_the_new_settings_is_not_in_the_log(self):
        with Daemon(NODE, *FAST) as daemon:
            daemon.wait_cycles(1)
            daemon.reload('influx_url = "http://127.0.0.1:1"\ninflux_token = "Apfelmus-geheim"\n')
            daemon.wait_log(r"reload: influx_token is \(set, 15 characters\) now")
            self.assertNotIn("Apfelmus", daemon.log())


@unittest.skipUnless(shutil.which("systemd-analyze"), "NOT RUN: no systemd-analyze (package systemd)")
class Unit(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(temp_folder())
        self.unit = os.path.join(self.folder, "virtmeter.service")
        with open(UNIT, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("ExecStart=/usr/bin/virtmeter run\n", text)
        with open(self.unit, "w", encoding="utf-8") as file:
            file.write(text.replace("/usr/bin/virtmeter", binary()))

    def analyze(self, *arguments):
        return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)

    def test_systemd_finds_nothing_wrong_with_it(self):
        done = self.analyze("verify", "--man=no", self.unit)
        complaints = [line for line in done.stderr.split("\n") if "virtmeter" in line]
        self.assertEqual((0, []), (done.returncode, complaints), done.stderr)

    def test_it_exposes_little(self):
        done = self.analyze("security", "--offline=yes", "--no-pager", self.unit)
        score = float(re.search(r"Overall exposure level for \S+: (\d+\.\d+)", done.stdout).group(1))
        self.assertLessEqual(score, EXPOSURE_MAX, done.stdout)

    def test_a_weaker_unit_would_be_noticed(self):
        with open(self.unit, encoding="utf-8") as file:
            text = file.read()
        with open(self.unit, "w", encoding="utf-8") as file:
            file.write(re.sub(r"^(NoNewPrivileges|SystemCallFilter|CapabilityBoundingSet|ProtectSystem)=.*\n", "", text,
                              flags=re.MULTILINE))
        done = self.analyze("security", "--offline=yes", "--no-pager", self.unit)
        self.assertGreater(float(re.search(r": (\d+\.\d+)", done.stdout).group(1)), EXPOSURE_MAX)

    def test_it_restarts_but_not_over_a_wrong_setting(self):
        with open(UNIT, encoding="utf-8") as file:
            settings = dict(line.split("=", 1) for line in file.read().split("\n") if re.match(r"\w+=", line))
        for key, value in {"Type": "notify", "Restart": "on-failure", "RestartPreventExitStatus": "64 78",
                           "User": "virtmeter", "StateDirectory": "virtmeter", "CapabilityBoundingSet": "",
                           "LimitCORE": "0", "StartLimitIntervalSec": "0"}.items():
            self.assertEqual(value, settings[key], key)
        self.assertGreaterEqual(int(settings["WatchdogSec"]), 30)

    @unittest.skipUnless(shutil.which("systemd-sysusers"), "NOT RUN: no systemd-sysusers (package systemd)")
    def test_its_user_is_an_ordinary_one(self):
        root = os.path.join(self.folder, "root")
        os.makedirs(os.path.join(root, "etc"))
        subprocess.run(["systemd-sysusers", f"--root={root}", SYSUSERS], check=True, capture_output=True)
        with open(os.path.join(root, "etc", "passwd"), encoding="ascii") as file:
            self.assertRegex(file.read(), r"(?m)^virtmeter:[^:]*:[1-9]\d*:[1-9]\d*:[^:]*:/var/lib/virtmeter:/usr/sbin/nologin$")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
