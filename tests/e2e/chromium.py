# SPDX-License-Identifier: MIT
"""Chromium, steered by tests, and a gateway beside it."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
from pathlib import Path

from kit import PATIENCE, Gateway, Mismatch, eventually, expect, needs

NAMES = "chromium", "chromium-browser", "google-chrome", "chrome"
KEYS = {"Enter": (13, "\r"), "Escape": (27, None), "Tab": (9, None),
        "ArrowDown": (40, None), "ArrowUp": (38, None), "End": (35, None),
        "Home": (36, None), "Delete": (46, None), "F2": (113, None),
        "ArrowRight": (39, None), "PageDown": (34, None), " ": (32, " "),
        "Backspace": (8, None), "/": (191, "/")}
NAME = 'Größe "1" – отчёт 日本.txt'

PAGE = """<!doctype html><meta charset="utf-8"><title>form</title>
<form action="/files" method="post" enctype="multipart/form-data">
<input type="file" name="file"><input name="prefix" value="from/browser">
<button>send</button></form>"""


def program():
    found = next(filter(None, map(shutil.which, NAMES)), None)
    needs(found, "no Chromium")
    return found


class Browser:
    """Chromium, steered through a pair of pipes (its descriptors 3 and 4):
    JSON messages, each ended by a NUL."""
    name = "chromium"

    def __init__(self, folder, *options):
        into, self.out = os.pipe()
        self.into, out = os.pipe()
        # The shell moves the pipes to where Chromium looks for them.
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{into} 4>&{out}', "sh", program(),
             "--headless=new", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run",
             "--remote-debugging-pipe", f"--user-data-dir={folder}/profile",
             *options, "about:blank"], pass_fds=(into, out),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(folder)})
        os.close(into)
        os.close(out)
        self.number, self.input, self.events = 0, b"", []
        self.session = self.context = self.target = None
        self.page()

    def fresh(self):
        """A page that knows nothing of those before, which are closed."""
        self.session = None
        if self.context:
            self.call("Target.disposeBrowserContext", **self.context)
        got = self.call("Target.createBrowserContext")
        self.context = {"browserContextId": got["browserContextId"]}
        self.events.clear()
        self.page()

    def again(self):
        """The page ends at once, as if it had crashed; another one has what
        it kept."""
        self.session = None
        self.call("Target.closeTarget", targetId=self.target)
        self.page()

    def page(self):
        self.session = None
        page = self.call("Target.createTarget", url="about:blank",
                         **(self.context or {}))
        self.target = page["targetId"]
        self.session = self.call("Target.attachToTarget", flatten=True,
                                 targetId=page["targetId"])["sessionId"]
        for area in "Page", "DOM", "Runtime", "Log", "Network":
            self.call(f"{area}.enable")

    def message(self):
        while b"\0" not in self.input:
            ready, _, _ = select.select([self.into], [], [], 6 * PATIENCE)
            expect(ready, "the browser says nothing")
            data = os.read(self.into, 1 << 16)
            expect(data, "the browser ended")
            self.input += data
        text, self.input = self.input.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while (got := self.message()).get("id") != self.number:
            self.events.append(got)
        if "error" in got:
            raise Mismatch(f"{method}: {got['error']}")
        return got["result"]

    def event(self, method):
        """The next event of that kind, or one that came before."""
        while True:
            for at, got in enumerate(self.events):
                if got.get("method") == method:
                    del self.events[:at + 1]
                    return got["params"]
            self.events.append(self.message())

    def visit(self, url):
        self.events.clear()
        result = self.call("Page.navigate", url=url)
        expect(not result.get("errorText"), f"{url}: {result}")
        self.event("Page.loadEventFired")

    def choose(self, selector, *paths):
        """These files in an <input>, as if a person had chosen them."""
        chosen = self.call("Runtime.evaluate", expression="document."
                           f"querySelector({json.dumps(selector)})")["result"]
        self.call("DOM.setFileInputFiles", objectId=chosen["objectId"],
                  files=list(map(str, paths)))

    def fill(self, path, page=PAGE):
        """A page with a form, as if it came from the gateway's own host, and
        a file chosen in it."""
        self.run(f"document.open(); document.write({json.dumps(page)}); "
                 "document.close()")
        self.choose("input[type=file]", path)

    def reload(self):
        self.events.clear()
        self.call("Page.reload")
        self.event("Page.loadEventFired")

    def press(self, name):
        code, text = KEYS.get(name, (ord(name[0].upper()), name))
        event = {"key": name, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", **event,
                  **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def resize(self, width, height, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=1, mobile=mobile)

    def looks(self, scheme):
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"}])

    def picture(self, **clip):
        got = self.call("Page.captureScreenshot", format="png",
                        **({"clip": {**clip, "scale": 1}} if clip else {}))
        return base64.b64decode(got["data"])

    def write(self, text):
        """As a keyboard does, where the focus is."""
        self.call("Input.insertText", text=text)

    def save_to(self, folder):
        """Downloads go there."""
        self.session, session = None, self.session
        self.call("Browser.setDownloadBehavior", behavior="allow",
                  downloadPath=str(folder), **(self.context or {}))
        self.session = session

    def pages(self):
        """The targets of the pages that are open beside this one, and it."""
        self.session, session = None, self.session
        found = self.call("Target.getTargets")["targetInfos"]
        self.session = session
        mine = (self.context or {}).get("browserContextId")
        return [one["targetId"] for one in found if one["type"] == "page" and
                one.get("browserContextId") == mine]

    def shows_pdf(self, text):
        """Until the viewer, which is an extension of its own, is there; it
        tells nobody of the text."""
        del text
        self.session, session = None, self.session
        eventually("the viewer", lambda: any(
            one["url"].startswith("chrome-extension:") for one in
            self.call("Target.getTargets")["targetInfos"]))
        self.session = session

    def complaints(self):
        """Errors of scripts and of the policy that the page had."""
        found = []
        for event in self.events:
            method, params = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"].get("exception", {})
                             .get("description", str(params)))
            if method == "Log.entryAdded" and \
                    params["entry"]["source"] in ("security", "javascript"):
                found.append(params["entry"]["text"])
            if method == "Runtime.consoleAPICalled" and \
                    params["type"] == "error":
                found.append(str(params["args"]))
        return found

    def run(self, script, gesture=False):
        result = self.call("Runtime.evaluate", expression=script,
                           awaitPromise=True, returnByValue=True,
                           userGesture=gesture)
        expect("exceptionDetails" not in result, f"script: {result}")
        return result["result"].get("value")

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
        except (OSError, Mismatch):
            pass
        os.close(self.out)
        os.close(self.into)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Session:
    def __init__(self):
        program()
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.path = self.folder / NAME
        self.data = "text, отчёт\n".encode() * 20_000
        self.path.write_bytes(self.data)
        self.gateway = Gateway()
        try:
            self.browser = Browser(self.folder)
            self.browser.visit(f"{self.gateway.url}/healthz")
        except BaseException:
            self.gateway.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *how):
        self.browser.close()
        try:
            self.gateway.__exit__(*how)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
