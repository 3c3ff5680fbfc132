#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Signing in to the console by OpenID Connect, at an issuer that runs here.
Exits with 77 when no browser is installed."""
import json
import os
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from consolekit import Console, merged
from issuer import CLIENT, Issuer
from kit import MIB, each, equal, eventually, expect, like, main, test
from objectskit import put

BUTTON = "Sign in with your organisation"


@contextmanager
def behind_an_issuer(sections=None):
    with Issuer() as issuer, \
            Console(merged(issuer.sections(), sections or {})) as it:
        yield it, issuer


def store(it, issuer, *names):
    for name in names:
        equal(name, put(it.gateway, name, b"x", "Authorization: Bearer "
                        + issuer.token()).status, 201)


def ended(it, issuer):
    eventually("the token's end", lambda: it.gateway.ask(
        "GET", "/files?prefix=", "Authorization: Bearer "
        + issuer.given[-1]).status == 401)


def kept(it):
    return it.run("JSON.stringify([localStorage.length, "
                  "sessionStorage.length, document.cookie])")


@test
def test_reader_comes_back_signed_in_to_the_same_folder():
    with behind_an_issuer() as (it, issuer):
        store(it, issuer, "a.txt", "dir/b ü.txt")
        it.open("#/dir/")
        it.click(BUTTON)
        it.shows("b ü.txt")
        equal("address", it.run("location.href"), f"{it.url}#/dir/")
        asked, = issuer.visits
        equal("asked", {name: asked[name] for name in
                        ("response_type", "client_id", "redirect_uri",
                         "scope", "code_challenge_method")},
              {"response_type": "code", "client_id": CLIENT,
               "redirect_uri": it.url, "scope": "openid",
               "code_challenge_method": "S256"})
        form, = issuer.grants
        expect(43 <= len(form["code_verifier"]) <= 128, "RFC 7636, 4.1")
        expect("client_secret" not in form, "a public client has none")
        # Nothing is left of it but what is in the page's memory.
        equal("kept", kept(it), '[0,0,""]')
        expect("code=" not in it.run("JSON.stringify(performance."
                                     "getEntriesByType('resource')"
                                     ".map(one => one.name))"),
               "the code went on")
        # Neither "back" nor a reload shows the code again.
        it.browser.reload()
        it.says("This gateway shows files to those it knows.")
        if it.browser.name == "chromium":
            been = it.browser.call("Page.getNavigationHistory")["entries"]
            expect(all("code=" not in one["url"] for one in been),
                   "the code is in the history")
        equal("complaints", it.complaints(), [])


@test
def test_scopes_are_the_configured_ones():
    with behind_an_issuer({"server": {"console_scope": "openid files.all"}}
                          ) as (it, issuer):
        it.open()
        it.click(BUTTON)
        it.says("Nothing here yet")
        equal("scope", issuer.visits[0]["scope"], "openid files.all")


@test
def test_nobody_but_the_issuer_may_be_asked():
    with behind_an_issuer() as (it, issuer):
        policy = it.gateway.ask("GET", "/console/").header(
            "content-security-policy")
        like("policy", policy, rf"connect-src 'self' {issuer.url};")
        it.open()
        equal("somebody else", it.run(
            "fetch('http://127.0.0.1:9/').then(() => 'asked', e => "
            "new Promise(done => setTimeout(done, 50, e.name)))"),
            "TypeError")
        like("refused by", " ".join(it.complaints()), "connect-src")


@test
def test_stay_signed_in_is_for_this_tab():
    with behind_an_issuer() as (it, issuer):
        store(it, issuer, "a.txt")
        it.open()
        it.wait("the question", "field('Stay signed in') && true")
        it.run("field('Stay signed in').click()")
        it.click(BUTTON)
        it.shows("a.txt")
        it.browser.reload()
        it.shows("a.txt")
        equal("visits", len(issuer.visits), 1)
        it.click("Account")
        it.click("Sign out", "[role=menuitem]")
        it.says("This gateway shows files to those it knows.")
        equal("kept", kept(it), '[0,0,""]')
        equal("rows", it.names(), [])


def is_refused(it, words):
    it.says(words)
    expect("code=" not in it.run("location.href"), "the code stays")
    equal("kept", kept(it), '[0,0,""]')
    equal("rows", it.names(), [])


def answers(issuer, **told):
    """Its answers say this besides."""
    real = issuer.answer

    def answer(handler, status, document=None, **headers):
        if "Location" in headers:
            headers["Location"] = re.sub(
                r"(\w+)=[^&]*", lambda found: f"{found[1]}=" + quote(
                    told[found[1]], safe="") if found[1] in told
                else found[0], headers["Location"])
        real(handler, status, document, **headers)
    issuer.answer = answer


@each({"state": {"state": "guessed"}, "issuer": {"iss": "http://evil.test"}})
def test_answer_to_another_question_signs_nobody_in(told):
    with behind_an_issuer() as (it, issuer):
        it.open()
        answers(issuer, **told)
        it.click(BUTTON)
        is_refused(it, "The sign-in service didn’t answer as it should.")
        equal("visits", len(issuer.visits), 1)
        equal("grants", issuer.grants, [])


@test
def test_address_that_somebody_made_up_signs_nobody_in():
    with behind_an_issuer() as (it, issuer):
        it.open(query="?code=stolen&state=guessed")
        is_refused(it, "The sign-in service didn’t answer as it should.")
        equal("grants", issuer.grants, [])


@test
def test_token_of_another_sign_in_signs_nobody_in():
    with behind_an_issuer() as (it, issuer):
        issuer.claims = {"nonce": "of another visit"}
        it.open()
        it.click(BUTTON)
        is_refused(it, "The sign-in service didn’t answer as it should.")
        equal("grants", len(issuer.grants), 1)


@test
def test_refusal_of_the_issuer_is_told():
    with behind_an_issuer() as (it, issuer):
        issuer.refuse = "access_denied"
        it.open()
        it.click(BUTTON)
        is_refused(it, "access_denied")
        issuer.refuse = None
        it.click(BUTTON)
        it.says("Nothing here yet")


@test
def test_issuer_that_is_away_is_told():
    with behind_an_issuer() as (it, issuer):
        it.open()
        it.says(BUTTON)
        issuer.server.shutdown()
        issuer.server.server_close()
        it.click(BUTTON)
        it.says("The sign-in service didn’t answer as it should.")


@test
def test_token_that_ends_is_renewed_unseen():
    with behind_an_issuer() as (it, issuer):
        store(it, issuer, "a.txt", "dir/b.txt")
        issuer.life, issuer.refreshes = 2, True
        it.open()
        it.click(BUTTON)
        it.shows("dir", "a.txt")
        issuer.life = 600
        ended(it, issuer)
        it.click("dir")
        it.shows("b.txt")
        equal("grants", [form["grant_type"] for form in issuer.grants],
              ["authorization_code", "refresh_token"])
        equal("visits", len(issuer.visits), 1)


@test
def test_token_that_the_gateway_never_takes_isn_t_renewed():
    with behind_an_issuer() as (it, issuer):
        issuer.life, issuer.refreshes = -600, True
        it.open()
        it.click(BUTTON)
        it.says("Sign in again")
        equal("grants", [form["grant_type"] for form in issuer.grants],
              ["authorization_code"])


@test
def test_newer_token_that_is_refused_is_the_last_one():
    with behind_an_issuer() as (it, issuer):
        store(it, issuer, "a.txt", "dir/b.txt")
        issuer.life, issuer.refreshes = 2, True
        it.open()
        it.click(BUTTON)
        it.shows("dir", "a.txt")
        issuer.life = -600
        ended(it, issuer)
        it.click("dir")
        it.says("Sign in again")
        equal("grants", [form["grant_type"] for form in issuer.grants],
              ["authorization_code", "refresh_token"])


@test
def test_sign_in_in_the_middle_leaves_uploads_as_they_are():
    with behind_an_issuer() as (it, issuer):
        path = it.folder / "large.bin"
        path.write_bytes(os.urandom(9 * MIB))
        issuer.life = 2
        it.open("#/in/")
        it.click(BUTTON)
        it.says("Nothing here yet")
        ended(it, issuer)
        issuer.life = 600
        it.run("window.same = true")
        it.upload(path)
        it.says("Sign in again")
        # As a person's click, without which no window opens.
        it.browser.run(f"named('button', {json.dumps(BUTTON)}).click()",
                       gesture=True)
        it.says("1 file uploaded", 30)
        expect(it.run("same"), "the page was left")
        equal("visits", len(issuer.visits), 2)
        stored = it.gateway.ask(
            "GET", f"/files/object?key={quote('in/large.bin')}",
            f"Authorization: Bearer {issuer.token()}")
        expect(stored.body == path.read_bytes(), "other bytes")
        eventually("the other window's end",
                   lambda: len(it.browser.pages()) == 1)


@test
def test_sign_in_that_was_given_up_opens_no_window():
    with behind_an_issuer() as (it, issuer):
        issuer.life = 2
        it.open()
        it.click(BUTTON)
        it.says("Nothing here yet")
        ended(it, issuer)
        real, asked, go_on = issuer.get, Event(), Event()

        def get(handler):
            asked.set()
            go_on.wait(60)
            real(handler)
        issuer.get = get
        it.click("Refresh")
        it.says("Sign in again")
        it.browser.run(f"named('button', {json.dumps(BUTTON)}).click()",
                       gesture=True)
        expect(asked.wait(60), "the issuer isn't asked")
        it.click("Cancel")
        it.wait("its end", "!document.querySelector('dialog[open]')")
        go_on.set()
        it.wait("its answer", "performance.getEntriesByType('resource')"
                ".filter(one => one.name.endsWith('openid-configuration'))"
                ".length === 1")
        it.click("Refresh")
        it.says("Sign in again")
        equal("windows", len(it.browser.pages()), 1)
        equal("visits", len(issuer.visits), 1)


if __name__ == "__main__":
    main()
