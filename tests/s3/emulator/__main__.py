# SPDX-License-Identifier: MIT
"""The emulator as a program.  It prints one line of JSON when it listens,
and ends by SIGTERM, or with its standard input when --until-eof is given."""
import argparse
import json
import os
import signal
import ssl
import sys
from pathlib import Path

sys.dont_write_bytecode = True
if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[1])

# pylint: disable=wrong-import-position
from emulator.call import CREDENTIALS, State  # noqa: E402
from emulator.dialect import DIALECTS  # noqa: E402
from emulator.server import Server  # noqa: E402


def pairs(words):
    return dict(word.split("=", 1) for word in words)


def arguments():
    parser = argparse.ArgumentParser(prog="emulator")
    parser.add_argument("--dialect", choices=DIALECTS, default="aws")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--region", help="the server's own region")
    parser.add_argument("--domain", default="localhost",
                        help="BUCKET.DOMAIN in Host names a bucket")
    parser.add_argument("--without", action="append", default=[],
                        metavar="RULE", help="a rule not to enforce")
    parser.add_argument("--variant", action="append", default=[],
                        metavar="NAME=WAY", help="see dialect.py")
    parser.add_argument("--certificate", help="PEM; with --key: TLS")
    parser.add_argument("--key")
    parser.add_argument("--until-eof", action="store_true")
    return parser.parse_args()


def tls(options):
    if not options.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # boto3 takes a ticket that comes after the handshake for the answer to
    # Expect: 100-continue, and then waits for the rest of it for ever.
    context.num_tickets = 0
    context.load_cert_chain(options.certificate, options.key)
    return context


def main():
    options = arguments()
    context = tls(options)
    state = State(options.dialect, options.region, options.domain,
                  bool(context), options.without, pairs(options.variant))
    server = Server(state, options.port, context)
    server.start()
    print(json.dumps({
        "endpoint": f"http{'s' if context else ''}://127.0.0.1:"
                    f"{server.port}",
        "port": server.port, "region": state.region,
        "credentials": [{"access_key": one.access_key,
                         "secret_key": one.secret_key, "token": one.token,
                         "scoped": one.scoped} for one in CREDENTIALS]}),
          flush=True)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    if options.until_eof:
        sys.stdin.buffer.read()
    else:
        signal.pause()
    os._exit(0)


main()
