#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The recipes of docs/links.md, as they stand there: curl, a form, a script in
a browser, and Uppy straight to a real Ceph.  What a recipe needs that isn't
there skips it: jq and curl, Chromium, aws, Ceph, and for Uppy a folder
SLUICE_UPPY in which `npm install @uppy/core @uppy/aws-s3 esbuild` was run."""
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "integration"), str(TESTS / "e2e")]

# pylint: disable=wrong-import-position
from bucket import gateway as before, noise  # noqa: E402
from chromium import Browser, Session, program  # noqa: E402
from kit import (MIB, Gateway, equal, eventually, expect,  # noqa: E402
                 free_port, main, md5, needs, test)
from s3.kit import Rgw  # noqa: E402

PAGE = (TESTS / ".." / "docs" / "links.md").read_text()
BUCKET = "uppy"


def recipe(kind, words):
    """The one block of that kind with these words in it."""
    found = [block for name, block in re.findall(
        r"^```(\w+)\n(.*?)^```$", PAGE, re.M | re.S)
             if name == kind and words in block]
    equal(f"blocks of {kind} with {words!r}", len(found), 1)
    return found[0]


def shell(url, folder, script, **more):
    """Runs it behind the first recipe, which is how links are asked for."""
    needs(shutil.which("jq") and shutil.which("curl"), "no jq or no curl")
    first = recipe("sh", "presign() {").replace("https://files.example", url)
    done = subprocess.run(["bash", "-e", "-o", "pipefail"], cwd=folder,
                          input=f"{first}\n{script}", check=False, text=True,
                          capture_output=True,
                          env={**os.environ, "TOKEN": "any", **more})
    equal(f"exit status ({done.stderr[-300:]})", done.returncode, 0)
    return done.stdout


def file_in(folder, name, data):
    path = Path(folder, name)
    path.write_bytes(data)
    return path


def put(gateway, key, data):
    answer = gateway.ask("PUT", f"/files/object?key={key}", body=data)
    equal("status of a PUT", answer.status, 201)


def target(url):
    where = urlsplit(url.strip())
    return f"{where.path}?{where.query}"


# ---- curl -------------------------------------------------------------------

@test
def test_somebody_downloads_by_curl_once():
    with Gateway() as gateway, tempfile.TemporaryDirectory() as folder:
        put(gateway, "reports/q3.pdf", b"%PDF")
        said = shell(gateway.url, folder, recipe("sh", "curl -OJ") +
                     '\necho "URL $url"')
        url = said.split("URL ")[1]
        equal("file", Path(folder, "Report Q3.pdf").read_bytes(), b"%PDF")
        equal("once more", gateway.ask("GET", target(url)).json["code"],
              "link_used_up")


@test
def test_somebody_uploads_by_curl():
    with Gateway() as gateway, tempfile.TemporaryDirectory() as folder:
        data = noise(300_000)
        file_in(folder, "q3.pdf", data)
        script = recipe("sh", "curl -T")
        got = json.loads(shell(gateway.url, folder, script))
        equal("key", got["key"], "inbox/q3.pdf")
        equal("type", got["content_type"], "application/pdf")
        equal("object", gateway.download("inbox/q3.pdf").body, data)
        got = json.loads(shell(gateway.url, folder, script))
        equal("once more", got["code"], "object_exists")


@test
def test_links_are_taken_back():
    lines = recipe("sh", "revoke() {")
    before_, *calls = re.split(r"^revoke ", lines, flags=re.M)
    with Gateway() as gateway, tempfile.TemporaryDirectory() as folder:
        put(gateway, "reports/q3.pdf", b"%PDF")
        asked = {"id": '{"key": "reports/q3.pdf"}',
                 "key": '{"key": "reports/q3.pdf"}',
                 "prefix": '{"method": "PUT", "key": "inbox/a"}',
                 "identity": '{"key": "reports/q3.pdf"}'}
        for call, (word, wish) in zip(calls, asked.items()):
            expect(f'"{word}"' in call, f"the recipe of {word} is {call}")
            answer = gateway.ask("POST", "/files/presign",
                                 "X-User-Id: alice", body=wish.encode())
            said = shell(gateway.url, folder, f"{before_}\nrevoke " +
                         call.replace("…", answer.json["id"]))
            expect("revoked" in json.loads(said), said)
            method = answer.json["method"]
            code = gateway.ask(method, target(answer.json["url"]),
                               body=b"" if method == "PUT" else None)
            equal(f"by {word}", code.json["code"], "link_revoked")


# ---- a browser --------------------------------------------------------------

@test
def test_form_is_sent_to_a_link():
    with Session() as it:
        url = shell(it.gateway.url, it.folder, recipe("sh", '"POST"')).strip()
        page = recipe("html", "<form").replace("URL OF THE LINK", url)
        path = file_in(it.folder, "a b.png", noise(40_000))
        it.browser.fill(path, page)
        it.browser.events.clear()
        it.browser.run("document.querySelector('button').click()")
        it.browser.event("Page.loadEventFired")
        got = json.loads(it.browser.run("document.body.innerText"))
        equal("type", got.get("content_type"), "image/png")
        equal("prefix", got["key"].split("/")[0], "inbox")
        equal("name", got["filename"], "a b.png")
        equal("object", md5(it.gateway.download(got["key"]).body),
              md5(noise(40_000)))


PUT_BY_SCRIPT = """(async () => {
  %s
  const seen = [], file = new File([new Uint8Array(%d)], 'a.bin');
  const got = await put(%s, file, part => seen.push(part));
  const again = await put(%s, file, part => {}).catch(e => e.message);
  return JSON.stringify({size: got.size_bytes, type: got.content_type, again,
                         last: seen.at(-1),
                         rises: seen.every((x, i) => !i || x >= seen[i - 1])});
})()"""


@test
def test_script_puts_with_progress_from_another_origin():
    with Session() as it, \
            Gateway({"cors": {"origins": [it.gateway.url]}}) as other:
        wish = {"method": "PUT", "key": "inbox/a.bin"}
        answer = other.json("POST", "/files/presign", wish)
        url = json.dumps(other.url + target(answer.json["url"]))
        script = recipe("js", "XMLHttpRequest")
        got = json.loads(it.browser.run(
            PUT_BY_SCRIPT % (script, 4 * MIB, url, url)))
        like = {"size": 4 * MIB, "type": "application/octet-stream",
                "last": 1, "rises": True,
                "again": "An object of that key exists, and this link "
                         "replaces none"}
        equal("what the page saw", got, like)


STREAM = """(async () => {
  %s
  const seen = [], file = new File([new Uint8Array(%d)], 'a.bin');
  const got = await putStream(%s, file, part => seen.push(part));
  return JSON.stringify({status: got.status, last: seen.at(-1),
                         many: seen.length > 1});
})()"""


@contextlib.contextmanager
def caddy(gateway, folder):
    """HTTP/2 before the gateway; gives the URL."""
    needs(shutil.which("caddy"), "no Caddy")
    needs(shutil.which("openssl"), "no openssl")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048",
                    "-nodes", "-keyout", "key.pem", "-out", "crt.pem",
                    "-days", "2", "-subj", "/CN=localhost"], cwd=folder,
                   check=True, capture_output=True)
    port = free_port()
    path = file_in(folder, "Caddyfile", f"""{{
  admin off
  auto_https off
}}
https://localhost:{port} {{
  tls {folder}/crt.pem {folder}/key.pem
  reverse_proxy {urlsplit(gateway.url).netloc}
}}
""".encode())
    process = subprocess.Popen(
        ["caddy", "run", "--adapter", "caddyfile", "--config", path],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={
            **os.environ, "HOME": folder, "XDG_DATA_HOME": folder,
            "XDG_CONFIG_HOME": folder})
    try:
        eventually("a front", lambda: not socket.socket().connect_ex(
            ("127.0.0.1", port)), seconds=10)
        yield f"https://localhost:{port}"
    finally:
        process.terminate()
        process.wait()


@test
def test_script_puts_a_stream_with_progress_over_http_2():
    program()
    with Gateway() as gateway, tempfile.TemporaryDirectory() as folder, \
            caddy(gateway, folder) as front:
        browser = Browser(folder, "--ignore-certificate-errors")
        try:
            browser.visit(f"{front}/healthz")
            answer = gateway.json("POST", "/files/presign",
                                  {"method": "PUT", "key": "inbox/a.bin"})
            got = json.loads(browser.run(STREAM % (
                recipe("js", "putStream"), 20 * MIB,
                json.dumps(target(answer.json["url"])))))
        finally:
            browser.close()
        equal("what the page saw", got,
              {"status": 201, "last": 1, "many": True})
        equal("object", len(gateway.download("inbox/a.bin").body), 20 * MIB)


# ---- Uppy -------------------------------------------------------------------

UPLOAD = """(async () => {
  const data = new Blob([new Uint8Array(300000)], {type: 'image/png'});
  let most = 0;
  uppy.on('upload-progress', (file, p) => {
    most = Math.max(most, p.bytesUploaded);
  });
  uppy.addFile({name: 'a b.png', type: 'image/png', data});
  const done = await uppy.upload();
  return JSON.stringify({good: done.successful.length, most,
                         bad: done.failed.map(f => f.error)});
})()"""


def bundle(folder, script):
    """As a page would have it: one script without imports."""
    source = Path(os.environ["SLUICE_UPPY"])
    path = source / "recipe.js"
    path.write_text(script.replace("new Uppy()", "window.uppy = new Uppy()"))
    out = Path(folder, "bundle.js")
    subprocess.run([source / "node_modules/.bin/esbuild", path, "--bundle",
                    "--format=iife", f"--outfile={out}"], check=True,
                   capture_output=True)
    return out.read_text()


@test
def test_uppy_uploads_straight_to_ceph():
    needs(os.environ.get("SLUICE_UPPY"), "SLUICE_UPPY names no folder")
    needs(shutil.which("aws"), "no aws")
    program()
    with Rgw() as s3, before(s3, BUCKET) as gateway, \
            tempfile.TemporaryDirectory() as folder:
        allow = recipe("sh", "put-bucket-cors").replace("BUCKET", BUCKET)
        shell(gateway.url, folder,
              allow.replace("https://app.example", gateway.url),
              S3_ENDPOINT=s3.endpoint, AWS_ACCESS_KEY_ID=s3.access_key,
              AWS_SECRET_ACCESS_KEY=s3.secret_key,
              AWS_DEFAULT_REGION="us-east-1")
        browser = Browser(folder)
        try:
            browser.visit(f"{gateway.url}/healthz")
            browser.run(bundle(folder, recipe("js", "@uppy/core")))
            got = json.loads(browser.run(UPLOAD))
        finally:
            browser.close()
        equal("uploads", got, {"good": 1, "most": 300_000, "bad": []})
        stored = gateway.list("inbox/")["objects"]
        equal("sizes", [one["size_bytes"] for one in stored], [300_000])
        answer = gateway.download(stored[0]["key"])
        equal("type", answer.header("content-type"), "image/png")


if __name__ == "__main__":
    main()
