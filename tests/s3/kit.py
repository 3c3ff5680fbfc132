# SPDX-License-Identifier: MIT
"""S3 servers for the integration tests, each on a free port of 127.0.0.1:

  with Emulator("r2") as s3: ...     the emulator, see emulator/
  with Rgw() as s3: ...              a real Ceph RADOS Gateway, or Skip
  with Server("minio") as s3: ...    MinIO, versitygw, SeaweedFS, or Skip

All offer endpoint, region, access_key, secret_key, env (as S3_ENDPOINT and
so on), options(bucket) for a backend in a gateway's configuration, client(),
and create(bucket).  A test below tests/ gets them by

  sys.path.append(str(Path(__file__).resolve().parents[1]))
  from s3.kit import Emulator, Rgw
"""
import atexit
import json
import shutil
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

from .client import Client
from .emulator.faults import SWEEP

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

# pylint: disable=wrong-import-position
from kit import (PATIENCE, Mismatch, Wire, equal, eventually,  # noqa: E402
                 expect, free_port, needs, request)

TLS_ONLY = ("r2", "b2")
PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw",
            "radosgw-admin", "curl")


class Endpoint:
    """All that the servers have in common."""
    dialect, token, context, certificate = "ceph", "", None, None

    def client(self, **other):
        words = {"endpoint": self.endpoint, "region": self.region or
                 "us-east-1", "access_key": self.access_key,
                 "secret_key": self.secret_key, "token": self.token,
                 "tls": self.context, **other}
        return Client(**words)

    @property
    def env(self):
        return {"S3_ENDPOINT": self.endpoint,
                "S3_REGION": self.region or "us-east-1",
                "S3_ACCESS_KEY": self.access_key,
                "S3_SECRET_KEY": self.secret_key}

    def options(self, bucket, **more):
        return {"endpoint": self.endpoint,
                "region": self.region or "us-east-1", "bucket": bucket,
                "access_key": self.access_key,
                "secret_key": self.secret_key, **more}

    def create(self, bucket):
        away = self.dialect == "aws" and self.region != "us-east-1"
        answer = self.client().create(bucket, self.region if away else "")
        equal("CreateBucket", answer.status, 200)
        return bucket


def certificate(folder):
    """A certificate for 127.0.0.1 and *.localhost, and its key."""
    needs(shutil.which("openssl"), "no openssl")
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:*.localhost"
    paths = [str(Path(folder, name)) for name in ("cert.pem", "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", names, "-out", paths[0],
         "-keyout", paths[1]], check=True, capture_output=True)
    return paths


