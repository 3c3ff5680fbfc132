# SPDX-License-Identifier: MIT
"""Runs of sluice-plugin-check, and their reports."""
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
sys.path.append(str(HERE.parent / "integration"))

# pylint: disable=wrong-import-position
from kit import BINARY, PLUGINS, SLOWNESS, Skip, equal, expect  # noqa: E402

CHECK = BINARY + "-plugin-check"


def plugin(name):
    for folder in PLUGINS:
        path = Path(folder, name + ".so")
        if path.exists():
            return str(path)
    raise Skip(f"{name}.so isn't built")


class Report:
    """The lines of one run of the program."""

    def __init__(self, *words, patience=2, folder=None):
        patience = "--patience", f"{int(patience * 1000 * SLOWNESS)}ms"
        self.run = subprocess.run(
            [CHECK, *patience, *words], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace",
            timeout=900 * SLOWNESS, check=False, cwd=folder)
        self.text = self.run.stdout + self.run.stderr
        self.status = self.run.returncode
        self.failed, self.skipped, self.passed = [], [], []
        self.rules = {}  # the quoted one of each failure
        lists = {"ok": self.passed, "FAIL": self.failed,
                 "skip": self.skipped}
        for line in self.run.stdout.splitlines():
            word, _, rest = line.partition(" ")
            if word in lists:
                lists[word].append(rest.strip())
            quote = line.strip().removeprefix("the rule: ")
            if quote != line.strip() and self.failed:
                self.rules[self.failed[-1]] = quote


def passes(*words, patience=2):
    report = Report(*words, patience=patience)
    equal("failed", report.failed, [])
    equal("status", (report.status, report.text if report.status else ""),
          (0, ""))
    expect(len(report.passed) > 15, report.text)
    return report
