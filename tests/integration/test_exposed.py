#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files with secrets that any user of the machine can read are told of at the
start, and by -t; the gateway starts all the same."""
import re
import tempfile
from pathlib import Path

from bucket import BUCKET, Emulator, sections
from kit import (Gateway, each, equal, expect, like, main, run, settings,
                 test, written)
from tlskit import Secure

SECRET = "correct-horse-battery-staple"


def told(folder, mode, value, more=None, env=None):
    """The lines of -t of a configuration whose file has that mode."""
    conf = settings(folder, {"links": {"secret": value}, **(more or {})})
    path = written(folder, conf)
    path.chmod(mode)
    status, _, text = run("-t", "-c", path, env=env)
    equal("status", (status, text[-300:]), (0, text[-300:]))
    expect(SECRET not in text, "the secret was told")
    return [line for line in text.splitlines() if "any user" in line]


@each({"0644": 0o644, "0604": 0o604, "0602": 0o602, "0666": 0o666})
def test_secret_in_a_configuration_that_others_can_read_is_told(mode):
    with tempfile.TemporaryDirectory() as folder:
        lines = told(folder, mode, SECRET)
        equal("lines", len(lines), 1)
        line = 1 + written(folder, settings(folder, {
            "links": {"secret": SECRET}})).read_text().splitlines().index(
                f'  "secret": "{SECRET}"')
        like("line", lines[0], rf"warn .*/sluice\.yaml:{line}: a secret is "
             r"here, and the file can be read or written by any user; chmod o="
             rf" {re.escape(folder)}/sluice\.yaml, or write \$\{{NAME\}}")


@each({"0600": 0o600, "0640": 0o640, "0660": 0o660, "0400": 0o400})
def test_secret_that_others_can_not_read_is_no_news(mode):
    with tempfile.TemporaryDirectory() as folder:
        equal("lines", told(folder, mode, SECRET), [])


@test
def test_secret_of_the_environment_is_no_news():
    with tempfile.TemporaryDirectory() as folder:
        env = {"LINKS_SECRET": SECRET}
        for value in "${LINKS_SECRET}", "${LINKS_SECRET:-changeme-changeme}":
            equal("lines", told(folder, 0o644, value, env=env), [])


@test
def test_default_of_a_variable_is_no_news():
    """Shipped configurations hold those that a storage is made with."""
    with tempfile.TemporaryDirectory() as folder:
        value = "${NOT_SET_AT_ALL:-" + SECRET + "}"
        equal("lines", told(folder, 0o644, value), [])


@test
def test_dollar_that_is_no_variable_is_told():
    with tempfile.TemporaryDirectory() as folder:
        equal("lines", len(told(folder, 0o644, "$x$${" + SECRET + "}")), 1)


@test
def test_configuration_without_secrets_may_be_read_but_not_written():
    with tempfile.TemporaryDirectory() as folder:
        equal("0644", told(folder, 0o644, ""), [])
        lines = told(folder, 0o646, "")
        equal("lines", len(lines), 1)
        like("line", lines[0],
             r"sluice\.yaml can be written by any user; chmod o-w /")


@test
def test_secrets_of_plugins_are_told():
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, settings(folder, {"backends": {"main": {
            "signing_key": SECRET}}}))
        path.chmod(0o644)
        with Gateway(path.read_text(), folder=folder) as gateway:
            equal("kit", path.stat().st_mode & 0o777, 0o644)
            gateway.says(r"sluice\.yaml:\d+: a secret is here")
            gateway.alive()


def exposed(gateway):
    return [line for line in gateway.lines if "any user" in line]


@test
def test_private_key_that_others_can_read_is_told():
    with Secure() as gateway:
        equal("as openssl makes it", exposed(gateway), [])
        gateway.key.chmod(0o604)
        status, _, text = run("-t", "-c", gateway.path)
        equal("status", status, 0)
        like("line", text, "warn server.tls.private_key: /.*/tls.key can be "
             "read or written by any user; chmod o= /.*/tls.key")


@test
def test_certificate_that_others_can_write_is_told():
    with Secure() as gateway:
        gateway.chain.chmod(0o646)
        _, _, text = run("-t", "-c", gateway.path)
        like("line", text, "warn server.tls.certificate: /.*/tls.crt can be "
             "written by any user; chmod o-w /.*/tls.crt")


@each({"0644": (0o644, 1), "0600": (0o600, 0)})
def test_file_of_keys_of_s3_is_told(row):
    mode, count = row
    with tempfile.TemporaryDirectory() as folder, Emulator("aws") as s3:
        s3.create(BUCKET)
        options = s3.options(BUCKET)
        keys = Path(folder, "credentials")
        keys.write_text("[default]\n"
                        f"aws_access_key_id = {options['access_key']}\n"
                        f"aws_secret_access_key = {options['secret_key']}\n")
        keys.chmod(mode)
        conf = sections(s3, access_key="", secret_key="", session_token=None,
                        credentials_file=str(keys))
        with Gateway(conf) as gateway:
            gateway.alive()
            lines = exposed(gateway)
            equal("lines", len(lines), count)
            for line in lines:
                like("line", line, r"warn \[main\] /.*/credentials can be "
                     "read or written by any user; chmod o= /")


if __name__ == "__main__":
    main()
