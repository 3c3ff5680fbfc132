# SPDX-License-Identifier: MIT
"""The console in a browser over a gateway of its own, and the words by which
tests use it as a person would."""
import atexit
import contextlib
import ctypes
import hashlib
import json
import os
import shutil
import socket
import struct
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

# pylint: disable=wrong-import-position
import chromium
import firefox
from relay import Relay
from kit import Gateway, Mismatch, eventually, merged, needs

# Elements by what a person reads: a button's or a field's name.
HELPERS = """
window.named ??= (selector, name) => [...document.querySelectorAll(selector)]
  .filter(e => e.checkVisibility?.() ?? true)
  .find(e => (e.getAttribute('aria-label') ?? e.textContent).trim() === name);
window.field ??= name => {
  const label = [...document.querySelectorAll('label')]
    .find(e => e.textContent.trim() === name);
  return label && (label.control ?? label.querySelector('input'));
};
window.names ??= () => [...document.querySelectorAll('.rows .name a')]
  .map(e => e.textContent);
"""


class Tabs:
    """One browser for all tests; each has a profile of its own in it."""
    kind = {"chromium": chromium, "firefox": firefox}[
        os.environ.get("SLUICE_BROWSER", "chromium")]

    def __init__(self):
        self.browser = self.folder = None

    def open(self):
        if self.browser is None:
            self.kind.program()
            self.folder = tempfile.mkdtemp(prefix="sluice-test-")
            self.browser = self.kind.Browser(self.folder)
            atexit.register(self.close)
        self.browser.fresh()
        return self.browser

    def close(self):
        self.browser.close()
        shutil.rmtree(self.folder, ignore_errors=True)


TABS = Tabs()


class Line(Relay):
    """Between the browser and the gateway: as fast as `rate`, bytes a second,
    and it can be cut.  `carried` bytes went through it, both ways."""
    rate = None
    carried = 0

    def _join(self, near):
        try:
            super()._join(near)
        except OSError: # no gateway is there
            near.close()

    def _pass(self, one, other):
        for end in one, other:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        try:
            while data := one.recv(65536):
                if self.rate:
                    time.sleep(len(data) / self.rate)
                other.sendall(data)
                self.carried += len(data)
        except OSError:
            pass
        for end in one, other:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
                # A reset, which who only sends hears of, too.
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
                end.close()


class Console:
    """`with Console(...) as it:` a gateway and the page, at its root."""

    def __init__(self, sections=None, *, folder=None, gateway=None):
        self.browser, self.line = TABS.open(), None
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.gateway = gateway or Gateway(merged(
            {"uploads": {"max_bytes": "200MiB"}}, sections or {}),
            folder=folder)
        try:
            self.size(1200, 800)
        except BaseException:
            self.gateway.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *how):
        if self.line:
            self.line.away()
        try:
            self.gateway.__exit__(*how)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- the page ----------------------------------------------------------

    @property
    def url(self):
        return f"{self.line.endpoint if self.line else self.gateway.url}" \
            "/console/"

    def over_a_line(self):
        """From now on the page comes by a line of its own."""
        self.line = Line(int(self.gateway.url.rpartition(":")[2]))
        return self.line

    def open(self, fragment="", query=""):
        self.browser.visit("about:blank")
        self.browser.visit(f"{self.url}{query}{fragment}")
        self.run("0")

    def size(self, width, height, mobile=False):
        self.browser.resize(width, height, mobile)

    def looks(self, scheme):
        self.browser.looks(scheme)

    def run(self, script):
        return self.browser.run(f"{HELPERS}; {script}")

    def look(self, script):
        """Its value; None where the page goes meanwhile, as it does when it
        loads anew."""
        try:
            return self.run(script)
        except Mismatch as why:
            if "navigated or closed" in str(why):
                return None
            raise

    def wait(self, what, script, seconds=None):
        """Until the script is true; its value."""
        try:
            return eventually(what, lambda: self.look(script), seconds, 0.05)
        except Mismatch as why:
            text = self.run("document.body?.innerText.slice(0, 600)")
            raise Mismatch(f"{why}; the page says: {text}") from None

    def click(self, name, within="button, a, [role=menuitem], summary"):
        self.wait(f"«{name}»", f"named({json.dumps(within)}, "
                  f"{json.dumps(name)}) && true")
        self.run(f"named({json.dumps(within)}, {json.dumps(name)}).click()")

    def write(self, name, text):
        """Into the field of that label, as if typed."""
        self.wait(f"field «{name}»", f"field({json.dumps(name)}) && true")
        self.run(f"{{ const e = field({json.dumps(name)}); e.focus(); "
                 f"e.value = {json.dumps(text)}; "
                 "e.dispatchEvent(new Event('input', {bubbles: true})); "
                 "e.dispatchEvent(new Event('change', {bubbles: true})); }")

    def key(self, name):
        self.browser.press(name)

    def names(self):
        return self.run("names()")

    def shows(self, *names):
        return self.wait(f"rows {names}", "JSON.stringify(names()) === " +
                         json.dumps(json.dumps(list(names),
                                               separators=(",", ":"),
                                               ensure_ascii=False)))

    def says(self, text, seconds=None):
        return self.wait(f"the words «{text}»", "document.body?.innerText"
                         f".includes({json.dumps(text)})", seconds)

    def menu(self, name, action):
        self.click(f"Actions for {name}")
        self.click(action, "[role=menuitem]")

    def upload(self, *paths):
        self.browser.choose("body > input[multiple]", *paths)

    def picture(self, path, **clip):
        Path(path).write_bytes(self.browser.picture(**clip))

    def in_chromium(self, why):
        """Skips a test that steers what other browsers don't let us."""
        needs(self.browser.name == "chromium", f"Chromium alone {why}")

    def complaints(self):
        """Errors of scripts and of the policy that the page had."""
        return self.browser.complaints()

    def axe(self, source):
        """Violations that axe-core finds, in a few words."""
        self.browser.run(f"{source}; 0")
        return json.loads(self.browser.run(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', "
            "'wcag21aa', 'wcag22aa', 'best-practice']}).then(r => "
            "JSON.stringify(r.violations.map(v => [v.id, v.nodes.map(n => "
            "n.html.slice(0, 160) + ' ' + n.failureSummary.slice(0, 300))])))"
        ))


