#!/usr/bin/python3
"""The commands run, once, check, schema and config, as a person meets them: what they print where, what they say about
mistakes, and which exit code they end with.

The hypervisor is libvirt's own test driver, so no root and no guests are needed. One test asks a real influxd (package
influxdb). Prometheus text is judged here and, where the package prometheus is, by its promtool as well.
"""

import json
import math
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from support import (DISK_FIELDS, FEATURES_FIELDS, LATENCY_FIELDS, METRICS_FIELDS, NIC_FIELDS, ROOT, TOTALS_FIELDS,
                     Daemon, binary, by_cycle, environment, parse_lines, temp_folder)
from databases_support import Influxd, LoggingDaemon, Vm, plain_vms, write_node
from lab_base import free_port

URI = "test:///default"
TOKEN = "Himbeere-4711-geheim"
SETTINGS = 78
USAGE = 64

# Contract, section 4: key, environment variable, default.
CONTRACT_SETTINGS = [
    ("libvirt_uri", "LIBVIRT_URI", "qemu:///system"), ("libvirt_timeout", "LIBVIRT_TIMEOUT", "10s"),
    ("poll_interval", "POLL_INTERVAL", "5s"), ("device_cache_ttl", "DEVICE_CACHE_TTL", "300s"),
    ("influx_url", "INFLUX_URL", ""), ("influx_db", "INFLUX_DB", "vmstats"), ("influx_token", "INFLUX_TOKEN", None),
    ("batch_max_lines", "BATCH_MAX_LINES", 2000), ("batch_max_sec", "BATCH_MAX_SEC", "1s"),
    ("max_queue", "MAX_QUEUE", 20000), ("state_dir", "STATE_DIRECTORY", "/var/lib/virtmeter"),
    ("log_level", "LOG_LEVEL", "info"), ("log_file", "LOG_FILE", ""), ("http.listen", "HTTP_LISTEN", "127.0.0.1:9178"),
]


class CommandTestCase(unittest.TestCase):
    """A private folder for each test; `run` starts the binary in it with nothing of the machine's settings."""

    def setUp(self):
        self.folder = self.enterContext(temp_folder())

    def run_command(self, *arguments, config="", **variables):
        """The finished process. `config` is the settings file's text; None: there is no --config at all."""
        command = [binary(), *arguments]
        if config is not None:
            command += ["--config", self.write("virtmeter.toml", config)]
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False,
                              stdin=subprocess.DEVNULL, cwd=self.folder, env=self.environment(**variables))

    def environment(self, **variables):
        settings = {"STATE_DIRECTORY": self.path("state"), "HOME": self.folder, **variables}
        return {name: value for name, value in environment(**settings).items() if value is not None}

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def assert_ends(self, code, done):
        self.assertEqual(code, done.returncode, done.stdout[-1000:] + done.stderr[-2000:])
        return done


# --- mistakes on the command line ---


class UsageTest(CommandTestCase):
    def assert_usage(self, words, *expected):
        done = self.assert_ends(USAGE, self.run_command(*words, config=None))
        self.assertEqual("", done.stdout)
        self.assertTrue(done.stderr.startswith("virtmeter: "), done.stderr)
        for text in expected:
            self.assertIn(text, done.stderr)
        self.assertIn("--help", done.stderr)

    def test_no_command(self):
        self.assert_usage([], "no command; there are: run, once, check, status, spool, schema, config")

    def test_an_unknown_command(self):
        self.assert_usage(["rnu"], 'unknown command "rnu"', "did you mean run?")

    def test_an_unknown_command_of_config(self):
        self.assert_usage(["config", "shw"], 'unknown command "shw"', "did you mean show?")
        self.assert_usage(["config"], "no command; there are: show, check, example")

    def test_an_unknown_option(self):
        self.assert_usage(["run", "--pol-interval", "1s"], "--pol-interval")

    def test_wrong_values_of_options(self):
        self.assert_usage(["once", "--output", "xml"], "--output: write lp, json or prometheus, not xml")
        self.assert_usage(["schema", "-o", "xml"], "write table, json or markdown, not xml")
        self.assert_usage(["once", "--cycles", "0"], "--cycles", "1 to 1000000")
        self.assert_usage(["once", "--interval", "soon"], "--interval", "for example 2s")
        self.assert_usage(["--set", "poll_interval", "run"], "--set", "write key=value, for example poll_interval=2s")

    def test_help_and_version_go_to_stdout(self):
        for words in (["--help"], ["run", "--help"], ["--version"]):
            done = self.assert_ends(0, self.run_command(*words, config=None))
            self.assertEqual("", done.stderr)
            self.assertRegex(done.stdout, "virtmeter|Collect")

    def test_an_empty_value_is_not_the_next_word(self):
        done = self.assert_ends(0, self.run_command("--log-file=", "config", "show", "-o", "json"))
        self.assertEqual("", json.loads(done.stdout)["log_file"]["value"])


