#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The hook auth_basic, before a real gateway: passwords, whom they admit, what
guesses cost, and files that change while it runs."""
import base64
import ctypes
import json
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(os.environ.get("srcdir") or
                            Path(__file__).parents[3],
                            "tests", "integration")))
# pylint: disable=wrong-import-position
import guards  # noqa: E402
from kit import (  # noqa: E402
    FORM, PATIENCE, SLOWNESS, SOURCES, Gateway, Wire, among, each, equal,
    eventually, expect, field, file, form, head, like, main, refusal, request,
    run, settings, test, written)

INTERVAL = "20ms"
SALTS = {
    "bcrypt": "$2b$04$abcdefghijklmnopqrstuu",
    "bcrypt 2y": "$2y$04$abcdefghijklmnopqrstuu",
    "bcrypt 2a": "$2a$04$abcdefghijklmnopqrstuu",
    "sha-256": "$5$saltsaltsaltsalt",
    "sha-256 rounds": "$5$rounds=1000$salt",
    "sha-512": "$6$saltsaltsaltsalt",
    "sha-512 rounds": "$6$rounds=1000$salt",
    "yescrypt": "$y$j75$abcdefghijklmnop",
}
WRONG = "The user name or the password is wrong"


def crypted(password, salt="$2b$04$abcdefghijklmnopqrstuu"):
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password.encode(), salt.encode()).decode()


def password_of(user):
    return f"the password of {user}"


def basic(user, password=None):
    pair = f"{user}:{password_of(user) if password is None else password}"
    return ["Authorization: Basic " +
            base64.b64encode(pair.encode()).decode()]


def line(user, password=None, salt=None):
    password = password_of(user) if password is None else password
    return f"{user}:{crypted(password, *([salt] if salt else []))}"


def written_users(folder, *lines):
    path, new = Path(folder, "htpasswd"), Path(folder, "htpasswd.new")
    new.write_text("".join(f"{line}\n" for line in lines))
    new.chmod(0o600)
    new.rename(path)
    return str(path)


class Guarded:
    """A gateway with the hook in front."""

    def __init__(self, *lines, sections=None, **options):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-test-")
        hook = {"plugin": "auth_basic", "interval": INTERVAL,
                "prefixes": ["users/{user}/"],
                "file": written_users(self.folder.name, *lines), **options}
        self.gateway = Gateway({"hooks": [hook], **(sections or {})})

    def __enter__(self):
        return self.gateway

    def __exit__(self, *why):
        try:
            self.gateway.__exit__(*why)
        finally:
            self.folder.cleanup()

    def rewrite(self, *lines):
        written_users(self.folder.name, *lines)


def listed(gateway, user, password=None):
    return gateway.ask("GET", f"/files?prefix=users/{quote(user)}/",
                       *basic(user, password))


def comes_to(gateway, status, user, password=None):
    eventually(f"{user} to get {status}",
               lambda: listed(gateway, user, password).status == status)


# ---- who -------------------------------------------------------------------

@test
def test_each_operation_needs_a_password():
    with Guarded(line("bob")) as gateway:
        for name, asked in guards.requests("users/bob/x").items():
            answer = guards.ask(gateway, [], asked)
            equal(f"status of {name}", answer.status, 401)
            equal("challenge", answer.header("www-authenticate"),
                  'Basic realm="Sluice", charset="UTF-8"')


@each(SALTS)
def test_each_kind_of_hash_is_checked(salt):
    with Guarded(line("bob", salt=salt), line("eve", "x")) as gateway:
        for _ in range(2):  # the second time from memory
            equal("status", listed(gateway, "bob").status, 200)
            for password in ("", "x", password_of("bob") + "x",
                             password_of("bob")[:-1],
                             password_of("bob").upper()):
                answer = listed(gateway, "bob", password)
                equal("refusal", (answer.status, answer.error), (401, WRONG))
                equal("challenge", answer.header("www-authenticate"),
                      'Basic realm="Sluice", charset="UTF-8"')


@test
def test_a_user_who_is_not_there_is_refused_in_the_same_words():
    with Guarded(line("bob")) as gateway:
        answers = []
        for user in ("bob", "eve"):
            answer = gateway.ask("GET", "/files?prefix=users/bob/", guards.ID,
                                 *basic(user, "wrong"))
            answers.append((answer.status, answer.body, [
                h for h in answer.headers if h[0] != "date"]))
        equal("refusal", answers[1], answers[0])


@test
def test_nobody_has_the_password_of_somebody_else():
    """An unknown user is compared with somebody's hash, in vain."""
    with Guarded(line("bob"), failures="0") as gateway:
        for user in ("eve", "Bob", "bob ", "bo", "bobb", "bob\u0301", "*"):
            for _ in range(2):
                answer = gateway.ask("GET", "/files?prefix=users/bob/",
                                     *basic(user, password_of("bob")))
                equal(f"status of {user!r}", answer.status, 401)


