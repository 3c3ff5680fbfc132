#!/bin/sh
# SPDX-License-Identifier: MIT
#
# From a checkout to something that runs.
#
#   ./autogen.sh        makes ./configure, for packagers
#   ./autogen.sh run    installs what is missing, builds in ./build, runs the
#                       gateway on http://localhost:8000 over ./data; other
#                       places are PORT=8080 DATA=/srv/files ./autogen.sh run
#   ./autogen.sh check  the same up to the build, then the whole test suite
set -eu

started_in=$PWD
top=$(cd "$(dirname "$0")" && pwd)
cd "$top"

build_packages='autoconf automake libtool pkg-config make gcc libc6-dev
libevent-dev libssl-dev libyaml-dev libjansson-dev libsqlite3-dev
libcurl4-openssl-dev libexpat1-dev libcrypt-dev libzstd-dev liblua5.4-dev
libseccomp-dev libmagic-dev'
run_packages='curl'
check_packages='libcunit1-dev python3 openssl curl python3-cryptography
zstd'

say() {
  printf 'autogen.sh: %s\n' "$*"
}

die() {
  say "$@" >&2
  exit 1
}

missing_packages() {
  for package; do
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>&1) in
      ii*) ;;
      *) printf '%s ' "$package" ;;
    esac
  done
}

# One installation at a time: apt waits for the lock of another one.
apt_install() {
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    as_root=sudo
    if ! command -v sudo >/dev/null; then
      say "you aren't root, and there is no sudo. As root, this helps:"
      say "  apt-get install --no-install-recommends $*"
      return 1
    fi
  fi
  export DEBIAN_FRONTEND=noninteractive
  wait_for_lock='-o DPkg::Lock::Timeout=300'
  # shellcheck disable=SC2086
  $as_root apt-get $wait_for_lock update -q &&
    $as_root apt-get $wait_for_lock install -q -y --no-install-recommends "$@"
}

install_missing() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null
  then
    say "not Debian, so nothing is installed. Needed, by Debian's names:"
    printf '  %s\n' "$@"
    return 0
  fi
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  say "installing with apt-get: $missing"
  # shellcheck disable=SC2086
  apt_install $missing || say "nothing was installed; trying what is here"
}

make_configure() {
  command -v autoreconf >/dev/null ||
    die "no autoreconf: install autoconf, automake and libtool"
  say "making ./configure (autoreconf)"
  autoreconf --force --install --warnings=all,no-obsolete
  # Autoconf removes core dumps by the name of the folder "core".
  sed 's/rm -f core \*\.core/rm -f *.core/' configure >configure.new
  cat configure.new >configure
  rm configure.new
}

# All that changes configure's answers from outside: the folder that the tree
# is in, and the packages that are installed.
surroundings() {
  echo "$top"
  command -v python3 || :
  # shellcheck disable=SC2086
  ! command -v dpkg-query >/dev/null ||
    dpkg-query -W $build_packages $check_packages 2>/dev/null || :
}

# A ./build of other surroundings is configured again, as it was asked to be.
configure_build() {
  now=$(surroundings)
  if [ ! -f build/Makefile ]; then
    say "configuring in ./build"
    (cd build && ../configure --quiet)
  elif [ "$now" != "$(cat build/surroundings 2>/dev/null)" ]; then
    say "configuring in ./build again, as other packages are here now"
    (cd build && ./config.status --quiet --recheck && ./config.status --quiet)
  fi
  printf '%s\n' "$now" >build/surroundings
}

build() {
  if [ ! -f Makefile.in ] ||
    [ -z "$(find configure -newer configure.ac 2>/dev/null)" ]; then
    make_configure
  fi
  mkdir -p build
  [ -w build ] || die "./build belongs to another user: remove it, or be them"
  configure_build
  say "building in ./build"
  make -C build -j"$(nproc)"
}

# The shipped configuration as it is, with the plugins that were just built
# instead of those that are installed.
write_run_config() {
  {
    printf 'plugin_path:\n'
    for folder in "$top"/build/plugins/backend/*/.libs \
      "$top"/build/plugins/hook/*/.libs; do
      [ ! -d "$folder" ] || printf '  - "%s"\n' "$folder"
    done
    sed '/^plugin_path:/d' config/sluice.yaml
  } >build/run.yaml
}

run() {
  write_run_config
  case ${DATA-} in
    '' | /*) ;;
    *) DATA=$started_in/$DATA ;;
  esac
  export PORT="${PORT-}" DATA="${DATA-}"
  say "running build/sluice -c build/run.yaml; Ctrl-C ends it. Try:"
  say "  curl -F file=@README.md http://localhost:${PORT:-8000}/files"
  exec build/sluice -c build/run.yaml
}

# What automake's summary says, as one line.
summary() {
  awk '/^# (PASS|XFAIL):/ { passed += $3 }
    /^# (FAIL|XPASS|ERROR):/ { failed += $3 }
    /^# SKIP:/ { skipped += $3 }
    END {
      printf "%d passed, %d failed", passed, failed
      printf skipped ? ", " skipped " skipped\n" : "\n"
    }' build/test-suite.log
}

# The tests that were skipped, each with its reason: the first line it wrote.
skipped() {
  find build -name '*.trs' -exec grep -l '^:test-result: SKIP' {} + |
    sort | while read -r result; do
    log=${result%.trs}.log
    printf 'skipped %s: %s\n' "$(basename "$log" .log)" \
      "$(sed -n 's/^skipped: //; /[^ ]/ { p; q; }' "$log")"
  done
}

check() {
  status=0
  if ! make -C build -j"$(nproc)" check TESTS=; then
    say "the tests don't build: see the errors above"
    exit 1
  fi
  # Most of them wait more than they work, and then a little longer.
  SLUICE_PATIENCE=${SLUICE_PATIENCE:-2} \
    make -C build -j$(($(nproc) * 3)) check || status=$?
  if [ "$status" -ne 0 ]; then
    cat build/test-suite.log
  fi
  skipped
  summary
  exit "$status"
}

case ${1-} in
  '')
    make_configure
    say "now: ./configure && make && make install"
    ;;
  run)
    # shellcheck disable=SC2086
    install_missing $build_packages $run_packages
    build
    run
    ;;
  check)
    # shellcheck disable=SC2086
    install_missing $build_packages $check_packages
    build
    check
    ;;
  *)
    say "usage: ./autogen.sh [run|check]"
    exit 2
    ;;
esac
