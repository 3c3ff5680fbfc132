#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How the gateway starts and, above all, how it doesn't: one line that says
what is wrong and what to change."""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from kit import (BINARY, PLUGINS, Gateway, built, each, equal, eventually,
                 expect, free_port, hook_source, like, main, needs, refusal,
                 run, settings, test, written)

YAML = """\
server:
  listen: ["127.0.0.1:0"]
plugin_path: [{plugins}]
backends:
  main: {{plugin: local, directory: {folder}/data}}
routes:
  - {{mount: /files, backend: main}}
"""


def yaml(folder):
    return YAML.format(plugins=", ".join(PLUGINS), folder=folder)


def changed(old, new):
    """A start with the plain configuration, but for one text of it."""
    text = yaml("/nonexistent")
    expect(old in text, f"{old} isn't in the configuration")
    return text.replace(old, new)


# ---- what is wrong with the configuration ----------------------------------

@each({
    "section": ("backends:", "backend:", 4, "backends"),
    "server_key": ("  listen:", "  lisen:", 2, "listen"),
    "backend_option": ("directory:", "directroy:", 5, "directory"),
    "route_key": ("mount:", "mout:", 7, "mount"),
})
def test_unknown_key_is_named_with_its_line_and_the_nearest_key(case):
    old, new, line, nearest = case
    refusal(changed(old, new), rf"sluice\.yaml:{line}\b",
            re.escape(new.strip(" :")), rf"\b{nearest}\b")


@each({
    "no_yaml": ("plugin_path: [", "plugin_path: [[", r"sluice\.yaml:\d"),
    "key_twice": ("routes:", "backends:", r"sluice\.yaml:6\b.*backends"),
    "tab": ("  listen", "\tlisten", r"sluice\.yaml:2\b"),
    "anchor": ("[\"127.0.0.1:0\"]", "&a [\"127.0.0.1:0\"]",
               r"sluice\.yaml:2\b"),
    "no_backend_of_a_route": ("backend: main", "backend: other",
                              r"sluice\.yaml:7\b.*other"),
    "listen_without_port": ("127.0.0.1:0", "127.0.0.1",
                            r"sluice\.yaml:2\b.*127\.0\.0\.1"),
    "listen_with_a_large_port": ("127.0.0.1:0", "127.0.0.1:65536",
                                 r"sluice\.yaml:2\b.*65536"),
    "mount_without_slash": ("mount: /files", "mount: files",
                            r"sluice\.yaml:7\b.*files"),
    "plugin_with_a_path": ("plugin: local", "plugin: ../local",
                           r"sluice\.yaml:5\b.*plugin"),
    "no_routes": ("  - {mount: /files, backend: main}\n", "", "routes"),
})
def test_configuration_that_makes_no_sense_is_refused(case):
    old, new, reason = case
    refusal(changed(old, new), reason)


@each({
    "size_without_unit": ("uploads", "max_bytes", "50", r"50"),
    "size_of_nothing": ("uploads", "max_bytes", "0MiB", r"max_bytes"),
    "time_without_unit": ("limits", "head_timeout", "10", r"10"),
    "time_of_another_unit": ("presign", "default", "1fortnight",
                             "fortnight"),
    "presign_out_of_order": ("presign", "min", "2h", r"min|default"),
    "workers_none": ("server", "workers", "0", r"workers"),
    "workers_too_many": ("server", "workers", "257", r"workers.*256|256"),
    "url_without_scheme": ("server", "public_url", "files.example",
                           r"public_url|files\.example"),
    "log_level": ("server", "log_level", "loud", r"loud"),
    "prefix": ("uploads", "prefix", "a/../b", r"prefix|\.\."),
})
def test_value_that_makes_no_sense_is_refused(case):
    section, key, value, reason = case
    with tempfile.TemporaryDirectory() as folder:
        sections = settings(folder, {section: {key: value}})
        refusal(sections, r"sluice\.yaml:\d+", reason)


@test
def test_environment_variable_that_is_not_set_is_named():
    line = 'listen: ["127.0.0.1:${SLUICE_NO_SUCH_PORT}"]'
    refusal(changed('listen: ["127.0.0.1:0"]', line), r"sluice\.yaml:2\b",
            "SLUICE_NO_SUCH_PORT")


@test
def test_environment_variables_and_defaults_are_put_in():
    with Gateway({"server": {"listen": ["${SLUICE_TEST_HOST}:"
                                        "${SLUICE_TEST_PORT:-0}"]}},
                 env={"SLUICE_TEST_HOST": "127.0.0.2"}) as gateway:
        like("address", gateway.url, r"//127\.0\.0\.2:\d+$")
        gateway.alive()


@test
def test_secret_is_not_shown_when_its_file_is_refused():
    text = yaml("/nonexistent").replace(
        "plugin: local,", "plugin: local, secret_kye: hush-hush,")
    line = refusal(text, "secret_kye")
    expect("hush-hush" not in line, line)


@test
def test_configuration_file_that_is_not_there_is_named():
    refusal(None, "no-such.yaml", arguments=["-c", "/tmp/no-such.yaml"])


@test
def test_configuration_file_that_is_a_folder_is_refused():
    refusal(None, "/tmp", arguments=["-c", "/tmp"])


@test
def test_configuration_file_of_over_a_mebibyte_is_refused():
    refusal("# " + "x" * (1 << 20) + "\n" + yaml("/nonexistent"),
            r"sluice\.yaml")


# ---- what is wrong with the machine ----------------------------------------

@test
def test_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refusal({"server": {"listen": [f"127.0.0.1:{port}"]}},
                rf"127\.0\.0\.1:{port}", r"in use|taken")


@test
def test_second_of_two_ports_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refusal({"server": {"listen": ["127.0.0.1:0", f"127.0.0.1:{port}"]}},
                rf"127\.0\.0\.1:{port}", r"in use|taken")


@test
def test_start_that_is_warned_and_then_fails_is_still_one_line():
    """The process may open fewer files than limits.connections needs."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refusal({"server": {"listen": [f"127.0.0.1:{port}"]},
                 "limits": {"connections": "1000000"}},
                rf"127\.0\.0\.1:{port}", r"in use|taken")