@test
def test_an_upload_that_is_refused_is_not_received():
    """Before the body is asked for, also where its key would be refused."""
    with Guarded(line("bob")) as gateway:
        for user, password in (("bob", "x"), ("eve", password_of("bob"))):
            answer = gateway.ask("POST", "/files", FORM, "Content-Length: 99",
                                 "Expect: 100-continue",
                                 *basic(user, password))
            equal(f"status of {user}", answer.status, 401)


@test
def test_an_unknown_user_takes_as_long_as_a_known_one():
    """So much work that the rest doesn't matter."""
    slow = "$6$rounds=200000$salt"
    with Guarded(line("bob", salt=slow), cache_time="0") as gateway:
        def best(user):
            times = []
            for turn in range(4):
                started = time.monotonic()
                equal("status", listed(gateway, user, f"no{turn}").status, 401)
                times.append(time.monotonic() - started)
            return min(times)
        known, unknown = best("bob"), best("eve")
        expect(known > 0.02, f"the hash is no work: {known}")
        expect(known / 4 < unknown < known * 4,
               f"{known:.3f} s and {unknown:.3f} s")


@test
def test_an_empty_file_admits_nobody():
    with Guarded("# nobody") as gateway:
        gateway.says("has no user: nobody is admitted")
        for user in ("bob", "# nobody"):
            equal("status", listed(gateway, user, "").status, 401)


@test
def test_names_and_passwords_are_utf_8():
    with Guarded(line("jürgen müller", "pässwörd €")) as gateway:
        equal("status", listed(gateway, "jürgen müller",
                               "pässwörd €").status, 200)
        latin = base64.b64encode("jürgen müller:pässwörd"
                                 .encode("latin-1")).decode()
        equal("status", gateway.ask("GET", "/files", "Authorization: Basic " +
                                    latin).status, 401)


@test
def test_a_password_may_have_colons():
    with Guarded(line("bob", "a:b:")) as gateway:
        equal("status", listed(gateway, "bob", "a:b:").status, 200)
        equal("status", listed(gateway, "bob", "a:b").status, 401)


@test
def test_a_password_of_the_greatest_length_is_admitted():
    salt = SALTS["sha-256 rounds"]
    with Guarded(line("bob", "x" * 256, salt)) as gateway:
        equal("status", listed(gateway, "bob", "x" * 256).status, 200)
        equal("status", listed(gateway, "bob", "x" * 257).status, 401)
        equal("status", listed(gateway, "bob", "x" * 255).status, 401)


def encoded(pair):
    return base64.b64encode(pair).decode()


FORGED = {
    "no colon": f"Basic {encoded(b'bob')}",
    "no user": f"Basic {encoded(b':')}",
    "nul": f"Basic {encoded(b'bob' + bytes(1) + b':x')}",
    "line": f"Basic {encoded(b'bob' + bytes([10]) + b':x')}",
    "cut base64": f"Basic {encoded(b'bob:the password')[:-2]}",
    "no padding": f"Basic {encoded(b'bob:x').rstrip('=')}",
    "plain": "Basic bob:the password of bob",
    "twice": f"Basic {encoded(encoded(b'bob:x').encode())}",
    "two": f"Basic {encoded(b'bob:x')} {encoded(b'bob:x')}",
    "parameter": 'Basic realm="Sluice"',
    "nothing": "Basic",
    "bearer": f"Bearer {encoded(b'bob:the password of bob')}",
    "no space": f"Basic{encoded(b'bob:the password of bob')}",
    "hash": f"Basic {encoded(('bob:' + crypted('x')).encode())}",
    "huge": f"Basic {'QUFB' * 2000}",
    "empty": "",
}


