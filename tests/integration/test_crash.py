#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A plugin that crashes: the process dies of it, and its last line says which
plugin, where in it, and at which request."""
import re
import resource
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from kit import (BINARY, PLUGINS, Gateway, built, each, equal, expect, like,
                 main, needs, request, run, settings, test, written)

SOURCE = r"""
#include <event2/event.h>
#include <signal.h>
#include <sluice/plugin.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
struct conf { const char *how, *where; };
static const struct sluice_option options[] = {
    {"how", SLUICE_STRING, "", offsetof(struct conf, how), "x"},
    {"where", SLUICE_STRING, "", offsetof(struct conf, where), "x"}, {0}};
static const struct conf *conf;
static struct sluice_host *loop_host;
static volatile int zero;
static volatile size_t seen;
static int deep(volatile char *from)
{ volatile char page[4096]; page[0] = from[0]; return deep(page) + page[1]; }
__attribute__((noinline)) void crash(void)
{
  void (*volatile nowhere)(void) = NULL;
  volatile char from = 0;
  if (strcmp(conf->how, "segv") == 0) *(volatile int *)8 = 1;
  if (strcmp(conf->how, "trap") == 0) __builtin_trap();
  if (strcmp(conf->how, "abort") == 0) abort();
  if (strcmp(conf->how, "div") == 0) zero = (int)getpid() / zero;
  if (strcmp(conf->how, "libc") == 0) seen = strlen((char *)(size_t)zero);
  if (strcmp(conf->how, "jump") == 0) nowhere();
  if (strcmp(conf->how, "deep") == 0) deep(&from);
  if (strcmp(conf->how, "bus") == 0) {
    int fd = memfd_create("x", 0);
    *(volatile char *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
                           fd, 0) = 1;
  }
  seen++; /* so that none is a tail call */
}
static void at(const char *where)
{ if (strcmp(conf->where, where) == 0) crash(); seen++; }
static void work(void *arg) { (void)arg; at("pool"); }
static void then(void *arg) { sluice_request_resume(arg, SLUICE_PASS); }
static void lane(void *arg, void **jobs, size_t count)
{ (void)arg, (void)jobs, (void)count; at("lane"); }
static struct sluice_lane *the_lane;
static void on_timer(evutil_socket_t fd, short what, void *arg)
{ (void)fd, (void)what, (void)arg; at("timer"); }
static void *start(const void *from, struct sluice_host *host)
{
  conf = from;
  the_lane = sluice_lane_new(host, lane, NULL);
  at("start");
  return (void *)from;
}
static void stop(void *instance) { (void)instance; at("stop"); }
static void *open_(void *instance, struct sluice_host *host)
{ at("open"); loop_host = host; return instance; }
static void close_(void *handle) { (void)handle; at("close"); }
static enum sluice_verdict ask(void *handle, struct sluice_request *request)
{
  const struct timeval soon = {0, 1000};
  (void)handle;
  at("request");
  if (strcmp(conf->where, "timer") == 0)
    event_base_once(sluice_loop(loop_host), -1, EV_TIMEOUT, on_timer, NULL,
                    &soon);
  if (strcmp(conf->where, "pool") == 0)
    sluice_work(loop_host, work, then, request);
  else if (strcmp(conf->where, "lane") == 0)
    sluice_lane_add(the_lane, loop_host, request, then);
  else
    return SLUICE_PASS;
  return SLUICE_WAIT;
}
static enum sluice_verdict on_key(void *handle, struct sluice_request *request)
{ (void)handle, (void)request; at("key"); return SLUICE_PASS; }
static void response(void *handle, struct sluice_request *request)
{ (void)handle, (void)request; at("response"); }
static void on_log(void *handle, struct sluice_request *request,
                   const struct sluice_record *record)
{ (void)handle, (void)request, (void)record; at("log"); }
static const struct sluice_hook it = {
    SLUICE_HEAD(sluice_hook), .name = "crasher", .version = "1",
    .summary = "x", .options = options, .conf_size = sizeof(struct conf),
    .start = start, .stop = stop, .open = open_, .close = close_,
    .on_request = ask, .on_key = on_key, .on_response = response,
    .on_log = on_log};
