"""Peers that Debian packages, as contenders: prometheus-libvirt-exporter, and collectd with its virt plugin."""

import os
import re
import shutil
import socket
import sys
import threading
import time
import urllib.error
import urllib.request

from contenders import Contender, LabError
from lab_base import free_port

COLLECTD = "/usr/sbin/collectd"
COLLECTD_VIRT = "/usr/lib/collectd/virt.so"

_COLLECTD_CONF = """\
Interval {interval}
BaseDir "{folder}"
PIDFile "{folder}/collectd.pid"
TypesDB "/usr/share/collectd/types.db"
PluginDir "/usr/lib/collectd"
LoadPlugin virt
<Plugin virt>
  Connection "{uri}"
  RefreshInterval 60
  HostnameFormat name
  ExtraStats "domain_state pcpu memory vcpu"
</Plugin>
LoadPlugin write_graphite
<Plugin write_graphite>
  <Node "bench">
    Host "127.0.0.1"
    Port "{port}"
    Protocol "tcp"
    StoreRates false
    AlwaysAppendDS true
  </Node>
</Plugin>
"""


class Exporter(Contender):
    """prometheus-libvirt-exporter, scraped on the beat; it reads the hypervisor only when it is asked."""

    def __init__(self):
        super().__init__("exporter", "prometheus-libvirt-exporter")
        self._port = 0
        self._walls = []
        self._page = ""
        self._began = 0.0

    @staticmethod
    def there():
        return shutil.which("prometheus-libvirt-exporter") is not None

    def start(self, scene):
        self._port = free_port()
        self._walls = []
        super().start(scene)
        self._wait_port()
        self._began = time.monotonic()

    def command(self, scene):
        # It opens read-write connections only.
        return ["prometheus-libvirt-exporter", f"--web.listen-address=127.0.0.1:{self._port}",
                f"--libvirt.uri={scene.uri_rw}"]

    def wait_readings(self, count):
        while len(self._walls) < count:
            time.sleep(max(0.0, self._began + len(self._walls) * self.scene.interval - time.monotonic()))
            began = time.monotonic()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=60) as reply:
                    self._page = reply.read().decode()
            except (urllib.error.URLError, OSError) as error:
                raise LabError(f"{self.name}: {error}") from error
            self._walls.append(1000 * (time.monotonic() - began))

    def readings(self):
        return len(self._walls)

    def walls_ms(self):
        return self._walls

    def fields(self):
        return len(re.findall(rf'^libvirt_domain\S*\{{[^}}]*domain="{re.escape(self.scene.vm)}"', self._page, re.M))

    def _wait_port(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
                return
            except OSError as error:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise LabError(f"{self.name} does not listen: {error}") from error
            time.sleep(0.05)


class Collectd(Contender):
    """collectd with its virt plugin, writing Graphite's text to us. It tells no time of a reading."""

    def __init__(self):
        super().__init__("collectd", "collectd, virt plugin")
        self._listener = None
        self._seen = {}

    @staticmethod
    def there():
        return os.path.exists(COLLECTD) and os.path.exists(COLLECTD_VIRT)

    def start(self, scene):
        self._seen = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._listen, args=(self._listener,), daemon=True).start()
        with open(scene.path("collectd.conf"), "w", encoding="utf-8") as file:
            file.write(_COLLECTD_CONF.format(interval=scene.interval, folder=scene.folder, uri=scene.uri_ro,
                                             port=self._listener.getsockname()[1]))
        super().start(scene)

    def stop(self):
        super().stop()
        if self._listener:
            self._listener.close()
            self._listener = None

    def command(self, scene):
        return [COLLECTD, "-f", "-C", scene.path("collectd.conf")]

    def readings(self):
        """As often as one VM's CPU came: always the same moment of a reading, so windows hold whole readings."""
        return self._seen.get(f"{self.scene.vm}.virt.virt_cpu_total.value", 0)

    def fields(self):
        return sum(key.startswith(f"{self.scene.vm}.") for key in list(self._seen))

    def _listen(self, listener):
        # Until the listener is closed and collectd, which holds the one connection, has ended.
        try:
            connection, _ = listener.accept()
            with connection, connection.makefile(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    key = line.split(" ", 1)[0]
                    self._seen[key] = self._seen.get(key, 0) + 1
        except OSError as error:
            if self._listener is listener:
                print(f"bench: collectd's lines: {error}", file=sys.stderr)
