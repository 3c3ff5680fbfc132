#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""This is what the gateway agrees to in a handshake of TLS, with clients of
several kinds."""
import ssl

from kit import each, equal, expect, like, main, refusal, test
from tlskit import Secure

INTERMEDIATE = ["ECDHE-ECDSA-AES128-GCM-SHA256",
                "ECDHE-ECDSA-AES256-GCM-SHA384",
                "ECDHE-ECDSA-CHACHA20-POLY1305"]
REFUSED = r"(?i)handshake failure|alert"


@each({name: name for name in INTERMEDIATE})
def test_cipher_of_mozillas_is_spoken(name):
    with Secure() as gateway:
        like("handshake", gateway.handshake("-tls1_2", "-cipher", name),
             rf"Cipher is {name}\b")


@each({name: name for name in (
    "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384",
    "ECDHE-ECDSA-AES128-CCM", "AECDH-AES256-SHA")})
def test_cipher_that_mozilla_leaves_out_is_refused(name):
    with Secure() as gateway:
        said = gateway.handshake("-tls1_2", "-cipher", f"{name}:@SECLEVEL=0")
        like("handshake", said, r"Cipher is \(NONE\)")
        like("alert", said, REFUSED)
        gateway.alive()


@test
def test_client_chooses_among_the_ciphers():
    with Secure() as gateway:
        for name in INTERMEDIATE:
            others = [other for other in INTERMEDIATE if other != name]
            like("handshake", gateway.handshake(
                "-tls1_2", "-cipher", ":".join([name, *others])),
                rf"Cipher is {name}\b")


@each({"X25519": "X25519", "P-256": "P-256", "P-384": "P-384"})
def test_curve_of_mozillas_is_spoken(name):
    with Secure() as gateway:
        like("handshake", gateway.handshake("-groups", name),
             r"Cipher is TLS_")


@test
def test_other_curve_is_refused():
    with Secure() as gateway:
        like("handshake", gateway.handshake("-groups", "P-521"), REFUSED)


@test
def test_configured_cipher_is_the_only_one():
    with Secure(ciphers=INTERMEDIATE[1]) as gateway:
        like("handshake", gateway.handshake("-tls1_2"),
             rf"Cipher is {INTERMEDIATE[1]}\b")
        like("handshake", gateway.handshake(
            "-tls1_2", "-cipher", INTERMEDIATE[0]), REFUSED)
        like("newest version", gateway.handshake("-tls1_3"), "Cipher is TLS_")


@test
def test_only_tls_1_3_is_spoken_where_it_is_configured():
    with Secure(min_version="1.3") as gateway:
        with gateway.wire() as wire:
            equal("version", wire.socket.version(), "TLSv1.3")
        gateway.trust.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            gateway.wire().close()
        except (ssl.SSLError, ConnectionResetError) as error:
            like("error", str(error), "(?i)alert|version|reset|EOF")
            return
        expect(False, "TLS 1.2 was accepted")


@test
def test_renegotiation_is_refused():
    with Secure() as gateway:
        # "R" alone in a line asks for one.
        like("renegotiation", gateway.handshake("-tls1_2", data=b"R\n"),
             "(?i)no renegotiation")


@each({"both": ("h2,http/1.1", "http/1.1"), "1.1": ("http/1.1", "http/1.1"),
       "1.0": ("h2,http/1.0", "http/1.0"),
       "order": ("http/1.0,http/1.1", "http/1.1")})
def test_protocol_is_answered(row):
    offered, chosen = row
    with Secure() as gateway:
        like("handshake", gateway.handshake("-alpn", offered),
             rf"ALPN protocol: {chosen}\n")


@test
def test_client_that_names_no_protocol_is_served():
    with Secure() as gateway:
        like("handshake", gateway.handshake(), "No ALPN negotiated")
        gateway.alive()


@each({"1.2": "-tls1_2", "1.3": "-tls1_3"})
def test_client_that_speaks_http_2_alone_is_told_so(version):
    with Secure() as gateway:
        like("handshake", gateway.handshake(version, "-alpn", "h2"),
             "(?i)no application protocol")
        gateway.alive()


@test
def test_cipher_that_is_none_is_refused_with_the_nearest():
    refusal({"server": {"tls": {
        "certificate": "/c", "private_key": "/k",
        "ciphers": "ECDHE-RSA-AES128-GCM-SHA265"}}},
        r"server\.tls\.ciphers: 'ECDHE-RSA-AES128-GCM-SHA265' is not known",
        "did you mean 'ECDHE-RSA-AES128-GCM-SHA256'")


if __name__ == "__main__":
    main()
