#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The console's acts: share, rename, move, copy, delete, download; and
every view before axe-core, whose file SLUICE_AXE names.  Exits with 77 when no
browser is installed."""
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from consolekit import Console, guarded, pdf
from kit import equal, eventually, expect, main, needs, test
from objectskit import crowd, put

def keys(it):
    return [one["key"] for one in it.gateway.ask(
        "GET", "/files?prefix=&limit=1000").json["objects"]]


def store(it, *names, data=b"x"):
    for name in names:
        equal(name, put(it.gateway, name, data).status, 201)


# ---- share ------------------------------------------------------------------

@test
def test_link_is_made_scanned_and_revoked():
    needs(shutil.which("zbarimg"), "no zbarimg")
    with Console() as it:
        store(it, "a.txt", data=b"shared")
        it.open()
        it.menu("a.txt", "Share…")
        it.write("Number of downloads", "2")
        it.click("Make link", "[type=submit]")
        it.says("It works 2 times.")
        link = it.run("document.querySelector('.link').value")
        shot = it.folder / "code.png"
        it.picture(shot)
        seen = subprocess.run(["zbarimg", "-q", "--raw", shot], check=True,
                              stdout=subprocess.PIPE).stdout.decode().strip()
        equal("QR code", seen, link)
        path = link[len(it.gateway.url):]
        equal("by the link", it.gateway.ask("GET", path).body, b"shared")
        it.click("Close", ".actions button")
        expect("signature" not in it.run("JSON.stringify(localStorage)"),
               "the link is kept")
        it.click("Sign in")
        it.click("My links…", "[role=menuitem]")
        it.click("Revoke: a.txt")
        it.says("There are none that are still valid.")
        gone = it.gateway.ask("GET", path)
        equal("revoked", (gone.status, gone.json["code"]),
              (403, "link_revoked"))


@test
def test_codes_of_all_lengths_are_read_by_another_decoder():
    needs(shutil.which("zbarimg"), "no zbarimg")
    with Console() as it:
        it.open()
        it.size(900, 900)
        for length in 1, 14, 15, 90, 230, 450, 700, 1000, 1500, 2000, 2900:
            text = ("https://files.example/?" + "abcdefg1" * 400)[:length]
            it.run("""import(document.querySelector('script').src
              .replace('main', 'qr')).then(({qrPicture}) => {
                const code = qrPicture(""" + repr(text) + """, 'x');
                code.style.cssText = 'position: fixed; inset: 0; background:'
                  + '#fff; width: 900px; height: 900px; z-index: 99';
                document.querySelector('body > svg')?.remove();
                document.body.append(code);
              })""")
            shot = it.folder / "code.png"
            it.picture(shot)
            seen = subprocess.run(["zbarimg", "-q", "--raw", shot],
                                  check=False, stdout=subprocess.PIPE)
            equal(f"{length} characters", seen.stdout.decode().strip(), text)


@test
def test_others_send_files_by_a_link():
    with Console() as it:
        it.open("#/team/")
        it.click("Request files")
        it.write("Number of files", "1")
        it.write("Largest file", "1 KiB")
        it.click("Make link", "[type=submit]")
        it.says("Link to send you files")
        page = it.run("document.querySelector('.link').value")
        it.browser.visit("about:blank")
        it.browser.visit(page)
        it.says("They go to whoever gave you this link.")
        large, fits, third = (it.folder / name for name in
                              ("large.bin", "fits.bin", "third.bin"))
        large.write_bytes(b"x" * 1025)
        fits.write_bytes(b"x" * 1024)
        third.write_bytes(b"x")
        for path, words in ((large, "The file is too large."),
                            (fits, "arrived"),
                            (third, "has taken all the files that it may")):
            it.browser.choose(".dropzone input", path)
            it.says(words)
        equal("stored", [key.split("/")[0] + key[-9:] for key in keys(it)],
              ["team-fits.bin"])


# ---- act --------------------------------------------------------------------

@test
def test_files_and_folders_are_renamed_moved_and_copied():
    with Console() as it:
        store(it, "a.txt", "b.txt", "dir/x", "dir/deep/y")
        it.open()
        it.menu("a.txt", "Rename…")
        it.write("New name", "b.txt")
        it.click("Rename", "[type=submit]")
        it.says("A file of this name is there already.")
        it.write("New name", "c.txt")
        it.click("Rename", "[type=submit]")
        it.shows("dir", "b.txt", "c.txt")
        it.menu("dir", "Rename…")
        it.write("New name", "folder")
        it.click("Rename", "[type=submit]")
        it.shows("folder", "b.txt", "c.txt")
        it.menu("b.txt", "Move…")
        it.write("To the folder", "folder/deep")
        it.click("Move", "[type=submit]")
        it.shows("folder", "c.txt")
        it.menu("folder", "Copy…")
        it.write("To the folder", "copy/")
        it.click("Copy", "[type=submit]")
        it.says("3 files copied")
        equal("keys", keys(it), [
            "c.txt", "copy/folder/deep/b.txt", "copy/folder/deep/y",
            "copy/folder/x", "folder/deep/b.txt", "folder/deep/y",
            "folder/x"])


@test
def test_delete_has_an_undo_and_many_a_word():
    with Console() as it:
        store(it, "a.txt", "b.txt", "dir/x", "dir/y")
        it.open()
        it.menu("a.txt", "Delete")
        it.shows("dir", "b.txt")
        it.click("Undo")
        it.shows("dir", "a.txt", "b.txt")
        it.menu("b.txt", "Delete")
        it.shows("dir", "a.txt")
        expect("b.txt" in keys(it), "gone at once")
        eventually("gone", lambda: "b.txt" not in keys(it))
        it.menu("dir", "Delete")
        it.write("Type 2 to delete them", "3")
        it.click("Delete for good", "[type=submit]")
        it.says("Type the number 2.")
        it.write("Type 2 to delete them", "2")
        it.click("Delete for good", "[type=submit]")
        it.shows("a.txt")
        equal("keys", keys(it), ["a.txt"])


@test
def test_folder_is_saved_as_a_zip_with_a_token_too():
    with guarded() as (it, key):
        for name in "a.txt", "deep/b.txt":
            put(it.gateway, f"users/ann/dir/{name}", name.encode(),
                f"Authorization: Bearer {key}")
        it.browser.save_to(it.folder)
        it.open("#/users/ann/")
        it.write("Access token", key)
        it.click("Sign in", "[type=submit]")
        it.menu("dir", "Download as zip")
        path = it.folder / "dir.zip"
        eventually("the zip", lambda: path.exists() and
                   zipfile.is_zipfile(path))
        with zipfile.ZipFile(path) as found:
            equal("files", {name: found.read(name).decode()
                            for name in found.namelist()},
                  {"dir/a.txt": "a.txt", "dir/deep/b.txt": "deep/b.txt"})


@test
def test_several_that_were_chosen_are_saved_as_one_zip():
    with Console() as it:
        store(it, "a.txt", "b.txt", "c ü.txt", "dir/d", data=b"text")
        it.browser.save_to(it.folder)
        it.open()
        it.shows("dir", "a.txt", "b.txt", "c ü.txt")
        for name in "dir", "a.txt", "c ü.txt":
            it.run(f"named('input', 'Select {name}').click()")
        it.says("3 selected")
        it.click("Download", ".chosen button")
        path = it.folder / "files.zip"
        eventually("the zip", lambda: path.exists() and
                   zipfile.is_zipfile(path))
        with zipfile.ZipFile(path) as found:
            equal("files", sorted(found.namelist()),
                  ["a.txt", "c ü.txt", "dir/d"])
            equal("damaged", found.testzip(), None)


@test
def test_more_than_65534_files_are_saved_as_one_zip():
    count = int(os.environ.get("SLUICE_ARCHIVE_COUNT", "0"))
    needs(count, "SLUICE_ARCHIVE_COUNT isn't set")
    with Console() as it:
        crowd(it.gateway, count)
        it.browser.save_to(it.folder)
        it.open()
        it.menu("m", "Download as zip")
        path = it.folder / "m.zip"
        eventually("the zip", lambda: path.exists() and
                   zipfile.is_zipfile(path), 120)
        with zipfile.ZipFile(path) as found:
            equal("files", len(found.namelist()), count)
            equal("damaged", found.testzip(), None)


# ---- everybody --------------------------------------------------------------

@test
def test_axe_finds_nothing_in_any_view():
    source = os.environ.get("SLUICE_AXE")
    needs(source, "SLUICE_AXE isn't set")
    source = Path(source).read_text()
    dialog = "document.querySelector('dialog[open]') && true"
    with Console() as it:
        it.in_chromium("is made dark")
        store(it, "a.txt", "dir/b.txt", "p.png")
        put(it.gateway, "q.pdf", pdf("Hello"), "Content-Type: application/pdf")

        def check(view):
            for scheme in "light", "dark":
                it.looks(scheme)
                equal(f"{view}, {scheme}", it.axe(source), [])

        def inside(name, action):
            it.menu(name, action)
            it.wait(action, dialog)
            check(action)

        it.open()
        it.shows("dir", "a.txt", "p.png", "q.pdf")
        check("list")
        it.run("document.querySelector('.rows input').click()")
        check("chosen")
        it.run("document.querySelector('.rows input').click()")
        it.click("Actions for a.txt")
        check("menu")
        it.key("Escape")
        for action in "Rename…", "Move…":
            inside("a.txt", action)
            it.key("Escape")
        inside("dir", "Delete")
        it.key("Escape")
        inside("a.txt", "Share…")
        it.click("Make link", "[type=submit]")
        it.says("Valid until")
        check("link")
        it.click("Close", ".actions button")
        it.click("Request files")
        it.wait("request", dialog)
        check("request")
        it.click("Make link", "[type=submit]")
        it.wait("link", "document.querySelector('.link')?.value")
        page = it.run("document.querySelector('.link').value")
        it.click("Close", ".actions button")
        for action in "My links…", "Sign in":
            it.click("Sign in")
            it.click(action, "[role=menuitem]")
            it.wait(action, dialog)
            check(action)
            it.key("Escape")
        it.click("a.txt", ".name a")
        it.wait("preview", "document.querySelector('pre') && true")
        check("preview")
        it.size(320, 640, True)
        check("preview, narrow")
        it.size(1200, 800)
        it.open("#/q.pdf")
        it.wait("frame", "document.querySelector('.extra a') && true")
        check("PDF")
        it.size(320, 640, True)
        check("PDF, narrow")
        it.size(1200, 800)
        it.click("Close")
        again = it.folder / "a.txt"
        again.write_bytes(b"other")
        it.upload(again)
        it.says("Keep both")
        check("uploads")
        it.size(320, 640, True)
        check("narrow")
        it.open("#/none/")
        it.says("Nothing here yet")
        check("empty")
        it.browser.visit("about:blank")
        it.browser.visit(page)
        it.says("They go to whoever gave you this link.")
        check("send")


if __name__ == "__main__":
    main()
