# SPDX-License-Identifier: MIT
"""Firefox, steered by tests over WebDriver BiDi: JSON messages in a WebSocket,
of which a client needs little."""
import base64
import json
import os
import re
import shutil
import socket
import struct
import subprocess
from pathlib import Path

from kit import PATIENCE, Mismatch, eventually, expect, needs

NAMES = "firefox-esr", "firefox"
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004",
        "ArrowDown": "\ue015", "ArrowUp": "\ue013", "ArrowLeft": "\ue012",
        "ArrowRight": "\ue014", "End": "\ue010", "Home": "\ue011",
        "Delete": "\ue017", "F2": "\ue032", "Backspace": "\ue003",
        "PageDown": "\ue00f"}
# It asks nobody but the gateway, and shows nothing of its own.
PREFS = {"browser.shell.checkDefaultBrowser": False,
         "browser.startup.page": 0, "app.update.enabled": False,
         "app.normandy.enabled": False, "app.shield.optoutstudies.enabled":
         False, "browser.download.useDownloadDir": True,
         "browser.download.folderList": 2, "intl.accept_languages": "en-US",
         "intl.locale.requested": "en-US",
         "datareporting.policy.dataSubmissionEnabled": False,
         "network.captive-portal-service.enabled": False,
         "network.connectivity-service.enabled": False,
         "services.settings.server": "data:,", "toolkit.telemetry.enabled":
         False, "remote.active-protocols": 1}


def program():
    found = next(filter(None, map(shutil.which, NAMES)), None)
    needs(found, "no Firefox")
    return found


# ---- a WebSocket (RFC 6455), as its client ----------------------------------

