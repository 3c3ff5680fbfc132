#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The S3 backends over the emulator of each provider: the start, the whole
contract, uploads in parts, links, lists, keys and metadata, credentials."""
import os
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, quote, unquote, urlsplit

from bucket import (BUCKET, DIALECTS, PARTS, Emulator, gateway, noise,
                    sections, shared, stored)
from kit import (MIB, SLOWNESS, SOURCES, Mismatch, Wire, each, equal, expect,
                 free_port, head, like, main, md5, needs, refusal, test)

ALL = DIALECTS
NAME = "naïve – отчёт 日本 😀+&%.txt"


def ran(s3, bucket=BUCKET, **options):
    """A whole life of a gateway: its log."""
    with gateway(s3, bucket, **options) as running:
        running.alive()
    return "\n".join(running.lines)


def refused(s3, *words, bucket=BUCKET, **options):
    """A start that fails in one line without a secret."""
    line = refusal(sections(s3, bucket, **options), *words)
    expect("emulator/" not in line, f"a secret in the log: {line}")
    return line


def fetch(s3, url, method="GET"):
    """A link, as anybody follows it: to this emulator, whatever its host."""
    where = urlsplit(url)
    with Wire(s3.endpoint, tls=s3.context) as wire:
        wire.send(head(method, f"{where.path}?{where.query}",
                       host=where.netloc))
        return wire.answer(method)


def link(running, key, **more):
    answer = running.json("POST", "/files/presign", {"key": key, **more})
    equal("status of presign", (answer.status, answer.error), (200, None))
    return answer.json["url"]


# ---- the start

@each(ALL)
def test_start_finds_its_bucket(dialect):
    s3 = shared(dialect)
    like("log", ran(s3), r"\[s3\] Bucket 'bucket-1' already exists")
    s3.blameless()


@each(ALL)
def test_start_creates_its_bucket(dialect):
    with Emulator(dialect) as s3:
        like("log", ran(s3, "bucket-new"), r"\[s3\] Created bucket "
             "'bucket-new'")
        like("log again", ran(s3, "bucket-new"), "already exists")
        s3.blameless()


@each(ALL)
def test_start_without_the_bucket_is_refused_when_told_so(dialect):
    s3 = shared(dialect)
    refused(s3, "bucket-none", "create_bucket", bucket="bucket-none",
            create_bucket="false")
    s3.blameless()


@each({"s3": "aws", "minio": "minio", "b2": "b2", "ceph": "ceph"})
def test_start_with_the_bucket_of_somebody_else_is_refused(dialect):
    with Emulator(dialect) as s3:
        refused(s3, "foreign-bucket", bucket="foreign-bucket")
        s3.blameless()


@each(ALL)
def test_start_with_an_unknown_key_is_refused(dialect):
    s3 = shared(dialect)
    refused(s3, "access_key", "secret_key", access_key="NOBODYSKEY")
    equal("violations", set(s3.violations()), {"G1.access-key"})


@each(ALL)
def test_start_with_a_wrong_secret_is_refused(dialect):
    s3 = shared(dialect)
    line = refused(s3, "access_key", "secret_key",
                   secret_key="wrong-secret-0815")
    expect("0815" not in line, f"the secret in the log: {line}")
    equal("violations", set(s3.violations()), {"G1.signature"})


@each({"s3": "aws", "minio": "minio", "b2, inferred": "b2"})
def test_region_that_the_service_names_is_adopted(dialect):
    with Emulator(dialect, region="eu-central-1") as s3:
        s3.create(BUCKET)
        with gateway(s3, region="us-west-9") as running:
            running.says("eu-central-1.*region")
            key = running.upload()["key"]
            equal("body", running.download(key).body, b"hello")


@test
def test_region_that_r2_does_not_know_is_refused_inferred():
    refused(shared("r2"), "region", region="mars-1")


@test
def test_bucket_is_created_in_its_region():
    with Emulator("aws", region="eu-central-1") as s3:
        like("log", ran(s3, "bucket-new"), "Created bucket")
        s3.blameless()


@each(ALL)
def test_start_without_a_service_is_refused(dialect):
    s3 = shared(dialect)
    scheme = s3.endpoint.partition("://")[0]
    url = f"{scheme}://127.0.0.1:{free_port()}"
    refused(s3, re.escape(url), "endpoint", endpoint=url, attempts="2",
            retry_time="500ms")


@test
def test_start_at_a_service_that_says_nothing_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        refused(shared("minio"), re.escape(url), "endpoint", endpoint=url,
                attempts="1", idle_timeout="300ms")


@each({"r2": "r2", "b2": "b2"})
def test_start_over_plain_http_is_refused(dialect):
    s3 = shared(dialect)
    refused(s3, "endpoint", "https",
            endpoint=s3.endpoint.replace("https:", "http:"))


@each({"r2": "r2", "b2": "b2"})
def test_start_with_an_unknown_certificate_is_refused(dialect):
    s3 = shared(dialect)
    line = refused(s3, "certificate", ca_file=None)
    like("what to change", line, "ca_file")


# ---- the contract

def acceptance(s3, running):
    suite = SOURCES / ".." / "shared" / "accept" / "run"
    needs(suite.exists(), "the acceptance suite isn't here")
    words = {**os.environ}
    if s3.certificate:
        words["SSL_CERT_FILE"] = s3.certificate
    done = subprocess.run(
        [sys.executable, str(suite), running.url], env=words, check=False,
        capture_output=True, text=True, timeout=300 * SLOWNESS)
    expect(done.returncode == 0, (done.stdout + done.stderr)[-3000:])


# Rules for what a client asks for and MinIO alone refuses, by a status of its
# own.
REFUSED = "MINIO.key-dots", "MINIO.key-name", "MINIO.list-prefix"


def gateways_blame(s3):
    """The suite itself follows links that it spoiled."""
    found = s3.control("GET", "violations")["violations"]
    equal("violations", [f"{one['rule']}: {one['request']}" for one in found
                         if "X-Amz-" not in one["request"] and
                         one["rule"] not in REFUSED], [])


def contract(dialect):
    # R2 makes keys NFC, whatever the contract says of bytes.
    without = ["R2.nfc"] if dialect == "r2" else []
    with Emulator(dialect, without=without) as s3:
        s3.create(BUCKET)
        with gateway(s3, idle_timeout="10s", retry_time="20s",
                     **PARTS) as running:
            acceptance(s3, running)
        gateways_blame(s3)


RUNS = {}


@each(ALL)
def test_contract_holds(dialect):
    """All dialects at once, as most of the time is waiting."""
    if not RUNS:
        pool = ThreadPoolExecutor(len(ALL))
        RUNS.update({one: pool.submit(contract, one)
                     for one in ALL.values()})
        pool.shutdown(wait=False)
    RUNS[dialect].result()


# ---- uploads

@each(ALL)
def test_object_in_parts_is_whole(dialect):
    s3, data = shared(dialect), noise(12 * MIB + 1)
    with gateway(s3, **PARTS) as running:
        got = running.upload(data, NAME, kind="text/x-mine")
        equal("parts", stored(s3, got["key"])["parts"],
              [5 * MIB, 5 * MIB, 2 * MIB + 1])
        equal("md5", got["md5"], md5(data))
        answer = running.download(got["key"])
        equal("body", answer.body == data, True)
        equal("type", answer.header("content-type"), "text/x-mine")
        equal("open uploads", s3.state(BUCKET)["uploads"], [])
    s3.blameless()


@each({"at_it": (5 * MIB, []), "past_it": (5 * MIB + 1, [5 * MIB, 1])})
def test_threshold_of_parts_is_exact(case):
    size, parts = case
    s3 = shared("minio")
    with gateway(s3, **PARTS) as running:
        key = running.upload(noise(size))["key"]
        equal("parts", stored(s3, key)["parts"], parts)
    s3.blameless()


def writes(s3, key):
    """Method, query and If-None-Match of what went to a key."""
    found = []
    for one in s3.requests():
        where = urlsplit(one["target"])
        if unquote(where.path).endswith(key):
            found.append((one["method"], where.query.partition("=")[0],
                          one["headers"].get("if-none-match")))
    return found


@each({plugin: (dialect, [("PUT", "", "*")] if plugin != "b2"
                else [("HEAD", "", None), ("PUT", "", None)])
       for plugin, dialect in DIALECTS.items()})
def test_object_is_never_replaced(case):
    dialect, want = case
    s3 = shared(dialect)
    with gateway(s3) as running:
        key = running.upload()["key"]
        equal("requests", writes(s3, key), want)
    s3.blameless()


@each(ALL)
def test_metadata_that_is_not_ascii_comes_back(dialect):
    s3 = shared(dialect)
    with gateway(s3) as running:
        key = running.upload(b"x", NAME)["key"]
        thing = stored(s3, key)["metadata"]
        for value in thing.values():
            expect(str(value).isascii(), f"raw in a header: {thing}")
        answer = running.download(key)
        equal("body", answer.body, b"x")
        like("Content-Disposition", answer.header("content-disposition"),
             r"filename\*=UTF-8''" + re.escape(quote(NAME, safe="!#$&+^`|~")))
    s3.blameless()


@each(ALL)
def test_key_with_a_leading_slash_is_another_key(dialect):
    s3 = shared(dialect)
    with gateway(s3) as running:
        key = running.upload()["key"]
        for method in "GET", "HEAD":
            equal(method, running.download("/" + key, method=method).status,
                  404)
        equal("presign", running.json("POST", "/files/presign",
                                      {"key": "/" + key}).status, 404)
        running.delete("/" + key)
        equal("after the delete", running.download(key).body, b"hello")
    s3.blameless()


def begun(s3, key, age):
    """An upload in parts that somebody began `age` seconds ago."""
    s3.clock(-age)
    client = s3.client()
    answer = client.ask("POST", f"/{BUCKET}/{key}?uploads",
                        at=time.time() - age)
    s3.clock(0)
    equal("status", answer.status, 200)


@each({plugin: dialect for plugin, dialect in DIALECTS.items()
       if dialect != "minio"})
def test_uploads_that_nobody_ended_are_swept(dialect):
    with Emulator(dialect) as s3:
        s3.create(BUCKET)
        for key, age in (("old", 700), ("old%20%2B", 800), ("new", 5)):
            begun(s3, key, age)
        ran(s3)
        equal("without", len(s3.state(BUCKET)["uploads"]), 3)
        ran(s3, sweep_uploads="10m")
        equal("left", [one["key"] for one in s3.state(BUCKET)["uploads"]],
              ["new"])
        s3.blameless()


@test
def test_sweep_of_minio_says_that_it_cannot_see():
    with Emulator("minio") as s3:
        s3.create(BUCKET)
        begun(s3, "old", 700)
        for plugin in "minio", "s3":
            with gateway(s3, plugin=plugin, sweep_uploads="10m") as running:
                running.says("lists unfinished uploads by their exact key "
                             "only, so sweep_uploads can't see any")
                expect(not any("given up," in line for line in
                               running.lines), "it counts them")
        equal("left", len(s3.state(BUCKET)["uploads"]), 1)


# ---- links

@each(ALL)
def test_link_leads_straight_to_the_bucket(dialect):
    s3 = shared(dialect)
    with gateway(s3) as running:
        key = running.upload(b"linked", NAME, kind="text/x-mine")["key"]
        url = link(running, key)
        expect(url.startswith(f"{s3.endpoint}/{BUCKET}/"), url)
        expect("emulator" not in unquote(url), f"the secret in {url}")
        answer = fetch(s3, url)
        equal("link", (answer.status, answer.body), (200, b"linked"))
        equal("type", answer.header("content-type"), "text/x-mine")
        equal("another method", fetch(s3, url, "PUT").status, 403)
        equal("another key", fetch(s3, url.replace("/t/", "/u/")).status,
              403)
    equal("violations", set(s3.violations()), {"G1.signature"})


@each({plugin: dialect for plugin, dialect in DIALECTS.items()
       if plugin != "r2"})
def test_link_names_the_file(dialect):
    s3 = shared(dialect)
    with gateway(s3) as running:
        url = link(running, running.upload(b"x", NAME)["key"])
        answer = fetch(s3, url)
        equal("status", answer.status, 200)
        like("Content-Disposition", answer.header("content-disposition"),
             r"\Aattachment; .*filename\*=UTF-8''na%C3%AFve")
    s3.blameless()


@test
def test_link_of_r2_leaves_overrides_away():
    s3 = shared("r2")
    with gateway(s3) as running:
        url = link(running, running.upload()["key"])
        expect("response-content" not in url, url)
        equal("status", fetch(s3, url).status, 200)
    s3.blameless()


@each({"virtual": ("virtual", "http://{bucket}.localhost:{port}/t/"),
       "path": ("path", "http://localhost:{port}/{bucket}/t/")})
def test_link_begins_with_the_presign_endpoint(case):
    addressing, want = case
    s3 = shared("aws")
    # The gateway itself resolves *.localhost without a name server.
    with gateway(s3, endpoint=f"http://localhost:{s3.port}",
                 presign_endpoint=f"http://localhost:{s3.port}",
                 addressing=addressing) as running:
        url = link(running, running.upload(b"linked")["key"])
        want = want.format(bucket=BUCKET, port=s3.port)
        expect(url.startswith(want), f"{url} doesn't begin with {want}")
        equal("link", fetch(s3, url).body, b"linked")
    s3.blameless()


@test
def test_link_endpoint_need_not_be_the_gateways_own():
    s3 = shared("minio")
    with gateway(s3, presign_endpoint="https://files.example") as running:
        url = link(running, running.upload(b"linked")["key"])
        expect(url.startswith(f"https://files.example/{BUCKET}/"), url)
        equal("link", fetch(s3, url).body, b"linked")
    s3.blameless()


@each({plugin: (dialect, 400 if plugin == "r2" else 403)
       for plugin, dialect in DIALECTS.items()})
def test_link_expires_inferred(case):
    dialect, status = case
    s3 = shared(dialect)
    with gateway(s3) as running:
        url = link(running, running.upload()["key"], expires=60)
        equal("X-Amz-Expires", parse_qs(urlsplit(url).query)[
            "X-Amz-Expires"], ["60"])
        s3.clock(55)
        equal("before", fetch(s3, url).status, 200)
        s3.clock(65)
        equal("after", fetch(s3, url).status, status)
        s3.clock(0)
    s3.blameless()


# ---- lists

ODD = ["l/a b", "l/a+b", "l/a%20b", "l/a%2Bb", "l/é", "l/e\u0301", "l/日本/😀",
       "l/a&<>\"'b", "l/~x", "l/a=b;c", "l/z"]


def filled(s3, keys, bucket="bucket-l"):
    """A bucket with these keys; what it cannot hold stays out."""
    if bucket not in s3.control("GET", "state")["buckets"]:
        s3.create(bucket)
    client = s3.client()
    taken = []
    for key in keys:
        if client.put(bucket, key, b"x").status == 200:
            taken.append(key)
    s3.forget()
    return sorted(set(taken), key=str.encode)


@each(ALL)
def test_list_gives_every_key_as_it_is(dialect):
    with Emulator(dialect) as s3:
        keys = [key for key in ODD if dialect != "r2" or
                key != "l/e\u0301"]  # it would be the other é
        want = filled(s3, keys)
        equal("filled", len(want), len(keys))
        with gateway(s3, "bucket-l") as running:
            for _ in range(4):  # + and %20 in turn
                equal("keys", running.keys("l/"), want)
            for key in want:
                equal(key, running.download(key).body, b"x")
            delimited = running.list("l/", delimiter="/")
            equal("prefixes", delimited["prefixes"], ["l/日本/"])
        s3.blameless()


def walked(running, prefix, **query):
    keys, cursor = [], {}
    for _ in range(1000):
        page = running.list(prefix, **query, **cursor)
        equal("count", page["count"],
              len(page["objects"]) + len(page.get("prefixes", [])))
        keys += [one["key"] for one in page["objects"]]
        keys += page.get("prefixes", [])
        equal("next_cursor", "next_cursor" in page, page["truncated"])
        if not page["truncated"]:
            return keys
        cursor = {"cursor": page["next_cursor"]}
    raise Mismatch("the list has no end")


@each(ALL)
def test_list_walks_short_and_empty_pages_inferred(dialect):
    with Emulator(dialect) as s3:
        want = filled(s3, [f"w/{n:03d} +" for n in range(60)])
        with gateway(s3, "bucket-l") as running:
            for limit in 1, 7, 59, 60, 61, 1000:
                equal(f"limit {limit}", walked(running, "w/", limit=limit),
                      want)
            expect(s3.fired("G6.short-page"), "no page was short")
            expect(s3.fired("G6.empty-page"), "no page was empty")
        s3.blameless()


@test
def test_list_cursor_of_nobody_is_refused():
    s3 = shared("minio")
    with gateway(s3) as running:
        for cursor in "", "x", "%00", "QUJD":
            answer = running.ask("GET", "/files?prefix=t&cursor=" + cursor)
            equal(f"cursor {cursor!r}", answer.status, 400)
    s3.blameless()


# ---- credentials and clocks

def round_trip(running):
    """Everything that a client may ask for."""
    key = running.upload(b"hello")["key"]
    equal("download", running.download(key).body, b"hello")
    expect(key in running.keys(), "the list hasn't the key")
    url = link(running, key)
    large = running.upload(noise(6 * MIB))["key"]
    equal("large", running.download(large).body == noise(6 * MIB), True)
    running.delete(key)
    running.delete(key)
    equal("deleted", running.download(key).status, 404)
    return url


@test
def test_key_for_objects_only_is_enough_for_r2():
    with Emulator("r2") as s3:
        s3.create(BUCKET)
        s3.use(2)
        with gateway(s3, **PARTS) as running:
            round_trip(running)
        s3.blameless()


@each({plugin: dialect for plugin, dialect in DIALECTS.items()
       if plugin in ("minio", "b2", "ceph")})
def test_key_for_one_bucket_is_enough(dialect):
    with Emulator(dialect) as s3:
        s3.create(BUCKET)
        s3.use(2)
        with gateway(s3) as running:
            key = running.upload()["key"]
            equal("body", running.download(key).body, b"hello")
        s3.blameless()


@each(ALL)
def test_session_token_is_sent_and_signed(dialect):
    with Emulator(dialect) as s3:
        s3.create(BUCKET)
        s3.use(1)
        with gateway(s3, **PARTS) as running:
            url = round_trip(running)
            equal("token in the link", parse_qs(urlsplit(url).query)[
                "X-Amz-Security-Token"], [s3.token])
            log = "\n".join(running.lines)
        expect(s3.token not in log and s3.secret_key not in log,
               "a secret in the log")
        s3.blameless()


@each({"ahead": 3600, "behind": -3600})
def test_clock_that_is_wrong_at_the_start_is_corrected_once(offset):
    with Emulator("minio") as s3:
        s3.create(BUCKET)
        s3.clock(offset)
        with gateway(s3) as running:
            running.says("clock")
            known = len(s3.violations())
            url = round_trip(running)
            equal("violations later", len(s3.violations()), known)
            answer = fetch(s3, url)
            equal("link to what was deleted", answer.status, 404)
        equal("violations", set(s3.violations()), {"G2.skew"})


ACTS = {
    "list": lambda running, key: running.keys(),
    "upload": lambda running, key: running.upload(),
    "download": lambda running, key: equal(
        "download", running.download(key).body, b"hello"),
    "head": lambda running, key: equal(
        "HEAD", running.download(key, method="HEAD").status, 200),
    "presign": lambda running, key: link(running, key),
    "delete": lambda running, key: running.delete(key)}


@each({f"{word}, {plugin}": (act, dialect) for word, act in ACTS.items()
       for plugin, dialect in (("minio", "minio"), ("b2", "b2"))})
def test_clock_that_goes_wrong_later_is_corrected(case):
    act, dialect = case
    with Emulator(dialect) as s3:
        s3.create(BUCKET)
        with gateway(s3, more={"server": {"workers": "1"}}) as running:
            key = running.upload()["key"]
            s3.clock(7200)
            act(running, key)
        equal("violations", set(s3.violations()), {"G2.skew"})


# ---- connections

@each({"b2": ("b2", True), "s3": ("aws", True), "minio": ("minio", False)})
def test_new_connection_after_503(case):
    dialect, fresh = case
    s3 = shared(dialect)
    with gateway(s3, more={"server": {"workers": "1"}}) as running:
        running.upload()
        s3.forget()
        s3.faults({"do": "503 ServiceUnavailable", "message":
                   "no tomes available", "match": {"method": "PUT"},
                   "sticky": fresh})
        running.upload()
        numbers = [one["connection"] for one in s3.requests("PUT")]
        equal("PUTs", len(numbers), 2)
        if fresh:
            expect(numbers[0] != numbers[1], f"connections {numbers}")


main()
