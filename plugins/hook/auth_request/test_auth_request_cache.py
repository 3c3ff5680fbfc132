#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Answers of the service that are kept: how long, and for whom."""

from authkit import KEY, by_user, gateway, send_upload
from kit import each, equal, eventually, main, test
from service import Service, say


def ask_for(gate, user, target=KEY):
    return gate.ask("GET", target, f"Authorization: {user}").status


@test
def test_without_cache_time_each_request_is_asked_about():
    with Service(by_user) as service, gateway(service) as gate:
        for _ in range(3):
            equal("status", ask_for(gate, "ann"), 404)
        equal("requests", len(service.asked), 3)


@test
def test_kept_answer_is_given_again_with_its_identity_and_headers():
    with Service(by_user) as service, gateway(
            service, cache_time="1h", identity_header="X-User",
            return_headers=["X-Seen"], prefixes=["{user}/"]) as gate:
        target = "/files/download?key=ann%2Fa"
        for _ in range(3):
            answer = gate.ask("GET", target, "Authorization: ann")
            equal("answer", (answer.status, answer.header("x-seen")),
                  (404, "/may-i"))
        equal("requests", len(service.asked), 1)


@each({"401": 401, "403": 403})
def test_refusals_are_kept_too(status):
    with Service(say(status, "WWW-Authenticate: Test")) as service, \
            gateway(service, cache_time="1h") as gate:
        for _ in range(2):
            answer = gate.ask("GET", KEY)
            equal("status", answer.status, status)
            equal("challenge", answer.header("www-authenticate"),
                  "Test" if status == 401 else None)
        equal("requests", len(service.asked), 1)


@each({"302": 302, "404": 404, "500": 500})
def test_failures_are_not_kept(status):
    with Service(say(status)) as service, \
            gateway(service, cache_time="1h") as gate:
        equal("status", gate.ask("GET", KEY).status, 502)
        service.behave = say(204)
        equal("status", gate.ask("GET", KEY).status, 404)


@test
def test_kept_answers_are_of_one_user_key_operation_and_method():
    with Service(by_user) as service, \
            gateway(service, cache_time="1h", check_key="true") as gate:
        other = KEY + "x"
        for count, ask in ((2, lambda: ask_for(gate, "ann")),
                           (2, lambda: ask_for(gate, "ann")),
                           (4, lambda: ask_for(gate, "bob")),
                           (6, lambda: ask_for(gate, "ann", other)),
                           (8, lambda: ask_for(gate, "ann",
                                               "/files?prefix=t")),
                           (10, lambda: gate.ask(
                               "HEAD", KEY, "Authorization: ann").status),
                           (11, lambda: ask_for(gate, "")),
                           (11, lambda: ask_for(gate, "ann")),
                           (11, lambda: ask_for(gate, "bob"))):
            ask()
            equal("requests", len(service.asked), count)


@test
def test_headers_cannot_be_moved_across_to_share_an_answer():
    with Service(by_user) as service, gateway(
            service, cache_time="1h",
            send_headers=["Authorization", "X-B"]) as gate:
        for lines in (["Authorization: a", "X-B: b"],
                      ["Authorization: aX-B: b"], ["X-B: b"],
                      ["Authorization: a\tX-B: b"]):
            gate.ask("GET", KEY, *lines)
        equal("requests", len(service.asked), 4)


@test
def test_upload_keys_are_asked_about_one_by_one():
    with Service(by_user) as service, \
            gateway(service, cache_time="1h", check_key="true") as gate:
        for count in (2, 3):
            equal("status", send_upload(gate, "Authorization: a").status, 201)
            equal("requests", len(service.asked), count)


@test
def test_kept_answer_expires():
    with Service(by_user) as service, \
            gateway(service, cache_time="300ms") as gate:
        ask_for(gate, "ann")
        service.behave = say(403)
        eventually("an answer that isn't kept any more",
                   lambda: ask_for(gate, "ann") == 403)
        equal("requests", len(service.asked), 2)


@each({"no-store": "no-store", "no-cache": "private, no-cache",
       "age 0": "max-age=0", "no age": "max-age=x"})
def test_service_may_forbid_to_keep(control):
    with Service(say(200, f"Cache-Control: {control}")) as service, \
            gateway(service, cache_time="1h") as gate:
        for _ in range(2):
            equal("status", gate.ask("GET", KEY).status, 404)
        equal("requests", len(service.asked), 2)


@test
def test_memo_is_bounded():
    with Service(by_user) as service, gateway(
            service, cache_time="1h", cache_size="8KiB",
            identity_header="X-User") as gate:
        for number in range(200):
            ask_for(gate, f"user{number}")
        ask_for(gate, "user199")
        equal("requests", len(service.asked), 200)
        ask_for(gate, "user0")
        equal("requests", len(service.asked), 201)


main()
