#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Each check can fail: every row below spoils a copy of the sources, and the
# check that is named first must then refuse it.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
copy=$scratch/copy
checks=$PWD/tests/checks

mkdir "$copy"
cp -R autogen.sh configure.ac Makefile.am README.md LICENSE .ci \
  core plugins config tests docs "$copy"
chmod -R u+w "$copy"

# passes CHECK: what it says of the copy.  Nothing is built there.
passes() {
  (cd "$scratch" && SLUICE=none srcdir=$copy "$checks/$1.sh") \
    >"$scratch/said" 2>&1
}

# spoil CHECK FILE LINE: appends the line to the file, for a while.  What the
# check said before, of sources that may not please it, doesn't count.
spoil() {
  if [ ! -f "$scratch/before.$1" ]; then
    passes "$1" || :
    mv "$scratch/said" "$scratch/before.$1"
  fi
  rm -f "$scratch/kept"
  [ ! -f "$copy/$2" ] || cp -p "$copy/$2" "$scratch/kept"
  printf '%s\n' "$3" >>"$copy/$2"
  if passes "$1" || cmp -s "$scratch/said" "$scratch/before.$1"; then
    refuse "$1.sh takes this in $2" "$3"
  fi
  rm "$copy/$2"
  [ ! -f "$scratch/kept" ] || mv "$scratch/kept" "$copy/$2"
}

wide=$(printf '%080d' 0)

spoil banned core/base/buf.c 'int f(char *a) { return strcpy(a, "b") == a; }'
spoil banned core/base/buf.c 'int f(void) { return system("ls"); }'
spoil locks core/yaml/config.c 'pthread_mutex_t lock; pthread_mutex_init();'
spoil layers core/base/buf.c '#include "../runtime/loop.h"'
spoil layers core/base/buf.c '#include <event2/event.h>'
spoil heads core/base/bare.c 'int bare;'
spoil heads tests/bare.sh '#!/bin/sh'
spoil size core/base/buf.c "/* $wide */"
spoil size core/base/buf.c 'int f; '
spoil size core/base/buf.c "$(printf '%500s.' '' | tr ' ' '\n')"
spoil words core/base/buf.c '/* TO''DO */'
spoil words docs/style.md 'See /ho''me/me.'
spoil symbols core/include/sluice/plugin.h 'void sluice_more(void);'
spoil symbols core/sluice.syms '  sluice_more;'
spoil states docs/architecture.md '<!-- states -->
OVER'
spoil states core/gate/exchange_table.c '    ON(OVER, TOLD, FREE, OVER),'
spoil states docs/ingress.md '<!-- states -->
DISCARDING'
spoil states core/http1/ingress_table.c '    MOVE(HEAD, IDLE, "it tires"),'
spoil statics core/base/buf.c 'static int add_digit(void) { return 0; }'
spoil openapi core/endpoints/list.c '.tail = "/nowhere"'
spoil lists core/base/more.c '/* in no list */'
spoil abi tests/abi/v1/functions sluice_never
spoil layout more.txt 'at the top'
spoil headless core/base/buf.c '/* What is left of it. */'
spoil headless tests/integration/kit.py '# Who asks.'
spoil headless core/console/act.js '// Who asks.'
spoil headless config/more.toml '# Who asks.'
spoil headless core/base/more.c "$(printf '%s\n' '/*' ' * A head.' ' */' \
  'int a;' '/* What is left of it. */')"
spoil headless plugins/lib/buf.h "$(printf '/*\n * Which of them: none.\n */')"

if [ -n "$(find docs/man -name '*.5' 2>/dev/null)" ]; then
  spoil options core/host/more.c '{"not_on_any_page", SLUICE_BOOL, "true"},'
fi
if command -v shellcheck >/dev/null; then
  # shellcheck disable=SC2016
  spoil shell autogen.sh 'echo $1'
fi

# Of writable globals, by an object where the build puts them.
mkdir -p "$scratch/core/.libs" "$scratch/plugins"
echo 'static int count; int f(void); int f(void) { return ++count; }' \
  >"$scratch/count.c"
${CC:-cc} -c -o "$scratch/core/.libs/libcount.a" "$scratch/count.c"
if passes globals; then
  refuse 'globals.sh takes' 'static int count'
fi

# Of circles, by two objects that need each other.
one='int other(int n); int one(int n); int one(int n) { return other(n); }'
other='int other(int n); int one(int n); int other(int n) { return one(n); }'
mkdir "$scratch/circle" "$scratch/circle/core"
echo "$one" | ${CC:-cc} -c -o "$scratch/circle/core/l-one.o" -xc -
: >"$copy/tests/checks/circles.txt"
touch "$copy/core/one.c" "$copy/core/other.c"
circles() {
  (cd "$scratch/circle" && srcdir=$copy "$checks/circles.py") >"$scratch/said"
}
if command -v python3 >/dev/null; then
  circles || refuse 'circles.py refuses' "$one"
  echo "$other" | ${CC:-cc} -c -o "$scratch/circle/core/l-other.o" -xc -
  if circles; then
    refuse 'circles.py takes' "$one $other"
  fi
fi
verdict
