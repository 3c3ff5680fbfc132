#!/bin/sh
# SPDX-License-Identifier: MIT
#
# From a checkout to something that runs.
#
#   ./autogen.sh        makes ./configure, for packagers
#   ./autogen.sh run    installs what is missing, builds in ./build, runs the
#                       gateway on http://localhost:8000 over ./data
#   ./autogen.sh check  the same up to the build, then the whole test suite
set -eu

top=$(cd "$(dirname "$0")" && pwd)
cd "$top"

build_packages='autoconf automake libtool pkg-config make gcc libc6-dev
libevent-dev libssl-dev libyaml-dev libjansson-dev libsqlite3-dev
libcurl4-openssl-dev libexpat1-dev libcrypt-dev'
check_packages='libcunit1-dev python3 openssl curl python3-cryptography'

say() {
  printf 'autogen.sh: %s\n' "$*"
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
      say "going on without them: not root, and there is no sudo"
      return 0
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
  apt_install $missing || say "apt-get failed; going on with what is here"
}

make_configure() {
  say "making ./configure (autoreconf)"
  autoreconf --force --install --warnings=all,no-obsolete
  # Autoconf removes core dumps by the name of the folder "core".
  sed 's/rm -f core \*\.core/rm -f *.core/' configure >configure.new
  cat configure.new >configure
  rm configure.new
}

build() {
  if [ -z "$(find configure -newer configure.ac 2>/dev/null)" ]; then
    make_configure
  fi
  mkdir -p build
  if [ ! -f build/Makefile ]; then
    say "configuring in ./build"
    (cd build && ../configure --quiet)
  fi
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
  say "running build/sluice -c build/run.yaml; Ctrl-C ends it. Try:"
  say "  curl -F file=@README.md http://localhost:8000/files"
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

check() {
  status=0
  rm -f build/test-suite.log
  make -C build -j"$(nproc)" check || status=$?
  if [ ! -f build/test-suite.log ]; then
    say "the tests don't build: see the errors above"
    exit 1
  fi
  if [ "$status" -ne 0 ]; then
    cat build/test-suite.log
  fi
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
    install_missing $build_packages
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
