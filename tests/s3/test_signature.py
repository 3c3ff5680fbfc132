#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The emulator's own tests: its verifier takes the examples of Amazon's API
reference, whose signatures are known, and nothing that differs from them."""
import hashlib
import os
import sys
from pathlib import Path

# The runner asks for a gateway, which isn't needed here.
os.environ.setdefault("SLUICE", sys.executable)
TESTS = Path(__file__).resolve().parents[1]
sys.path[:1] = [str(TESTS), str(TESTS / "integration")]

# pylint: disable=wrong-import-position
from s3.emulator import signature  # noqa: E402
from s3.emulator.access import authenticate  # noqa: E402
from s3.emulator.call import Call, Credential, State  # noqa: E402
from s3.emulator.errors import S3Error  # noqa: E402
from s3.emulator.message import Body, Wire, parse_head  # noqa: E402
from s3.emulator.payload import Payload  # noqa: E402
from kit import Mismatch, each, equal, expect, main, needs, test  # noqa: E402

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ACCESS = "AKIAIOSFODNN7EXAMPLE"
SCOPE = "20130524/us-east-1/s3/aws4_request"
EMPTY = hashlib.sha256(b"").hexdigest()
CHUNKS = ["ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
          "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
          "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"]
TRAILED = [
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"]
TRAILER = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"


# ---- the examples of the API reference --------------------------------------

class Tape(Wire):
    """A connection whose bytes are there already."""

    def __init__(self, data=b""):
        super().__init__(None)
        self.input = data

    def receive(self):
        return b""


def example(head, body=b"", signed=None, proof=""):
    """A call of 24 May 2013 by the user of the examples."""
    lines = [head, "x-amz-date: 20130524T000000Z"]
    if signed:
        lines.append(f"Authorization: AWS4-HMAC-SHA256 Credential={ACCESS}/"
                     f"{SCOPE},SignedHeaders={signed},Signature={proof}")
    state = State("aws")
    state.credentials = {ACCESS: Credential(ACCESS, SECRET)}
    state.clock.now = lambda: signature.moment("20130524T000000Z")
    if not signed:
        lines.pop()
    request = parse_head("\r\n".join(lines).encode("latin-1"))
    return Call(state, request, Body(Tape(body), request), None)


HOST = "Host: examplebucket.s3.amazonaws.com"
EXAMPLES = {
    "get": ([f"GET /test.txt HTTP/1.1\r\n{HOST}", "Range: bytes=0-9",
             f"x-amz-content-sha256: {EMPTY}"],
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
            ),
    "put": ([f"PUT /test%24file.text HTTP/1.1\r\n{HOST}",
             "Date: Fri, 24 May 2013 00:00:00 GMT",
             "x-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b"
             "4b4e99e42034a8b803f8b072",
             "x-amz-storage-class: REDUCED_REDUNDANCY"],
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
            ),
    "lifecycle": ([f"GET /?lifecycle HTTP/1.1\r\n{HOST}",
                   f"x-amz-content-sha256: {EMPTY}"],
                  "host;x-amz-content-sha256;x-amz-date",
                  "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a013"
                  "6783543"),
    "list": ([f"GET /?max-keys=2&prefix=J HTTP/1.1\r\n{HOST}",
              f"x-amz-content-sha256: {EMPTY}"],
             "host;x-amz-content-sha256;x-amz-date",
             "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f"
             "7"),
}


@each(EXAMPLES)
def test_example_of_the_reference_is_accepted(case):
    lines, signed, proof = case
    authenticate(example("\r\n".join(lines), signed=signed, proof=proof))


@each(EXAMPLES)
def test_example_with_another_digit_is_refused(case):
    lines, signed, proof = case
    wrong = ("0" if proof[0] != "0" else "1") + proof[1:]
    call = example("\r\n".join(lines), signed=signed, proof=wrong)
    refused(call, "SignatureDoesNotMatch")


def refused(call, code, act=authenticate):
    try:
        act(call)
    except S3Error as error:
        equal("code", error.code, code)
    else:
        raise Mismatch(f"accepted where {code} is due")


def presigned(proof, expires="86400"):
    return (f"GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&"
            f"X-Amz-Credential={ACCESS}%2F20130524%2Fus-east-1%2Fs3%2F"
            f"aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires="
            f"{expires}&X-Amz-SignedHeaders=host&X-Amz-Signature={proof} "
            f"HTTP/1.1\r\n{HOST}")


PROOF = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"


@test
def test_presigned_example_is_accepted():
    authenticate(example(presigned(PROOF)))
    refused(example(presigned(PROOF, "86401")), "SignatureDoesNotMatch")
    refused(example(presigned(PROOF, "604801")),
            "AuthorizationQueryParametersError")


def chunked(proofs, trailer=b""):
    data = b"a" * 65536, b"a" * 1024, b""
    body = b""
    for piece, proof in zip(data, proofs):
        body += b"%x;chunk-signature=%s\r\n%s" % (len(piece), proof.encode(),
                                                  piece)
        body += b"\r\n" if piece else b""
    return body + trailer + b"\r\n"


def chunk_call(body, kind="", length=None, more=()):
    names = "content-encoding;content-length;host;x-amz-content-sha256;" \
        "x-amz-date;x-amz-decoded-content-length;x-amz-storage-class"
    proof = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a" \
        "0a9"
    if kind:
        names = names.replace("content-length;", "", 1) + ";x-amz-trailer"
        proof = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b7454" \
            "4bfeb8e"
    call = example("\r\n".join([
        "PUT /examplebucket/chunkObject.txt HTTP/1.1",
        "Host: s3.amazonaws.com", "content-encoding: aws-chunked",
        f"content-length: {length or len(body)}",
        "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + kind,
        "x-amz-decoded-content-length: 66560",
        "x-amz-storage-class: REDUCED_REDUNDANCY", *more]), body, names,
        proof)
    authenticate(call)
    return call


def content(call):
    return Payload(call).whole()


@test
def test_chunked_example_is_accepted():
    body = chunked(CHUNKS)
    equal("length", len(body), 66824)
    equal("content", content(chunk_call(body)), b"a" * 66560)


@test
def test_chunked_example_changed_anywhere_is_refused():
    body = chunked(CHUNKS)
    for at in (2, 30, 90, 65536, 65640, 66700, 66740):
        wrong = body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]
        refused(chunk_call(wrong), "SignatureDoesNotMatch", content)


@test
def test_trailer_example_is_accepted_and_its_change_refused():
    more = ["x-amz-trailer: x-amz-checksum-crc32c"]
    trailer = b"x-amz-checksum-crc32c:sOO8/Q==\r\n" \
        b"x-amz-trailer-signature:%s\r\n" % TRAILER.encode()
    body = chunked(TRAILED, trailer)
    call = chunk_call(body, "-TRAILER", more=more)
    equal("content", content(call), b"a" * 66560)
    wrong = body.replace(b"sOO8", b"sOO9")
    refused(chunk_call(wrong, "-TRAILER", more=more),
            "SignatureDoesNotMatch", content)


def vectors():
    folder = Path(os.environ.get("SLUICE_VECTORS") or
                  Path(__file__).parents[3] / "shared" / "vectors") / "sigv4"
    needs(folder.is_dir(), "no folder of signature vectors")
    return sorted(path for path in folder.iterdir()
                  if not path.name.endswith("-normalized"))


@test
def test_vectors_of_others_give_the_same_canonical_request():
    done = 0
    for folder in vectors():
        raw = (folder / "request.txt").read_bytes().split(b"\n\n")[0]
        want = (folder / "header-canonical-request.txt").read_text()
        head = raw.replace(b"\r", b"").split(b"\n")
        method, rest = head[0].split(b" ", 1)
        path, _, query = rest.rpartition(b" ")[0].partition(b"?")
        equal(f"{folder.name}: path", signature.canonical_path(
            path.decode("latin-1")), want.split("\n")[1])
        equal(f"{folder.name}: query", signature.canonical_query(
            query.decode("latin-1")), want.split("\n")[2])
        equal(f"{folder.name}: method", method.decode(),
              want.split("\n")[0])
        done += 1
    expect(done > 20, f"{done} vectors")


if __name__ == "__main__":
    main()
