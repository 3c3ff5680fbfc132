#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Objects that other tools put: their headers come with a download, and the
marker of a folder has a name."""
from bucket import BUCKET, gateway, shared
from kit import each, equal, main, test

STORED = {"Content-Encoding": "gzip", "Content-Language": "de, en",
          "Cache-Control": "public, max-age=60, immutable",
          "Expires": "Thu, 01 Dec 2033 16:00:00 GMT"}


def told(answer):
    return {name: answer.header(name.lower()) for name in STORED}


@each({"all": STORED, "coding": {"Content-Encoding": "gzip"},
       "expires": {"Expires": STORED["Expires"]},
       "control": {"Cache-Control": "no-cache"}, "none": {},
       "identity": {"Content-Encoding": "identity"}})
def test_headers_of_an_object_come_with_it(stored):
    s3 = shared("minio")
    want = {"Cache-Control": None if "Expires" in stored else
            "private, max-age=3600", "Content-Language": None,
            "Content-Encoding": None, "Expires": None, **stored}
    if want["Content-Encoding"] == "identity":
        want["Content-Encoding"] = None  # as good as none
    with gateway(s3) as running:
        s3.client().put(BUCKET, "t/foreign", b"0123456789",
                        {"content-type": "text/html", **stored})
        answers = [running.download("t/foreign"),
                   running.download("t/foreign", "Range: bytes=2-3"),
                   running.download("t/foreign", method="HEAD")]
        equal("statuses", [answer.status for answer in answers],
              [200, 206, 200])
        for answer in answers:
            equal(f"headers of {answer.status}", told(answer), want)
        equal("body", answers[0].body, b"0123456789")
        answer = running.download(
            "t/foreign", f"If-None-Match: {answers[0].header('etag')}")
        equal("304", (answer.status, answer.header("cache-control"),
                      answer.header("expires")),
              (304, want["Cache-Control"], want["Expires"]))


@test
def test_an_error_in_its_place_has_none_of_them():
    s3 = shared("minio")
    with gateway(s3, retry_time="0s") as running:
        s3.client().put(BUCKET, "t/foreign", b"0123456789" * 30_000,
                        {"content-type": "text/html", **STORED})
        s3.faults({"match": {"method": "GET"}, "do": "truncate", "at": 0,
                   "times": 99})
        answer = running.download("t/foreign")
        equal("status", answer.status, 502)
        equal("type", answer.header("content-type"), "application/json")
        equal("headers", told(answer), {
            **{name: None for name in STORED}, "Cache-Control": "no-store"})
        equal("others", [answer.header(name) for name in (
            "etag", "content-disposition", "accept-ranges")], [None] * 3)


@test
def test_uploads_have_none_of_them():
    with gateway(shared("minio")) as running:
        answer = running.download(running.upload()["key"])
        equal("headers", told(answer), {
            "Cache-Control": "private, max-age=3600", "Expires": None,
            "Content-Encoding": None, "Content-Language": None})


@each({"folder": ("t/some folder/", "some folder"), "first": ("a/", "a")})
def test_marker_of_a_folder_has_a_name(row):
    key, want = row
    s3 = shared("minio")
    with gateway(s3) as running:
        s3.client().put(BUCKET, key, b"")
        answer = running.download(key)
        equal("answer", (answer.status,
                         answer.header("content-disposition")),
              (200, f'attachment; filename="{want}"'))


if __name__ == "__main__":
    main()
