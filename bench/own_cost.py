#!/usr/bin/env python3
"""What virtmeter itself costs: its CPU per cycle beside that of a bare client making the same libvirt calls.

Both read the same paused guests of a private lab, in turns, in one session. A run's start-up is taken out by
subtracting a run of one cycle from a run of many. Quote the ratio; the times are this machine's.
"""
import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "lab"))

from lab import GuestSpec, Lab  # noqa: E402  (needs the path above)


def cpu_seconds(command, environment):
    """User and system time of one finished run of the command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f"own_cost: {' '.join(command)}: exit code {done.returncode}\n{done.stderr.decode()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def per_cycle_ms(make_command, cycles, environment):
    many = cpu_seconds(make_command(cycles + 1), environment)
    one = cpu_seconds(make_command(1), environment)
    return 1000 * (many - one) / cycles


def cache_bytes_per_vm(virtmeter, uri, vms):
    """The daemon's own figure, from the line it writes when it stops."""
    with tempfile.TemporaryDirectory(prefix="virtmeter-bench-") as state:
        command = ["timeout", "-s", "TERM", "3", virtmeter, "run", "--state-dir", state, "--poll-interval", "0.5s"]
        done = subprocess.run(command, env={**os.environ, "LIBVIRT_URI": uri}, capture_output=True, text=True, check=False)
    found = re.search(r"(\d+) entries of (\d+) bytes", done.stderr)
    if not found or int(found.group(1)) != vms:
        sys.exit(f"own_cost: no device cache figure in the daemon's last words:\n{done.stderr}")
    return int(found.group(2)) / vms


def spread(values):
    return f"median {statistics.median(values):.3f}, min {min(values):.3f}, max {max(values):.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--guests", type=int, default=10)
    parser.add_argument("--cycles", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    virtmeter = os.path.join(options.build, "virtmeter")
    bare = os.path.join(options.build, "bench", "bare_client")

    with Lab() as lab:
        lab.start_guests([GuestSpec(f"vm{i}", nics=2, disks=3) for i in range(options.guests)])
        environment = {**os.environ, "LIBVIRT_URI": lab.uri_ro}
        ours, theirs = [], []
        for _ in range(options.rounds):
            theirs.append(per_cycle_ms(lambda n: [bare, lab.uri_ro, str(n), "100"], options.cycles, environment))
            ours.append(per_cycle_ms(
                lambda n: [virtmeter, "once", "--cycles", str(n), "--interval", "100ms", "--log-level", "error"],
                options.cycles, environment))
        cache = cache_bytes_per_vm(virtmeter, lab.uri_ro, options.guests)

    ratios = [a / b for a, b in zip(ours, theirs)]
    print(f"{options.guests} paused guests, 2 NICs and 3 disks each; {options.rounds} rounds of {options.cycles} cycles")
    print(f"CPU of virtmeter per cycle, encoding and printing included:  {spread(ours)} ms")
    print(f"CPU of a bare client making the same libvirt calls:          {spread(theirs)} ms")
    print(f"ratio, round by round:                                       {spread(ratios)}")
    print(f"device cache per VM:                                         {cache:.0f} bytes")


if __name__ == "__main__":
    main()
