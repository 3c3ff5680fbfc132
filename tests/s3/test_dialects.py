#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The emulator's own tests: every rule of a single provider fires where it
should, with that provider's answer, and in no other dialect.  A case's name
carries the tag of its rule, so that what is only inferred says so."""
import os
import sys
from pathlib import Path

# The runner asks for a gateway, which isn't needed here.
os.environ.setdefault("SLUICE", sys.executable)
sys.path[0] = str(Path(__file__).resolve().parents[1])

# pylint: disable=wrong-import-position
from s3.client import path_of  # noqa: E402
from s3.emulator.rules import DIALECTS, SOURCES, TAGS  # noqa: E402
from s3.emulator.call import RULES  # noqa: E402
from s3.kit import Emulator, shared  # noqa: E402
from kit import MIB, equal, expect, like, main, test, TESTS  # noqa: E402

PUT, GET = "PUT", "GET"

def code(answer):
    return answer.body.decode().partition("<Code>")[2].partition("<")[0]


# ---- what a case does; each gets an Emulator and returns the answer ---------

def put(key="a", body=b"x", **headers):
    headers = {name.replace("_", "-"): value for name, value
               in headers.items()}
    return lambda s3: s3.client().put("bucket-1", key, body, headers)


def ask(method, target, body=b"", **more):
    return lambda s3: s3.client().ask(method, target, body=body, **more)


def region(name):
    return lambda s3: s3.client(region=name).get("bucket-1", "a")


def create(location="", name="bucket-new"):
    return lambda s3: s3.client().create(name, location)


def scoped(method, target):
    def act(s3):
        s3.use(2)
        return s3.client().ask(method, target)
    return act


def virtual_host(s3):
    client = s3.client()
    client.host = f"bucket-1.localhost:{s3.port}"
    return client.ask(GET, "/a")


def again(act):
    """The second of two."""
    def both(s3):
        act(s3)
        return act(s3)
    return both


def expired(s3):
    s3.client().put("bucket-1", "expired")
    target = s3.client().presigned(GET, "/bucket-1/expired", 60)
    s3.clock(100)
    return s3.client().plain(GET, target)


def overridden(s3):
    s3.client().put("bucket-1", "over")
    return s3.client().plain(GET, s3.client().presigned(
        GET, "/bucket-1/over", query={"response-content-type": "a/b"}))


def metadata(size, name="a"):
    return put(**{"x_amz_meta_" + name: "v" * size})


def utf8_metadata(s3):
    raw = "ü".encode().decode("latin-1")
    s3.client().put("bucket-1", "meta", b"", {"x-amz-meta-a": raw})
    answer = s3.client().get("bucket-1", "meta")
    equal("it comes back", answer.header("x-amz-meta-a"),
          "=?UTF-8?B?w4PCvA==?=")
    return answer


def rfc2047_metadata(s3):
    s3.client().put("bucket-1", "meta", b"",
                    {"x-amz-meta-a": "=?UTF-8?B?w7w=?="})
    answer = s3.client().get("bucket-1", "meta")
    equal("it comes back", answer.header("x-amz-meta-a"),
          "=?UTF-8?B?w7w=?=")
    return answer


def nfc(s3):
    s3.client().put("bucket-1", "u\u0308")
    return s3.client().get("bucket-1", "\u00fc")


def leading_slash(s3):
    s3.client().put("bucket-1", "/slash")
    return s3.client().get("bucket-1", "slash")


def begin(s3, key):
    answer = s3.client().ask("POST", f"/bucket-1/{key}?uploads")
    return answer.body.decode().partition("<UploadId>")[2].partition("<")[0]


def uploaded(*sizes, headers=None, key="mp"):
    """Completes an upload of parts of these sizes."""
    def act(s3):
        name, rows = begin(s3, key), ""
        for number, size in enumerate(sizes, 1):
            answer = s3.client().ask(
                PUT, f"/bucket-1/{key}?partNumber={number}&uploadId={name}",
                body=bytes(size))
            rows += f"<Part><PartNumber>{number}</PartNumber><ETag>" \
                f"{answer.header('etag')}</ETag></Part>"
        body = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>"
        return s3.client().ask("POST", f"/bucket-1/{key}?uploadId={name}",
                               headers, body.encode())
    return act


def conditional_complete(s3):
    s3.client().put("bucket-1", "there")
    answer = uploaded(1, headers={"if-none-match": "*"}, key="there")(s3)
    left = [one["key"] for one in s3.state("bucket-1")["uploads"]]
    expect("there" not in left, f"uploads: {left}")
    return answer


def copied(**headers):
    def act(s3):
        s3.client().put("bucket-1", "from", b"x")
        return s3.client().put("bucket-1", "to", b"", {
            "x-amz-copy-source": "/bucket-1/from",
            **{name.replace("_", "-"): value
               for name, value in headers.items()}})
    return act


def race(s3):
    client, star = s3.client(), {"if-none-match": "*"}
    s3.faults({"do": "stall", "at": 1, "match": {"path": "race"}})
    with client.wire() as slow:
        client.send(slow, PUT, "/bucket-1/race", star, b"12")
        s3.wait_for_fault()
        while (answer := client.put("bucket-1", "race", b"", star)
               ).status != 409:
            pass
        return answer


def hidden(s3):
    s3.create("bucket-hidden")
    s3.client().put("bucket-hidden", "a", b"1")
    answer = s3.client().ask("DELETE", "/bucket-hidden/a")
    equal("marker", answer.header("x-amz-delete-marker"), "true")
    return s3.client().ask("DELETE", "/bucket-hidden")


def head_error(s3):
    answer = s3.client().ask("HEAD", "/bucket-1/none")
    equal("code", answer.header("x-minio-error-code"), "NoSuchKey")
    return answer


def no_continue(s3):
    lines = s3.client().signed(PUT, "/bucket-1/e", body=b"hello")
    return s3.client().plain(PUT, "/bucket-1/e", *lines,
                             "Expect: 100-continue", body=b"hello")


def trailer(s3):
    return s3.client().put("bucket-1", "t", b"0\r\n\r\n", {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "0"},
        payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")


def full_checksum(s3):
    return s3.client().ask("POST", "/bucket-1/a?uploads", {
        "x-amz-checksum-type": "FULL_OBJECT",
        "x-amz-checksum-algorithm": "CRC32"})


STAR = {"if_none_match": "*"}
STREAM = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
START = "/bucket-1?list-type=2&prefix=b&start-after=a"

# rule: (what, status, code, more of the emulator's arguments)
CASES = {
    "AWS.region": (region("eu-west-1"), 400,
                   "AuthorizationHeaderMalformed"),
    "AWS.recreate-us-east-1": (create(name="bucket-1"), 200, ""),
    "AWS.recreate": (again(create("eu-west-1")), 409,
                     "BucketAlreadyOwnedByYou", {"region": "eu-west-1"}),
    "AWS.location": (create("eu-west-1"), 400,
                     "IllegalLocationConstraintException"),
    "AWS.metadata-size": (metadata(2048), 400, "MetadataTooLarge"),
    "AWS.metadata-ascii": (utf8_metadata, 200, ""),
    "AWS.keep-alive-space": (again(copied()), 200, ""),
    "AWS.condition-star": (put(if_none_match='"x"'), 501, "NotImplemented"),
    "AWS.race": (race, 409, "ConditionalRequestConflict"),
    "AWS.no-list-403": (scoped(GET, "/bucket-1/none"), 403, "AccessDenied"),
    "MINIO.region": (region("eu-west-1"), 400,
                     "AuthorizationHeaderMalformed",
                     {"region": "us-east-1"}),
    "MINIO.location": (create("eu-west-1"), 400, "InvalidRegion",
                       {"region": "us-east-1"}),
    "MINIO.recreate": (create(name="bucket-1"), 409,
                       "BucketAlreadyOwnedByYou"),
    "MINIO.virtual-host": (virtual_host, 404, "NoSuchBucket"),
    "MINIO.key-dots": (put("a/../b"), 400, "XMinioInvalidResourceName"),
    "MINIO.key-name": (put("a//b"), 400, "XMinioInvalidObjectName"),
    "MINIO.leading-slash": (leading_slash, 200, ""),
    "MINIO.list-prefix": (ask(GET, "/bucket-1?list-type=2&prefix=a%2F%2F"),
                          400, "XMinioInvalidObjectName"),
    "MINIO.list-marker": (ask(GET, START), 501, "NotImplemented"),
    "MINIO.empty-token": (ask(GET, "/bucket-1?list-type=2&"
                              "continuation-token="), 400,
                          "InvalidArgument"),
    "MINIO.metadata-size": (metadata(2048 - 11), 400, "MetadataTooLarge"),
    "MINIO.storage-class": (put(x_amz_storage_class="GLACIER"), 400,
                            "InvalidStorageClass"),
    "MINIO.acl": (put(x_amz_acl="public-read"), 501, "NotImplemented"),
    "MINIO.cors": (ask(PUT, "/bucket-1?cors", b"<C/>"), 501,
                   "NotImplemented"),
    "MINIO.if-match-missing": (put("none", if_match='"x"'), 404,
                               "NoSuchKey"),
    "MINIO.head-error": (head_error, 404, ""),
    "R2.region": (region("eu-west-1"), 400, "InvalidRegionName"),
    "R2.location": (create("eu-west-1"), 400, "InvalidLocationConstraint"),
    "R2.recreate": (create(name="bucket-1"), 409, "BucketConflict"),
    "R2.bucket-name": (create(name="bucket.dot"), 400, "InvalidBucketName"),
    "R2.scope": (scoped(GET, "/"), 403, "AccessDenied"),
    "R2.no-continue": (no_continue, 200, ""),
    "R2.streaming": (ask(PUT, "/bucket-1/a", payload=STREAM), 501,
                     "NotImplemented"),
    "R2.header": (put(x_amz_tagging="a=b"), 501, "NotImplemented"),
    "R2.full-checksum": (full_checksum, 501, "NotImplemented"),
    "R2.equal-parts": (uploaded(5 * MIB, 6 * MIB, 1), 400, "InvalidPart"),
    "R2.write-rate": (again(put("fast")), 429, "TooManyRequests"),
    "R2.nfc": (nfc, 200, ""),
    "R2.metadata-2047": (rfc2047_metadata, 200, ""),
    "R2.metadata-size": (metadata(8192), 400, "MetadataTooLarge"),
    "R2.presign-expired": (expired, 400, "ExpiredRequest"),
    "R2.complete-condition": (conditional_complete, 412,
                              "PreconditionFailed"),
    "R2.form": (ask("POST", "/bucket-1", b"x"), 501, "NotImplemented"),
    "R2.overrides": (overridden, 200, "", {"overrides": "ignored"}),
    "B2.region": (region("us-east-1"), 400, "AuthorizationHeaderMalformed"),
    "B2.bucket-name": (create(name="short"), 400, "InvalidBucketName"),
    "B2.recreate": (create(name="bucket-1"), 409,
                    "BucketAlreadyOwnedByYou"),
    "B2.scope": (scoped(GET, "/"), 403, "AccessDenied"),
    "B2.checksum": (put(x_amz_checksum_crc32="g9wHXA=="), 400,
                    "InvalidArgument"),
    "B2.condition": (put(**STAR), 501, "NotImplemented"),
    "B2.tagging": (put(x_amz_tagging="a=b"), 400, "InvalidArgument"),
    "B2.acl": (put(x_amz_acl="public-read"), 400, "InvalidArgument"),
    "B2.hide-marker": (ask("DELETE", "/bucket-1/none"), 204, ""),
    "B2.versions": (again(put("twice")), 200, ""),
    "B2.not-empty": (hidden, 409, "BucketNotEmpty"),
    "B2.metadata-size": (metadata(7000), 400, "InvalidArgument"),
    "B2.metadata-name": (metadata(1, "n" * 51), 400, "InvalidArgument"),
    "B2.key": (put("a\x01b"), 400, "InvalidArgument"),
    "B2.strict-key": (put("a//b"), 400, "InvalidArgument",
                      {"keys": "strict"}),
    "CEPH.virtual-host": (virtual_host, 404, "NoSuchBucket"),
    "CEPH.location": (create("eu-west-1"), 400, "InvalidLocationConstraint"
                      ),
    "CEPH.recreate": (create(name="bucket-1"), 200, ""),
    "CEPH.condition-ignored": (again(put("twice", **STAR)), 200, "",
                               {"conditions": "ignored"}),
    "CEPH.copy-condition": (copied(x_amz_copy_source_if_match='"x"'), 200,
                            ""),
    "CEPH.trailer": (trailer, 400, "InvalidArgument",
                     {"trailers": "refused"}),
}
TLS = {"R2.tls", "B2.tls"}


def dialect_of(rule):
    return rule.partition(".")[0].lower()


def arguments(rule):
    case = CASES[rule]
    words = dict(case[3]) if len(case) > 3 else {}
    if dialect_of(rule) in ("r2", "b2"):
        words["tls"] = False
    return words


def fires(rule):
    act, status, word, *_ = CASES[rule.id]
    s3 = shared(dialect_of(rule.id), **arguments(rule.id))
    before = s3.fired(rule.id)
    answer = act(s3)
    equal("answer", (answer.status, code(answer)), (status, word))
    expect(s3.fired(rule.id) > before, "the rule did not fire")
    equal("violations", s3.violations(),
          [rule.id] * len(s3.violations())
          if rule.kind == "violation" else [])
    equal("recorded", bool(s3.violations()), rule.kind == "violation")


for one in RULES:
    if one.id in CASES:
        TESTS.append((f"test_rule_fires[{one.id}, {one.tag}]",
                      lambda one=one: fires(one)))


@test
def test_every_rule_of_a_provider_has_a_case():
    own = {rule.id for rule in RULES if len(rule.dialects) == 1}
    equal("without a case", sorted(own - set(CASES) - TLS), [])
    equal("without a rule", sorted(set(CASES) - own), [])


@test
def test_every_rule_says_where_it_comes_from():
    for rule in RULES:
        expect(rule.tag in TAGS, f"{rule.id}: tag {rule.tag}")
        expect(rule.source.split()[0] in SOURCES,
               f"{rule.id}: source {rule.source}")
        expect(set(rule.dialects) <= set(DIALECTS), rule.id)
        like(rule.id, rule.describe()["address"], "^(https://|general)")
        expect(not rule.status or rule.code, f"{rule.id} has no code")


def nothing_of_others(dialect):
    """What breaks the others' rules breaks none that isn't this one's."""
    words = {"tls": False} if dialect in ("r2", "b2") else {}
    for rule in {"AWS.region", "AWS.metadata-size", "MINIO.key-dots",
                 "MINIO.key-name", "MINIO.acl", "MINIO.list-marker",
                 "R2.streaming", "R2.header", "R2.write-rate", "R2.form",
                 "B2.condition", "B2.checksum", "B2.key", "B2.acl",
                 "B2.metadata-size", "CEPH.trailer", "CEPH.virtual-host"}:
        CASES[rule][0](shared(dialect, **words))
        s3 = shared(dialect, **words)
    wrong = [one["id"] for one in s3.control("GET", "rules")["rules"]
             if one["fired"] and not one["in_force"]]
    equal("rules out of force", wrong, [])
    fired = [one["id"] for one in s3.control("GET", "rules")["rules"]
             if one["fired"] and dialect not in one["dialects"]]
    equal("rules of others", fired, [])


