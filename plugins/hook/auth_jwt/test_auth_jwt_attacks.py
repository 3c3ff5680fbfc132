#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""auth_jwt under attack: tokens of somebody who knows the public keys and all
that is public of the issuer, but no private key.  Nothing is let through, and
nothing is asked of an address that a token names."""
import atexit
import hmac
import json
import time

from jwtkit import AUDIENCE, ISSUER, Guarded, Issuer, Key, b64, claims, \
    joined, jwks, token
from kit import each, equal, expect, main, test

RS, ES, ED = Key.new("RS256", "r"), Key.new("ES256", "e"), \
    Key.new("EdDSA", "d")
SECOND = Key.new("ES256", "e2")  # good, and known too
MINE = Key.new("ES256", "e")     # the attacker's, of a name that is known
MINE_RS, MINE_ED = Key.new("RS256", "r"), Key.new("EdDSA", "d")
PAST = int(time.time()) - 3600
SOON = int(time.time()) + 3600
P384, P521 = Key.new("ES384", "e384"), Key.new("ES512", "e521")
PINNED = Key.new("RS256", "pinned")  # good for RS256 only
SET = jwks(RS, ES, ED, SECOND, P384, P521, PINNED.jwk(alg="RS256"))
PS = RS.named("PS256")


class World:
    """One gateway for all attacks; its issuer, and a server of the attacker
    that nobody should ever ask."""

    def __init__(self):
        self.issuer, self.trap = Issuer(SET), Issuer(jwks(MINE))
        self.gateway = Guarded(
            jwks=self.issuer.url, refresh="1h", refresh_pause="1h",
            prefixes=["users/{user}/"], operations=["list", "upload"])
        atexit.register(self.close)

    def close(self):
        if self.gateway.process.poll() is None:
            self.gateway.kill()
        self.issuer.close()
        self.trap.close()


WORLDS = []


def world():
    if not WORLDS:
        WORLDS.append(World())
    return WORLDS[0]


def hmac_with(secret):
    return lambda data: hmac.new(secret, data, "sha256").digest()


def unsigned(alg, signature=""):
    head = b64(json.dumps({"alg": alg, "typ": "JWT", "kid": "e"}))
    return f"{head}.{b64(json.dumps(claims()))}.{signature}"


def raw_claims(text):
    """A token of the issuer itself, with these claims as they are; so what is
    wrong is the issuer's mistake, and still nobody is let in."""
    return token(ES, text=text)


GOOD = json.dumps(claims())
SIGNED = token(ES)
START, _, SIGNATURE = SIGNED.rpartition(".")
HEAD, PAYLOAD = START.split(".")


def more(text):
    return GOOD[:-1] + ", " + text + "}"


def last_letter(text):
    """The last letter's other spellings differ in bits that are cut off."""
    letters = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
               "0123456789-_")
    return text[:-1] + letters[letters.index(text[-1]) + 1]


def with_header(**header):
    return token(MINE, header=header)


def trap():
    return world().trap.url


