#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The skeleton, built outside of the sources with what `make install` leaves
and pkg-config alone, and served by the installed gateway."""
import shutil

from outside import HERE, installed, ran, serves

from kit import each, equal, expect, like, main, needs, test

TOKEN = "token: outside-outside"


def skeleton():
    """A copy of what is installed of it."""
    kit = installed()
    folder = kit.scratch()
    for path in kit.shared("/skeleton").iterdir():
        shutil.copy(path, folder)
    return kit, folder


@test
def test_header_pc_page_and_skeleton_are_installed():
    kit = installed()
    for pattern in ("include/sluice/plugin.h", "pkgconfig/sluice.pc",
                    "man3/sluice-plugin.3", "skeleton/Makefile",
                    "sluice/writing-a-plugin.md",
                    "skeleton/skeleton.c", "skeleton/skeleton_hook.c"):
        expect(kit.shared(pattern).is_file(), pattern)


@test
def test_pc_names_folder_and_abi():
    kit = installed()
    header = (kit.shared("sluice/plugin.h")).read_text()
    folder = kit.pkg("--variable=plugindir")
    expect((kit.shared("/local.so").parent).samefile(folder[0]), folder)
    major, minor = kit.pkg("--variable=abi")[0].split(".")
    like("plugin.h", header, rf"SLUICE_ABI_MAJOR {major}u")
    like("plugin.h", header, rf"SLUICE_ABI_MINOR {minor}u")


LANGUAGES = {
    "gcc_c11": ("gcc", "c11", "c"), "gcc_c17": ("gcc", "c17", "c"),
    "clang_c11": ("clang", "c11", "c"), "clang_c17": ("clang", "c17", "c"),
    "gxx_17": ("g++", "c++17", "cc"), "gxx_20": ("g++", "c++20", "cc"),
    "clangxx_17": ("clang++", "c++17", "cc"),
    "clangxx_20": ("clang++", "c++20", "cc")}


@each(LANGUAGES)
def test_header_compiles_alone(case):
    compiler, standard, ending = case
    kit = installed()
    source = kit.scratch() / f"alone.{ending}"
    source.write_text("#include <sluice/plugin.h>\n"
                      "extern struct sluice_meta meta;\n"
                      "struct sluice_meta meta = SLUICE_META;\n")
    kit.compiled(compiler, standard, [source])


@each({word: case for word, case in LANGUAGES.items() if case[2] == "c"})
def test_skeleton_compiles_without_a_warning(case):
    compiler, standard, _ = case
    kit, folder = skeleton()
    kit.compiled(compiler, standard, ["skeleton.c", "call.c", "shelf.c"],
                 out="skeleton.so", folder=folder)
    kit.compiled(compiler, standard, ["skeleton_hook.c"],
                 out="skeleton_hook.so", folder=folder)


@each({"gcc": "gcc", "clang": "clang"})
def test_skeleton_is_made_installed_and_serves_files(compiler):
    needs(shutil.which(compiler), f"no {compiler}")
    kit, folder = skeleton()
    ran(["make", f"CC={compiler}", "install"], cwd=folder, env=kit.env)
    for name in "skeleton.so", "skeleton_hook.so":
        expect(kit.shared(f"sluice/{name}").is_file(), name)
    with kit.gateway([], backends={"main": {"plugin": "skeleton",
                                            "directory": None}},
                     hooks=[{"plugin": "skeleton_hook",
                             "token": TOKEN.partition(": ")[2],
                             "identity": "ann"}]) as gateway:
        equal("without a token",
              gateway.ask("GET", "/files?prefix=t/").status, 401)
        serves(gateway, f"X-{TOKEN}")
    for name in "skeleton.so", "skeleton_hook.so":
        kit.shared(f"sluice/{name}").unlink()


@each({word: case for word, case in LANGUAGES.items()
       if case[1] == "c++17"})
def test_hook_in_cxx_is_built_and_asked(case):
    compiler, standard, _ = case
    kit = installed()
    folder = kit.scratch()
    kit.compiled(compiler, standard, [HERE / "later.cc"],
                 out=folder / "later.so")
    with kit.gateway([folder], server={"workers": "1"},
                     hooks=[{"plugin": "later"}]) as gateway:
        for before in range(3):
            answer = gateway.ask("GET", "/files?prefix=t/")
            equal("X-Before", answer.header("x-before"), str(before))
        serves(gateway)


if __name__ == "__main__":
    main()
