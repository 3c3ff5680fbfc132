# SPDX-License-Identifier: MIT
"""Loaded by schemathesis: media types that it doesn't know are bytes, and a
header that nobody knows is ignored (RFC 9110, 5.1), so that it spoils no
request."""
import schemathesis

schemathesis.serializer.alias(
    ["application/partial-upload", "application/offset+octet-stream"],
    "application/octet-stream")


@schemathesis.hook
def filter_case(_, case):
    return "x-schemathesis-unknown-property" not in (case.headers or {})