@each(FORGED)
def test_what_is_no_pair_is_401(value):
    with Guarded(line("bob")) as gateway:
        answer = gateway.ask("GET", "/files?prefix=users/bob/",
                             f"Authorization: {value}")
        equal("status", answer.status, 401)
        like("challenge", answer.header("www-authenticate"), "^Basic realm=")


@test
def test_two_authorizations_are_refused():
    with Guarded(line("bob")) as gateway:
        equal("status", gateway.ask("GET", "/files?prefix=users/bob/",
                                    *basic("bob"), *basic("bob")).status, 400)


@test
def test_who_uploaded_is_the_user():
    with Guarded(line("bob")) as gateway:
        lines = [*basic("bob"), "X-User-Id: alice"]
        key = guards.upload(gateway, lines, "users/bob").json["key"]
        equal("uploaded-by", guards.uploaded_by(gateway, key), "bob")


@test
def test_no_password_is_logged():
    with Guarded(line("bob"), sections={"server": {"log_level": "debug"}}) \
            as gateway:
        listed(gateway, "bob")
        listed(gateway, "bob", "hunter2")
        for said in gateway.lines:
            for word in ("hunter2", password_of("bob"), "$2b$",
                         basic("bob")[0][-20:]):
                expect(word not in said, f"{word!r} was logged")


# ---- what, and how far -----------------------------------------------------

@each({name: name for name in guards.requests("users/x/y")})
def test_one_operation_does_not_permit_another(permitted):
    with Guarded(line("bob"), operations=[permitted]) as gateway:
        for name, asked in guards.requests("users/bob/x").items():
            status = guards.ask(gateway, basic("bob"), asked).status
            if name == permitted:
                among(f"status of {name}", status, (200, 201, 404))
            else:
                equal(f"status of {name}", status, 403)
            equal(f"status of {name} with a wrong password", guards.ask(
                gateway, basic("bob", "x"), asked).status, 401)


@test
def test_a_user_is_confined_to_their_prefix():
    with Guarded(line("bob"), line("alice")) as gateway:
        guards.is_confined(gateway, basic("bob"), basic("alice"))


@test
def test_a_refusal_does_not_tell_whether_an_object_exists():
    with Guarded(line("bob"), line("alice")) as gateway:
        key = guards.upload(gateway, basic("alice"), "users/alice").json["key"]
        absent = key[:-5] + "z.txt"
        for lines in ([], basic("bob"), basic("nobody"), basic("alice", "x")):
            guards.says_nothing_of_objects(gateway, lines, key, absent)


@each({"..": "..", ".": ".", "slash": "bob/x", "climb": "../bob"})
def test_a_name_that_climbs_reaches_nothing(user):
    with Guarded(line(user)) as gateway:
        for prefix in (f"users/{user}/", "users/", "users//", "users/bob/",
                       "users/bob/x/", "bob/"):
            answer = gateway.ask("GET", f"/files?prefix={prefix}",
                                 *basic(user))
            among(f"status of {prefix}", answer.status, (400, 403))


# ---- guesses ---------------------------------------------------------------

@test
def test_more_guesses_than_the_queue_holds_are_503():
    """On one connection each, sent before any is checked."""
    slow, size = "$6$rounds=300000$salt", 3
    with Guarded(line("bob", salt=slow), queue=str(size), cache_time="0",
                 sections={"server": {"workers": "1"}}) as gateway:
        wires = [Wire(gateway.url) for _ in range(size + 3)]
        for turn, wire in enumerate(wires):
            wire.send(request("GET", "/files?prefix=users/bob/",
                              *basic("bob", f"guess {turn}")))
        answers = [wire.answer() for wire in wires]
        for wire in wires:
            wire.close()
        busy = [answer for answer in answers if answer.status == 503]
        equal("statuses", {answer.status for answer in answers}, {401, 503})
        expect(1 <= len(busy) <= 3, f"{len(busy)} of them were refused")
        like("Retry-After", busy[0].header("retry-after"), r"^\d+$")
        equal("header", busy[0].header("www-authenticate"), None)
        equal("status afterwards", listed(gateway, "bob").status, 200)