class Emulator(Endpoint):
    """`tls`: None says what the dialect demands; without it where it is
    demanded, that rule is off.  `certificate` is what a client must trust.
    """

    def __init__(self, dialect="aws", *, tls=None, region=None, without=(),
                 **variants):
        self.dialect = dialect
        self.folder, without = None, list(without)
        if tls is False and dialect in TLS_ONLY:
            without.append(dialect.upper() + ".tls")
        if tls is None:
            tls = dialect in TLS_ONLY
        command = [sys.executable, str(HERE / "emulator"), "--until-eof",
                   "--dialect", dialect]
        if tls:
            self.folder = tempfile.mkdtemp(prefix="sluice-s3-")
            self.certificate, key = certificate(self.folder)
            self.context = ssl.create_default_context(
                cafile=self.certificate)
            command += ["--certificate", self.certificate, "--key", key]
        if region is not None:
            command += ["--region", region]
        for rule in without:
            command += ["--without", rule]
        for name, way in variants.items():
            command += ["--variant", f"{name}={way}"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.read_start()

    def read_start(self):
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise Mismatch("the emulator did not start")
        start = json.loads(line)
        self.endpoint, self.port = start["endpoint"], start["port"]
        self.region, self.credentials = start["region"], \
            start["credentials"]
        self.use(0)

    def use(self, number):
        """Another credential: 0 all rights, 1 temporary with a session
        token, 2 for objects only."""
        one = self.credentials[number]
        self.access_key, self.secret_key = one["access_key"], \
            one["secret_key"]
        self.token = one["token"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what the emulator knows (emulator/control.py)

    def control(self, method, name, thing=None):
        body = None if thing is None else json.dumps(thing).encode()
        with Wire(self.endpoint, tls=self.context) as wire:
            wire.send(request(method, "/_emulator/" + name, body=body))
            answer = wire.answer(method)
        equal(f"{method} {name}", (answer.status, answer.error), (200, None))
        return answer.json

    def violations(self):
        """The ids of the rules that clients broke, in order."""
        return [one["rule"] for one in
                self.control("GET", "violations")["violations"]]

    def blameless(self):
        """No client did anything wrong."""
        found = self.control("GET", "violations")["violations"]
        equal("violations", [f"{one['rule']}: {one['detail']} "
                             f"({one['request']})" for one in found], [])

    def forget(self):
        for name in ("violations", "faults", "requests"):
            self.control("DELETE", name)

    def fired(self, rule):
        """How often a rule or behaviour fired."""
        for one in self.control("GET", "rules")["rules"]:
            if one["id"] == rule:
                return one["fired"]
        raise Mismatch(f"no rule is called {rule}")

    def faults(self, *steps):
        return self.control("POST", "faults", list(steps))

    def faults_fired(self):
        """The steps of the script that fired so far."""
        return self.control("GET", "faults")["fired"]

    def wait_for_fault(self, count=1):
        eventually(f"{count} faults", lambda:
                   len(self.faults_fired()) >= count)

    def requests(self, method=None):
        """But for sweeps, which come when they want to."""
        return [one for one in self.control("GET", "requests")["requests"]
                if method in (None, one["method"]) and
                not SWEEP.search(one["target"].partition("?")[2])]

    def state(self, bucket):
        return self.control("GET", "state")["buckets"][bucket]

    def clock(self, offset):
        self.control("POST", "clock", {"offset": offset})


def boto3_read(s3, bucket, key):
    """The object that boto3 finds there (reader.py); None: there is none."""
    words = [s3.endpoint, s3.region or "us-east-1", s3.access_key,
             s3.secret_key, bucket, key]
    if s3.certificate:
        words.append(s3.certificate)
    done = subprocess.run([sys.executable, str(HERE / "reader.py"), *words],
                          capture_output=True, check=False, text=True)
    needs(done.returncode != 77, "boto3 is not installed")
    if done.returncode and "NoSuchKey" in done.stderr:
        return None
    expect(not done.returncode, done.stderr[-1000:])
    return json.loads(done.stdout)


SHARED = {}


def shared(dialect="aws", **words):
    """An emulator that the tests of one program share, wiped of what the
    tests before left in its records; it ends with the program."""
    name = (dialect, str(sorted(words.items())))
    if name not in SHARED:
        SHARED[name] = Emulator(dialect, **words)
        atexit.register(SHARED[name].stop)
        SHARED[name].create("bucket-1")
    s3 = SHARED[name]
    s3.forget()
    s3.clock(0)
    s3.use(0)
    return s3


class Rgw(Endpoint):
    """A whole small Ceph; it takes about two seconds to start."""

    def __init__(self):
        missing = [name for name in PROGRAMS if not shutil.which(name)]
        needs(not missing, f"Ceph isn't installed ({missing}); "
              "tests/s3/s3-server install does it")
        self.folder = tempfile.mkdtemp(prefix="sluice-rgw-")
        try:
            self.run("start", self.folder, str(free_port()))
            settings = dict(line.split("=", 1) for line in
                            self.run("env", self.folder).split())
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.endpoint = settings["S3_ENDPOINT"]
        self.region = settings["S3_REGION"]
        self.access_key = settings["S3_ACCESS_KEY"]
        self.secret_key = settings["S3_SECRET_KEY"]

    @staticmethod
    def run(*words):
        done = subprocess.run([str(HERE / "s3-server"), *words],
                              capture_output=True, check=False, text=True,
                              stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Mismatch(f"s3-server {words[0]}: {done.stderr[-2000:]}")
        return done.stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        try:
            self.run("stop", self.folder)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


class Server(Endpoint):
    """A server that is built with Go (tests/s3/servers), for a plugin."""

    def __init__(self, name, plugin="s3"):
        self.dialect = {"s3": "aws"}.get(plugin, plugin)
        needs(name in self.run("installed").split(), f"{name} isn't built; "
              f"tests/s3/servers install {name} does it")
        self.folder = tempfile.mkdtemp(prefix="sluice-server-")
        try:
            self.run("start", name, self.folder, str(free_port()))
            settings = dict(line.split("=", 1) for line in
                            self.run("env", self.folder).split())
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.endpoint = settings["S3_ENDPOINT"]
        self.region = settings["S3_REGION"]
        self.access_key = settings["S3_ACCESS_KEY"]
        self.secret_key = settings["S3_SECRET_KEY"]

    @staticmethod
    def run(*words):
        # No pipe, which the server would hold open.
        with tempfile.TemporaryFile("w+") as out:
            done = subprocess.run([str(HERE / "servers"), *words], check=False,
                                  stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=subprocess.STDOUT)
            out.seek(0)
            text = out.read()
        if done.returncode:
            raise Mismatch(f"servers {words[0]}: {text[-2000:]}")
        return text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        try:
            self.run("stop", self.folder)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
