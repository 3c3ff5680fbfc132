#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A real Prometheus, set up as config/prometheus says, reads a gateway; the
expressions of the alerts and of the dashboard find numbers there."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "integration")]

# pylint: disable=wrong-import-position
from kit import (PATIENCE, Gateway, equal, eventually, expect,  # noqa: E402
                 free_port, main, needs, test)

CONFIG = TESTS.parent / "config" / "prometheus"


class Prometheus:
    """One that scrapes the gateway's admin listener every second."""

    def __init__(self, place):
        needs(shutil.which("prometheus"), "prometheus")
        self.folder = tempfile.mkdtemp(prefix="sluice-test-")
        text = (CONFIG / "prometheus.yml").read_text()
        expect("127.0.0.1:9100" in text, "the shipped place")
        text = text.replace("127.0.0.1:9100", place).replace("15s", "1s")
        Path(self.folder, "prometheus.yml").write_text(text)
        shutil.copy(CONFIG / "alerts.yml", self.folder)
        self.port = free_port()
        with open(Path(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.folder}/prometheus.yml",
                 f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"],
                stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30 * PATIENCE)
        shutil.rmtree(self.folder)

    def get(self, path, **query):
        url = (f"http://127.0.0.1:{self.port}/api/v1/{path}?"
               + urllib.parse.urlencode(query))
        with urllib.request.urlopen(url, timeout=10 * PATIENCE) as answer:
            return json.load(answer)["data"]

    def query(self, text):
        return self.get("query", query=text)["result"]


def expressions():
    """Those of the dashboard, with its variables filled in."""
    board = json.loads((CONFIG / "grafana.json").read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], (target["expr"]
                                   .replace("$__rate_interval", "10s")
                                   .replace('"$instance"', '".+"'))


@test
def test_prometheus_reads_the_gateway_and_the_dashboard_has_numbers():
    with Gateway({"server": {"admin": "127.0.0.1:0"}}) as gateway:
        gateway.says(r"metrics are at http")
        place, = [one[1] for line in gateway.lines
                  if (one := re.search(r"at http://(\S+)/metrics", line))]
        with Prometheus(place) as prometheus:
            def scraped():
                try:
                    found = prometheus.query('up{job="sluice"}')
                except OSError:
                    return False
                return found and found[0]["value"][1] == "1"
            eventually("a scrape", scraped, 60 * PATIENCE)
            key = gateway.upload()["key"]
            for _ in range(5):
                equal("status", gateway.download(key).status, 200)
            eventually("five downloads", lambda: [
                one["value"][1] for one in prometheus.query(
                    'sluice_requests_total{operation="download",'
                    'status="200"}')] == ["5"], 30 * PATIENCE)
            eventually("two scrapes of them", lambda: prometheus.query(
                "rate(sluice_requests_total[10s])"), 30 * PATIENCE)
            eventually("objects are counted", lambda: [
                one for one in prometheus.query("sluice_local_objects")
                if float(one["value"][1]) > 0], 30 * PATIENCE)
            for title, text in expressions():
                expect(prometheus.query(text), f"numbers for {title}: {text}")
            rules = prometheus.get("rules")["groups"][0]["rules"]
            for rule in rules:
                equal(rule["name"], rule.get("lastError", ""), "")
            expect(len(rules) > 5, "the alerts")
            firing = {one["labels"]["alertname"]
                      for one in prometheus.get("alerts")["alerts"]}
            firing.discard("SluiceDiskNearlyFull") # the machine's own
            equal("alerts of a healthy gateway", firing, set())


@test
def test_promtool_likes_what_is_shipped():
    needs(shutil.which("promtool"), "promtool")
    for kind, name in (("config", "prometheus.yml"), ("rules", "alerts.yml")):
        done = subprocess.run(["promtool", "check", kind, str(CONFIG / name)],
                              capture_output=True, text=True, check=False,
                              env={**os.environ, "LC_ALL": "C"})
        equal(name, done.returncode, 0)


if __name__ == "__main__":
    main()
