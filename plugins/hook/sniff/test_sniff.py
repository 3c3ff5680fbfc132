#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files are taken by what they are, by whichever way they come."""
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
import ways  # noqa: E402  pylint: disable=wrong-import-position
from bucket import BUCKET, Emulator, noise  # noqa: E402
from bucket import sections as bucket_sections  # noqa: E402
from kit import (MIB, among, each, equal, expect, head, like, main,
                 refusal, run, settings, test, written)  # noqa: E402
from sniffkit import (DOCX, ELF, HTML, PDF, PLUGINS, PNG, TEXT, code,
                      compiled, office, put, sniffing, told,
                      zipped)  # noqa: E402
from ways import WAYS, stored  # noqa: E402


# ---- allowed and denied -----------------------------------------------------

@each({
    "png": (["image/png"], [], PNG, 201),
    "range": (["image/*"], [], PNG, 201),
    "all": (["*/*"], [], PNG, 201),
    "any case": (["Image/PNG"], [], PNG, 201),
    "second": (["text/plain", "application/pdf"], [], PDF, 201),
    "another name": (["application/xml"], [],
                     b"<?xml version='1.0'?>\n<a/>\n", 201),
    "office": ([DOCX], [], office(), 201),
    "not listed": (["application/pdf"], [], PNG, 415),
    "range of another": (["text/*"], [], PNG, 415),
    "zip is no office": ([DOCX], [], zipped(), 415),
    "denied": ([], ["image/png"], PNG, 415),
    "denied and allowed": (["image/*"], ["image/png"], PNG, 415),
    "another is denied": ([], ["image/gif"], PNG, 201),
    "program": ([], ["application/x-pie-executable",
                     "application/x-executable",
                     "application/x-sharedlib"], ELF, 415),
    "unknown": (["image/*"], [], b"\x01\x02\x03\xfe" * 99, 415),
    "empty": (["image/*"], [], b"", 415),
    "empty is allowed": (["inode/x-empty"], [], b"", 201)})
def test_content_decides(row):
    allow, deny, data, status = row
    with sniffing(allow=allow, deny=deny) as gateway:
        equal("status", put(gateway, data, "image/png").status, status)
        equal("objects", len(stored(gateway)), 1 if status == 201 else 0)


@test
def test_refusal_names_the_type_and_what_is_taken():
    with sniffing(allow=["image/*", "application/pdf"]) as gateway:
        equal("html as png", told(put(gateway, HTML, "image/png")),
              (415, "unsupported_media_type", "The file is text/html by its "
               "content; taken are: image/*, application/pdf"))
        gateway.says(r"\[sniff\] request \S+: the file is text/html: it is "
                     "refused")
    with sniffing(deny=["text/html"]) as gateway:
        equal("denied", told(put(gateway, HTML, "image/png")),
              (415, "unsupported_media_type", "The file is text/html by its "
               "content, which isn't taken"))


@test
def test_long_list_is_cut_in_the_message():
    many = [f"image/x-type-{number}" for number in range(99)]
    with sniffing(allow=many) as gateway:
        answer = put(gateway, PDF)
        equal("status", answer.status, 415)
        expect(answer.error.endswith(", ..."), answer.error)


RUNS = b"<x onpointerenter=alert(1)>a text to libmagic</x>"


@each({"denied": ({"deny": ["text/html"]}, "text/html", 415),
       "not allowed": ({"allow": ["text/plain"]}, "text/html; a=b", 415),
       "as svg": ({"allow": ["text/plain"]}, "image/svg+xml", 415),
       "a script": ({"deny": ["text/javascript"]}, "text/javascript", 415),
       "allowed": ({"allow": ["text/plain", "text/html"]}, "text/html", 201),
       "a text": ({"allow": ["text/plain"]}, "text/csv", 201)})
def test_what_is_said_counts_where_a_browser_would_run_it(row):
    options, said, status = row
    with sniffing(**options) as gateway:
        equal("status", put(gateway, RUNS, said).status, status)


@each(WAYS)
def test_what_is_taken_comes_by_each_way(way):
    with sniffing(allow=["image/png", "text/*"]) as gateway:
        among("status", way(gateway, PNG).status, (200, 201, 204))
        equal("objects", len(stored(gateway)), 1)


