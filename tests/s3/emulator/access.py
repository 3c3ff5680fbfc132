# SPDX-License-Identifier: MIT
"""Finds who asks, and whether the signature proves it: rules G1 and G2."""
import re

from .errors import S3Error
from .signature import (Malformed, SKEW, UNSIGNED, canonical_path,
                        from_header, from_query)

STREAMING = {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
             "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
             "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
UNSTABLE = {"authorization", "expect", "transfer-encoding", "user-agent",
            "x-amzn-trace-id", "connection", "accept-encoding"}


def authenticate(call):
    call.claim = claim = read_claim(call)
    call.credential = call.state.credentials.get(claim.access_key)
    if not call.credential:
        call.violate("G1.access-key", claim.access_key,
                     {"AWSAccessKeyId": claim.access_key})
    if claim.service != "s3":
        call.violate("G1.service", claim.service)
    check_region(call, claim)
    check_time(call, claim)
    check_token(call, claim)
    check_payload(call, claim)
    check_signed(call, claim)
    check_wire(call)
    check_signature(call, claim)


def read_claim(call):
    request = call.request
    header = request.header("authorization") is not None
    query = "X-Amz-Signature" in request.query or \
        "X-Amz-Algorithm" in request.query
    if header and query:
        call.violate("G1.two-signatures")
    if not header and not query:
        call.violate("G1.anonymous")
    try:
        return from_header(request) if header else from_query(request)
    except Malformed as error:
        call.violate("G1.malformed" if header else "G1.presign-parameters",
                     str(error))
        raise S3Error(403, "AccessDenied", "Access Denied") from None


def check_region(call, claim):
    want, got = call.state.region, claim.region
    rule = {"aws": "AWS.region", "minio": "MINIO.region", "r2": "R2.region",
            "b2": "B2.region"}.get(call.dialect.name)
    good = {want, "us-east-1", ""} if rule == "R2.region" else {want}
    if not rule or got in good or not want:
        return
    headers = {"x-amz-bucket-region": want} if rule == "AWS.region" else None
    fields = {"Region": want} if rule in ("AWS.region", "B2.region") else None
    call.violate(rule, f"got {got}", fields, headers, got=got, region=want)


def check_time(call, claim):
    now = call.now()
    if claim.expires is None:
        if abs(now - claim.time) > SKEW:
            skewed(call, claim, now)
        return
    if claim.time - now > SKEW:
        skewed(call, claim, now)
    if claim.time + claim.expires < now:
        call.violate("G1.presign-expired")
        call.violate("R2.presign-expired")


def skewed(call, claim, now):
    call.violate("G2.skew", f"{claim.time - now:+.0f} s",
                 {"RequestTime": claim.stamp,
                  "MaxAllowedSkewMilliseconds": SKEW * 1000})


def check_token(call, claim):
    if (claim.token or "") != call.credential.token:
        call.violate("G1.token", "wrong" if claim.token else "missing")


def check_payload(call, claim):
    value = claim.payload
    if value is None:
        call.violate("G1.no-content-sha256")
        claim.payload = value = UNSIGNED
    if value == UNSIGNED:
        if claim.expires is None and not call.state.tls:
            call.note("G1.unsigned-over-plain")
    elif value not in STREAMING and not re.fullmatch("[0-9a-f]{64}", value):
        call.violate("G1.content-sha256", value)
    if value in STREAMING and "UNSIGNED" not in value:
        call.violate("R2.streaming", value, got=value)
    if value == "STREAMING-UNSIGNED-PAYLOAD-TRAILER" and \
            call.state.variants.get("trailers") == "refused":
        call.violate("CEPH.trailer", value)


def must_be_signed(name, presigned):
    """A presigned URL is used by clients that add headers of their own."""
    if name == "host" or name.startswith("x-amz-"):
        return True
    return not presigned and name in ("content-type", "content-md5")


def check_signed(call, claim):
    presigned = claim.expires is not None
    names = {name for name, _ in call.request.headers}
    missing = sorted(name for name in names - set(claim.signed)
                     if must_be_signed(name, presigned))
    if "host" not in claim.signed and "host" not in missing:
        missing.append("host")
    if missing:
        call.violate("G1.unsigned-header", ", ".join(missing),
                     {"HeadersNotSigned": ", ".join(missing)})
    if not presigned and "range" in names - set(claim.signed):
        call.violate("G1.unsigned-range", "range",
                     {"HeadersNotSigned": "range"})
    unstable = sorted(UNSTABLE & set(claim.signed))
    if unstable:
        call.violate("G1.unstable-header", ", ".join(unstable))


def check_wire(call):
    """Things that servers and proxies on the way might read in another way."""
    request = call.request
    if request.raw_path != canonical_path(request.raw_path):
        call.violate("G1.path-encoding", request.raw_path)
    if "+" in request.raw_query:
        call.violate("G1.query-plus", request.raw_query)


def check_signature(call, claim):
    request, secret = call.request, call.credential.secret_key
    if claim.proves(request, secret):
        return
    canonical = claim.canonical(request)
    why = claim.diagnosis(request, secret)
    claim.proves(request, secret)  # leaves the right key behind
    fields = {
        "AWSAccessKeyId": claim.access_key,
        "StringToSign": claim.string_to_sign(canonical),
        "SignatureProvided": claim.signature, "CanonicalRequest": canonical}
    if why == "path normalised":
        call.violate("G1.path-normalised", why, fields)
    call.violate("G1.signature", why, fields)
