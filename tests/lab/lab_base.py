"""What every part of the lab needs: its error, children that die with us, deadlines, free ports.

A LabError carries the sysexits code the command line ends with, so that the place that knows what
went wrong also says what the caller can do about it.
"""

import ctypes
import os
import signal
import socket
import subprocess
import time

EX_USAGE = 64
EX_UNAVAILABLE = 69
EX_SOFTWARE = 70
EX_NOPERM = 77

# Daemons and ip(8) live in sbin, which a root shell made by plain `su` does not search.
os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"

_PR_SET_PDEATHSIG = 1
# Loaded here, not in the child: between fork and exec nothing may allocate or take the import lock.
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """Something the lab could not do, in words that name the fix where there is one."""

    def __init__(self, message, exit_code=EX_SOFTWARE):
        super().__init__(message)
        self.exit_code = exit_code


def die_with_parent():
    """A preexec_fn: the kernel kills the child when the thread that started it ends, however it ends.

    "Thread" is literal (prctl(2)): start labs and databases from a thread that outlives them.
    """
    parent = os.getpid()

    def prepare():
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have died before the line above took effect.
        if os.getppid() != parent:
            os._exit(EX_SOFTWARE)

    return prepare


def wait_until(condition, seconds, what, interval=0.05):
    """Polls until `condition()` is true and returns its value; LabError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise LabError(f"waited {seconds:g} s in vain for {what}", EX_UNAVAILABLE)
        time.sleep(interval)


def free_port():
    """A TCP port on 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command, timeout=60, stdin_text=None):
    """Runs a command to its end and returns its stdout; LabError with its stderr if it fails."""
    # A fixed locale: messages can be matched, and names with any Unicode character pass through.
    environment = dict(os.environ, LC_ALL="C.UTF-8")
    try:
        done = subprocess.run(command, input=stdin_text, capture_output=True, text=True, timeout=timeout,
                              env=environment, stdin=None if stdin_text else subprocess.DEVNULL, check=False)
    except FileNotFoundError as error:
        raise LabError(f"{command[0]}: not found; `lab need` lists the packages", EX_UNAVAILABLE) from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(command)}: no end after {timeout} s", EX_UNAVAILABLE) from error
    if done.returncode != 0:
        words = done.stderr.strip() or done.stdout.strip()
        raise LabError(f"{' '.join(command)}: exit {done.returncode}: {words}")
    return done.stdout


def tail(path, lines=15):
    """The last lines of a log for an error message; empty if there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-lines:]).rstrip()
    except OSError:
        return ""