@each(WAYS)
def test_what_is_not_taken_is_never_there(way):
    with sniffing(allow=["image/png", "text/*"]) as gateway:
        answer = way(gateway, PDF)
        equal("answer", (answer.status, code(answer)),
              (415, "unsupported_media_type"))
        equal("objects", stored(gateway),
              ["t/r.bin"] if way is ways.replace else [])


@test
def test_bucket_gets_what_is_taken_and_nothing_else():
    """Large enough for several parts, of which none may go before."""
    s3 = Emulator("minio")
    s3.create(BUCKET)
    try:
        with sniffing(bucket_sections(s3), allow=["image/*"]) as gateway:
            equal("pdf", put(gateway, PDF + noise(6 * MIB)).status, 415)
            equal("bucket", list(s3.state(BUCKET)["objects"]), [])
            equal("png", put(gateway, PNG + noise(6 * MIB)).status, 201)
            equal("bucket", list(s3.state(BUCKET)["objects"]), ["t/a.bin"])
    finally:
        s3.stop()


# ---- how far is looked ------------------------------------------------------

@each({"within": (1020, 415), "past": (1024, 201)})
def test_bytes_say_how_far_is_looked(row):
    """A mark of libmagic's that lies at a place: the last one that is in the
    first `bytes`, and the first one that isn't."""
    before, status = row
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "own").write_text(
            f"{before}\tstring\tSLIT\tits mark\n"
            "!:mime\tapplication/x-slit\n")
        made = compiled(folder)
        with sniffing(deny=["application/x-slit"], bytes="1KiB",
                      database=made) as gateway:
            data = b"\1" * before + b"SLIT" + b"\1" * 2000
            equal("whole", put(gateway, data).status, status)
            with gateway.wire() as wire:
                wire.send(head("PUT", "/files/object?key=t/b",
                               f"Content-Length: {len(data)}") +
                          data[:700])
                wire.send(data[700:1022])
                wire.send(data[1022:])
                equal("in pieces", wire.answer("PUT").status, status)


# ---- what was said ----------------------------------------------------------

AGREED = {
    "the same": ("image/png", PNG), "bytes": ("application/octet-stream", PNG),
    "any case": ("Image/PNG", PNG), "parameters": ("image/png; a=b", PNG),
    "csv": ("text/csv", TEXT), "json": ("application/json", TEXT),
    "markdown": ("text/markdown", TEXT), "office": (DOCX, office()),
    "office as zip": ("application/zip", office()), "zip": (DOCX, zipped()),
    "unknown": ("application/x-own", b"\1\2\3\xfe" * 99),
    "empty": ("image/png", b"")}
LIES = {
    "png": ("text/plain", PNG, "image/png"),
    "html": ("image/png", HTML, "text/html"),
    "pdf": ("image/png", PDF, "application/pdf"),
    "text": ("image/png", TEXT, "text/plain"),
    "office": ("application/pdf", office(), DOCX)}


@each(AGREED)
def test_what_agrees_is_taken_as_it_was_said(row):
    said, data = row
    with sniffing(mismatch="refuse") as gateway:
        equal("status", put(gateway, data, said).status, 201)
        equal("type", kept_type(gateway), said)


@each(LIES)
def test_what_does_not_agree_is_refused(row):
    said, data, found = row
    with sniffing(mismatch="refuse") as gateway:
        equal("answer", told(put(gateway, data, said)),
              (415, "unsupported_media_type", f"The file is {found} by its "
               f"content, and not {said}, as was said"))
        equal("objects", stored(gateway), [])


@each(LIES)
def test_what_does_not_agree_is_corrected(row):
    said, data, found = row
    with sniffing(mismatch="correct") as gateway:
        equal("status", put(gateway, data, said).status, 201)
        equal("type", kept_type(gateway), found)


@each({"png": (PNG, "image/png"), "html": (HTML, "application/octet-stream"),
       "unknown": (b"\1\2\3\xfe" * 99, "application/octet-stream"),
       "empty": (b"", "application/octet-stream")})