# --- mistakes in settings ---


BAD_FILE = """\
# Every line below is wrong.
poll_intervall = 5
log_level = "loud"
batch_max_lines = "many"
max_queue = 0
poll_interval = "1h30"
   libvirt_timeout = true

[htpp]
listen = "127.0.0.1:1"

[http]
listen = "nohost"
interval = 3
"""
BAD_FILE_SAYS = """\
{file}:2:1: unknown key "poll_intervall"
    2 | poll_intervall = 5
      | ^^^^^^^^^^^^^^
    did you mean "poll_interval"?
{file}:3:1: log_level must be one of debug, info, warning, error, got "loud"
    3 | log_level = "loud"
      | ^^^^^^^^^
    write one of debug, info, warning, error, for example "info"
{file}:4:1: batch_max_lines must be a whole number, got "many"
    4 | batch_max_lines = "many"
      | ^^^^^^^^^^^^^^^
    write a whole number, 1 to 100000, for example 2000
{file}:5:1: max_queue is too small: 0
    5 | max_queue = 0
      | ^^^^^^^^^
    write a whole number, 1 to 10000000, for example 20000
{file}:6:1: poll_interval must be a duration, got "1h30"
    6 | poll_interval = "1h30"
      | ^^^^^^^^^^^^^
    write a duration, 500ms to 3600s, for example "5s"
{file}:7:4: libvirt_timeout must be a duration, got true
    7 |    libvirt_timeout = true
      |    ^^^^^^^^^^^^^^^
    write a duration, 100ms to 300s, for example "10s"
{file}:9:2: unknown table "htpp"
    9 | [htpp]
      |  ^^^^
    did you mean [http]?
{file}:13:1: http.listen must have a port from 1 to 65535, got "nohost"
    13 | listen = "nohost"
       | ^^^^^^
    write host:port, for example "127.0.0.1:9178", or nothing for no server
{file}:14:1: unknown key "interval" in [http]
    14 | interval = 3
       | ^^^^^^^^
"""


