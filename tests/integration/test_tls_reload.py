#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Certificates that are renewed while the gateway serves."""
import re
import signal
import ssl
from pathlib import Path

from kit import (KIB, MIB, SLOWNESS, equal, eventually, main, md5, request,
                 test)
from tlskit import CURVE, Secure, openssl

DATA = bytes(range(256)) * (64 * KIB)
AGAIN = r"info server\.tls\.certificate: \S+ was read again"
MISFIT = r"error server\.tls\.private_key: .*stays in use"
WORKERS = {"server": {"workers": "3"}}


def shown(gateway):
    """The certificate that a new connection gets, as bytes."""
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with gateway.wire(tls=anybody) as wire:
        return wire.socket.getpeercert(binary_form=True)


def of_file(gateway):
    return ssl.PEM_cert_to_DER_cert(gateway.chain.read_text())


def show_all(gateway, want):
    """Whichever loop takes them, many connections get it."""
    eventually("the certificate on all loops", lambda: all(
        shown(gateway) == want for _ in range(40)))


def hang_up(gateway, pattern):
    after = len(gateway.lines)
    gateway.signal(signal.SIGHUP)
    gateway.says(pattern, after=after)


@test
def test_certificate_is_read_again_at_sighup():
    with Secure(WORKERS, interval="0") as gateway:
        old = of_file(gateway)
        equal("first", shown(gateway), old)
        gateway.certify("new.example")
        equal("before SIGHUP", shown(gateway), old)
        hang_up(gateway, AGAIN)
        show_all(gateway, of_file(gateway))


@test
def test_open_connection_and_its_download_outlive_the_certificate():
    with Secure(WORKERS, interval="0") as gateway:
        key = gateway.upload(DATA)["key"]
        with gateway.wire(buffer=64 * KIB) as wire:
            wire.send(request("GET", f"/files/download?key={key}"))
            equal("status", wire.head().status, 200)
            got = wire.take(MIB)
            gateway.certify("new.example")
            hang_up(gateway, AGAIN)
            show_all(gateway, of_file(gateway))
            got += wire.take(len(DATA) - MIB)
            equal("md5", md5(got), md5(DATA))
            equal("next", wire.ask("GET", "/healthz").status, 200)


@test
def test_key_of_another_certificate_leaves_the_old_pair():
    with Secure(WORKERS, interval="0") as gateway:
        old = of_file(gateway)
        key = gateway.key.read_bytes()
        gateway.certify("new.example")
        good = gateway.key.read_bytes()
        gateway.key.write_bytes(key)
        hang_up(gateway, MISFIT)
        show_all(gateway, old)
        gateway.alive()
        gateway.key.write_bytes(good)
        hang_up(gateway, AGAIN)
        show_all(gateway, of_file(gateway))


@test
def test_file_that_is_gone_leaves_the_old_pair():
    with Secure(WORKERS, interval="0") as gateway:
        old = of_file(gateway)
        gateway.chain.unlink()
        hang_up(gateway, r"error server\.tls\.certificate: cannot use \S+: No "
                r"such file or directory; .*stays in use")
        show_all(gateway, old)


@test
def test_files_that_change_are_noticed_without_a_signal():
    with Secure(WORKERS, interval="100ms") as gateway:
        gateway.certify("new.example")
        gateway.says(AGAIN, 30 * SLOWNESS)
        show_all(gateway, of_file(gateway))


@test
def test_link_that_names_other_files_is_noticed():
    """As certbot does it."""
    with Secure(WORKERS, interval="100ms") as gateway:
        for path in gateway.chain, gateway.key:
            path.rename(f"{path}.1")
            path.symlink_to(f"{path.name}.1")
        gateway.says(AGAIN, 30 * SLOWNESS)
        after = len(gateway.lines)
        made = [Path(f"{path}.2") for path in (gateway.chain, gateway.key)]
        openssl("req", "-x509", *CURVE, "-days", "20", "-subj", "/CN=new",
                "-out", made[0], "-keyout", made[1])
        for path, target in zip((gateway.chain, gateway.key), made):
            fresh = Path(f"{path}.link")
            fresh.symlink_to(target.name)
            fresh.rename(path)
        gateway.says(AGAIN, 30 * SLOWNESS, after)
        show_all(gateway, of_file(gateway))


@test
def test_misfit_that_stays_is_told_once():
    with Secure(WORKERS, interval="100ms") as gateway:
        old = of_file(gateway)
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-out", gateway.key)
        gateway.says(MISFIT, 30 * SLOWNESS)
        for _ in range(20):  # each of them later than some looks
            equal("certificate", shown(gateway), old)
        equal("lines", sum(bool(re.search(MISFIT, line))
                           for line in gateway.lines), 1)


@test
def test_many_reloads_under_load_leave_nothing_behind():
    with Secure(WORKERS, interval="0") as gateway:
        gateway.alive()
        base = gateway.quiet()
        for _ in range(30):
            gateway.signal(signal.SIGHUP)
            gateway.alive()
        hang_up(gateway, AGAIN)
        gateway.settles(base)


if __name__ == "__main__":
    main()
