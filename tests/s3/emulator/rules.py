# SPDX-License-Identifier: MIT
"""The demands of providers on a client (a broken demand is a *violation*, and
is refused as that provider refuses it) and how they behave (*behaviour*: a
good client meets it).  Each rule says how far it is known and from where:

  documented   by the provider
  source       read in the server's or a client's source
  report       seen in the field by somebody
  inferred     from the others; tests built on it say so in their names

table_*.py hold the rules; SOURCES are the addresses of their short names."""
import threading
import time
from dataclasses import asdict, dataclass

DIALECTS = ("aws", "minio", "r2", "b2", "ceph")
TAGS = ("documented", "source", "report", "inferred")

S3_API = "https://docs.aws.amazon.com/AmazonS3/latest/API/"
R2 = "https://developers.cloudflare.com/r2/"
B2 = "https://www.backblaze.com/"
GITHUB = "https://github.com/"
SOURCES = {
    "AWS-model": GITHUB + "boto/botocore botocore/data/s3/2006-03-01/",
    "AWS-UG": GITHUB + "awsdocs/amazon-s3-userguide doc_source/",
    "AWS-DG": GITHUB + "awsdocs/amazon-s3-developer-guide doc_source/",
    "AWS-sig": S3_API + "sig-v4-header-based-auth.html",
    "AWS-query": S3_API + "sigv4-query-string-auth.html",
    "AWS-chunk": S3_API + "sigv4-streaming.html",
    "botocore": GITHUB + "boto/botocore botocore/",
    "go-sdk": GITHUB + "aws/aws-sdk-go-v2/issues/",
    "flatware": GITHUB + "jsoma/flatware/issues/10",
    "MINIO": GITHUB + "minio/minio cmd/",
    "R2-api": R2 + "api/s3/api/",
    "R2-ext": R2 + "api/s3/extensions/",
    "R2-presign": R2 + "api/s3/presigned-urls/",
    "R2-tok": R2 + "api/tokens/",
    "R2-err": R2 + "api/error-codes/",
    "R2-lim": R2 + "platform/limits/",
    "R2-loc": R2 + "reference/data-location/",
    "R2-uni": R2 + "reference/unicode-interoperability/",
    "R2-rel": GITHUB + "cloudflare/cloudflare-docs "
                       "src/content/release-notes/r2.yaml",
    "R2-mp": R2 + "objects/multipart-objects/",
    "clawhub": GITHUB + "openclaw/clawhub/issues/2723",
    "soto": GITHUB + "soto-project/soto/issues/643",
    "r2-parts": GITHUB + "cloudflare/cloudflare-docs/issues/9549",
    "r2-checksum": GITHUB + "aws/aws-sdk-js-v3/issues/6810",
    "bun": GITHUB + "oven-sh/bun/issues/25963",
    "guren": GITHUB + "gurenjs/guren/issues/571",
    "remotely": GITHUB + "remotely-save/remotely-save/issues/826",
    "B2-call": B2 + "docs/cloud-storage-call-the-s3-compatible-api",
    "B2-del": B2 + "apidocs/s3-delete-object",
    "B2-ver": B2 + "docs/cloud-storage-s3-compatible-api-bucket-versions",
    "B2-copy": B2 + "apidocs/s3-copy-object",
    "B2-put": B2 + "apidocs/s3-put-object",
    "B2-files": B2 + "b2/docs/files.html",
    "B2-info": B2 + "docs/cloud-storage-add-file-information-with-the-"
                    "native-api",
    "B2-keys": B2 + "docs/cloud-storage-s3-compatible-app-keys",
    "B2-bucket": B2 + "apidocs/b2-create-bucket",
    "B2-large": B2 + "docs/cloud-storage-create-large-files-with-the-"
                     "native-api",
    "b2-checksum": GITHUB + "nocodb/nocodb/issues/10942",
    "b2-condition": GITHUB + "obsidian-s3-sync/issues/78",
    "RGW-tests": GITHUB + "ceph/s3-tests s3tests/functional/",
    "RGW-src": GITHUB + "ceph/ceph src/rgw/",
    "rgw-16": "https://packages.debian.org/bookworm/radosgw 16.2.15, asked "
              "by test_rgw.py",
    "minio-26": GITHUB + "minio/minio 2026-02, asked",
    "contentkit": GITHUB + "open-rails/contentkit v0.58.1",
    "s3rver": GITHUB + "jamhall/s3rver 3.7.1, asked",
    "general": "general knowledge of S3, not read again",
}


@dataclass(frozen=True)
class Rule:
    """`status`, `code` and `message` are the refusal's; behaviours have
    none unless they refuse too."""
    id: str
    tag: str
    source: str
    about: str
    status: int = 0
    code: str = ""
    message: str = ""
    dialects: tuple = DIALECTS
    kind: str = "violation"

    def describe(self):
        name, _, place = self.source.partition(" ")
        return {**asdict(self), "source": self.source,
                "address": f"{SOURCES[name]} {place}".strip()}


def only(*dialects):
    """Makes rules for these dialects."""
    def rule(*words, **more):
        return Rule(*words, dialects=dialects, **more)
    return rule


class Book:
    """The rules of one dialect: which are in force, which fired."""

    def __init__(self, dialect, rules, without=()):
        self.rules = {rule.id: rule for rule in rules}
        unknown = set(without) - set(self.rules)
        if unknown or len(self.rules) != len(rules):
            raise ValueError(f"no such rules, or twice: {unknown}")
        self.force = {rule.id for rule in rules if dialect in rule.dialects
                      and rule.id not in without}
        self.lock = threading.Lock()
        self.clear()

    def clear(self):
        self.fired = {name: 0 for name in self.rules}
        self.violations = []

    def on(self, name):
        return self.rules[name].id in self.force

    def note(self, name, call=None, detail=""):
        """Counts a rule that is in force, and whether it is."""
        if not self.on(name):
            return False
        rule = self.rules[name]
        with self.lock:
            self.fired[name] += 1
            if rule.kind == "violation":
                self.violations.append({
                    "rule": name, "tag": rule.tag, "source": rule.source,
                    "about": rule.about, "detail": detail,
                    "request": call.request.line, "request_id": call.id,
                    "time": time.time()})
        return True

    def describe(self):
        return [{**rule.describe(), "in_force": rule.id in self.force,
                 "fired": self.fired[rule.id]}
                for rule in self.rules.values()]
