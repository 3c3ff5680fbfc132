#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""auth_jwt and an issuer's key set: rotation, and an issuer that is slow,
fails, or answers nonsense."""
import json
import signal
import tempfile

from jwtkit import Guarded, Issuer, Key, certificate, jwks, token
from kit import each, equal, eventually, expect, main, test

ONE, TWO = Key.new("ES256", "one"), Key.new("ES256", "two")
OTHER = Key.new("EdDSA", "other")
# Nothing is refreshed while a test runs, but what it asks for.
RARE = {"refresh": "1h", "refresh_pause": "100ms", "keep": "1d"}


class Behind(Guarded):
    """Behind an issuer."""

    def __init__(self, issuer, **more):
        super().__init__(**{"jwks": issuer.url, **RARE, **more})


@test
def test_keys_of_a_url_verify():
    with Issuer(jwks(ONE, OTHER)) as issuer, Behind(issuer) as gateway:
        equal("one", gateway.status_of(token(ONE)), 200)
        equal("other", gateway.status_of(token(OTHER)), 200)
        equal("unknown", gateway.status_of(token(TWO)), 401)
        gateway.says("2 keys from http://")
        gateway.says("without TLS")


@test
def test_keys_come_over_tls_from_whom_the_certificate_names():
    with tempfile.TemporaryDirectory() as folder:
        pem = certificate(folder)
        with Issuer(jwks(ONE), tls=pem) as issuer:
            with Behind(issuer, ca_file=pem) as gateway:
                equal("status", gateway.status_of(token(ONE)), 200)
            with Behind(issuer) as gateway:
                equal("unknown", gateway.status_of(token(ONE)), 503)
                gateway.says("doesn't answer")


@test
def test_the_first_requests_wait_for_the_keys():
    with Issuer(jwks(ONE)) as issuer:
        issuer.hold()
        with Behind(issuer) as gateway, gateway.wire() as wire:
            issuer.asked(1)
            wire.send(b"GET /files?prefix=t HTTP/1.1\r\nHost: x\r\n"
                      b"Authorization: Bearer " + token(ONE).encode() +
                      b"\r\n\r\n")
            gateway.alive()
            issuer.release()
            equal("status", wire.answer().status, 200)
            equal("times it was asked", issuer.count, 1)


@test
def test_an_unknown_kid_asks_at_once_and_waits():
    with Issuer(jwks(ONE)) as issuer, Behind(issuer) as gateway:
        equal("old", gateway.status_of(token(ONE)), 200)
        gateway.says("1 keys")
        issuer.body = jwks(ONE, TWO)
        # The pause since the last question may not be over.
        eventually("the new key",
                   lambda: gateway.status_of(token(TWO)) == 200)
        equal("times it was asked", issuer.count, 2)
        equal("old", gateway.status_of(token(ONE)), 200)


@test
def test_a_key_that_was_withdrawn_ends_remembered_tokens():
    with Issuer(jwks(ONE)) as issuer, Behind(issuer) as gateway:
        old = token(ONE)
        equal("before", gateway.status_of(old), 200)
        equal("before, remembered", gateway.status_of(old), 200)
        issuer.body = jwks(TWO)
        at = len(gateway.lines)
        gateway.signal(signal.SIGHUP)
        gateway.says("1 keys from", after=at)
        equal("after", gateway.status_of(old), 401)
        equal("the new one", gateway.status_of(token(TWO)), 200)


@test
def test_sighup_while_it_asks_makes_it_ask_again():
    """The answer that is on its way may be of before the change."""
    with Issuer(jwks(ONE)) as issuer, \
            Behind(issuer, refresh="1h", refresh_pause="1h") as gateway:
        issuer.asked(1)
        equal("old", gateway.status_of(token(ONE)), 200)
        issuer.hold()
        gateway.signal(signal.SIGHUP)
        issuer.asked(2)
        gateway.signal(signal.SIGHUP)
        for _ in range(20):
            gateway.alive()
        issuer.release()
        issuer.asked(3)


@test
def test_unknown_kids_do_not_make_it_ask_again_and_again():
    with Issuer(jwks(ONE)) as issuer, \
            Behind(issuer, refresh_pause="1h") as gateway:
        for number in range(20):
            evil = token(TWO, header={"kid": f"k{number}"})
            equal("status", gateway.status_of(evil), 401)
        equal("times it was asked", issuer.count, 1)


@test
def test_requests_that_wait_together_ask_once():
    with Issuer(jwks(ONE)) as issuer:
        issuer.hold()
        with Behind(issuer) as gateway:
            wires = [gateway.wire() for _ in range(5)]
            for wire in wires:
                wire.send(b"GET /files?prefix=t HTTP/1.1\r\nHost: x\r\n"
                          b"Authorization: Bearer " + token(ONE).encode() +
                          b"\r\n\r\n")
            gateway.alive()
            issuer.release()
            for wire in wires:
                equal("status", wire.answer().status, 200)
                wire.close()
            equal("times it was asked", issuer.count, 1)


@test
def test_who_leaves_while_waiting_harms_nobody():
    with Issuer(jwks(ONE)) as issuer:
        issuer.hold()
        with Behind(issuer) as gateway:
            issuer.asked(1)
            lines = (b"GET /files?prefix=t HTTP/1.1\r\nHost: x\r\n"
                     b"Authorization: Bearer " + token(ONE).encode() +
                     b"\r\n\r\n")
            stays = gateway.wire()
            stays.send(lines)
            for _ in range(10):
                leaves = gateway.wire()
                leaves.send(lines)
                gateway.alive()
                leaves.reset()
            gateway.alive()
            issuer.release()
            equal("status", stays.answer().status, 200)
            stays.close()


@test
def test_a_stop_while_it_asks_is_clean():
    with Issuer(jwks(ONE)) as issuer:
        issuer.hold()
        with Behind(issuer) as gateway:
            issuer.asked(1)
            gateway.stop()


# ---- an issuer that doesn't work -------------------------------------------

HUGE = jwks(ONE)[:-2] + b"," + b" " * 300000 + b'{"kty":"x"}]}'
BAD = {
    "status 500": (500, jwks(ONE), "answers 500"),
    "status 404": (404, jwks(ONE), "answers 404"),
    "status 204": (204, b"", "answers 204"),
    "redirect": (302, b"", "the address that this leads to"),
    "empty": (200, b"", "no key set"),
    "html": (200, b"<html>", "no key set"),
    "cut": (200, jwks(ONE)[:-5], "no key set"),
    "two sets": (200, jwks(ONE) * 2, "no key set"),
    "twice": (200, b'{"keys":[],' + jwks(ONE)[1:], "no key set"),
    "deep": (200, b'{"keys":' + b"[" * 5000, "no key set"),
    "no keys": (200, b'{"keys":[]}', "no key that can be used"),
    "secrets": (200, jwks(Key.new("HS256", "s")), "a secret"),
    "private": (200, jwks(ONE.jwk(d="AAAA")), "private part"),
    "too many": (200, jwks(*[ONE.jwk(kid=str(i)) for i in range(65)]),
                 "more than 64"),
    "huge": (200, HUGE, "longer than"),
}


@each(BAD)
def test_without_keys_every_token_is_503(case):
    status, body, words = case
    with Issuer(body, status) as issuer:
        if status == 302:
            issuer.headers["Location"] = issuer.url
        with Behind(issuer) as gateway:
            answer = gateway.list_by(token(ONE))
            equal("status", (answer.status, answer.json["code"]),
                  (503, "overloaded"))
            expect(answer.header("retry-after"), "there is no Retry-After")
            gateway.says(f"no keys from.*{words}")
            equal("without a token", gateway.list_by(None).status, 401)
            gateway.alive()


@test
def test_an_issuer_that_comes_up_later_is_found():
    with Issuer(b"", 500) as issuer, Behind(issuer) as gateway:
        equal("before", gateway.status_of(token(ONE)), 503)
        issuer.body, issuer.status = jwks(ONE), 200
        gateway.says("1 keys from")  # it asks by itself
        equal("after", gateway.status_of(token(ONE)), 200)


@test
def test_nobody_there_is_503():
    with Issuer(b"") as issuer:
        url = issuer.url
    with Guarded(jwks=url, **RARE) as gateway:
        equal("status", gateway.status_of(token(ONE)), 503)
        gateway.says("doesn't answer")


@test
def test_a_slow_issuer_is_503_in_time():
    with Issuer(jwks(ONE)) as issuer:
        issuer.hold()
        with Behind(issuer, timeout="200ms") as gateway:
            equal("status", gateway.status_of(token(ONE)), 503)
            gateway.says("doesn't answer")


@each({word: BAD[word] for word in ("status 500", "html", "no keys", "huge")})
def test_old_keys_last_while_the_issuer_fails(case):
    status, body, _ = case
    with Issuer(jwks(ONE)) as issuer, Behind(issuer) as gateway:
        equal("before", gateway.status_of(token(ONE)), 200)
        issuer.status, issuer.body = status, body
        at = len(gateway.lines)
        gateway.signal(signal.SIGHUP)
        gateway.says("the old ones last", after=at)
        equal("after", gateway.status_of(token(ONE)), 200)


@test
def test_old_keys_last_for_a_time_only():
    with Issuer(jwks(ONE)) as issuer, \
            Behind(issuer, refresh="1s", keep="1s") as gateway:
        equal("before", gateway.status_of(token(ONE)), 200)
        issuer.status = 500
        eventually("the end of the keys",
                   lambda: gateway.status_of(token(ONE)) != 200)
        equal("after", gateway.status_of(token(ONE)), 503)
        gateway.says("the last ones are too old|there are no keys")


@test
def test_keys_are_refreshed_in_the_background():
    with Issuer(jwks(ONE)) as issuer, \
            Behind(issuer, refresh="1s", refresh_pause="1s") as gateway:
        issuer.asked(2)
        at = len(gateway.lines)
        issuer.body = jwks(TWO)
        gateway.says("1 keys from", after=at)
        equal("new", gateway.status_of(token(TWO)), 200)


@test
def test_what_others_use_is_skipped():
    keys = [OTHER.jwk(use="enc"), {"kty": "EC", "crv": "P-384"}, 7,
            ONE.jwk(x5c=["MII"]), TWO.jwk(alg="ES256K"),
            TWO.jwk(alg="ES384"), TWO.jwk(kid=7)]
    with Issuer(jwks(*keys)) as issuer, Behind(issuer) as gateway:
        equal("one", gateway.status_of(token(ONE)), 200)
        equal("two", gateway.status_of(token(TWO)), 401)
        gateway.says("6 keys from .* aren't used; the first: key 1 isn't "
                     "used: its use is not sig")


@test
def test_a_token_without_kid_needs_one_key_of_its_alg():
    with Issuer(jwks(ONE, OTHER)) as issuer, Behind(issuer) as gateway:
        equal("one", gateway.status_of(token(ONE, header={"kid": None})), 200)
    with Issuer(jwks(ONE, TWO)) as issuer, Behind(issuer) as gateway:
        equal("two", gateway.status_of(token(ONE, header={"kid": None})), 401)


@test
def test_two_keys_of_one_kid_are_both_tried():
    """As an issuer leaves them that gave its new key the old one's name."""
    old, new = Key.new("ES256", "same"), Key.new("ES256", "same")
    other = Key.new("RS256", "same")
    with Issuer(jwks(old, other, new)) as issuer, Behind(issuer) as gateway:
        for key in (old, new, other):
            equal(key.alg, gateway.status_of(token(key)), 200)
        equal("forged", gateway.status_of(token(Key.new("ES256", "same"))),
              401)