SLUICE_HOOK(crasher, it)
"""
LINE = re.compile(r"\A\S+Z error the process crashes: (SIG[A-Z]+) (.*)\Z")
ID = "a-request-of-a-test"


def crashed(folder, how, where, ask):
    """Starts a gateway, crashes it, and returns what follows the signal's
    name in the last line of its log."""
    needs(b"__asan_init" not in Path(BINARY).read_bytes() and
          b"__tsan_init" not in Path(BINARY).read_bytes(),
          "a sanitizer has its own handlers")
    built(folder, "crasher", SOURCE)
    sections = {"server": {"workers": "1"},
                "plugin_path": [*PLUGINS, folder], "hooks": [
        {"plugin": "crasher", "how": how, "where": where}]}
    if where in ("start", "open"):
        status, _, said = run("-c", written(folder, settings(folder,
                                                             sections)))
        lines = said.splitlines()
    else:
        gateway = Gateway(sections, folder=folder)
        try:
            ask(gateway)
            status, lines = gateway.wait(), gateway.told
        finally:
            gateway.kill()
    said = [found for line in lines if (found := LINE.match(line))]
    equal("lines of the crash", len(said), 1)
    equal("its signal", getattr(signal, said[0][1]), -status)
    expect(LINE.match(lines[-1]), f"the last line is {lines[-1]}")
    return -status, said[0][2]


def get(gateway):
    with gateway.wire() as wire:
        wire.send(request("GET", "/files/download?key=x",
                          f"X-Request-Id: {ID}"))
        while wire.more():
            pass


def end(gateway):
    gateway.alive()
    gateway.signal(signal.SIGTERM)


PLUGIN = r"in plugin 'crasher', crasher\.so\+0x([0-9a-f]+)"


CALLS = {"request": True, "key": True, "response": True, "log": True,
         "timer": False, "pool": True, "lane": False, "start": False,
         "open": False, "close": False, "stop": False}


@each({where: (where, about) for where, about in CALLS.items()})
def test_crash_names_plugin_and_request_in_every_call(case):
    where, about = case
    with tempfile.TemporaryDirectory() as folder:
        number, said = crashed(folder, "segv", where,
                               end if where in ("close", "stop") else get)
        equal("signal", number, signal.SIGSEGV)
        like("the line", said, rf"\A{PLUGIN}" +
             (rf", request {ID}\Z" if about else r"\Z"))


CALLED = r"in libc\S+\+0x\w+, called " + PLUGIN


@each({how: (how, number, line) for how, number, line in (
    ("segv", signal.SIGSEGV, PLUGIN), ("trap", signal.SIGILL, PLUGIN),
    ("bus", signal.SIGBUS, PLUGIN), ("div", signal.SIGFPE, PLUGIN),
    ("deep", signal.SIGSEGV, PLUGIN), ("abort", signal.SIGABRT, CALLED),
    ("libc", signal.SIGSEGV, CALLED),
    ("jump", signal.SIGSEGV, r"at 0x0, called " + PLUGIN))})
def test_crash_of_every_kind_dies_as_it_would_have(case):
    how, number, line = case
    with tempfile.TemporaryDirectory() as folder:
        got, said = crashed(folder, how, "request", get)
        equal("signal", got, number)
        like("the line", said, rf"\A{line}, request {ID}\Z")


@test
def test_offset_leads_to_the_function():
    needs(shutil.which("addr2line"), "no addr2line")
    with tempfile.TemporaryDirectory() as folder:
        _, said = crashed(folder, "segv", "request", get)
        offset = re.search(PLUGIN, said)[1]
        told = subprocess.run(
            ["addr2line", "-f", "-e", Path(folder, "crasher.so"),
             f"0x{offset}"], capture_output=True, check=True)
        equal("function", told.stdout.decode().splitlines()[0], "crash")


@test
def test_crash_line_comes_behind_those_that_waited():
    """And a log that nobody reads holds the crash up for a moment only."""
    with tempfile.TemporaryDirectory() as folder:
        needs(b"__asan_init" not in Path(BINARY).read_bytes(), "asan")
        built(folder, "crasher", SOURCE.replace(
            'at("request");', '''for (int i = 0; i < 400; i++)
            sluice_log(loop_host, SLUICE_LOG_INFO, "line %d", i);
            at("request");'''))
        with Gateway({"server": {"workers": "1"},
                      "plugin_path": [*PLUGINS, folder], "hooks": [
                          {"plugin": "crasher", "how": "segv",
                           "where": "request"}]}, folder=folder) as gateway:
            get(gateway)
            equal("status", gateway.wait(), -signal.SIGSEGV)
            lines = [int(found[1]) for line in gateway.told if
                     (found := re.search(r"line (\d+)$", line))]
            equal("lines", lines, list(range(400)))
            expect(LINE.match(gateway.told[-1]), gateway.told[-1])
            gateway.kill()
            gateway.stopped = True


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
