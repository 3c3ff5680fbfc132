# SPDX-License-Identifier: MIT
"""Loaded by schemathesis: media types that it doesn't know are bytes.  A
header that nobody knows is ignored (RFC 9110, 5.1), so that it spoils no
request; and one asks for interim answers (104), the first of which Python's
http.client takes for the answer."""
import schemathesis

schemathesis.serializer.alias(
    ["application/partial-upload", "application/offset+octet-stream"],
    "application/octet-stream")


LEFT_OUT = {"x-schemathesis-unknown-property", "upload-draft-interop-version"}


@schemathesis.hook
def filter_case(_, case):
    return LEFT_OUT.isdisjoint(name.lower() for name in case.headers or {})
