#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Forms as browsers, widgets and libraries send them: which part is the file,
what type it has, and what is refused before anything is stored."""
from kit import (FORM, KIB, Gateway, each, equal, field, file, form, like,
                 main, test)

TYPE = "application/octet-stream"
LIMIT = 64 * KIB  # bytes of a text field


def part(*lines, data=b"hello"):
    return b"\r\n".join(line.encode() for line in lines) + b"\r\n\r\n" + data


def text(data=b"{}", name="file"):
    return part(f'Content-Disposition: form-data; name="{name}"', data=data)


def typed(kind, name):
    return part(f'Content-Disposition: form-data; name="file"; '
                f'filename="{name}"', f"Content-Type: {kind}")


def post(gate, *parts):
    return gate.ask("POST", "/files", FORM, body=form(*parts))


def made(answer):
    equal("status", (answer.status, answer.error), (201, None))
    return answer.json


# ---- which part is the file ------------------------------------------------

UNCHOSEN = file(b"", "", TYPE)


@each({"text before": [text(), file(b"hello", "a.txt")],
       "text behind": [file(b"hello", "a.txt"), text()],
       "texts around": [text(), text(), file(b"hello", "a.txt"), text()],
       "most of a text": [text(b"x" * LIMIT), file(b"hello", "a.txt")],
       "nothing chosen before": [UNCHOSEN, file(b"hello", "a.txt")],
       "nothing chosen behind": [file(b"hello", "a.txt"), UNCHOSEN],
       "all of it": [text(), UNCHOSEN, text(), file(b"hello", "a.txt"),
                     UNCHOSEN, text()]})
def test_file_is_the_part_with_a_filename(parts):
    with Gateway() as gate:
        got = made(post(gate, field("prefix", "t"), *parts))
        equal("file", (got["filename"], got["size_bytes"]), ("a.txt", 5))
        equal("bytes", gate.download(got["key"]).body, b"hello")
        equal("objects", len(gate.keys()), 1)


@each({"short": 5, "at the limit of a field": LIMIT, "one more": LIMIT + 1,
       "long": 700 * KIB})
def test_text_alone_is_the_file(size):
    data = bytes(i * 7 % 251 for i in range(size))
    with Gateway() as gate:
        got = made(post(gate, text(data), field("prefix", "t")))
        equal("file", (got["filename"], got["size_bytes"],
                       got["content_type"]), ("unnamed", size, TYPE))
        equal("bytes", gate.download(got["key"]).body == data, True)


@test
def test_bytes_without_a_name_are_unnamed():
    with Gateway() as gate:
        equal("file", made(post(gate, file(b"x", "")))["filename"], "unnamed")


@each({"two files": [file(), file()],
       "a file and bytes": [file(), file(b"x", "")],
       "bytes and a file": [file(b"x", ""), file()],
       "two texts": [text(b"a"), text(b"b")],
       "a text too long for a field, and a file":
       [text(b"x" * (LIMIT + 1)), file()]})
def test_second_file_is_400_and_nothing_is_stored(parts):
    with Gateway() as gate:
        answer = post(gate, *parts)
        equal("answer", (answer.status, answer.json["code"]),
              (400, "bad_form"))
        like("message", answer.error, "second 'file'")
        equal("objects", gate.keys(""), [])


@each({"nothing": [], "nothing chosen": [UNCHOSEN],
       "an empty text": [text(b"")], "a text and nothing chosen":
       [text(), UNCHOSEN], "nothing chosen and a text": [UNCHOSEN, text()],
       "others": [field("other", "x")]})
def test_no_file_is_400_missing_file(parts):
    with Gateway() as gate:
        answer = post(gate, field("prefix", "t"), *parts)
        equal("answer", (answer.status, answer.json["code"], answer.error),
              (400, "missing_file", "Missing 'file' field"))
        equal("objects", gate.keys(""), [])


@test
def test_empty_file_that_was_chosen_is_stored():
    with Gateway() as gate:
        got = made(post(gate, file(b"", "a.txt")))
        equal("size", got["size_bytes"], 0)


@test
def test_text_over_the_limit_of_files_beside_one_is_a_field():
    with Gateway({"uploads": {"max_bytes": "5B"}}) as gate:
        made(post(gate, text(b"{12345}"), file(b"hello")))
        for data in (b"123456", b"x" * (LIMIT + 1)):
            answer = post(gate, text(data))
            equal("answer", (answer.status, answer.json["code"]),
                  (413, "too_large"))
        made(post(gate, text(b"12345")))
        equal("objects", len(gate.keys("")), 2)


# ---- chunks of widgets -----------------------------------------------------

@each({"Dropzone": [("dzuuid", "u"), ("dzchunkindex", "0")],
       "resumable.js": [("resumableChunkNumber", "1")],
       "flow.js": [("flowChunkNumber", "1"), ("flowTotalChunks", "2")],
       "Plupload": [("name", "a"), ("chunk", "0"), ("chunks", "2")]})
def test_chunk_of_a_widget_is_refused_and_named(fields):
    fields = [field(*each_field) for each_field in fields]
    with Gateway() as gate:
        for parts in ([*fields, file()], [file(), *fields]):
            answer = post(gate, *parts)
            equal("answer", (answer.status, answer.json["code"]),
                  (400, "bad_form"))
            like("message", answer.error,
                 "one chunk.*(Dropzone|resumable.js|flow.js|Plupload).*"
                 "turn chunking off")
        equal("objects", gate.keys(""), [])


# ---- types -----------------------------------------------------------------

@each({"no type": ("", "a.png", "image/png"),
       "none that is one": ("image", "a.png", "image/png"),
       "recorder": ("video/webm;codecs=vp8,opus", "a.png", "video/webm"),
       "tab": ("text/x;\ta=b", "a.png", "text/x; a=b"),
       "octets": (TYPE, "a.png", TYPE),
       "its own": ("text/x-own", "a.png", "text/x-own")})
def test_type_is_the_parts_or_the_names(row):
    kind, name, want = row
    with Gateway() as gate:
        got = made(post(gate, typed(kind, name)))
        equal("content_type", got["content_type"], want)
        equal("download", gate.download(got["key"]).header("content-type"),
              want)


@each({"known": (TYPE, "a.png", "image/png"),
       "with a parameter": (f"{TYPE}; x=y", "a.png", "image/png"),
       "capitals": (TYPE.upper(), "a.PNG", "image/png"),
       "nothing known": (TYPE, "a.zzqx", TYPE),
       "no octets": ("text/x-own", "a.png", "text/x-own")})
def test_octets_become_the_names_type_where_that_is_guessed(row):
    kind, name, want = row
    with Gateway({"uploads": {"guess": True}}) as gate:
        equal("content_type", made(post(gate, typed(kind, name)))
              ["content_type"], want)


@test
def test_types_of_the_configuration_come_first():
    with Gateway({"uploads": {"types": {"png": "image/x-own",
                                        "step": "model/step"}}}) as gate:
        for name, want in (("a.PNG", "image/x-own"), ("a.step", "model/step"),
                           ("a.pdf", "application/pdf")):
            got = made(post(gate, typed("", name)))
            equal(name, got["content_type"], want)


# ---- headers ---------------------------------------------------------------

@each({"quote": ('"a\\"b"', "holds a quote"),
       "71": ("x" * 71, "longer than 70"), "empty": ("", "is empty"),
       "comma": ("a,b", "quotes around"), "open": ('"a', "closing quote")})
def test_bad_boundary_is_told(row):
    boundary, why = row
    with Gateway() as gate:
        answer = gate.ask("POST", "/files", "Content-Type: multipart/form-data"
                          f"; boundary={boundary}", body=form(file()))
        equal("answer", (answer.status, answer.json["code"]),
              (400, "bad_form"))
        like("message", answer.error, why)


if __name__ == "__main__":
    main()
