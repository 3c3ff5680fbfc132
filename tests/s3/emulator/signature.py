# SPDX-License-Identifier: MIT
"""AWS Signature Version 4 from the server's side, written from the API
reference ("Authenticating Requests: Using the Authorization Header" and
"Using Query Parameters").  Everything is computed from the request as it
stood on the wire."""
import calendar
import hashlib
import hmac
import re
import time
from posixpath import normpath
from urllib.parse import quote, unquote_to_bytes

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY = hashlib.sha256(b"").hexdigest()
SKEW = 900
WEEK = 604800


class Malformed(Exception):
    """The claim can't be read."""


def encoded(raw, safe=""):
    """A raw piece of a target: decoded, and encoded as S3 wants it."""
    return quote(unquote_to_bytes(raw.encode("latin-1")),
                 safe=safe + "-_.~")


def canonical_path(raw):
    """S3 encodes once and never normalises."""
    return encoded(raw, "/") or "/"


def canonical_query(raw, without=None):
    pairs = []
    for piece in filter(None, raw.split("&")):
        name, _, value = piece.replace("+", "%20").partition("=")
        if name != without:
            pairs.append((encoded(name), encoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def canonical_headers(request, names):
    return "".join(
        name + ":" + ",".join(re.sub(r"\s+", " ", value.strip())
                              for value in request.values(name)) + "\n"
        for name in names)


def sha256(words):
    return hashlib.sha256(words.encode("latin-1")).hexdigest()


def mac(key, words):
    return hmac.new(key, words.encode("latin-1"), hashlib.sha256).digest()


def signing_key(secret, date, region, service):
    key = mac(b"AWS4" + secret.encode(), date)
    for word in (region, service, "aws4_request"):
        key = mac(key, word)
    return key


def moment(stamp):
    """20130524T000000Z as seconds since 1970; None when it isn't one."""
    if not re.fullmatch(r"\d{8}T\d{6}Z", stamp or ""):
        return None
    try:
        return calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        return None


class Claim:
    """The claim of who has signed what, and the signature."""

    def __init__(self, credential, signed, signature, stamp):
        scope = credential.rsplit("/", 4)
        if len(scope) != 5 or scope[4] != "aws4_request":
            raise Malformed("the Credential is mal-formed; expecting "
                            '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/'
                            'aws4_request".')
        self.access_key, self.date, self.region, self.service = scope[:4]
        self.signed = signed.split(";")
        self.signature, self.stamp = signature, stamp
        self.time = moment(stamp)
        self.payload, self.token, self.expires = None, None, None
        self.key = None
        if self.time is None or not stamp.startswith(self.date):
            raise Malformed("Invalid credential date. This date is not the "
                            "same as X-Amz-Date.")

    @property
    def scope(self):
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    def canonical(self, request, path=None):
        """The canonical request; `path` stands in for the real one when the
        reason of a mismatch is looked for."""
        query = canonical_query(
            request.raw_query,
            "X-Amz-Signature" if self.expires is not None else None)
        return "\n".join([
            request.method,
            canonical_path(request.raw_path) if path is None else path,
            query, canonical_headers(request, self.signed),
            ";".join(self.signed), self.payload])

    def string_to_sign(self, canonical):
        return "\n".join([ALGORITHM, self.stamp, self.scope,
                          sha256(canonical)])

    def sign(self, words):
        return mac(self.key, words).hex()

    def proves(self, request, secret, path=None):
        """Whether whoever made the signature knows `secret`."""
        self.key = signing_key(secret, self.date, self.region, self.service)
        words = self.string_to_sign(self.canonical(request, path))
        return hmac.compare_digest(self.sign(words), self.signature)

    def diagnosis(self, request, secret):
        """A client's deed that would explain a wrong signature."""
        path = canonical_path(request.raw_path)
        tail = "/" if path.endswith("/") and path != "/" else ""
        guesses = {
            "path normalised": normpath("/" + path.lstrip("/")) + tail,
            "path encoded twice": quote(path, safe="/-_.~"),
            "path as on the wire": request.raw_path,
            "path not encoded": unquote_to_bytes(
                request.raw_path.encode("latin-1")).decode("latin-1")}
        for what, guess in guesses.items():
            if guess != path and self.proves(request, secret, guess):
                return what
        return "secret key, headers, query or time differ"


def from_header(request):
    """The claim in Authorization."""
    value = request.header("authorization")
    algorithm, _, rest = value.partition(" ")
    if algorithm != ALGORITHM:
        raise Malformed("The authorization mechanism you have provided is "
                        "not supported. Please use AWS4-HMAC-SHA256.")
    fields = dict(piece.strip().partition("=")[::2]
                  for piece in rest.split(","))
    if set(fields) != {"Credential", "SignedHeaders", "Signature"}:
        raise Malformed("The authorization header is malformed; it needs "
                        "Credential, SignedHeaders and Signature.")
    stamp = request.header("x-amz-date")
    if stamp is None:
        raise Malformed("X-Amz-Date is missing.")
    claim = Claim(fields["Credential"], fields["SignedHeaders"],
                  fields["Signature"], stamp)
    claim.payload = request.header("x-amz-content-sha256")
    claim.token = request.header("x-amz-security-token")
    return claim


def from_query(request):
    """The claim of a presigned URL."""
    query = request.query
    need = ("X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature",
            "X-Amz-Date", "X-Amz-Expires")
    if query.get("X-Amz-Algorithm") != ALGORITHM or \
            any(name not in query for name in need):
        raise Malformed(
            "Query-string authentication version 4 requires the "
            "X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date,"
            " X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
    credential, signed, signature, stamp, expires = (
        query[name] for name in need)
    claim = Claim(credential, signed, signature, stamp)
    if not re.fullmatch(r"\d{1,9}", expires):
        raise Malformed("X-Amz-Expires should be a number")
    claim.expires = int(expires)
    if claim.expires > WEEK:
        raise Malformed("X-Amz-Expires must be less than a week (in "
                        "seconds); that is, the given X-Amz-Expires must be "
                        "less than 604800 seconds")
    claim.payload = request.header("x-amz-content-sha256", UNSIGNED)
    claim.token = query.get("X-Amz-Security-Token")
    return claim