class WebSocket:
    def __init__(self, port, path):
        self.line = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.line.settimeout(6 * PATIENCE)
        self.line.sendall(
            (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
             "Upgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
             f"{base64.b64encode(os.urandom(16)).decode()}\r\n\r\n").encode())
        self.input = b""
        while b"\r\n\r\n" not in self.input:
            self._fill()
        head, self.input = self.input.split(b"\r\n\r\n", 1)
        expect(head.startswith(b"HTTP/1.1 101"), f"no WebSocket: {head}")

    def _fill(self):
        data = self.line.recv(1 << 16)
        expect(data, "the browser ended")
        self.input += data

    def _take(self, count):
        while len(self.input) < count:
            self._fill()
        data, self.input = self.input[:count], self.input[count:]
        return data

    def send(self, text):
        data = text.encode()
        mask = os.urandom(4)
        if len(data) < 126:
            head = struct.pack(">BB", 0x81, 0x80 | len(data))
        elif len(data) < 65536:
            head = struct.pack(">BBH", 0x81, 0xfe, len(data))
        else:
            head = struct.pack(">BBQ", 0x81, 0xff, len(data))
        long = (mask * (len(data) // 4 + 1))[:len(data)]
        masked = int.from_bytes(data, "big") ^ int.from_bytes(long, "big")
        self.line.sendall(head + mask + masked.to_bytes(len(data), "big"))

    def receive(self):
        """The next text, of any number of frames."""
        text, final = b"", False
        while not final:
            first, second = self._take(2)
            length = second & 0x7f
            if length == 126:
                length, = struct.unpack(">H", self._take(2))
            elif length == 127:
                length, = struct.unpack(">Q", self._take(8))
            data = self._take(length)
            expect(first & 0x0f != 8, "the browser closed the line")
            if first & 0x0f in (0, 1):
                text += data
                final = bool(first & 0x80)
        return text.decode()

    def close(self):
        self.line.close()


# ---- the browser ------------------------------------------------------------

def value_of(remote):
    """The value that a script said, as Python has it."""
    kind, value = remote["type"], remote.get("value")
    if kind == "array":
        return [value_of(one) for one in value or []]
    if kind == "object":
        return {name: value_of(one) for name, one in value or []}
    return value if kind in ("string", "number", "boolean") else None


class Browser:
    """It does as chromium.Browser, as far as the console's tests need it."""
    name = "firefox"

    def __init__(self, folder):
        self.folder = Path(folder)
        profile = self.folder / "firefox"
        profile.mkdir()
        prefs = {**PREFS, "browser.download.dir": str(self.folder)}
        (profile / "user.js").write_text("".join(
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in prefs.items()))
        self.process = subprocess.Popen(
            [program(), "--headless", "--no-remote", "--profile", profile,
             "--remote-debugging-port", "0", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "HOME": str(folder), "MOZ_HEADLESS": "1"})
        self.number, self.events, self.user = 0, [], None
        self.socket = WebSocket(self._port(), "/session")
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=["log.entryAdded"])

    def _port(self):
        for line in self.process.stderr:
            if found := re.search(rb"listening on ws://[^:]+:(\d+)", line):
                return int(found[1])
        raise Mismatch("Firefox ended before it could be steered")

    def call(self, method, **params):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method,
                                     "params": params}))
        while (got := json.loads(self.socket.receive())).get("id") != \
                self.number:
            self.events.append(got)
        if got["type"] == "error":
            raise Mismatch(f"{method}: {got['error']}: {got['message']}")
        return got["result"]

    def fresh(self):
        """A page that knows nothing of those before, which are closed."""
        if self.user:
            self.call("browser.removeUserContext", userContext=self.user)
        self.user = self.call("browser.createUserContext")["userContext"]
        self.events.clear()
        self.page()

    def page(self):
        self.context = self.call("browsingContext.create", type="tab",
                                 userContext=self.user)["context"]

    def again(self):
        """The page ends; another one has what it kept."""
        self.call("browsingContext.close", context=self.context)
        self.page()

    def pages(self):
        return [one["context"] for one in self.call("browsingContext.getTree")
                ["contexts"] if one["userContext"] == self.user]

    def visit(self, url):
        self.events.clear()
        self.call("browsingContext.navigate", context=self.context, url=url,
                  wait="complete")

    def reload(self):
        self.call("browsingContext.reload", context=self.context,
                  wait="complete")

    def evaluate(self, script, gesture=False):
        got = self.call("script.evaluate", expression=script,
                        target={"context": self.context}, awaitPromise=True,
                        userActivation=gesture)
        expect(got["type"] == "success", "script: "
               f"{got.get('exceptionDetails', {}).get('text')}")
        return got["result"]

    def run(self, script, gesture=False):
        return value_of(self.evaluate(script, gesture))

    def choose(self, selector, *paths):
        """These files in an <input>, as if a person had chosen them."""
        found = self.evaluate(
            f"document.querySelector({json.dumps(selector)})")
        self.call("input.setFiles", context=self.context,
                  element={"sharedId": found["sharedId"]},
                  files=list(map(str, paths)))

    def write(self, text):
        """As a keyboard does, where the focus is."""
        self.call("input.performActions", context=self.context, actions=[
            {"type": "key", "id": "keys", "actions": [
                {"type": way, "value": key}
                for key in text for way in ("keyDown", "keyUp")]}])

    def press(self, name):
        self.write([KEYS.get(name, name)])

    def save_to(self, folder):
        """Downloads go there."""
        self.call("browser.setDownloadBehavior", userContexts=[self.user],
                  downloadBehavior={"type": "allowed",
                                    "destinationFolder": str(folder)})

    def resize(self, width, height, mobile=False):
        del mobile # it is all the same here
        self.call("browsingContext.setViewport", context=self.context,
                  viewport={"width": width, "height": height})

    def picture(self, **clip):
        got = self.call("browsingContext.captureScreenshot",
                        context=self.context, **({"clip": {
                            "type": "box", **clip}} if clip else {}))
        return base64.b64decode(got["data"])

    def shows_pdf(self, text):
        """Until a frame of the page, the viewer's, has the text."""
        def seen():
            tree = self.call("browsingContext.getTree", root=self.context)
            for frame in tree["contexts"][0]["children"]:
                got = self.call(
                    "script.evaluate", expression="document.body.innerText",
                    target={"context": frame["context"]}, awaitPromise=False)
                if text in (got.get("result", {}).get("value") or ""):
                    return True
            return False
        eventually(f"a PDF with {text}", seen)

    def complaints(self):
        """Errors of scripts that the page had."""
        return [one["params"]["text"] for one in self.events
                if one.get("method") == "log.entryAdded" and
                one["params"]["level"] == "error"]

    def close(self):
        try:
            self.call("browser.close")
        except (OSError, Mismatch):
            pass
        self.socket.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