@test
def test_guesses_do_not_hold_up_who_is_known():
    slow = "$6$rounds=300000$salt"
    with Guarded(line("bob", salt=slow), line("eve"), queue="4",
                 sections={"server": {"workers": "1"}}) as gateway:
        equal("status", listed(gateway, "bob").status, 200)
        wires = [Wire(gateway.url) for _ in range(4)]
        for turn, wire in enumerate(wires):
            wire.send(request("GET", "/files", *basic("x", f"guess {turn}")))
        key = guards.upload(gateway, basic("bob"), "users/bob").json["key"]
        equal("status", gateway.ask("GET", "/files/download?key=" + key,
                                    *basic("bob")).status, 200)
        for wire in wires:
            equal("status of a guess", wire.answer().status, 401)
            wire.close()


@test
def test_the_same_question_is_asked_once():
    """Many at once fit a queue of one, as they are the same."""
    slow = "$6$rounds=300000$salt"
    with Guarded(line("bob", salt=slow), queue="1",
                 sections={"server": {"workers": "1"}}) as gateway:
        wires = [Wire(gateway.url) for _ in range(20)]
        for wire in wires:
            wire.send(request("GET", "/files?prefix=users/bob/",
                              *basic("bob")))
        for wire in wires:
            equal("status", wire.answer().status, 200)
            wire.close()


@test
def test_who_leaves_while_waiting_harms_nobody():
    slow = "$6$rounds=300000$salt"
    with Guarded(line("bob", salt=slow), cache_time="0",
                 sections={"server": {"workers": "1"}}) as gateway:
        for turn in range(8):
            wire = Wire(gateway.url)
            wire.send(request("GET", "/files?prefix=users/bob/",
                              *basic("bob", f"{turn}")))
            wire.reset()
        equal("status", listed(gateway, "bob").status, 200)


@test
def test_the_gateway_ends_while_passwords_wait():
    slow = "$6$rounds=300000$salt"
    with Guarded(line("bob", salt=slow), cache_time="0") as gateway:
        wires = [Wire(gateway.url) for _ in range(6)]
        for turn, wire in enumerate(wires):
            wire.send(request("GET", "/files", *basic("bob", f"{turn}")))
        gateway.alive()
        gateway.stop()
        for wire in wires:
            wire.close()


@each({"5m": ("5m", 200), "0": ("0", 503)})
def test_only_what_is_remembered_is_not_checked_again(case):
    """While the only place in the queue is taken."""
    cache_time, status = case
    slow = "$6$rounds=1000000$salt"
    with Guarded(line("bob"), line("eve", salt=slow), queue="1",
                 cache_time=cache_time,
                 sections={"server": {"workers": "1"}}) as gateway:
        equal("status", listed(gateway, "bob").status, 200)
        with Wire(gateway.url) as wire:
            wire.send(request("GET", "/files", *basic("eve", "a guess")))
            gateway.alive()  # the loop has seen it
            equal("status", listed(gateway, "bob").status, status)
            equal("status of the guess", wire.answer().status, 401)


@test
def test_what_was_wrong_is_remembered_too():
    slow = "$6$rounds=1000000$salt"
    with Guarded(line("bob"), line("eve", salt=slow), queue="1",
                 sections={"server": {"workers": "1"}}) as gateway:
        equal("status", listed(gateway, "bob", "x").status, 401)
        with Wire(gateway.url) as wire:
            wire.send(request("GET", "/files", *basic("eve", "a guess")))
            gateway.alive()
            equal("status", listed(gateway, "bob", "x").status, 401)
            equal("status of another", listed(gateway, "bob", "y").status,
                  503)
            equal("status of the guess", wire.answer().status, 401)


