#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Objects as the console shows them: texts, pictures, PDFs, sound and films;
and that nothing of them runs.  Exits with 77 when no browser is installed."""
import io
import os
import sys
import wave
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from consolekit import Console, guarded, pdf
from kit import equal, expect, like, main, needs, test
from objectskit import put

PDF = "Content-Type: application/pdf"
SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"
onload="parent.hit()"><script>parent.hit()</script></svg>"""
HTML = b"<!doctype html><script>parent.hit()</script><h1>page</h1>"


def store(it, *names, data=b"x"):
    for name in names:
        equal(name, put(it.gateway, name, data).status, 201)


@test
def test_nothing_of_a_file_runs():
    with Console() as it:
        store(it, "a.svg", data=SVG)
        store(it, "b.html", "c.xml", "d", data=HTML)
        for name, shown in (("a.svg", "img"), ("b.html", "pre"),
                            ("c.xml", "pre"), ("d", "pre")):
            it.open(f"#/{name}")
            it.wait(name, f"document.querySelector('.stage {shown}') && true")
            it.run("window.hits = 0; window.hit = () => hits++")
            if shown == "pre":
                it.says("<h1>page</h1>")
            equal(f"{name} ran", it.run("hits"), 0)
        equal("documents", it.run("document.querySelectorAll('iframe, "
                                  "object, embed').length"), 0)


@test
def test_texts_are_shown_in_their_encoding():
    with Console() as it:
        store(it, "latin.txt", data="Größe".encode("latin-1"))
        store(it, "wide.txt", data="\ufeffotчёt".encode("utf-16-le"))
        it.open("#/latin.txt")
        it.says("Größe")
        it.open("#/wide.txt")
        it.says("otчёt")


@test
def test_reader_may_choose_another_encoding():
    with Console() as it:
        store(it, "a.txt", data="отчёт".encode("koi8-r"))
        it.open("#/a.txt")
        it.wait("choice", "document.querySelector('.extra select') && true")
        it.run("{ const choice = document.querySelector('.extra select'); "
               "choice.value = 'koi8-r'; "
               "choice.dispatchEvent(new Event('change')); }")
        it.says("отчёт")


@test
def test_arrows_and_back_walk_through_previews():
    with Console() as it:
        store(it, "a.txt", data=b"first")
        store(it, "b.txt", data=b"second")
        it.open()
        it.click("a.txt", ".name a")
        it.says("first")
        it.key("ArrowRight")
        it.says("second")
        equal("address", it.run("location.hash"), "#/b.txt")
        it.run("history.back()")
        it.wait("closed", "!document.querySelector('dialog[open]')")


@test
def test_film_is_loaded_by_a_link_where_a_token_is_needed():
    with guarded() as (it, key):
        put(it.gateway, "users/ann/a.mp4", b"no film",
            f"Authorization: Bearer {key}")
        it.open("#/users/ann/")
        it.write("Access token", key)
        it.click("Sign in", "[type=submit]")
        it.click("a.mp4", ".name a")
        # It has no film in it, so that the link was followed in vain.
        it.says("This file can’t be shown.")
        asked = it.run("performance.getEntriesByType('resource')"
                       ".map(one => one.name).filter(name => "
                       "name.includes('/files/signed?')).length")
        expect(asked > 0, "no link was followed")
        equal("complaints", it.complaints(), [])


# ---- sound and films --------------------------------------------------------

def sound(seconds):
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(8000)
        made.writeframes(os.urandom(16000 * seconds))
    return file.getvalue()


@test
def test_sound_plays_from_where_its_reader_wants():
    with guarded() as (it, key):
        mine = f"Authorization: Bearer {key}"
        put(it.gateway, "users/ann/a.wav", sound(600), mine)
        it.open("#/users/ann/")
        it.write("Access token", key)
        it.click("Sign in", "[type=submit]")
        it.click("a.wav", ".name a")
        it.wait("its length",
                "document.querySelector('audio')?.duration > 599")
        equal("can be sought", it.run(
            "Math.round(document.querySelector('audio').seekable.end(0))"),
            600)
        it.run("document.querySelector('audio').currentTime = 590")
        it.wait("the place", "(a => !a.seeking && a.currentTime >= 590 && "
                "a.readyState >= 2)(document.querySelector('audio'))")
        equal("complaints", it.complaints(), [])


# ---- PDFs -------------------------------------------------------------------

FRAME = "document.querySelector('.stage iframe')"


def is_in_a_viewer(it, text):
    """The browser's own; what it draws is out of a page's sight."""
    it.wait("frame", f"{FRAME} && true")
    needs(it.run("navigator.pdfViewerEnabled"), "the browser shows no PDF")
    it.browser.shows_pdf(text)


@test
def test_pdf_is_shown_under_the_gateways_sandbox():
    with Console() as it:
        put(it.gateway, "a.pdf", pdf("Hello"), PDF)
        it.open("#/a.pdf")
        is_in_a_viewer(it, "Hello")
        source = it.run(f"{FRAME}.src")
        expect(source.startswith(f"{it.gateway.url}/files/download?"), source)
        answer = it.gateway.ask("GET", source[len(it.gateway.url):])
        equal("policy", answer.header("content-security-policy"), "sandbox")
        equal("in a tab", it.run("[...document.querySelectorAll('.extra a')]"
                                 ".map(a => [a.href, a.rel].join())[0]"),
              f"{source},noopener noreferrer")


@test
def test_pdf_is_shown_by_a_link_where_a_token_is_needed():
    with guarded() as (it, key):
        put(it.gateway, "users/ann/a.pdf", pdf("Hello"), PDF,
            f"Authorization: Bearer {key}")
        it.open("#/users/ann/a.pdf")
        it.write("Access token", key)
        it.click("Sign in", "[type=submit]")
        is_in_a_viewer(it, "Hello")
        expect(it.run(f"{FRAME}.src.includes('/files/signed?')"), "no link")


@test
def test_what_says_it_is_a_page_is_given_to_the_viewer_as_a_pdf():
    with Console() as it:
        put(it.gateway, "a.pdf", HTML, "Content-Type: text/html")
        it.open("#/a.pdf")
        it.run("window.hits = 0; window.hit = () => hits++")
        it.wait("frame", f"{FRAME} && true")
        expect(it.run(f"{FRAME}.src").startswith("blob:"), "as it says")
        equal("type", it.run(f"fetch({FRAME}.src).then(a => a.blob())"
                             ".then(b => b.type, e => 'blocked')"),
              "blocked")
        equal("ran", it.run("hits"), 0)


@test
def test_pdf_that_may_not_be_framed_is_shown_all_the_same():
    with Console({"server": {"headers": {"X-Frame-Options": "DENY"}}}) as it:
        put(it.gateway, "a.pdf", pdf("Hello"), PDF)
        it.open("#/a.pdf")
        is_in_a_viewer(it, "Hello")


@test
def test_browser_without_a_viewer_offers_a_tab():
    with Console() as it:
        put(it.gateway, "a.pdf", pdf("Hello"), PDF)
        it.open()
        it.shows("a.pdf")
        it.run("Object.defineProperty(navigator, 'pdfViewerEnabled', "
               "{value: false})")
        it.click("a.pdf", ".name a")
        it.says("This browser shows no PDF within a page.")
        like("link", it.run("document.querySelector('.stage a').href"),
             "/files/download")
        equal("frames", it.run("document.querySelectorAll('iframe').length"),
              0)


if __name__ == "__main__":
    main()