@test
def test_port_of_a_running_gateway_is_taken():
    """Ports that several loops share are not shared by several gateways."""
    with Gateway() as gateway:
        port = gateway.url.rpartition(":")[2]
        refusal({"server": {"listen": [f"127.0.0.1:{port}"]}},
                rf"127\.0\.0\.1:{port}", r"in use|taken")


@test
def test_address_of_another_machine_is_refused():
    refusal({"server": {"listen": ["192.0.2.1:8000"]}}, r"192\.0\.2\.1:8000")


@test
def test_directory_below_a_file_is_refused():
    refusal({"backends": {"main": {"directory": "/dev/null/data"}}},
            r"/dev/null/data")


@test
def test_directory_that_is_not_writable_is_refused():
    """As root may write anywhere, it is somebody else who tries."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        closed = Path(folder, "closed")
        closed.mkdir(0o555)
        path = written(folder, settings(folder, {
            "plugin_path": [folder, *PLUGINS],
            "backends": {"main": {"directory": str(closed / "data")}},
            "uploads": {"spool_directory": "/tmp"}}))
        path.chmod(0o644)
        command = [BINARY, "-c", str(path)]
        if os.geteuid() == 0:
            needs(shutil.which("setpriv"), "no setpriv")
            # Of copies, as the sources may be below /root.
            command[0] = shutil.copy(BINARY, folder)
            local = next(found for plugins in PLUGINS if
                         (found := Path(plugins, "local.so")).exists())
            shutil.copy(local, folder)
            command = ["setpriv", "--reuid=65534", "--regid=65534",
                       "--clear-groups", *command]
        ended = subprocess.run(command, capture_output=True, check=False,
                               timeout=20)
        lines = ended.stderr.decode().splitlines()
        equal("lines on stderr", (len(lines), lines), (1, lines[:1]))
        like("the reason", lines[0], r"/closed.*([Pp]ermission|writ)")
        equal("exit status", ended.returncode, 1)


@test
def test_spool_directory_that_is_not_there_is_refused():
    refusal({"uploads": {"spool_directory": "/nonexistent/spool"}},
            r"/nonexistent/spool")


# ---- certificates ----------------------------------------------------------

def certificate(folder, name):
    needs(shutil.which("openssl"), "no openssl")
    paths = Path(folder, f"{name}.crt"), Path(folder, f"{name}.key")
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-newkey", "ec",
                    "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2",
                    "-subj", "/CN=localhost", "-out", paths[0], "-keyout",
                    paths[1]], check=True, capture_output=True)
    return [str(path) for path in paths]


def tls(chain, key):
    return {"server": {"tls": {"certificate": chain, "private_key": key}}}


@test
def test_certificate_that_is_none_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        _, key = certificate(folder, "a")
        bad = Path(folder, "bad.crt")
        bad.write_text("no certificate\n")
        refusal(tls(str(bad), key), r"bad\.crt")


@test
def test_private_key_that_is_none_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        chain, _ = certificate(folder, "a")
        refusal(tls(chain, chain), r"a\.crt", "key")


@test
def test_key_that_does_not_belong_to_the_certificate_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        chain, _ = certificate(folder, "a")
        _, key = certificate(folder, "b")
        refusal(tls(chain, key), r"b\.key|a\.crt", r"belong|match")


@test
def test_certificate_that_is_not_there_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        _, key = certificate(folder, "a")
        refusal(tls("/nonexistent/a.crt", key), r"/nonexistent/a\.crt")


@test
def test_certificate_without_key_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        chain, _ = certificate(folder, "a")
        refusal({"server": {"tls": {"certificate": chain}}}, "private_key")


# ---- plugins ---------------------------------------------------------------

def hooked(folder, name, **options):
    return {"plugin_path": [*PLUGINS, folder],
            "hooks": [{"plugin": name, **options}]}


@each({
    "other_major": ("2u << 16", r"2\.0.*1\.|ABI"),
    "newer_minor": ("SLUICE_ABI_MAJOR << 16 | (SLUICE_ABI_MINOR + 1)",
                    r"1\.\d.*1\.\d|newer"),
    "major_0": ("7", r"0\.7|ABI"),
})
def test_plugin_of_another_abi_is_refused(case):
    abi, reason = case
    with tempfile.TemporaryDirectory() as folder:
        built(folder, "other", hook_source("other", abi=abi))
        refusal(hooked(folder, "other"), "other", reason)


@test
def test_plugin_of_this_abi_is_loaded():
    with tempfile.TemporaryDirectory() as folder:
        built(folder, "same", hook_source("same"))
        with Gateway(hooked(folder, "same")) as gateway:
            gateway.alive()


@test
def test_plugin_without_its_symbol_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        built(folder, "bare", "int nothing;")
        refusal(hooked(folder, "bare"), r"bare\.so|bare", "sluice_hook_bare")


@test
def test_plugin_that_needs_what_is_not_there_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        built(folder, "lost", hook_source("lost") +
              "void sluice_no_such_call(void);\n"
              "SLUICE_EXPORT void f(void);\n"
              "void f(void) { sluice_no_such_call(); }\n")
        refusal(hooked(folder, "lost"), "lost", "sluice_no_such_call")


@test
def test_plugin_that_is_no_library_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "text.so").write_text("no library\n")
        refusal(hooked(folder, "text"), "text")


@test
def test_plugin_that_is_not_found_is_named_with_the_folders():
    some = {**hooked("/nonexistent", "no_such_plugin"),
            "plugin_path": [PLUGINS[0], "/nonexistent"]}
    line = refusal(some, "no_such_plugin")
    like("the folders", line, "/nonexistent")


@test
def test_hook_where_a_backend_should_be_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        built(folder, "same", hook_source("same"))
        refusal({"plugin_path": [*PLUGINS, folder],
                 "backends": {"main": {"plugin": "same",
                                       "directory": None}}},
                "same", "hook|backend")


@test
def test_required_option_that_is_missing_is_named():
    refusal({"backends": {"main": {"directory": None}}}, "directory",
            "main|local")


@test
def test_hook_whose_start_fails_says_why():
    with tempfile.TemporaryDirectory() as folder:
        built(folder, "sour", hook_source(
            "sour", start='sluice_fail(host, "the %s is sour; buy new", '
            '"milk"); instance = 0;'))
        refusal(hooked(folder, "sour"), "sour", "the milk is sour; buy new")


# ---- the command line ------------------------------------------------------

@test
def test_version_is_one_line():
    status, out, text = run("--version")
    equal("status, stderr", (status, text), (0, ""))
    like("stdout", out, r"\A[Ss]luice \d+\.\d+(\.\d+)?[^\n]*\n\Z")


@test
def test_help_names_every_option():
    status, out, text = run("--help")
    equal("status, stderr", (status, text), (0, ""))
    for word in "-c", "-t", "--version", "--plugins", "--help":
        expect(word in out, f"{word} isn't in the help")


@test
def test_plugins_lists_them_with_their_options():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "broken.so").write_text("no library\n")
        path = written(folder, settings(
            folder, {"plugin_path": [*PLUGINS, folder]}))
        status, out, _ = run("-c", path, "--plugins")
    equal("status", status, 0)
    for word in r"\blocal\b", r"\bdirectory\b", r"\bbroken\b":
        like("stdout", out, word)


@each({"unknown": ["--frobnicate"], "letter": ["-x"], "no_value": ["-c"],
       "too_many": ["-t", "-c", "/dev/null", "surplus"]})
def test_bad_command_line_is_status_2(arguments):
    status, out, text = run(*arguments)
    equal("status, stdout", (status, out), (2, ""))
    expect(text.strip(), "nothing on stderr")


@test
def test_valid_configuration_passes_t_and_touches_nothing():
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, settings(folder))
        status, _, text = run("-t", "-c", path)
        equal("status", (status, text if status else ""), (0, ""))
        equal("files", os.listdir(folder), ["sluice.yaml"])


@test
def test_valid_configuration_passes_t_beside_a_running_gateway():
    with Gateway() as gateway:
        status, _, text = run("-t", "-c", gateway.path)
        equal("status", (status, text if status else ""), (0, ""))
        gateway.alive()


@test
def test_invalid_configuration_fails_t_in_one_line():
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, changed("mount:", "mout:"))
        refusal(None, r"sluice\.yaml:7", "mount", arguments=["-t", "-c", path])


@test
def test_plugins_unknown_option_fails_t_too():
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, changed("directory:", "directroy:"))
        refusal(None, r"sluice\.yaml:5", "directory",
                arguments=["-t", "-c", path])


def fails_t(sections, *patterns):
    """Refused by -t, in one line that has all of these."""
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, settings(folder, sections))
        status, out, text = run("-t", "-c", path)
        equal("status, stdout", (status, out), (1, ""))
        equal("lines", len(text.splitlines()), 1)
        for pattern in patterns:
            like("stderr", text, pattern)
        equal("files", [name for name in os.listdir(folder)
                        if name.startswith("data")], [])


@each({"hook": ({"hooks": [{"plugin": "auth_basic", "file": "/no/users",
                             "prefixes": ["{user}/"]}]},
                "hook 'auth_basic'", "/no/users"),
       "spool": ({"uploads": {"spool_directory": "/no/spool"}},
                 "spool_directory", "/no/spool", "No such file"),
       "name": ({"server": {"listen": ["no-such-host.invalid:1"]}},
                "no-such-host", r"server\.listen"),
       "plugin": ({"backends": {"main": {"plugin": "locla"}}},
                  r"sluice\.yaml:\d+: plugin 'locla': not found; "
                  r"did you mean 'local'\?")})
def test_what_would_fail_at_the_start_fails_t(case):
    fails_t(*case)


CA = """[ca]
default_ca = it
[it]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def dated(folder, days):
    """Of yesterday, valid until so many days from now."""
    needs(shutil.which("openssl"), "no openssl")
    for name, text in ("ca.cnf", CA), ("index", ""), ("serial", "01\n"):
        Path(folder, name).write_text(text)
    now = time.time()
    begin, end = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(
        now + many * 86400)) for many in (min(days, 0) - 1, days))
    for line in (
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "
            "/CN=localhost -out r.pem -keyout k.pem",
            "ca -config ca.cnf -batch -selfsign -notext -in r.pem -keyfile "
            f"k.pem -startdate {begin} -enddate {end} -out c.pem"):
        subprocess.run(["openssl", *line.split()], check=True, cwd=folder,
                       capture_output=True)
    return {"certificate": str(Path(folder, "c.pem")),
            "private_key": str(Path(folder, "k.pem"))}


