#!/usr/bin/python3
"""Measures what virtmeter costs, as ratios in one session; scripts/bench builds what it needs and starts it.

    scripts/bench [lab|parts|store|scale|all]... [options]     default: all

    lab     the whole on real guests, beside a bare libvirt client and the peers that Debian has; needs root
    parts   derivation, encoding and the kernel reader, with Google Benchmark
    store   the embedded store
    scale   readings to spool, and the daemon, on up to 10,000 simulated VMs
"""

import argparse
import json
import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "lab")]

import page
import programs
from lab_base import LabError

PARTS = ("lab", "parts", "store", "scale")
DOCS = os.path.join(ROOT, "docs")
EX_USAGE = 64


class Ended(Exception):
    """SIGINT or SIGTERM, at whatever point it is."""


def end(_signal, _frame):
    # A second signal must not break the clean-up the first one started.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise Ended


def say(words):
    print(f"{time.strftime('%H:%M:%S')} bench: {words}", file=sys.stderr, flush=True)


def at_least_one(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.split("\n\n", 1)[0],
                                     epilog="\n\n".join(__doc__.split("\n\n")[2:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="lab, parts, store, scale or all")
    parser.add_argument("--quick", action="store_true", help="two short rounds on 10 guests, to see that it works")
    parser.add_argument("--guests", type=at_least_one, metavar="N", help="real guests (default 120)")
    parser.add_argument("--rounds", type=at_least_one, metavar="N", help="how often each is measured (default 5)")
    parser.add_argument("--readings", type=at_least_one, metavar="N", help="readings in a round (default 4)")
    parser.add_argument("--interval", type=float, metavar="S", help="between readings (default 5 s)")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"), metavar="DIR",
                        help="take the programs of this build folder as they are")
    parser.add_argument("--json", metavar="FILE", help="where the raw numbers go (default: BUILD/bench/results.json)")
    parser.add_argument("--from", dest="source", metavar="FILE", help="measure nothing: take raw numbers from here")
    parser.add_argument("--write-docs", action="store_true",
                        help="write docs/performance.md, its chart and its raw numbers")
    options = parser.parse_args(arguments)
    unknown = set(options.parts) - {*PARTS, "all"}
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}: use lab, parts, store, scale or all")
    if not options.parts or "all" in options.parts:
        options.parts = list(PARTS)
    if options.write_docs and not options.source and set(options.parts) != set(PARTS):
        parser.error("--write-docs: the page needs all parts, of one session")
    for key, usual, quick in (("guests", 120, 10), ("rounds", 5, 2), ("readings", 4, 3), ("interval", 5.0, 2.0)):
        if getattr(options, key) is None:
            setattr(options, key, quick if options.quick else usual)
    options.json = options.json or os.path.join(options.build, "bench", "results.json")
    return options


def measure(options):
    """The raw numbers of the parts asked for."""
    # Only here: the page of a file can be written where there is no lab.
    import lab_part
    import lab_need
    import machine
    import scale_part

    if "lab" in options.parts:
        lab_need.require()  # Now, and not after the other parts.
    results = {"machine": machine.describe()}
    if results["machine"]["load"] > 0.5:
        say(f"load {results['machine']['load']:.1f}: whatever else runs here will be in the numbers")
    min_time = 0.05 if options.quick else 0.3
    if "parts" in options.parts:
        results["parts"] = {}
        for program in ("parts_bench", "kernel_bench"):
            results["parts"].update(programs.run(options.build, program, options.rounds, min_time, say) or {})
    if "store" in options.parts:
        benchmarks = programs.run(options.build, "store_bench", options.rounds, min_time, say)
        results["store"] = {"benchmarks": benchmarks}
        if benchmarks is None:
            say("not measured: there is no program store_bench in this build")
    if "scale" in options.parts:
        results["scale"] = scale_part.run(options.build, options.rounds, say)
    if "lab" in options.parts:
        part = lab_part.LabPart(options.build, options.interval, options.readings, say)
        results["lab"] = part.run(options.guests, options.rounds)
    return results


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    say(f"wrote {os.path.relpath(path)}")


def write_docs(results):
    write(os.path.join(DOCS, "performance.json"), as_json(results) + "\n")
    write(os.path.join(DOCS, "performance.md"), page.markdown(results))
    chart = page.chart(results)
    if chart:
        write(os.path.join(DOCS, "performance_growth.svg"), chart)


def rounded(value):
    """Raw numbers to five digits: more are noise, and the file is kept."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def as_json(value, indent=0):
    """What fits on a line stands on one, so that a change of a number shows as one."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) <= 150 or not isinstance(value, (dict, list)):
        return line
    inner = " " * (indent + 1)
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {as_json(item, indent + 1)}" for key, item in value.items()]
    else:
        items = [as_json(item, indent + 1) for item in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{inner}" + f",\n{inner}".join(items) + f"\n{' ' * indent}{closing}"


def main():
    # argparse ends with 2; sysexits calls that 64.
    try:
        options = parse(sys.argv[1:])
    except SystemExit as stop:
        sys.exit(EX_USAGE if stop.code else 0)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        if options.source:
            with open(options.source, encoding="utf-8") as file:
                results = json.load(file)
        else:
            results = rounded(measure(options))
            write(options.json, as_json(results) + "\n")
    except LabError as error:
        say(str(error))
        sys.exit(error.exit_code)
    except Ended:
        say("ended; nothing is left running")
        sys.exit(1)
    print(page.terminal(results))
    if options.write_docs:
        write_docs(results)


if __name__ == "__main__":
    main()