@test
def test_four_keys_of_one_kid_are_tried_and_no_more():
    keys = [Key.new("ES256", "same") for _ in range(5)]
    with Issuer(jwks(*keys)) as issuer, Behind(issuer) as gateway:
        gateway.says("1 keys from .* aren't used; the first: key 5 isn't "
                     "used: four others before it have its kid")
        equal("statuses", [gateway.status_of(token(key)) for key in keys],
              [200, 200, 200, 200, 401])


@test
def test_keys_without_kid_are_tried_for_tokens_without_kid():
    old, new = Key.new("ES256"), Key.new("ES256")
    named = Key.new("ES256", "named")
    with Issuer(jwks(old, new, named)) as issuer, Behind(issuer) as gateway:
        equal("old", gateway.status_of(token(old)), 200)
        equal("new", gateway.status_of(token(new)), 200)
        equal("named", gateway.status_of(token(named)), 200)
        equal("named, unsaid", gateway.status_of(
            token(named, header={"kid": None})), 401)
        equal("unnamed, said", gateway.status_of(
            token(old, header={"kid": "old"})), 401)


@test
def test_two_loops_have_keys_each():
    with Issuer(jwks(ONE)) as issuer, \
            Behind(issuer, sections={"server": {"workers": "2"}}) as gateway:
        issuer.asked(2)
        for _ in range(20):
            equal("status", gateway.status_of(token(ONE)), 200)
        equal("lines", sum("1 keys from" in line for line in gateway.lines),
              1)


# The sets above are what they are meant to be.
expect(len(HUGE) > 262144 and json.loads(HUGE), "HUGE isn't")

if __name__ == "__main__":
    main()
