"""Namespaces of the lab's own: nothing started in them outlives the lab or touches the machine's libvirt.

unshare(1) makes a mount and a pid namespace with sandbox_init.py as process 1. The kernel kills a pid
namespace as a whole when its process 1 ends, and process 1 ends when the lab does: by close(), by the
parent-death signal after a SIGKILL, or by end of input. The network namespace is the machine's, because
taps must be where a collector looks for them.
"""

import os
import signal
import subprocess
import sys

from lab_base import EX_NOPERM, EX_UNAVAILABLE, LabError, die_with_parent, tail, wait_until


class Sandbox:
    """One pair of namespaces. Not thread-safe; the thread that calls start() must outlive it."""

    def __init__(self, folder):
        self._folder = folder
        self._unshare = None
        self._namespace = None

    def start(self):
        init = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sandbox_init.py")
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                   sys.executable or "/usr/bin/python3", "-I", init, self._folder]
        with open(self._log_path(), "ab") as log:
            self._unshare = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                             preexec_fn=die_with_parent(), cwd="/", text=True,
                                             # Out of the terminal's reach: a Ctrl-C is the lab's to handle.
                                             start_new_session=True)
        if self._read_line() != "ready":
            words = tail(self._log_path())
            self.close()
            raise LabError(f"no private namespaces: {words}; run as root outside of an unprivileged container",
                           EX_NOPERM)
        self._namespace = os.readlink(f"/proc/{self._unshare.pid}/ns/pid_for_children")

    def start_libvirtd(self, *options):
        """Starts a libvirtd in here and returns its pid as the caller sees it."""
        try:
            self._unshare.stdin.write(" ".join(("libvirtd",) + options) + "\n")
            self._unshare.stdin.flush()
        except BrokenPipeError as error:
            raise LabError(f"the sandbox is gone: {tail(self._log_path())}", EX_UNAVAILABLE) from error
        words = self._read_line().split()
        if len(words) != 2 or words[0] != "pid":
            raise LabError(f"the sandbox did not start libvirtd: {tail(self._log_path())}", EX_UNAVAILABLE)
        inner = int(words[1])
        for pid in self.pids():
            if _innermost_pid(pid) == inner:
                return pid
        raise LabError(f"libvirtd ended at once: {tail(os.path.join(self._folder, 'log', 'libvirtd.log'))}",
                       EX_UNAVAILABLE)

    def pids(self):
        """Every process of the sandbox, as pids of the caller's namespace; process 1 among them."""
        return [int(entry) for entry in os.listdir("/proc")
                if entry.isdigit() and _read_link(f"/proc/{entry}/ns/pid") == self._namespace]

    def init_pid(self):
        for pid in self.pids():
            if _innermost_pid(pid) == 1:
                return pid
        raise LabError("the sandbox is gone", EX_UNAVAILABLE)

    def close(self):
        """Kills everything in the sandbox and returns when the last process is gone. Safe to repeat."""
        if self._unshare is None:
            return
        if self._namespace:
            for pid in self.pids():
                if _innermost_pid(pid) == 1:
                    os.kill(pid, signal.SIGKILL)
        else:
            self._unshare.kill()
        # unshare ends when process 1 is reaped, which the kernel allows only once all others are dead.
        self._unshare.communicate(timeout=60)
        if self._namespace:
            wait_until(lambda: not self.pids(), 10, "the sandbox's processes to end")
        self._unshare = None

    def _read_line(self):
        return self._unshare.stdout.readline().strip()

    def _log_path(self):
        return os.path.join(self._folder, "log", "sandbox.log")


def _read_link(path):
    try:
        return os.readlink(path)
    except OSError:
        return None


def _innermost_pid(pid):
    """The pid a process has in its own namespace (proc(5), NSpid), or None if it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
            for line in status:
                if line.startswith("NSpid:"):
                    return int(line.split()[-1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return None