# ---- guesses of one client, and everybody else -----------------------------

COSTLY = "$2y$12$abcdefghijklmnopqrstuu"  # some 0.2 s on one core
GUESSER, OTHER = "127.0.0.2", "127.0.0.3"


class Guesses:
    """Wrong passwords from one address, so many a second, until it is left.
    Each comes on a connection of its own, so that all loops get some."""

    def __init__(self, url, rate):
        self.url, self.pause, self.statuses = url, 1 / rate, []
        self.over, self.threads = threading.Event(), []
        self.waits = []
        self.starter = threading.Thread(target=self._start, daemon=True)

    def _start(self):
        turn = 0
        while not self.over.wait(self.pause):
            thread = threading.Thread(target=self._guess, args=(turn,),
                                      daemon=True)
            thread.start()
            self.threads.append(thread)
            turn += 1

    def _guess(self, turn):
        answer = asked(self.url, "bob", f"guess {turn}", GUESSER)
        self.statuses.append(answer.status)
        if answer.status == 429:
            self.waits.append(answer.header("retry-after"))

    def __enter__(self):
        self.starter.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in [self.starter, *self.threads]:
            thread.join()


def asked(url, user, password, source, *lines):
    """A list, on a connection of its own from an address."""
    with Wire(url, source=source, timeout=10 * PATIENCE) as wire:
        wire.send(request("GET", f"/files?prefix=users/{user}/",
                          *basic(user, password), *lines))
        return wire.answer()


def login_time(gateway, user):
    """The time of a right password that isn't remembered."""
    started = time.monotonic()
    answer = asked(gateway.url, user, password_of(user), OTHER)
    equal(f"status of {user}", answer.status, 200)
    return time.monotonic() - started


@test
def test_guesses_of_one_client_do_not_hold_up_another():
    """Twenty wrong passwords a second; right ones take their own hash, and
    what is left of the one at work."""
    users = [f"user{number}" for number in range(9)]
    with Guarded(line("bob", salt=COSTLY),
                 *(line(user, salt=COSTLY) for user in users)) as gateway:
        alone = min(login_time(gateway, user) for user in users[:3])
        with Guesses(gateway.url, 20) as guesses:
            eventually("guesses to be many",
                       lambda: len(guesses.threads) >= 20)
            times = [login_time(gateway, user) for user in users[3:]]
        slow = [took for took in times if took > 4 * alone + SLOWNESS]
        expect(not slow, f"alone it took {alone:.2f} s, beside guesses " +
               ", ".join(f"{took:.2f}" for took in times))
        expect(429 in guesses.statuses, f"{guesses.statuses}")
        for wait in guesses.waits:
            like("Retry-After", wait, r"^\d+$")


PROXY = {"server": {"trusted_proxies": ["127.0.0.1"]}}


def guess(gateway, client, turn, user="bob"):
    """The answer to a wrong password that nobody tried before."""
    return asked(gateway.url, user, f"guess {turn}", None,
                 f"X-Forwarded-For: {client}")


@test
def test_a_client_may_fail_so_often_and_not_once_more():
    with Guarded(line("bob"), failures="3", failure_time="1h",
                 sections=PROXY) as gateway:
        for turn in range(3):
            equal("status", guess(gateway, "192.0.2.1", turn).status, 401)
        answer = guess(gateway, "192.0.2.1", 3)
        equal("status", answer.status, 429)
        equal("code", answer.json["code"], "rate_limited")
        among("Retry-After", answer.header("retry-after"),
              ("1200", "1199", "1198"))
        equal("challenge", answer.header("www-authenticate"), None)
        equal("a right one", asked(gateway.url, "bob", password_of("bob"),
                                   None, "X-Forwarded-For: 192.0.2.1").status,
              429)
        equal("elsewhere", guess(gateway, "192.0.2.2", 4).status, 401)


@test
def test_a_wrong_password_that_comes_again_counts_once():
    with Guarded(line("bob"), failures="2", failure_time="1h",
                 sections={"server": {"workers": "1"}}) as gateway:
        for _ in range(9):
            equal("status", listed(gateway, "bob", "old").status, 401)
        equal("status", listed(gateway, "bob").status, 200)


