#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Locks are for core/runtime; everything else belongs to one loop.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

refuse 'a lock outside core/runtime: use loop_post() or a lane' \
  "$(c_sources core plugins | grep -v '^core/runtime/' | xargs grep -nE \
    '(pthread_(mutex|rwlock|cond|spin)|sem_|mtx_)' || :)"
verdict