ATTACKS = {
    # no signature
    "alg none": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "alg NONE": lambda: unsigned("NONE"),
    "alg nOnE": lambda: unsigned("nOnE"),
    "alg none with a signature": lambda: unsigned("none", "AAAA"),
    "alg none with the old one": lambda: unsigned("none", SIGNATURE),
    "alg empty": lambda: unsigned("", SIGNATURE),
    "alg null": lambda: unsigned(None, SIGNATURE),
    "alg a list": lambda: unsigned(["ES256", "none"], SIGNATURE),
    "no alg": lambda: token(ES, header={"alg": None}),
    "alg twice": lambda: token(
        ES, head='{"alg":"ES256","kid":"e","alg":"none"}'),
    "alg none in unicode escapes": lambda: token(
        ES, head='{"\\u0061lg":"n\\u006fne","kid":"e"}'),
    "unsecured, as RFC 7519 has it": lambda: "eyJhbGciOiJub25lIn0." + PAYLOAD
                                             + ".",
    # another key, or a public one for a secret
    "signed by somebody": lambda: token(MINE),
    "signed by somebody, RS256": lambda: token(MINE_RS),
    "signed by somebody, EdDSA": lambda: token(MINE_ED),
    "HS256 with the RSA key's PEM": lambda: token(
        RS, header={"alg": "HS256"}, sign=hmac_with(RS.pem)),
    "HS256 with the PEM, trimmed": lambda: token(
        RS, header={"alg": "HS256"}, sign=hmac_with(RS.pem.strip())),
    "HS256 with the modulus": lambda: token(
        RS, header={"alg": "HS256"}, sign=hmac_with(
            RS.jwk()["n"].encode())),
    "HS256 with the JWK": lambda: token(
        RS, header={"alg": "HS256"}, sign=hmac_with(
            json.dumps(RS.jwk()).encode())),
    "HS256 with the key set": lambda: token(
        RS, header={"alg": "HS256"}, sign=hmac_with(SET)),
    "HS256 with an empty secret": lambda: token(
        RS, header={"alg": "HS256"}, sign=hmac_with(b"")),
    "HS256 with EdDSA's x": lambda: token(
        ED, header={"alg": "HS256"}, sign=hmac_with(
            ED.jwk()["x"].encode())),
    "an ES256 key as RS256": lambda: token(ES, header={"alg": "RS256"}),
    "an RSA key as ES256": lambda: token(RS, header={"alg": "ES256"}),
    "RS256 as RS512": lambda: token(RS, header={"alg": "RS512"}),
    "RS256 as PS256": lambda: token(RS, header={"alg": "PS256"}),
    "PS256 as RS256": lambda: token(PS, header={"alg": "RS256"}),
    "PS256 with SHA-512 inside": lambda: token(
        RS.named("PS512"), header={"alg": "PS256"}),
    "PS256 without salt": lambda: token(
        PS, sign=lambda data: PS.pss(data, 0)),
    "PS256 with a longer salt": lambda: token(
        PS, sign=lambda data: PS.pss(data, 33)),
    "RS512 of a key for RS256": lambda: token(PINNED.named("RS512")),
    "PS256 of a key for RS256": lambda: token(PINNED.named("PS256")),
    "RS1": lambda: token(RS, header={"alg": "RS1"}),
    "a P-384 key as ES256": lambda: token(P384, header={"alg": "ES256"}),
    "a P-384 key as ES512": lambda: token(P384, header={"alg": "ES512"}),
    "a P-256 key as ES384": lambda: token(ES, header={"alg": "ES384"}),
    "ES384 of zeros": lambda: token(P384, sign=lambda _: bytes(96)),
    "ES512 of zeros": lambda: token(P521, sign=lambda _: bytes(132)),
    "ES384 in DER": lambda: token(P384, sign=P384.der),
    "ES512 with numbers cut": lambda: token(
        P521, sign=lambda data: P521.sign(data)[1:]),
    "HS512 with the RSA key's PEM": lambda: token(
        RS, header={"alg": "HS512"},
        sign=lambda data: hmac.new(RS.pem, data, "sha512").digest()),
    "ES256K": lambda: token(ES, header={"alg": "ES256K"}),
    "es256 in small letters": lambda: token(ES, header={"alg": "es256"}),
    # kid
    "kid of another key": lambda: token(ES, header={"kid": "e2"}),
    "kid of another type": lambda: token(ES, header={"kid": "r"}),
    "kid unknown": lambda: token(ES, header={"kid": "x"}),
    "kid a path": lambda: token(
        ES, header={"alg": "HS256", "kid": "../../../../dev/null"},
        sign=hmac_with(b"")),
    "kid a file": lambda: token(
        ES, header={"alg": "HS256", "kid": "/etc/hostname"},
        sign=hmac_with(b"")),
    "kid SQL": lambda: token(
        ES, header={"kid": "x' UNION SELECT 'AAAA"}),
    "kid a URL": lambda: with_header(kid=trap()),
    "kid a number": lambda: token(ES, header={"kid": 0}),
    "kid an object": lambda: token(ES, header={"kid": {"e": 1}}),
    "kid with a NUL": lambda: token(ES, header={"kid": "e\0"}),
    "kid long": lambda: token(ES, header={"kid": "e" * 300}),
    "no kid, where several could be": lambda: token(
        ES, header={"kid": None}),
    # keys in the token
    "embedded jwk": lambda: with_header(jwk=MINE.jwk()),
    "embedded jwk, unknown kid": lambda: with_header(
        kid="mine", jwk={**MINE.jwk(), "kid": "mine"}),
    "jku": lambda: with_header(jku=trap()),
    "jku, unknown kid": lambda: with_header(kid="mine", jku=trap()),
    "x5u": lambda: with_header(x5u=trap()),
    "x5c": lambda: with_header(x5c=[b64(MINE.pem)]),
    # signatures
    "ES256 in DER": lambda: token(ES, sign=ES.der),
    "ES256 of zeros": lambda: token(ES, sign=lambda _: bytes(64)),
    "ES256 of r zero": lambda: token(
        ES, sign=lambda data: bytes(32) + ES.sign(data)[32:]),
    "ES256 of the order": lambda: token(ES, sign=lambda _: bytes.fromhex(
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
        * 2)),
    "ES256 cut": lambda: token(ES, sign=lambda data: ES.sign(data)[:-1]),
    "ES256 longer": lambda: token(
        ES, sign=lambda data: ES.sign(data) + b"\0"),
    "EdDSA of zeros": lambda: token(ED, sign=lambda _: bytes(64)),
    "EdDSA longer": lambda: token(
        ED, sign=lambda data: ED.sign(data) + b"\0"),
    "RS256 of zeros": lambda: token(RS, sign=lambda _: bytes(256)),
    "RS256 of one": lambda: token(
        RS, sign=lambda _: bytes(255) + b"\x01"),
    "RS256 longer": lambda: token(
        RS, sign=lambda data: b"\0" + RS.sign(data)),
    "of another token": lambda: START + "." + token(
        ES, claims(sub="bob")).rpartition(".")[2],
    "claims swapped": lambda: HEAD + "." + b64(json.dumps(
        claims(sub="bob"))) + "." + SIGNATURE,
    "header swapped": lambda: b64('{"alg":"ES256","kid":"e"}') + "." +
                              PAYLOAD + "." + SIGNATURE,
    # form
    "truncated": lambda: SIGNED[:-10],
    "without signature": lambda: START + ".",
    "two parts": lambda: START,
    "a dot more": lambda: SIGNED + ".",
    "a dot before": lambda: "." + SIGNED,
    "five parts": lambda: SIGNED + ".AAAA.AAAA",
    "dots only": lambda: "..",
    "padding": lambda: SIGNED + "==",
    "padding within": lambda: HEAD + "=." + PAYLOAD + "." + SIGNATURE,
    "bits left over in the signature": lambda: START + "." +
                                               last_letter(SIGNATURE),
    "plain base64": lambda: START + "." + SIGNATURE[:-2] + "+/",
    "header longer than it may be": lambda: token(
        ES, header={"x": "x" * 2048}),
    "28673 bytes": lambda: "A" * 28000 + ".A." + "A" * 670,
    "payload longer than it may be": lambda: token(
        ES, claims(x="x" * 20480)),
    "whitespace within": lambda: START + " ." + SIGNATURE,
    "tab within": lambda: START + ".\t" + SIGNATURE,
    "comma": lambda: SIGNED + "," + SIGNED,
    "quotes": lambda: f'"{SIGNED}"',
    "a parameter": lambda: SIGNED + "; x=y",
    "percent": lambda: SIGNED.replace(".", "%2E", 1),
    # headers with a meaning
    "crit unknown": lambda: token(ES, header={"crit": ["x"], "x": 1}),
    "crit known": lambda: token(ES, header={"crit": ["exp"], "exp": 1}),
    "crit empty": lambda: token(ES, header={"crit": []}),
    "b64 false": lambda: token(ES, header={"b64": False}),
    "zip": lambda: token(ES, header={"zip": "DEF"}),
    "enc": lambda: token(ES, header={"enc": "A256GCM"}),
    "cty JWT": lambda: token(ES, header={"cty": "JWT"}),
    "nested": lambda: token(ES, text=SIGNED),
    "typ of a logout": lambda: token(ES, header={"typ": "logout+jwt"}),
    "typ no text": lambda: token(ES, header={"typ": ["JWT"]}),
    "header a list": lambda: token(ES, head='["ES256"]'),
    "header followed by more": lambda: token(
        ES, head='{"alg":"ES256","kid":"e"}{}'),
    "header deep": lambda: token(
        ES, head='{"alg":"ES256","kid":"e","x":' + "[" * 8 + "]" * 8 + "}"),
    # claims, as the issuer itself would sign them by mistake
    "iss wrong": lambda: token(ES, claims(iss="https://evil.test")),
    "iss with a slash more": lambda: token(ES, claims(iss=ISSUER + "/")),
    "iss in capitals": lambda: token(ES, claims(iss=ISSUER.upper())),
    "iss a list": lambda: token(ES, claims(iss=[ISSUER])),
    "iss missing": lambda: token(ES, claims(iss=None)),
    "aud wrong": lambda: token(ES, claims(aud="mail")),
    "aud wrong in a list": lambda: token(ES, claims(aud=["mail", "x"])),
    "aud part of it": lambda: token(ES, claims(aud=AUDIENCE[:-1])),
    "aud list as text": lambda: token(ES, claims(aud=f'["{AUDIENCE}"]')),
    "aud in a list in a list": lambda: token(ES, claims(aud=[[AUDIENCE]])),
    "aud an object": lambda: token(ES, claims(aud={AUDIENCE: 1})),
    "aud missing": lambda: token(ES, claims(aud=None)),
    "expired": lambda: token(ES, claims(exp=PAST)),
    "exp missing": lambda: token(ES, claims(exp=None)),
    "exp text": lambda: token(ES, claims(exp=str(SOON))),
    "exp a list": lambda: token(ES, claims(exp=[SOON])),
    "exp true": lambda: token(ES, claims(exp=True)),
    "exp negative": lambda: token(ES, claims(exp=-1)),
    "exp huge": lambda: raw_claims(more('"x":1').replace(
        '"exp": ', '"exp": 99999999999')),
    "exp beyond 64 bits": lambda: token(ES, claims(exp=2 ** 64 + SOON)),
    "exp 1e999": lambda: raw_claims(
        GOOD.replace('"exp": ', '"exp": 1e999, "y": ')),
    "exp 1e300": lambda: token(ES, claims(exp=1e300)),
    "exp in hexadecimal": lambda: raw_claims(
        GOOD.replace('"exp": ', '"exp": 0x')),
    "exp twice": lambda: raw_claims(more(f'"exp": {SOON}')),
    "exp twice, escaped": lambda: raw_claims(more(f'"\\u0065xp": {SOON}')),
    "exp in capitals": lambda: token(ES, {**claims(exp=None), "EXP": SOON}),
    "nbf in the future": lambda: token(ES, claims(nbf=SOON)),
    "nbf text": lambda: token(ES, claims(nbf="0")),
    "iat in the future": lambda: token(ES, claims(iat=SOON)),
    "iat null": lambda: raw_claims(GOOD.replace('"iat": ',
                                                '"iat": null, "y": ')),
    "sub missing": lambda: token(ES, claims(sub=None)),
    "sub empty": lambda: token(ES, claims(sub="")),
    "sub a number": lambda: token(ES, claims(sub=0)),
    "sub twice": lambda: raw_claims(more('"sub": "root"')),
    "sub with a header": lambda: token(ES, claims(sub="a\r\nX-Evil: 1")),
    "sub with a NUL": lambda: token(ES, claims(sub="ann\0")),
    "sub with half a pair": lambda: raw_claims(
        GOOD.replace('"ann"', '"ann\\ud83d"')),
    "iss with a NUL": lambda: token(ES, claims(iss=ISSUER + "\0")),
    "aud with a NUL": lambda: token(ES, claims(aud=AUDIENCE + "\0")),
    "sub named with a NUL": lambda: token(
        ES, {**claims(sub=None), "sub\0": "ann"}),
    "nbf 1e999": lambda: raw_claims(more('"nbf": 1e999')),
    "nbf of 400 digits": lambda: raw_claims(more('"nbf": ' + "9" * 400)),
    "iat -1e999": lambda: raw_claims(GOOD.replace(
        '"iat": ', '"iat": -1e999, "y": ')),
    "a number that is none": lambda: raw_claims(more('"x": 1e999e9')),
    "sub long": lambda: token(ES, claims(sub="a" * 257)),
    "claims a list": lambda: raw_claims(f"[{GOOD}]"),
    "claims followed by more": lambda: raw_claims(GOOD + GOOD),
    "claims deep": lambda: raw_claims(more('"x":' + "[" * 8 + "]" * 8)),
    "claims with a comment": lambda: raw_claims("/**/" + GOOD),
    "claims with a byte order mark": lambda: raw_claims("\ufeff" + GOOD),
    "claims not UTF-8": lambda: HEAD + "." + b64(
        GOOD.encode()[:-1] + b',"x":"\xff"}') + "." + b64(ES.sign(
            (HEAD + "." + b64(GOOD.encode()[:-1] + b',"x":"\xff"}'))
            .encode())),
}