@test
def test_a_client_that_waited_is_heard_again():
    with Guarded(line("bob"), failures="1", failure_time="1s") as gateway:
        equal("status", listed(gateway, "bob", "x").status, 401)
        equal("status", listed(gateway, "bob").status, 429)
        comes_to(gateway, 200, "bob")


@test
def test_an_ipv6_network_is_one_client():
    with Guarded(line("bob"), failures="1", failure_time="1h",
                 sections=PROXY) as gateway:
        equal("status", guess(gateway, "2001:db8::1", 0).status, 401)
        equal("status", guess(gateway, "2001:db8::ffff:2", 1).status, 429)
        equal("status", guess(gateway, "2001:db8:0:1::1", 2).status, 401)


@test
def test_a_user_who_was_admitted_counts_apart_from_neighbours():
    """Behind one address, on all loops; and guesses at the user's own
    password are counted, though it is remembered."""
    with Guarded(line("bob"), line("eve"), failures="4", failure_time="1h",
                 sections={"server": {"workers": "4"}}) as gateway:
        equal("status", listed(gateway, "bob").status, 200)
        for turn in range(5):
            status = 401 if turn < 4 else 429
            equal("guess at eve's", listed(gateway, "eve", f"{turn}").status,
                  status)
        for _ in range(16):
            equal("bob", listed(gateway, "bob").status, 200)
        for turn in range(5):
            status = 401 if turn < 4 else 429
            equal("guess at bob's", listed(gateway, "bob", f"{turn}").status,
                  status)
        equal("bob", listed(gateway, "bob").status, 429)


@test
def test_failures_may_be_left_uncounted():
    with Guarded(line("bob"), failures="0") as gateway:
        for turn in range(40):
            equal("status", listed(gateway, "bob", f"{turn}").status, 401)
        equal("status", listed(gateway, "bob").status, 200)


# ---- files that change -----------------------------------------------------

@test
def test_a_changed_file_is_read_while_it_runs():
    guarded = Guarded(line("bob"), cache_time="1h")
    with guarded as gateway:
        equal("status", listed(gateway, "bob").status, 200)
        equal("status", listed(gateway, "bob", "new").status, 401)
        guarded.rewrite(line("bob", "new"), line("eve"))
        comes_to(gateway, 200, "bob", "new")
        comes_to(gateway, 401, "bob")
        comes_to(gateway, 200, "eve")
        guarded.rewrite(line("eve"))
        comes_to(gateway, 401, "bob", "new")


@test
def test_sighup_reads_the_file():
    guarded = Guarded(line("bob"), interval="0", cache_time="1h")
    with guarded as gateway:
        equal("status", listed(gateway, "bob").status, 200)
        guarded.rewrite(line("eve"))
        gateway.signal(signal.SIGHUP)
        comes_to(gateway, 200, "eve")
        comes_to(gateway, 401, "bob")


@each({"plain text": "bob:secret", "no colon": "bob", "binary":
       "bob:\0", "mark": f"\ufeffbob:{crypted('a')}",
       "blank": f" bob:{crypted('a')}", "CR LF": f"bob:{crypted('a')}\r",
       "twice": f"bob:{crypted('a')}\nbob:{crypted('b')}"})
def test_a_broken_file_leaves_the_users_as_they_were(text):
    guarded = Guarded(line("bob"))
    with guarded as gateway:
        guarded.rewrite(text)
        said = gateway.says(r"error \[auth_basic\] .*htpasswd:\d+: .*stays in")
        expect("secret" not in said, "the password was logged")
        equal("status", listed(gateway, "bob").status, 200)
        guarded.rewrite(line("eve"))
        comes_to(gateway, 200, "eve")
        equal("times it was said", gateway.lines.count(said), 1)


@each({"who is removed": [line("eve")],
       "who has a new password": [line("bob", "new"), line("eve")]})
