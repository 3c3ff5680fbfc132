#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The promise to plugins of version 1 holds: the header of today agrees
# with the one that tests/abi/v1 keeps, but for what is new.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

v1=tests/abi/v1
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
mkdir -p "$scratch/then/sluice" "$scratch/now/sluice"
cp "$v1/plugin.h" "$scratch/then/sluice"
cp core/include/sluice/*.h "$scratch/now/sluice"

# Fields, constants and prototypes, by any compiler.
for age in "then" now; do
  refuse "plugin.h ($age) isn't what version 1.0 promised" \
    "$(${CC:-cc} -std=gnu11 -fsyntax-only -I "$scratch/$age" "$v1/layout.c" \
      2>&1 || :)"
done

# Functions.
gone=$(grep -v '^#' "$v1/functions" | while read -r name; do
  grep -q "^ *$name;$" core/sluice.syms || echo "$name"
done)
refuse 'version 1.0 offered these, and core/sluice.syms lacks them' "$gone"

# sluice.pc.
number() {
  sed -n "s/^#define SLUICE_ABI_$1 \([0-9]*\)u$/\1/p" \
    core/include/sluice/plugin.h
}
abi=$(number MAJOR).$(number MINOR)
grep -q "^abi=$abi\$" core/sluice.pc.in ||
  refuse 'core/sluice.pc.in names another abi than plugin.h' "$abi"
[ "$complaints" -eq 0 ] || exit 1

# Types as the debugger sees them: also what points to what.
command -v abidiff >/dev/null || skip 'no abidiff (Debian: abigail-tools)'
types=$(sed -n 's/^struct \([a-z_]*\) {.*/\1/p' "$v1/plugin.h")
{
  echo '#include <sluice/plugin.h>'
  for type in $types; do
    echo "void take_$type(const struct $type *it);"
    echo "void take_$type(const struct $type *it) { (void)it; }"
  done
} >"$scratch/types.c"
for age in "then" now; do
  ${CC:-cc} -std=gnu11 -g -O0 -shared -fPIC -I "$scratch/$age" \
    -o "$scratch/$age.so" "$scratch/types.c"
done
# Its own suppressions of what was added at an end hide other changes as well.
abidiff --leaf-changes-only "$scratch/then.so" "$scratch/now.so" \
  >"$scratch/said" || :
changed='member change|change:|changes:|deletion|removed|type name changed'
changed="$changed|[1-9][0-9]* Removed|offset changed|has been|have been"
if grep -qE "$changed" "$scratch/said"; then
  refuse 'plugin.h has changed what version 1.0 has; add at the end only' \
    "$(cat "$scratch/said")"
fi
verdict
