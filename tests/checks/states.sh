#!/bin/sh
# SPDX-License-Identifier: MIT
#
# docs/architecture.md and docs/ingress.md show the states of a request, a
# connection and a body as the tables in the code have them.  Prints the right
# picture when one doesn't.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

# A state, and below it: event, action, next state.
exchange() {
  sed -n 's/^ *ON(\(.*\)),$/\1/p' core/gate/exchange_table.c | tr -d , |
    awk '{
      event = tolower($2)
      action = $3 == "IGNORE" ? "" : tolower($3)
      if ($1 != last)
        print $1
      last = $1
      line = sprintf("  %-10s %-13s", event, action)
      print $4 == $1 ? line : line " -> " $4
    }' | tr '_' ' ' | sed 's/ *$//'
}

# A state, and below it: the next state, and when.
ingress() {
  sed -n 's/^ *MOVE(\(.*\)),$/\1/p' core/http1/ingress_table.c |
    sed 's/"//g; s/, /,/; s/, /,/' | awk -F, '{
      when = substr($0, length($1 $2) + 3)
      sub(/^BODY_/, "BODY ", $1)
      sub(/^BODY_/, "", $2)
      if ($1 != last)
        print $1
      last = $1
      printf "  -> %-10s  %s\n", $2, when
    }'
}

# picture PAGE TABLE: the picture is the page's
picture() {
  shown=$(sed -n '/^<!-- states -->/,/^<!-- end -->/p' "$1" |
    sed '/^<!--/d; /^```/d')
  if [ "$2" != "$shown" ]; then
    refuse "$1 shows other states than its table; write" "$2"
  fi
}

picture docs/architecture.md "$(exchange)"
picture docs/ingress.md "$(ingress)"
verdict
