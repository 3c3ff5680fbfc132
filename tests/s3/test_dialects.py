#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The emulator's own tests: every rule fires where it should, with its
provider's answer, and a provider's own in no other dialect.  A case's name
carries the tag of its rule, so that what is only inferred says so."""
import os
import sys
from pathlib import Path

# The runner asks for a gateway, which isn't needed here.
os.environ.setdefault("SLUICE", sys.executable)
sys.path[0] = str(Path(__file__).resolve().parents[1])

# pylint: disable=wrong-import-position
from s3.acts import (GET, PUT, again, announced, ask,  # noqa: E402
                     bad_range, bulk, code,
                     conditional_complete, copied, copied_onto_itself, create,
                     deleted_if, digest, expired, full_checksum,
                     head_error, hidden,
                     leading_slash, matched, metadata, nfc, no_continue,
                     other_service,
                     overridden, plain, put, race, raw_token, region,
                     rfc2047_metadata, scoped, trailer, uploaded,
                     utf8_metadata, virtual_host)
from s3.client import path_of  # noqa: E402
from s3.emulator.rules import DIALECTS, SOURCES, TAGS  # noqa: E402
from s3.emulator.call import RULES  # noqa: E402
from s3.kit import Emulator, shared  # noqa: E402
from kit import MIB, equal, expect, like, main, test, TESTS  # noqa: E402

STAR = {"if_none_match": "*"}
STREAM = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
START = "/bucket-1?list-type=2&prefix=b&start-after=a"

# rule: (what, status, code, more of the emulator's arguments)
CASES = {
    "G1.malformed": (plain("/bucket-1/a", "Authorization: AWS a:b"), 400,
                     "AuthorizationHeaderMalformed"),
    "G1.presign-parameters": (plain("/bucket-1/a?X-Amz-Algorithm=x"), 400,
                              "AuthorizationQueryParametersError"),
    "G1.two-signatures": (ask(GET, "/bucket-1?X-Amz-Algorithm=x"), 400,
                          "InvalidArgument"),
    "G1.service": (other_service, 400, "AuthorizationHeaderMalformed"),
    "G4.digest-form": (digest("eA=="), 400, "InvalidDigest"),
    "G4.digest": (digest("1B2M2Y8AsgTpgAmY7PhCfg=="), 400, "BadDigest"),
    "G4.checksum": (put(x_amz_checksum_crc32="AAAAAA=="), 400, "BadDigest"),
    "G6.max-keys": (ask(GET, "/bucket-1?list-type=2&max-keys=x"), 400,
                    "InvalidArgument"),
    "G8.count": (bulk(1001), 400, "MalformedXML"),
    "G9.length": (announced(None), 411, "MissingContentLength"),
    "G10.self-copy": (copied_onto_itself, 400, "InvalidRequest"),
    "limit.put": (announced((5 << 30) + 1), 400, "EntityTooLarge"),
    "limit.key": (put("k" * 1025), 400, "KeyTooLongError"),
    "limit.bucket-name": (create(name="Bucket_1"), 400,
                          "InvalidBucketName"),
    "AWS.region": (region("eu-west-1"), 400,
                   "AuthorizationHeaderMalformed"),
    "AWS.recreate-us-east-1": (create(name="bucket-1"), 200, ""),
    "AWS.recreate": (again(create("eu-west-1")), 409,
                     "BucketAlreadyOwnedByYou", {"region": "eu-west-1"}),
    "AWS.location": (create("eu-west-1"), 400,
                     "IllegalLocationConstraintException"),
    "AWS.metadata-size": (metadata(2048), 400, "MetadataTooLarge"),
    "AWS.kms-etag": (put(), 200, "", {"encryption": "kms"}),
    "AWS.sse-s3": (put(), 200, "", {"encryption": "s3"}),
    "AWS.customer-etag": (put(), 200, "", {"encryption": "customer"}),
    "AWS.silent-etag": (put(), 200, "", {"encryption": "silent"}),
    "AWS.metadata-ascii": (utf8_metadata, 200, ""),
    "AWS.keep-alive-space": (again(copied()), 200, ""),
    "AWS.condition-star": (put(if_none_match='"x"'), 501, "NotImplemented"),
    "AWS.if-match": (matched('"{}", "x"'), 412, "PreconditionFailed"),
    "AWS.delete-condition": (deleted_if, 412, "PreconditionFailed"),
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
    "MINIO.if-match": (matched('"{}", "x"'), 412, "PreconditionFailed"),
    "MINIO.copy-target": (again(copied(if_none_match="*")), 200, ""),
    "MINIO.delete-condition": (deleted_if, 204, ""),
    "MINIO.uploads-by-key": (ask(GET, "/bucket-1?uploads"), 200, ""),
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
    "R2.copy-target": (copied(if_none_match="*"), 200, ""),
    "R2.delete-condition": (deleted_if, 204, ""),
    "R2.form": (ask("POST", "/bucket-1", b"x"), 501, "NotImplemented"),
    "R2.overrides": (overridden, 200, "", {"overrides": "ignored"}),
    "B2.region": (region("us-east-1"), 400, "AuthorizationHeaderMalformed"),
    "B2.bucket-name": (create(name="short"), 400, "InvalidBucketName"),
    "B2.recreate": (create(name="bucket-1"), 409,
                    "BucketAlreadyOwnedByYou"),
    "B2.scope": (scoped(GET, "/"), 403, "AccessDenied"),
    "B2.checksum": (put(x_amz_checksum_crc32="jNwWgw=="), 400,
                    "InvalidArgument"),
    "B2.condition": (put(**STAR), 501, "NotImplemented"),
    "B2.delete-condition": (deleted_if, 204, ""),
    "B2.copy-condition": (copied(x_amz_copy_source_if_match='"x"'), 200, ""),
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
    "CEPH.if-match": (matched('"{}"'), 412, "PreconditionFailed"),
    "CEPH.none-match-etag": (again(put("twice", if_none_match='"x"')), 200,
                             ""),
    "CEPH.complete-condition": (again(uploaded(
        1, headers={"if-none-match": "*"}, key="there")), 200, ""),
    "CEPH.copy-target": (again(copied(if_none_match="*")), 200, ""),
    "CEPH.delete-condition": (deleted_if, 204, ""),
    "CEPH.key": (put("k" * 1025), 400, "InvalidObjectName"),
    "CEPH.parts-sorted": (uploaded(5 * MIB, 5 * MIB, order=-1), 200, ""),
    "CEPH.range": (bad_range, 416, "InvalidRange"),
    "CEPH.no-message": (ask(GET, "/bucket-1/none"), 404, "NoSuchKey"),
    "CEPH.raw-token": (raw_token, 200, "",
                       {"tokens": "raw", "pages": "whole"}),
    "CEPH.copy-condition": (copied(x_amz_copy_source_if_match='"x"'), 200,
                            ""),
    "CEPH.trailer": (trailer, 400, "InvalidArgument",
                     {"trailers": "refused"}),
}
# Fired by other tests of the emulator; a copy of more than 5 GiB by none.
ELSEWHERE = {
    "R2.tls", "B2.tls", "G1.anonymous", "G1.signature", "G1.access-key",
    "G1.unsigned-header", "G1.unsigned-range", "G1.unstable-header",
    "G1.path-encoding", "G1.path-normalised", "G1.query-plus", "G1.token",
    "G1.no-content-sha256", "G1.content-sha256", "G1.payload-hash",
    "G1.chunk", "G1.unsigned-over-plain", "G1.presign-expired", "G2.skew",
    "G3.xmlns", "G3.head-no-body", "G5.upload", "G5.number", "G5.order",
    "G5.part", "G5.small", "G5.xml", "G6.token", "G6.short-page",
    "G6.empty-page", "G6.space-plus", "G6.space-percent", "G6.raw-control",
    "G8.no-digest", "G10.large-copy"}


def dialect_of(rule):
    dialect = rule.partition(".")[0].lower()
    return dialect if dialect in DIALECTS else "aws"


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
def test_every_rule_has_a_case():
    every = {rule.id for rule in RULES}
    equal("without a case", sorted(every - set(CASES) - ELSEWHERE), [])
    equal("without a rule", sorted((set(CASES) | ELSEWHERE) - every), [])


@test
def test_limits_are_met_and_not_passed():
    s3 = shared("aws")
    for act in (bulk(1000), put("k" * 1024), metadata(2047),
                create(name="a" * 63)):
        equal("at the limit", act(s3).status, 200)
    s3.blameless()


@test
def test_every_rule_says_where_it_comes_from():
    for rule in RULES:
        expect(rule.tag in TAGS, f"{rule.id}: tag {rule.tag}")
        expect(rule.source.split()[0] in SOURCES,
               f"{rule.id}: source {rule.source}")
        expect(set(rule.dialects) <= set(DIALECTS), rule.id)
        like(rule.id, rule.describe()["address"], "^(https://|general)")
        expect(not rule.status or rule.code, f"{rule.id} has no code")


# A refusal of one provider is no harm to these.
HARMLESS = {
    "aws": ("MINIO.key-dots", "MINIO.key-name", "MINIO.acl", "R2.header",
            "MINIO.list-marker", "R2.write-rate", "R2.equal-parts",
            "B2.key", "B2.acl", "B2.checksum", "B2.tagging"),
    "minio": ("R2.header", "R2.write-rate", "R2.equal-parts", "B2.key",
              "B2.checksum", "B2.tagging", "B2.metadata-name"),
    "r2": ("MINIO.key-dots", "MINIO.key-name", "MINIO.list-marker",
           "MINIO.acl", "B2.checksum", "B2.key", "AWS.metadata-size"),
    "b2": ("MINIO.key-dots", "MINIO.key-name", "MINIO.list-marker",
           "R2.write-rate", "R2.equal-parts", "AWS.metadata-size"),
    "ceph": ("MINIO.key-dots", "MINIO.key-name", "MINIO.list-marker",
             "R2.header", "R2.write-rate", "R2.equal-parts", "B2.key",
             "B2.checksum", "AWS.metadata-size", "MINIO.acl")}


def others(dialect):
    words = {"tls": False} if dialect in ("r2", "b2") else {}
    if dialect == "r2":
        words["without"] = ("R2.write-rate",)
    for rule in HARMLESS[dialect]:
        answer = CASES[rule][0](shared(dialect, **words))
        equal(rule, (answer.status, code(answer)), (200, ""))
    shared(dialect, **words).blameless()


for word in DIALECTS:
    TESTS.append((f"test_rules_of_others_are_not_in_force[{word}]",
                  lambda word=word: others(word)))


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
