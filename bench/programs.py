"""Runs the Google Benchmark programs of bench/ and keeps what they measured, repetition by repetition."""

import json
import os
import subprocess

_KEPT = ("cpu_time", "real_time", "time_unit", "items_per_second", "bytes_per_second")
_TO_MS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}


def run(build, program, repetitions, min_time, say):
    """{benchmark: [{cpu_ms, real_ms, ...}, ...]}, or None when the build has no such program."""
    path = os.path.join(build, "bench", program)
    if not os.access(path, os.X_OK):
        return None
    say(f"{program}, {repetitions} repetitions")
    done = subprocess.run([path, "--benchmark_format=json", f"--benchmark_repetitions={repetitions}",
                           f"--benchmark_min_time={min_time}"],
                          stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True)
    return kept(json.loads(done.stdout))


def kept(report):
    """The repetitions in a report of Google Benchmark. Its context, which has host and path, is left out."""
    found = {}
    for row in report["benchmarks"]:
        if row.get("run_type") != "iteration" or row.get("error_occurred"):
            continue
        scale = _TO_MS[row["time_unit"]]
        values = {"cpu_ms": row["cpu_time"] * scale, "real_ms": row["real_time"] * scale}
        for key, value in row.items():
            # Counters of a benchmark's own stand among the fixed keys.
            if isinstance(value, float) and key not in _KEPT[:2] and not key.startswith("repetition"):
                values[key] = value
        found.setdefault(row["run_name"], []).append(values)
    return found


def figure(benchmarks, name, key):
    """The values of one key of one benchmark, over its repetitions; empty where there is none."""
    return [row[key] for row in (benchmarks or {}).get(name, []) if key in row]
