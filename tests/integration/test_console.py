#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The console as it is on the wire: its files, its page, and where neither
is.  In a browser it is tests/e2e/console.py's."""
import gzip
import re

from kit import SOURCES, Gateway, each, equal, expect, like, main, refusal, \
    test

KIB = 1024
FILES = SOURCES / "core" / "console"


def version(gateway):
    page = gateway.ask("GET", "/console/").body.decode()
    return re.search(r'src="([0-9a-f]{16})/main\.js"', page)[1]


@test
def test_files_are_small_compressed_and_kept_for_good():
    with Gateway() as gateway:
        at, sum_ = version(gateway), 0
        for path in sorted(FILES.glob("*.*")):
            if path.suffix == ".sh" or path.name == "index.html":
                continue
            target = f"/console/{at}/{path.name}"
            packed = gateway.ask("GET", target, "Accept-Encoding: br, gzip")
            plain = gateway.ask("GET", target)
            no = gateway.ask("GET", target, "Accept-Encoding: gzip;q=0.0, *")
            data = path.read_bytes()
            equal(f"{path.name} plain", plain.body, data)
            equal(f"{path.name} packed", gzip.decompress(packed.body), data)
            equal("encoding", (packed.header("content-encoding"),
                               plain.header("content-encoding"),
                               plain.header("vary")),
                  ("gzip", None, "Accept-Encoding"))
            like("cache", packed.header("cache-control"), "immutable")
            expect(packed.header("etag") != plain.header("etag"), "one ETag")
            again = gateway.ask("GET", target, "Accept-Encoding: gzip",
                                f"If-None-Match: {packed.header('etag')}")
            equal("again", (again.status, again.body), (304, b""))
            told = gateway.ask("HEAD", target).header("content-length")
            equal("HEAD", told, str(len(data)))
            expect(no.status == 200, "gzip refused")
            sum_ += len(packed.body)
        sum_ += len(gateway.ask("GET", "/console/").body)
        expect(sum_ <= 120 * KIB, f"{sum_} bytes are more than 120 KiB")
        for wrong in f"/console/{at}/none.js", "/console/0/main.js":
            equal(wrong, gateway.ask("GET", wrong).status, 404)
        equal("POST", gateway.ask("POST", "/console/", body=b"").status, 405)


@test
def test_page_has_a_strict_policy_and_names_the_mounts():
    with Gateway({"routes": [
            {"mount": "/files", "backend": "main"},
            {"mount": "/it's", "backend": "main"}]}) as gateway:
        page = gateway.ask("GET", "/console/")
        policy = page.header("content-security-policy")
        like("policy", policy, "^default-src 'none'; script-src 'self'; ")
        for word in "unsafe", "http:", "https:", " data:", "*":
            expect(word not in policy, f"the policy has {word}")
        like("mounts", page.body.decode(),
             'name="sluice-mounts" content="/files /it&#39;s"')
        expect("style=" not in page.body.decode() and
               not re.search(r"\son\w+=", page.body.decode()) and
               not re.search(r"<script[^>]*>[^<]", page.body.decode()),
               "something is inline")
        again = gateway.ask("GET", "/console/",
                            f"If-None-Match: {page.header('etag')}")
        equal("again", again.status, 304)
        bare = gateway.ask("GET", "/console")
        equal("bare", (bare.status, bare.header("location")),
              (308, "console/"))


@test
def test_console_that_is_off_isnt_there():
    with Gateway({"server": {"console": "off"},
                  "routes": [{"mount": "/console", "backend": "main"}]
                  }) as gateway:
        equal("page", gateway.ask("GET", "/console/").status, 404)
        equal("its place", gateway.ask("GET", "/console").status, 200)
    refusal({"routes": [{"mount": "/console", "backend": "main"}]},
            "/console is the gateway's own")


@each({"issuer without a client":
       ({"console_issuer": "https://id.example"}, "needs 'console_client'"),
       "client without an issuer":
       ({"console_client": "x"}, "add console_issuer"),
       "issuer that is no URL":
       ({"console_issuer": "id.example", "console_client": "x"},
        "'console_issuer': 'id.example': it begins with neither"),
       "issuer that ends the policy's word":
       ({"console_issuer": "https://id.example/;x", "console_client": "x"},
        "has one of"),
       "issuer of 513 bytes":
       ({"console_issuer": "https://id.example/" + "x" * 494,
         "console_client": "x"}, "over 512 bytes"),
       "client of 257 bytes":
       ({"console_issuer": "https://id.example",
         "console_client": "x" * 257}, "over 256 bytes"),
       "client with a space":
       ({"console_issuer": "https://id.example", "console_client": "a b"},
        "'console_client': it has a character"),
       "scope of 513 bytes":
       ({"console_issuer": "https://id.example", "console_client": "x",
         "console_scope": "x" * 513}, "over 512 bytes"),
       "scopes with two spaces":
       ({"console_issuer": "https://id.example", "console_client": "x",
         "console_scope": "openid  email"},
        "'console_scope': it isn't a list"),
       "no scope":
       ({"console_issuer": "https://id.example", "console_client": "x",
         "console_scope": " "}, "'console_scope': it isn't a list")})
def test_bad_issuer_is_refused(case):
    options, why = case
    refusal({"server": options}, why)


@test
def test_longest_issuer_and_client_are_taken():
    issuer = "https://id.example/" + "x" * 493
    with Gateway({"server": {"console_issuer": issuer,
                             "console_client": "c" * 256,
                             "console_scope": "s" * 512}}) as gateway:
        page = gateway.ask("GET", "/console/")
        like("scope", page.body.decode(), f'content="{"s" * 512}"')
        like("issuer", page.body.decode(), f'content="{issuer}"')
        like("policy", page.header("content-security-policy"),
             r"connect-src 'self' https://id\.example;")


@test
def test_tables_of_words_are_whole():
    source = "".join(path.read_text() for path in FILES.glob("*.js"))
    table = (FILES / "words.js").read_text()
    parts = re.split(r"^const (\w\w) = \{$", table, flags=re.M)
    tables = {name: set(re.findall(r"^  '?([\w.]+)'?:", text, re.M))
              for name, text in zip(parts[1::2], parts[2::2])}
    expect(len(tables) > 1, "one language")
    for name, keys in tables.items():
        equal(name, keys ^ tables["en"], set())
    asked = set(re.findall(r"\bt\((?:\w+ \? )?'([\w.]+)'", source))
    equal("words that no table has", {
        key for key in asked - tables["en"] if not key.endswith(".")}, set())


if __name__ == "__main__":
    main()