def pdf(text):
    """A page with that text."""
    page = f"BT /F1 24 Tf 40 100 Td ({text}) Tj ET"
    parts = ["<</Type/Catalog/Pages 2 0 R>>",
             "<</Type/Pages/Kids[3 0 R]/Count 1>>",
             "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R"
             "/Resources<</Font<</F1 5 0 R>>>>>>",
             f"<</Length {len(page)}>>stream\n{page}\nendstream",
             "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    made, table = "%PDF-1.4\n", "0000000000 65535 f \n"
    for number, part in enumerate(parts, 1):
        table += f"{len(made):010} 00000 n \n"
        made += f"{number} 0 obj\n{part}\nendobj\n"
    return (f"{made}xref\n0 {len(parts) + 1}\n{table}trailer"
            f"<</Size {len(parts) + 1}/Root 1 0 R>>\nstartxref\n{len(made)}"
            "\n%%EOF\n").encode()


# ---- gateways that ask who it is --------------------------------------------

ANN = "users/ann/"


def crypted(password):
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password.encode(),
                         b"$2b$04$abcdefghijklmnopqrstuu").decode()


def write_tokens(path, key):
    rights = {"sha256": hashlib.sha256(key.encode()).hexdigest(),
              "identity": "ann", "operations": ["*"], "prefixes": [ANN]}
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"tokens": [rights]}))
    new.chmod(0o600)
    new.rename(path)


@contextlib.contextmanager
def guarded(basic=False, sections=None):
    """A console before which one has to say who one is, and the secret: Ann's
    token, who may do all below users/ann/; or her password."""
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        path = Path(folder, "secrets")
        secret = "s3cret-of-ann-which-is-long-enough"
        if basic:
            path.write_text(f"ann:{crypted(secret)}\n")
            path.chmod(0o600)
            hook = {"plugin": "auth_basic", "file": str(path),
                    "prefixes": [""]}
        else:
            write_tokens(path, secret)
            hook = {"plugin": "auth_token", "file": str(path),
                    "interval": "20ms"}
        it = Console(merged({"hooks": [hook],
                             "uploads": {"prefix": "users/{user}"}},
                            sections or {}))
        with it:
            def another():
                newer = "another-" + secret
                write_tokens(path, newer)
                refused = [f"Authorization: Bearer {secret}"]
                eventually("the old key's end", lambda: it.gateway.ask(
                    "GET", "/files?prefix=users/ann/", *refused).status
                    == 401)
                return newer
            it.another_key = another
            yield it, secret
