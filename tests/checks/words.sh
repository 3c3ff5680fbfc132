#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Open ends belong to the tracker, and no page names one machine.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

# Written so that this file doesn't find itself.
open='TO''DO|FIX''ME|X''XX|HA''CK'
refuse 'left open: do it, or write an issue' \
  "$(own_files | xargs grep -InwE "$open" || :)"
refuse 'not done yet, by its own words' \
  "$(c_sources core plugins | xargs grep -niwE 'unimplemented|stub' || :)"
refuse 'a path of one machine' \
  "$(own_files | xargs grep -InE '/(ho''me|ro''ot|wo''rk)/[a-z]' || :)"
verdict
