#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Access logs in Apache's combined format."""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
import kit  # noqa: E402  pylint: disable=wrong-import-position
from kit import Gateway, equal, like, needs, test  # noqa: E402

STAMP = r"\[\d\d/[A-Z][a-z]{2}/20\d\d:\d\d:\d\d:\d\d \+0000\]"


def logged(*requests):
    """The lines that these requests leave."""
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        log = Path(folder, "access.log")
        with Gateway({"server": {"workers": "1"},
                      "hooks": [{"plugin": "log_combined",
                                 "path": str(log)}]}) as gate:
            for words in requests:
                if isinstance(words, bytes):
                    with gate.wire() as wire:
                        wire.send(words)
                        wire.answer()
                else:
                    gate.ask(*words)
        return log.read_text().splitlines()


@test
def test_line_is_as_apache_writes_it():
    line, = logged(("GET", "/files?prefix=a&limit=1", "User-Agent: it 1",
                    "Referer: http://a.test/b?c"))
    like("line", line, r"\A127\.0\.0\.1 - - " + STAMP +
         r' "GET /files\?prefix=a&limit=1 HTTP/1\.1" 200 \d+ '
         r'"http://a\.test/b" "it 1"\Z')


@test
def test_what_is_not_known_is_a_dash():
    head, refused = logged(("HEAD", "/files/download?key=x"), b"X\r\n\r\n")
    like("no body", head, r' "HEAD /files/download\?key=x HTTP/1\.1" 404 - '
         r'"-" "-"\Z')
    like("a refused head", refused,
         r"\A127\.0\.0\.1 - - " + STAMP + r' "-" 400 \d+ "-" "-"\Z')


@test
def test_quotes_and_controls_are_escaped():
    line, = logged(b'GET /a"b HTTP/1.1\r\nHost: a\r\n'
                   b'User-Agent: "\\\t\xc3\xa9 [x]\r\n\r\n')
    like("line", line, r'"GET /a\\"b HTTP/1\.1" 404 \d+ "-" '
         r'"\\"\\\\\\x09\\xc3\\xa9 \[x\]"\Z')


@test
def test_signed_links_query_is_redacted():
    line, = logged(("GET", "/files/signed?key=a&sig=secret"))
    like("line", line, r'"GET /files/signed\?redacted HTTP/1\.1" 40\d ')


@test
def test_lines_are_split_by_the_usual_pattern():
    apart = re.compile(r'(\S+) \S+ (\S+) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" '
                       r'(\d{3}) (\S+) "((?:[^"\\]|\\.)*)" '
                       r'"((?:[^"\\]|\\.)*)"')
    for line in logged(("GET", '/"] "', 'User-Agent: \\" "'),
                       b"GET /\\ HTTP/1.1\r\nHost: a\r\n"
                       b"Referer: \\\r\n\r\n"):
        equal("fields", bool(apart.fullmatch(line)), True)


@test
def test_goaccess_reads_all_lines():
    needs(shutil.which("goaccess"), "goaccess is not installed")
    lines = logged(("GET", "/files"), ("GET", '/a"b', "User-Agent: \"x\\"),
                   ("GET", "/files/signed?x"))
    with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
        log.write("\n".join(["# a notice", *lines, ""]))
        log.flush()
        done = subprocess.run(
            ["goaccess", log.name, "--log-format=COMBINED", "-o", "json",
             "--no-global-config"], check=True, capture_output=True)
    like("report", done.stdout.decode(), r'"failed_requests": 0,')


kit.main()
