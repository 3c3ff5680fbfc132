#!/bin/sh
# SPDX-License-Identifier: MIT
#
# docs/architecture.md shows the states of a request as the table in the code
# has them.  Prints the right picture when it doesn't.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

table=core/gate/exchange_table.c
page=docs/architecture.md

picture() {
  sed -n 's/^ *ON(\(.*\)),$/\1/p' "$table" | tr -d , | awk '{
      event = tolower($2)
      action = $3 == "IGNORE" ? "" : tolower($3)
      if ($1 != last)
        print $1
      last = $1
      line = sprintf("  %-10s %-13s", event, action)
      print $4 == $1 ? line : line " -> " $4
    }' | tr '_' ' ' | sed 's/ *$//'
}

shown=$(sed -n '/^<!-- states -->/,/^<!-- end -->/p' "$page" |
  sed '/^<!--/d; /^```/d')
if [ "$(picture)" != "$shown" ]; then
  refuse "$page shows other states than $table; write" "$(picture)"
fi
verdict
