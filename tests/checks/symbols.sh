#!/bin/sh
# SPDX-License-Identifier: MIT
#
# core/sluice.syms is what plugin.h declares, the program exports just that,
# and a plugin exports its descriptor, its table of what it reaches, no more.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

declared() {
  ${CC:-cc} -E -P -Icore/include core/include/sluice/plugin.h |
    grep -o 'sluice_[a-z0-9_]*(' | tr -d '(' | sort -u
}

listed() {
  sed -n 's/^ *\(sluice_[a-z0-9_]*\);$/\1/p' core/sluice.syms | sort -u
}

# Sanitizers and copy relocations add some that aren't ours.
exported() {
  nm -D --defined-only "$1" | awk '{ print $3 }' |
    grep -vE '@|^_|san_|Sanitizer|^(stdin|stdout|stderr|environ)$' | sort -u
}

# differ WHY ONE OTHER
differ() {
  printf '%s\n' "$2" >"$scratch/one"
  printf '%s\n' "$3" >"$scratch/other"
  refuse "$1" "$(diff "$scratch/one" "$scratch/other" || :)"
}

scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
differ 'core/sluice.syms (<) is not what plugin.h declares (>)' \
  "$(listed)" "$(declared)"

program=${SLUICE:-$build/sluice}
if [ -x "$program" ]; then
  differ 'core/sluice.syms (<) is not what the program exports (>)' \
    "$(listed)" "$(exported "$program")"
fi
for plugin in "$build"/plugins/*/*/.libs/*.so "$build"/plugins/*/.libs/*.so
do
  [ -e "$plugin" ] || continue
  name=$(basename "$plugin" .so)
  refuse "$name.so exports more than its descriptor" \
    "$(exported "$plugin" |
      grep -vE "^sluice_((backend|hook)_$name|reach)\$" || :)"
  refuse "plugins that don't say what they reach: give them SLUICE_REACH()" \
    "$(exported "$plugin" | grep -qx sluice_reach || echo "$name")"
done
verdict