def test_bytes_become_what_they_are_unless_it_runs(row):
    data, becomes = row
    with sniffing(mismatch="correct") as gateway:
        equal("status", put(gateway, data).status, 201)
        equal("type", kept_type(gateway), becomes)


@test
def test_name_of_a_file_says_a_type_too():
    with sniffing(mismatch="refuse") as gateway:
        answer = gateway.ask("POST", "/files/uploads?filename=a.txt", body=PNG)
        equal("status", (answer.status, code(answer)),
              (415, "unsupported_media_type"))


def kept_type(gateway):
    return gateway.ask("HEAD", "/files/download?key=t/a.bin").header(
        "content-type")


# ---- configuration ----------------------------------------------------------

@each({
    "no type": ({"allow": ["png"]}, "allow: 'png' is no type"),
    "no kind": ({"allow": ["imag/*"]},
                "allow: 'imag/\\*' begins with no kind"),
    "star first": ({"deny": ["*/png"]}, "deny: '\\*/png' is no type"),
    "parameters": ({"allow": ["text/html; charset=a"]}, "without parameters"),
    "empty": ({"allow": [""]}, "allow: '' is no type"),
    "nothing": ({}, "it would refuse nothing"),
    "mismatch": ({"mismatch": "no"}, "mismatch: 'no' is neither"),
    "on_failure": ({"on_failure": "no", "deny": ["a/b"]}, "deny: 'a/b'"),
    "failure": ({"on_failure": "no", "mismatch": "refuse"},
                "on_failure: 'no' is neither"),
    "few bytes": ({"bytes": "511B", "mismatch": "refuse"},
                  "bytes: 512 to 1MiB"),
    "many bytes": ({"bytes": "1048577B", "mismatch": "refuse"},
                   "bytes: 512 to 1MiB"),
    "short": ({"timeout": "99ms", "mismatch": "refuse"}, "timeout: 100ms"),
    "long": ({"timeout": "60001ms", "mismatch": "refuse"}, "timeout: 100ms"),
    "none": ({"processes": "0", "mismatch": "refuse"}, "processes: 1 to 16"),
    "many": ({"processes": "17", "mismatch": "refuse"}, "processes: 1 to 16"),
    "queue": ({"queue": "0", "mismatch": "refuse"}, "queue: 1 to 4096"),
    "queues": ({"queue": "4097", "mismatch": "refuse"}, "queue: 1 to 4096"),
    "gone": ({"database": "/nonexistent/magic.mgc", "mismatch": "refuse"},
             "database: /nonexistent/magic.mgc: No such file"),
    "no database": ({"database": __file__, "mismatch": "refuse"},
                    "is no compiled database of libmagic")})
def test_bad_option_is_said_at_the_start_and_by_t(row):
    options, why = row
    hooks = {"hooks": [{"plugin": "sniff", **options}]}
    refusal(hooks, why)
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, settings(folder, hooks))
        status, _, text = run("-t", "-c", path)
        equal("status of -t", status, 1)
        like("-t", text, why)


@each({"least": {"bytes": "512B", "timeout": "100ms", "processes": "1",
                 "queue": "1"},
       "most": {"bytes": "1MiB", "timeout": "60s", "processes": "16",
                "queue": "4096"}})
def test_limits_of_options_are_taken(options):
    with tempfile.TemporaryDirectory() as folder:
        hooks = {"hooks": [{"plugin": "sniff", "mismatch": "refuse",
                            **options}]}
        path = written(folder, settings(folder, hooks))
        equal("status of -t", run("-t", "-c", path)[0], 0)


@test
def test_example_starts():
    text = Path(__file__).with_name("sniff.yaml").read_text()
    with tempfile.TemporaryDirectory() as folder:
        text = text.replace("127.0.0.1:8000", "127.0.0.1:0")
        text += f"plugin_path: {json.dumps(PLUGINS)}\n"
        text = text.replace("./data", f"{folder}/data")
        status, _, err = run("-t", "-c", written(folder, text))
        equal("status", (status, err[-300:] if status else ""), (0, ""))


if __name__ == "__main__":
    main()
