# SPDX-License-Identifier: MIT
"""The deeds of the cases of test_dialects.py: each of these gives, or is, a
function that takes an Emulator and returns the last answer."""
import base64
import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

# pylint: disable=wrong-import-position
from kit import equal, expect  # noqa: E402

PUT, GET, UNSIGNED = "PUT", "GET", "UNSIGNED-PAYLOAD"

def code(answer):
    return answer.body.decode().partition("<Code>")[2].partition("<")[0]


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


def other_service(s3):
    client = s3.client()
    client.service = "sts"
    return client.get("bucket-1", "a")


def plain(target, *lines):
    return lambda s3: s3.client().plain(GET, target, *lines)


def digest(value):
    return put(content_md5=value)


def announced(length):
    """A PUT that only says how long it would be, or not even that."""
    def act(s3):
        client = s3.client()
        lines = client.signed(PUT, "/bucket-1/a", payload=UNSIGNED)
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return client.plain(PUT, "/bucket-1/a", *lines)
    return act


def bulk(count):
    rows = "<Object><Key>k</Key></Object>" * count
    body = f"<Delete>{rows}</Delete>".encode()
    proof = base64.b64encode(hashlib.md5(body).digest()).decode()
    return lambda s3: s3.client().ask("POST", "/bucket-1?delete",
                                      {"content-md5": proof}, body)


def copied_onto_itself(s3):
    s3.client().put("bucket-1", "self")
    return s3.client().put("bucket-1", "self", b"",
                           {"x-amz-copy-source": "/bucket-1/self"})


def begin(s3, key):
    answer = s3.client().ask("POST", f"/bucket-1/{key}?uploads")
    return answer.body.decode().partition("<UploadId>")[2].partition("<")[0]


def uploaded(*sizes, headers=None, key="mp", order=1):
    """Completes an upload of parts of these sizes."""
    def act(s3):
        name, rows = begin(s3, key), []
        for number, size in enumerate(sizes, 1):
            answer = s3.client().ask(
                PUT, f"/bucket-1/{key}?partNumber={number}&uploadId={name}",
                body=bytes(size))
            rows.append(f"<Part><PartNumber>{number}</PartNumber><ETag>"
                        f"{answer.header('etag')}</ETag></Part>")
        body = "<CompleteMultipartUpload>" + "".join(rows[::order]) + \
            "</CompleteMultipartUpload>"
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


def deleted_if(s3):
    """A DELETE of what has another ETag."""
    s3.client().put("bucket-1", "stays")
    return s3.client().ask("DELETE", "/bucket-1/stays", {"if-match": '"x"'})


def matched(form):
    """A PUT over what has this ETag, in this form."""
    def act(s3):
        etag = s3.client().put("bucket-1", "matched").header("etag")
        return s3.client().put("bucket-1", "matched", b"2", {
            "if-match": form.format(etag.strip('"'))})
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


def bad_range(s3):
    s3.client().put("bucket-1", "a", b"x")
    return s3.client().get("bucket-1", "a", {"range": "bytes=x"})


def raw_token(s3):
    for key in "a", "b":
        s3.client().put("bucket-1", key)
    answer = s3.client().ask(GET, "/bucket-1?list-type=2&max-keys=1")
    expect(b"<NextContinuationToken>a</" in answer.body, "no raw token")
    return answer


def trailer(s3):
    return s3.client().put("bucket-1", "t", b"0\r\n\r\n", {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "0"},
        payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")


def full_checksum(s3):
    return s3.client().ask("POST", "/bucket-1/a?uploads", {
        "x-amz-checksum-type": "FULL_OBJECT",
        "x-amz-checksum-algorithm": "CRC32"})