@test
def test_expired_certificate_fails_t_with_its_date():
    with tempfile.TemporaryDirectory() as folder:
        tls = {"server": {"tls": dated(folder, -1)}}
        fails_t(tls, r"c\.pem expired at \d{4}-\d\d-\d\dT\S+Z; renew it")
        with Gateway(tls) as gateway:  # which starts all the same
            gateway.says(r" error server\.tls\.certificate: .*expired at")


@test
def test_certificate_that_expires_soon_is_warned_of():
    with tempfile.TemporaryDirectory() as folder:
        for days, warns in (13, 1), (20, 0):
            path = written(folder, settings(
                folder, {"server": {"tls": dated(folder, days)}}))
            status, out, text = run("-t", "-c", path)
            equal("status", (status, "is fine" in out), (0, True))
            equal("warnings", len(re.findall(
                r" warn .*c\.pem expires at \S+Z; renew it", text)), warns)


# ---- a start that succeeds -------------------------------------------------

@test
def test_gateway_makes_its_directory():
    with Gateway() as it:
        expect(Path(it.folder, "data").is_dir(), "no data directory")


@test
def test_gateway_says_where_it_listens_before_it_is_ready():
    with Gateway() as gateway:
        kinds = [kind for line in gateway.lines
                 for kind in ("listening on", "ready") if kind in line]
        equal("lines", kinds, ["listening on", "ready"])
        like("address", gateway.url, r"\Ahttp://127\.0\.0\.1:[1-9]\d*\Z")


@test
def test_gateway_starts_with_closed_standard_streams():
    """No file of the store may ever become the standard error stream."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        path = written(folder, settings(
            folder, {"server": {"listen": [f"127.0.0.1:{port}"]}}))
        with subprocess.Popen(["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-',
                               BINARY, path]) as process:
            try:
                taken = descriptors_0_to_2(process.pid, port)
            finally:
                process.send_signal(signal.SIGTERM)
                status = process.wait(20)
        for name in taken:
            expect(name is None or name.startswith("/dev/null"),
                   f"a standard stream is {name}")
        equal("exit status", status, 0)


def descriptors_0_to_2(pid, port):
    def serves():
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            return False
        return True
    eventually("a connection", serves)
    return [os.readlink(f"/proc/{pid}/fd/{number}")
            if os.path.exists(f"/proc/{pid}/fd/{number}") or
            os.path.islink(f"/proc/{pid}/fd/{number}") else None
            for number in range(3)]


if __name__ == "__main__":
    main()