for word in DIALECTS:
    TESTS.append((f"test_rules_of_others_do_not_fire[{word}]",
                  lambda word=word: nothing_of_others(word)))


@test
def test_plain_http_is_refused_where_tls_is_demanded():
    for dialect in ("r2", "b2"):
        with Emulator(dialect) as s3:
            like("endpoint", s3.endpoint, "^https:")
            equal("over TLS", s3.client().create("bucket-1").status, 200)
            s3.blameless()


@test
def test_rule_can_be_put_out_of_force():
    s3 = shared("minio", without=("MINIO.key-dots",))
    equal("status", s3.client().put("bucket-1", "a/../b").status, 200)
    s3.blameless()


@test
def test_bucket_of_somebody_else_is_not_ours():
    for dialect in ("aws", "minio", "ceph"):
        client = shared(dialect).client()
        answer = client.create("foreign-bucket")
        equal(dialect, (answer.status, code(answer)),
              (409, "BucketAlreadyExists"))
        equal("HEAD", client.ask("HEAD", "/foreign-bucket").status, 403)


@test
def test_b2_keeps_every_version():
    s3 = shared("b2", tls=False)
    client = s3.client()
    for data in (b"1", b"2"):
        client.put("bucket-1", "kept", data)
    client.ask("DELETE", path_of("bucket-1", "kept"))
    equal("GET", client.get("bucket-1", "kept").status, 404)
    equal("versions", s3.state("bucket-1")["versions"]["kept"], 3)


@test
def test_wrong_region_is_told_to_head_in_a_header_only():
    answer = shared().client(region="eu-west-1").ask("HEAD", "/bucket-1")
    equal("answer", (answer.status, answer.body), (400, b""))
    equal("region", answer.header("x-amz-bucket-region"), "us-east-1")


if __name__ == "__main__":
    main()