@each(ATTACKS)
def test_attack(make):
    evil = make()
    gateway = world().gateway
    answer = gateway.ask("GET", "/files?prefix=users/ann/",
                         f"Authorization: Bearer {evil}")
    # The gateway itself refuses what can't be a header.
    expect(answer.status in (400, 401), f"it was {answer.status}")
    expect(answer.header("x-evil") is None, "a header came in")
    if answer.status == 401:
        challenge = answer.header("www-authenticate")
        expect('error="invalid_token"' in challenge, f"it says {challenge}")


@test
def test_good_tokens_are_admitted_between_attacks():
    gateway = world().gateway
    for key in (RS, ES, ED, SECOND, PS, P384, P521, PINNED):
        equal(key.alg, gateway.status_of(token(key), "users/ann/"), 200)
    equal("what attacks began with", gateway.status_of(SIGNED, "users/ann/"),
          200)


@test
def test_attacks_upload_nothing():
    gateway = world().gateway
    for name in ("alg none", "HS256 with the RSA key's PEM", "expired"):
        evil = ATTACKS[name]()
        equal(name, gateway.put(evil, "users/ann").status, 401)
    equal("objects", gateway.list_by(token(ES), "users/ann/").json["count"],
          0)


@test
def test_two_tokens_are_refused():
    answer = world().gateway.ask(
        "GET", "/files?prefix=users/ann/", f"Authorization: Bearer {SIGNED}",
        f"Authorization: Bearer {token(MINE)}")
    equal("status", answer.status, 400)


@test
def test_a_token_in_the_query_is_none():
    answer = world().gateway.ask(
        "GET", f"/files?prefix=users/ann/&access_token={SIGNED}")
    equal("status", answer.status, 401)


@test
def test_a_name_in_another_header_is_none():
    answer = world().gateway.ask("GET", "/files?prefix=users/ann/",
                                 "X-User-Id: ann", "X-Forwarded-User: ann")
    equal("status", answer.status, 401)


@test
def test_no_address_of_a_token_was_asked():
    here = world()
    equal("times the attacker's server was asked", here.trap.count, 0)
    equal("times the issuer was asked", here.issuer.count, 1)


@test
def test_the_gateway_is_well_afterwards():
    here = world()
    here.gateway.alive()
    expect(not any(SIGNED in line for line in here.gateway.lines),
           "a token is in the log")
    here.gateway.stop()
    here.close()


if __name__ == "__main__":
    main()