class BadSettingsTest(CommandTestCase):
    """All problems at once, each with its place and its fix, from whatever command; nothing is begun."""

    def problems(self, *arguments, **inputs):
        done = self.assert_ends(SETTINGS, self.run_command(*arguments, **inputs))
        self.assertEqual("", done.stdout)
        self.assertFalse(os.path.exists(self.path("state")))
        return done.stderr

    def test_a_file_full_of_mistakes_is_told_in_full_by_every_command(self):
        expected = BAD_FILE_SAYS.format(file=self.path("virtmeter.toml"))
        for command in (["run"], ["once"], ["check"], ["config", "show"], ["config", "check"]):
            said = self.problems(*command, config=BAD_FILE)
            self.assertEqual(expected, said[:len(expected)], command)

    def test_file_environment_and_flags_are_told_together(self):
        said = self.problems("config", "check", "--set", "batch_max_lins=1", "--set", "max_queue=lots",
                             "--poll-interval", "1ms", config="log_level = 3\n", INFLUX_URL="ftp://x",
                             DEVICE_CACHE_TTL="-1", HTTP_LISTEN="70000")
        self.assertIn("virtmeter.toml:1:1: log_level must be one of", said)
        self.assertIn('environment INFLUX_URL: influx_url must start with http:// or https://, got "ftp://x"', said)
        self.assertIn('environment DEVICE_CACHE_TTL: device_cache_ttl must be a duration, got "-1"', said)
        self.assertIn('environment HTTP_LISTEN: http.listen must have a port', said)
        self.assertIn('--set batch_max_lins: unknown key "batch_max_lins"\n    did you mean "batch_max_lines"?', said)
        self.assertIn('--set max_queue: max_queue must be a whole number, got "lots"', said)
        self.assertIn('--poll-interval: poll_interval is too small: "1ms"\n    write a duration, 500ms to 3600s', said)

    def test_a_file_that_is_no_toml(self):
        said = self.problems("run", config='poll_interval = "2s\nlog_level = "info"\n')
        self.assertRegex(said, r"virtmeter.toml:1:\d+: not valid TOML")
        said = self.problems("run", config="max_queue = 1\nmax_queue = 2\n")
        self.assertRegex(said, r"virtmeter.toml:2:1: defined twice: 'max_queue'")
        self.assertIn("keep one of the two", said)

    def test_settings_that_do_not_fit_each_other(self):
        said = self.problems("run", config="max_queue = 100\n")
        self.assertIn("max_queue (100) is below batch_max_lines (2000)", said)
        said = self.problems("run", config='influx_token = "a"\ninflux_token_file = "/b"\n')
        self.assertIn("influx_token and influx_token_file are both set", said)

    def test_a_missing_or_unreadable_file(self):
        for path, why in ((self.path("none.toml"), "no such file or directory"), (self.folder, "is a folder"),
                          ("/dev/null/x", "not a directory")):
            said = self.problems("run", "--config", path, config=None)
            self.assertIn(path, said)
            self.assertIn(why, said)

    def test_a_file_that_this_user_may_not_read(self):
        if os.geteuid() == 0:
            self.assert_unreadable(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"])
        else:
            self.assert_unreadable([])

    def assert_unreadable(self, as_user):
        os.chmod(self.folder, 0o755)
        path = self.write("secret.toml", "poll_interval = 2\n", mode=0o000)
        program = shutil.copy(binary(), self.path("virtmeter"))  # That user may not see the build's folder.
        os.chmod(program, 0o755)
        done = subprocess.run([*as_user, program, "config", "check", "--config", path], capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL, env=self.environment())
        self.assert_ends(SETTINGS, done)
        self.assertIn(f"{path}: cannot be opened: permission denied", done.stderr)

    def test_a_missing_token_file(self):
        for arguments in (["--influx-token-file", "/dev/null/token"], ["--set", "influx_token_file=/dev/null/token"]):
            said = self.problems("check", *arguments)
            self.assertIn("influx_token: /dev/null/token cannot be opened: not a directory", said)
            self.assertRegex(said, "(?m)^    name ")

    def test_a_token_is_never_in_a_complaint(self):
        for config in (f'influx_token = "{TOKEN}\n', f"influx_token = {TOKEN}\n", f'influx_tokn = "{TOKEN}"\n',
                       f'influx_url = "http://user:{TOKEN}@h:1"\n', f'influx_token = ["{TOKEN}"]\n',
                       f'[influx]\ntoken = "{TOKEN}"\n'):
            self.assertNotIn(TOKEN, self.problems("run", config=config), config)
        said = self.problems("run", INFLUX_URL=f"http://user:{TOKEN}@h:1", INFLUX_TOKEN=TOKEN + "\x01")
        self.assertNotIn(TOKEN, said)


# --- config ---


class ConfigTest(CommandTestCase):
    def show(self, *arguments, **inputs):
        done = self.assert_ends(0, self.run_command("config", "show", "-o", "json", *arguments, **inputs))
        return json.loads(done.stdout), done

    def test_the_defaults_are_the_contracts(self):
        shown, _done = self.show(STATE_DIRECTORY=None, HTTP_LISTEN=None)
        for key, _variable, default in CONTRACT_SETTINGS:
            self.assertEqual({"value": default, "origin": "default"}, shown[key], key)

    def test_each_setting_has_its_variable_its_flag_and_its_key(self):
        other = {"libvirt_uri": URI, "influx_url": "http://h:1", "influx_db": "x", "influx_token": "t",
                 "state_dir": "/x", "log_level": "error", "log_file": "/y", "http.listen": "h:2"}
        for key, variable, _default in CONTRACT_SETTINGS:
            value = other.get(key, "40000" if key == "max_queue" else "7")
            flag = "--" + re.sub("[._]", "-", key)
            cleared = {"STATE_DIRECTORY": None, "HTTP_LISTEN": None}
            for arguments, variables, origin in (([], {variable: value}, f"environment {variable}"),
                                                 ([flag, value], {}, flag), (["--set", f"{key}={value}"], {}, "--set")):
                shown, _done = self.show(*arguments, **{**cleared, **variables})
                self.assertEqual(origin, shown[key]["origin"])
                self.assertNotIn(shown[key]["value"], (None, ""), key)

    def test_what_goes_before_what(self):
        self.write("conf.d/10-first.toml", "max_queue = 30001\nbatch_max_lines = 3001\n")
        self.write("conf.d/20-second.toml", "max_queue = 30002\n")
        self.write("conf.d/.hidden.toml", "max_queue = 666\n")
        config = ("max_queue = 30000\nbatch_max_lines = 3000\npoll_interval = 2\nlibvirt_timeout = 3\n"
                  "device_cache_ttl = 60\n")
        shown, _done = self.show("--libvirt-timeout", "5s", config=config, POLL_INTERVAL="4s", LIBVIRT_TIMEOUT="4s",
                                 INFLUX_DB="")
        found = {key: (entry["value"], entry["origin"].replace(self.folder, "DIR")) for key, entry in shown.items()}
        self.assertEqual((30002, "DIR/conf.d/20-second.toml:1"), found["max_queue"])
        self.assertEqual((3001, "DIR/conf.d/10-first.toml:2"), found["batch_max_lines"])
        self.assertEqual(("4s", "environment POLL_INTERVAL"), found["poll_interval"])
        self.assertEqual(("5s", "--libvirt-timeout"), found["libvirt_timeout"])
        self.assertEqual(("60s", "DIR/virtmeter.toml:5"), found["device_cache_ttl"])
        # An empty variable counts as not set.
        self.assertEqual(("vmstats", "default"), found["influx_db"])

    def test_a_secret_is_shown_as_its_length(self):
        for config, variables in ((f'influx_token = "{TOKEN}"\n', {}), ("", {"INFLUX_TOKEN": TOKEN}),
                                  (f'influx_token_file = "{self.write("token", TOKEN)}"\n', {})):
            shown, done = self.show(config=config, **variables)
            self.assertEqual(f"(set, {len(TOKEN)} characters)", shown["influx_token"]["value"])
            self.assertNotIn(TOKEN, done.stdout + done.stderr)
            table = self.assert_ends(0, self.run_command("config", "show", config=config, **variables))
            self.assertNotIn(TOKEN, table.stdout + table.stderr)
            self.assertRegex(table.stdout, rf"influx_token +\(set, {len(TOKEN)} characters\)")

    def test_a_secret_open_to_all_is_warned_of(self):
        path = self.write("token", TOKEN, mode=0o644)
        done = self.assert_ends(0, self.run_command("config", "check", "--influx-token-file", path))
        self.assertIn(f"warning: {path} holds a secret and is open to every user (mode 0644); chmod 0640 {path}",
                      done.stderr)

    def test_the_example_loads_back_as_it_is_and_with_every_line_alive(self):
        example = self.assert_ends(0, self.run_command("config", "example")).stdout
        done = self.assert_ends(0, self.run_command("config", "check", config=example))
        self.assertEqual(f"ok: {self.path('virtmeter.toml')}\n", done.stdout)
        alive = re.sub(r"(?m)^# (?=\w+ = )", "", example)
        self.assertGreaterEqual(len(re.findall(r"(?m)^\w+ = ", alive)), len(CONTRACT_SETTINGS))
        shown, _done = self.show(config=alive)
        self.assertEqual(f"{self.path('virtmeter.toml')}:", shown["poll_interval"]["origin"].rstrip("0123456789"))
        defaults, _done = self.show(STATE_DIRECTORY=None, HTTP_LISTEN=None)
        for key in shown.keys() - {"state_dir", "http.listen", "file.path"}:
            self.assertEqual(defaults[key]["value"], shown[key]["value"], key)


# --- what is told of the program: schema, docs ---


class SchemaTest(CommandTestCase):
    NAMES = {int: "int", float: "float", str: "string"}

    def expected(self):
        """(measurement, devtype, field, type) of the contract, section 1."""
        kinds = (("vm_metrics", "-", METRICS_FIELDS), ("vm_features", "-", FEATURES_FIELDS),
                 ("vm_devices", "nic", NIC_FIELDS), ("vm_devices", "disk", DISK_FIELDS),
                 ("vm_totals", "-", TOTALS_FIELDS), ("collector_latency", "-", LATENCY_FIELDS))
        return {(measurement, devtype, name, self.NAMES[kind])
                for measurement, devtype, fields in kinds for name, kind in fields.items()}

    def text(self, output):
        done = self.assert_ends(0, self.run_command("schema", "-o", output))
        self.assertEqual("", done.stderr)
        return done.stdout

    def test_the_table_has_every_field_of_the_contract_with_its_type(self):
        table, _blank, tags = self.text("table").partition("\n\n")
        self.assertIn("vm_devices: VMID, device, devtype, host, name, uuid", tags)
        rows = [tuple(line.split()[:4]) for line in table.splitlines()[1:]]
        self.assertEqual(len(rows), len(set(rows)))
        self.assertLessEqual(self.expected(), set(rows))
        core = {"vm_metrics", "vm_features", "vm_devices", "vm_totals", "collector_latency"}
        self.assertEqual(self.expected(), {row for row in rows if row[0] in core})
        self.assertEqual(self.text("table"), self.run_command("schema").stdout)

    def test_json_says_the_same(self):
        found = set()
        for measurement in json.loads(self.text("json"))["measurements"]:
            for entry in measurement["fields"]:
                self.assertTrue(entry["help"] and entry["unit"] and entry["source"])
                found.add((measurement["measurement"], entry.get("devtype", "-"), entry["field"], entry["type"]))
        self.assertLessEqual(self.expected(), found)

    def test_markdown_says_the_same(self):
        text = self.text("markdown")
        for measurement, _devtype, name, kind in self.expected():
            self.assertRegex(text, rf"(?m)^## {measurement}\b")
            self.assertIn(f"| `{name}` | {kind} | ", text)

    def assert_page(self, name, *command):
        page = os.path.join(ROOT, "docs", name)
        self.assertTrue(os.path.exists(page), f"write it: virtmeter {' '.join(command)} > docs/{name}")
        with open(page, encoding="utf-8") as file:
            self.assertEqual(self.run_command(*command).stdout, file.read(),
                             f"write it anew: virtmeter {' '.join(command)} > docs/{name}")

    def test_the_pages_of_the_docs_are_what_the_program_says(self):
        self.assert_page("metrics.md", "schema", "-o", "markdown")
        self.assert_page("config.md", "config", "markdown")


# --- once ---


_SAMPLE = re.compile(r'([a-z_][a-z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (\S+)')


def read_exposition(text):
    """The samples of Prometheus text 0.0.4, {(name, labels): value}; AssertionError where it is not well made."""
    if not text.endswith("\n"):
        raise AssertionError(f"the last line has no end: {text[-100:]!r}")
    samples, families, family, kind = {}, set(), None, None
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            family, kind = line.split(" ")[2], None
            if family in families:
                raise AssertionError(f"{family} in two places")
            families.add(family)
        elif line.startswith(f"# TYPE {family} "):
            kind = line.rpartition(" ")[2]
        else:
            match = _SAMPLE.fullmatch(line)
            if not match or match.group(1) != family or kind not in ("gauge", "counter"):
                raise AssertionError(f"not a sample of {family}: {line!r}")
            if family.endswith("_total") != (kind == "counter") or not math.isfinite(float(match.group(3))):
                raise AssertionError(f"{kind}: {line!r}")
            if match.group(1, 2) in samples:
                raise AssertionError(f"twice: {line!r}")
            samples[match.group(1, 2)] = float(match.group(3))
    return samples



class OnceTest(CommandTestCase):
    def once(self, *arguments, **variables):
        done = self.run_command("once", *arguments, **{"LIBVIRT_URI": URI, **variables})
        return self.assert_ends(0, done).stdout

    def test_line_protocol_is_the_default(self):
        cycles = by_cycle(parse_lines(self.once("--cycles", "2", "--interval", "200ms")))
        self.assertEqual([5, 6], [len(cycle) for cycle in cycles])

    def test_it_writes_nothing_to_the_disk(self):
        before = sorted(os.listdir(self.folder))
        self.once("--influx-url", "http://127.0.0.1:1", "--log-file", self.path("log"))
        self.assertEqual(sorted(before + ["virtmeter.toml"]), sorted(os.listdir(self.folder)))

    def test_json_is_one_object_for_each_cycle_with_the_values_of_the_lines(self):
        def refuse(constant):
            self.fail(f"{constant} is no JSON")

        text = self.once("--cycles", "3", "--interval", "200ms", "--output", "json")
        cycles = [json.loads(line, parse_constant=refuse) for line in text.splitlines()]
        self.assertEqual([1, 2, 3], [cycle["cycle"] for cycle in cycles])
        for cycle in cycles:
            vm, = cycle["vms"]
            self.assertEqual(set(METRICS_FIELDS), set(vm["vm_metrics"]))
            self.assertEqual(set(TOTALS_FIELDS), set(vm["vm_totals"]))
            self.assertEqual(["nic", "disk"], [device["devtype"] for device in vm["devices"]])
            self.assertRegex(cycle["unix_ns"], r"^\d{13}000000$")
        self.assertIsNone(cycles[0]["vms"][0]["vm_features"])
        self.assertEqual(set(FEATURES_FIELDS), set(cycles[1]["vms"][0]["vm_features"]))

    def test_json_says_null_for_what_is_absent(self):
        node = write_node(self.path("node.xml"), plain_vms(1))  # Without a balloon.
        vm, = json.loads(self.once("--output", "json", LIBVIRT_URI=node))["vms"]
        self.assertIsNone(vm["vm_totals"]["memrss"])
        self.assertEqual(1, vm["vm_metrics"]["cpu_count"])

    def test_prometheus_text_is_what_a_scrape_wants(self):
        node = write_node(self.path("node.xml"), [Vm('a "name", with=all \\ of it\n', nics=["a b"]), *plain_vms(2)])
        for uri in (URI, node):
            text = self.once("--output", "prometheus", LIBVIRT_URI=uri)
            self.assertGreater(len(read_exposition(text)), 20)
            self.judge_with_promtool(text)

    def judge_with_promtool(self, text):
        if not shutil.which("promtool"):
            # Not a failure: read_exposition() has judged the same text.
            print("promtool is missing: Prometheus itself was not asked (apt-get install prometheus)", file=sys.stderr)
            return
        judged = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True,
                                encoding="utf-8", check=False)
        self.assertEqual((0, "", ""), (judged.returncode, judged.stdout, judged.stderr))

    def test_a_reader_that_has_enough_ends_it_quietly(self):
        with open(self.path("stderr"), "w+", encoding="utf-8") as stderr:
            process = subprocess.Popen([binary(), "once", "--cycles", "1000", "--interval", "100ms"], stderr=stderr,
                                       stdout=subprocess.PIPE, env=self.environment(LIBVIRT_URI=URI))
            with process:
                self.assertTrue(process.stdout.readline().startswith(b"vm_metrics,"))
                process.stdout.close()
                process.wait(timeout=10)
            stderr.seek(0)
            self.assertNotRegex(stderr.read(), r"(?i)error|pipe|warn|bug")

    def test_ctrl_c_ends_it_well(self):
        process = subprocess.Popen([binary(), "once", "--cycles", "1000", "--interval", "5s"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, env=self.environment(LIBVIRT_URI=URI))
        with process:
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            self.assertEqual(0, process.wait(timeout=5))

    def test_no_libvirt_is_told_with_the_fix(self):
        for uri, code, says in (("qemu+unix:///system?socket=/nowhere/sock", 69, "E101 libvirt is not running"),
                                ("qemux:///system", SETTINGS, "E103"), ("test:///nowhere.xml", 69, "nowhere.xml")):
            done = self.assert_ends(code, self.run_command("once", LIBVIRT_URI=uri))
            self.assertEqual("", done.stdout)
            self.assertIn(says, done.stderr)
            self.assertIn("fix: ", done.stderr)


# --- check ---


class CheckTest(CommandTestCase):
    def check(self, code, *arguments, **variables):
        """{topic: (grade, text and fix)} of a check that ends with that code."""
        done = self.assert_ends(code, self.run_command("check", *arguments, **{"LIBVIRT_URI": URI, **variables}))
        found = {}
        for match in re.finditer(r"(?m)^(ok|info|warn|FAIL) +(\S+) +(.*)(?:\n +fix: (.*))?", done.stdout):
            grade, topic, text, fix = match.groups()
            found[topic] = (grade, text, fix)
            self.assertEqual(grade == "ok", fix is None, match.group())
        return found

    def test_good_settings_are_one_line_each(self):
        found = self.check(0)
        self.assertEqual(["settings", "libvirt", "vms", "state_dir", "file", "http"], list(found))
        self.assertEqual({"ok"}, {grade for grade, _text, _fix in found.values()})
        self.assertFalse(os.path.exists(self.path("state")), "a check leaves nothing behind")

    def test_a_database_that_answers_and_one_that_lacks(self):
        influx = self.enterContext(Influxd())
        grade, _text, fix = self.check(66, INFLUX_URL=influx.url)["influx"]
        self.assertEqual("FAIL", grade)
        self.assertIn('CREATE DATABASE "vmstats"', fix)
        influx.create_database("vmstats")
        self.assertEqual("ok", self.check(0, INFLUX_URL=influx.url)["influx"][0])
        self.assertEqual([], influx.query("SHOW SERIES", db="vmstats"))

    def test_a_closed_port_of_the_database(self):
        grade, text, fix = self.check(69, INFLUX_URL=f"http://127.0.0.1:{free_port()}")["influx"]
        self.assertEqual("FAIL", grade)
        self.assertIn("connection refused", text)
        self.assertIn("start the server", fix)

    def test_everything_wrong_at_once_is_all_told(self):
        found = self.check(69, LIBVIRT_URI="qemu+unix:///system?socket=/nowhere/sock", STATE_DIRECTORY="/dev/null/x",
                           INFLUX_URL=f"http://127.0.0.1:{free_port()}")
        self.assertEqual({"settings": "ok", "libvirt": "FAIL", "state_dir": "FAIL", "influx": "FAIL", "http": "ok"},
                         {topic: grade for topic, (grade, _text, _fix) in found.items()})

    def test_a_folder_that_cannot_be(self):
        grade, text, fix = self.check(74, STATE_DIRECTORY="/dev/null/x")["state_dir"]
        self.assertEqual("FAIL", grade)
        self.assertIn("/dev/null/x", text)
        self.assertIn("state_dir", fix)

    def test_no_vms_is_no_failure(self):
        node = write_node(self.path("node.xml"), [])
        self.assertEqual("info", self.check(0, LIBVIRT_URI=node)["vms"][0])


# --- run ---


class RunTest(CommandTestCase):
    def test_lines_go_to_a_file_where_no_database_is_named(self):
        with Daemon(URI, "--poll-interval", "500ms") as daemon:
            cycles = daemon.wait_cycles(2)
            path = os.path.join(daemon.state_dir, "lines.lp")
            self.assertEqual(0o640, stat.S_IMODE(os.stat(path).st_mode))
            self.assertEqual(0o750, stat.S_IMODE(os.stat(daemon.state_dir).st_mode))
            self.assertEqual([5, 6], [len(cycle) for cycle in cycles[:2]])
            daemon.wait_log(f"lines to file {re.escape(path)}")

    def test_file_path_says_which_file(self):
        path = self.path("out.lp")
        with Daemon(URI, "--poll-interval", "500ms", "--set", f"file.path={path}") as daemon:
            daemon.wait(lambda: os.path.exists(path) and os.path.getsize(path), "lines in the file")
            self.assertFalse(os.path.exists(os.path.join(daemon.state_dir, "lines.lp")))
        with open(path, encoding="utf-8") as file:
            self.assertTrue(parse_lines(file.read()))

    def test_the_log_goes_to_stderr_and_to_a_file_when_named(self):
        path = self.path("virtmeter.log")
        with Daemon(URI, "--poll-interval", "500ms", "--log-file", path) as daemon:
            daemon.wait_cycles(1)
            daemon.stop()
            said = daemon.log()
        with open(path, encoding="utf-8") as file:
            written = file.read()
        self.assertIn("info connected to test:///default", written)
        self.assertIn("info stopped after", written)
        self.assertEqual([line.split(" ", 1)[1] for line in said.splitlines()],
                         [line.split(" ", 1)[1] for line in written.splitlines()])

    def test_log_level_says_how_much(self):
        with Daemon(URI, "--poll-interval", "500ms", "--log-level", "error") as daemon:
            daemon.wait_cycles(2)
            daemon.stop()
            self.assertEqual("", daemon.log())
        with Daemon(URI, "--poll-interval", "500ms", "--log-level", "debug") as daemon:
            daemon.wait_log("debug cycle 2: ")

    def test_a_log_file_that_cannot_be_is_told(self):
        done = self.assert_ends(74, self.run_command("run", "--log-file", "/dev/null/x.log", LIBVIRT_URI=URI))
        self.assertIn("/dev/null/x.log", done.stderr)
        self.assertIn("fix: ", done.stderr)

    def test_a_state_folder_that_cannot_be_is_told(self):
        done = self.assert_ends(74, self.run_command("run", LIBVIRT_URI=URI, STATE_DIRECTORY="/dev/null/x"))
        self.assertIn("state_dir /dev/null/x", done.stderr)
        self.assertIn("fix: ", done.stderr)

    def test_sigterm_and_sigint_end_it_well(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), LoggingDaemon(URI) as daemon:
                daemon.wait_cycles(2)
                code, seconds = daemon.end(number)
                self.assertEqual(0, code)
                self.assertLess(seconds, 5)
                lines = len(daemon.lines())
                summary = daemon.summary()
                self.assertEqual((lines, lines, 0), (summary.collected, summary.delivered, summary.dropped))

    def test_sighup_and_sigpipe_do_not_end_it(self):
        with Daemon(URI, "--poll-interval", "500ms") as daemon:
            for number in (signal.SIGHUP, signal.SIGPIPE):
                count = len(daemon.wait_cycles(1))
                os.kill(daemon.pid, number)
                daemon.wait_cycles(count + 2)

    def test_without_libvirt_it_starts_and_keeps_trying(self):
        with Daemon("qemu+unix:///system?socket=/nowhere/sock", "--poll-interval", "500ms") as daemon:
            daemon.wait_log("E101 libvirt is not running")
            daemon.wait_cycles(3)
            self.assertEqual(1, len(daemon.log_lines("E101")))


if __name__ == "__main__":
    unittest.main()
