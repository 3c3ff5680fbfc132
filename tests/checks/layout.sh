#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The top of the tree holds these names, hidden files, and nothing else.
# shellcheck source=tests/checks/kit
. "$(dirname "$0")/kit"

wanted='core plugins config tests docs autogen.sh configure.ac Makefile.am
README.md LICENSE'
# Ignored by git; an unpacked release has them too, without git to say so.
made='configure configure~ Makefile.in Makefile aclocal.m4 autom4te.cache build
_build _inst data config.log config.status libtool stamp-h1 sluice
sluice-plugin-check'

if [ -e .git ] && command -v git >/dev/null; then
  names=$(git ls-files --cached --others --exclude-standard |
    sed 's|/.*||' | sort -u)
  made=
else
  names=$(ls)
fi

extra=
for name in $names; do
  case $name in .*) continue ;; esac
  known=
  for one in $wanted $made; do
    [ "$one" != "$name" ] || known=yes
  done
  [ -n "$known" ] || extra="$extra$name "
done
refuse 'not a name for the top of the tree, find it a folder' "$extra"

gone=
for name in $wanted; do
  [ -e "$name" ] || gone="$gone$name "
done
refuse 'missing at the top of the tree' "$gone"
verdict