def test_during_an_upload_nothing_is_stored_of(lines):
    guarded = Guarded(line("bob"), line("eve"),
                      sections={"server": {"workers": "1"}})
    with guarded as gateway, Wire(gateway.url) as wire:
        body = form(field("prefix", "users/bob"), file(b"x" * 5000))
        wire.send(head("POST", "/files", FORM, *basic("bob"),
                       "Expect: 100-continue",
                       f"Content-Length: {len(body)}"))
        equal("interim", wire.head().status, 100)  # it was admitted
        guarded.rewrite(*lines)
        comes_to(gateway, 401, "bob")
        wire.send(body)
        equal("status", wire.answer().status, 401)
        guarded.rewrite(line("bob"))
        comes_to(gateway, 200, "bob")
        equal("objects", listed(gateway, "bob").json["objects"], [])


# ---- starting --------------------------------------------------------------

REFUSED = {
    "plain text": ("secret", "plain text"),
    "md5": ("$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", "MD5"),
    "crypt md5": ("$1$salt$qJH7.N4xYta3aEG/dfqo/0", "MD5"),
    "sha-1": ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1"),
    "des": ("rqXexS6ZhobKA", "DES"),
    "bcrypt 2x": ("$2x$05$" + "a" * 53, "this kind"),
    "scrypt": ("$7$CU..../....salt$hash", "this kind"),
    "dear bcrypt": ("$2b$16$" + "a" * 53, "too long to check"),
    "dear sha": ("$6$rounds=1000001$salt$" + "a" * 86, "too long to check"),
    "cut": (crypted("x")[:-1], "is cut"),
    "longer": (crypted("x") + "x", "is cut"),
    "nothing": ("", "no hash after the colon"),
    "more": (crypted("x") + ":comment", "is cut"),
}


@each(REFUSED)
def test_a_hash_that_is_not_good_enough_stops_the_start(case):
    value, words = case
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        path = written_users(folder, "# users", line("eve"), f"bob:{value}")
        said = refusal({"hooks": [{"plugin": "auth_basic", "file": path,
                                   "prefixes": [""]}]}, r"htpasswd:3: ",
                       words, "htpasswd -B")
        expect(len(value) < 6 or value not in said, "it was shown")


@each({"realm": {"realm": "\n"}, "operations": {"operations": ["move"]},
       "prefixes": {"prefixes": ["users/{user}"]}, "queue": {"queue": "0"},
       "failures": {"failures": "1001"}, "failure_time":
       {"failure_time": "999ms"},
       "cache_time": {"cache_time": "25h"}, "interval": {"interval": "25h"},
       "needs 'prefixes'": {"prefixes": None}})
def test_options_out_of_range_are_refused(options):
    words = {"prefixes": "prefixes"}
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        hook = {"plugin": "auth_basic", "prefixes": [""],
                "file": written_users(folder, line("bob")), **options}
        hook = {key: value for key, value in hook.items()
                if value is not None}
        word = next(iter(options))
        refusal({"hooks": [hook]}, words.get(word, word))


@test
def test_a_file_that_others_may_read_is_warned_about():
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        path = Path(written_users(folder, line("bob")))
        path.chmod(0o644)
        with Gateway({"hooks": [{"plugin": "auth_basic", "file": str(path),
                                 "prefixes": [""]}]}) as gateway:
            gateway.says("can be read or written by any user")


@test
def test_the_example_is_accepted_with_its_users():
    folder = Path(SOURCES, "plugins", "hook", "auth_basic")
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as scratch:
        text = Path(folder, "auth_basic.yaml").read_text()
        text = text.replace("file: htpasswd", f"file: {folder / 'htpasswd'}")
        plugins = json.dumps(settings(scratch)["plugin_path"])
        path = written(scratch, f"plugin_path: {plugins}\n{text}")
        equal("sluice -t", run("-c", path, "-t")[0], 0)
        with Gateway(folder=scratch, sections={"hooks": [
                {"plugin": "auth_basic", "file": str(folder / "htpasswd"),
                 "prefixes": ["public/"]}]}) as gateway:
            answer = gateway.ask("GET", "/files?prefix=public/",
                                 *basic("reader", "from the manual"))
            equal("the manual's password", answer.status, 200)


main()
