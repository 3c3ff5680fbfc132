#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A real browser against a real gateway: a form that is submitted, a form
that is sent by script, a download that is saved.  Exits with 77 when no
Chromium is installed."""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from chromium import NAME, Session
from kit import Gateway, equal, eventually, like, main, md5, test

BY_SCRIPT = """(async () => {
  const form = new FormData(document.forms[0]);
  const up = await fetch('/files', {method: 'POST', body: form});
  const stored = await up.json();
  const down = await fetch('/files/download?key=' +
                           encodeURIComponent(stored.key));
  const text = await down.text();
  const gone = await fetch('/files', {
    method: 'DELETE', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({key: stored.key})});
  return JSON.stringify({status: up.status, stored, text,
                         gone: await gone.json()});
})()"""


@test
def test_form_that_is_submitted_stores_the_file():
    with Session() as it:
        it.browser.fill(it.path)
        it.browser.events.clear()
        it.browser.run("document.forms[0].querySelector('button').click()")
        it.browser.event("Page.loadEventFired")
        got = json.loads(it.browser.run("document.body.innerText"))
        equal("filename", got["filename"], NAME)
        equal("md5", got["md5"], md5(it.data))
        equal("prefix", got["key"].split("/")[:2], ["from", "browser"])
        equal("type", got["content_type"].partition(";")[0], "text/plain")
        equal("object", it.gateway.download(got["key"]).body, it.data)


@test
def test_form_that_is_sent_by_script_stores_the_file():
    with Session() as it:
        it.browser.fill(it.path)
        got = json.loads(it.browser.run(BY_SCRIPT))
        equal("status", got["status"], 201)
        equal("filename", got["stored"]["filename"], NAME)
        equal("text", got["text"].encode(), it.data)
        equal("gone", got["gone"], {"deleted": got["stored"]["key"]})


@test
def test_download_is_saved_under_the_name_of_the_file():
    with Session() as it:
        name = "Größe – отчёт 日本.txt"
        key = it.gateway.upload(it.data, name)["key"]
        target = it.folder / "saved"
        target.mkdir()
        it.browser.call("Page.setDownloadBehavior", behavior="allow",
                        downloadPath=str(target))
        it.browser.run("location.href = '/files/download?key=' + "
                       f"encodeURIComponent({json.dumps(key)})")
        eventually("the file", lambda: (target / name).exists() and
                   (target / name).stat().st_size == len(it.data))
        equal("file", (target / name).read_bytes(), it.data)


@test
def test_page_that_is_shown_inline_runs_no_script():
    with Session() as it:
        key = it.gateway.upload(
            b"<title>before</title><script>document.title = 'after'</script>",
            "page.html", kind="text/html")["key"]
        it.browser.visit(f"{it.gateway.url}/files/download?inline=true&"
                         f"key={key}")
        equal("title", it.browser.run("document.title"), "before")


@test
def test_text_that_looks_like_a_page_is_not_made_one():
    with Session() as it:
        key = it.gateway.upload(
            b"<html><title>before</title><script>document.title = 'after'"
            b"</script>", "page.bin")["key"]
        link = f"/files/download?inline=true&key={key}"
        it.browser.run(
            f"fetch({json.dumps(link)}).then(a => a.blob())"
            ".then(b => { document.title = b.type })")
        equal("type", it.browser.run("document.title"),
              "application/octet-stream")


# X-User-Id is what makes a browser ask first.
FROM_AFAR = """(async () => {
  const form = new FormData();
  form.append('file', new Blob(['from afar']), 'afar.txt');
  const headers = {'X-User-Id': 'ann'};
  const up = await fetch('%s/files', {method: 'POST', body: form, headers});
  const key = (await up.json()).key;
  const gone = await fetch('%s/files', {
    method: 'DELETE', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({key})});
  const lost = await fetch('%s/files/download?key=none');
  return JSON.stringify({status: up.status,
                         location: up.headers.get('location'),
                         gone: gone.status, lost: (await lost.json()).code});
})()"""


def from_afar(it, origin):
    """This is what a page of one gateway's origin does with another gateway
    that knows `origin`; None when the browser forbids it."""
    with Gateway({"cors": {"origins": [origin]}}) as other:
        script = FROM_AFAR.replace("%s", other.url)
        got = it.browser.run(f"{script}.catch(e => e.name)")
        return got, other.keys("")


@test
def test_page_of_an_origin_that_is_named_uploads_and_deletes():
    with Session() as it:
        got, _ = from_afar(it, it.gateway.url)
        got = json.loads(got)
        like("location", got.pop("location"), "^/files/download[?]key=")
        equal("statuses", got, {"status": 201, "gone": 200,
                                "lost": "object_not_found"})


@test
def test_page_of_another_origin_uploads_nothing():
    with Session() as it:
        got, keys = from_afar(it, "http://app.example")
        equal("error", (got, keys), ("TypeError", []))


if __name__ == "__main__":
    main()
