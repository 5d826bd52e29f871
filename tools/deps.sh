#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what Chaski needs from Debian's packages, when something is missing.
#   deps.sh [build] [test] [lint] [fuzz] [bench]      default: build
# Says what it will install. Without root it prints the one line to run and exits 2.
set -eu

build="gcc make pkg-config libc6-dev libssl-dev libzmq3-dev libprotobuf-c-dev protobuf-c-compiler
 protobuf-compiler libjansson-dev libconfuse-dev libseccomp-dev libsqlite3-dev libzip-dev zlib1g-dev libmicrohttpd-dev libcurl4-openssl-dev libexpat1-dev libyaml-dev libp11-kit-dev libqrencode-dev node-llhttp jq
 openssl curl ca-certificates"
test="libcunit1-dev nginx-light xxd zip unzip iproute2 procps libxml2-utils sqlite3 bsdutils chromium fonts-dejavu-core softhsm2 opensc valgrind"
lint="clang-format clang-tidy cppcheck"
fuzz="clang libclang-rt-14-dev"
bench="wrk nginx-light libnginx-mod-http-lua libcunit1-dev bc"

wanted=""
[ $# -gt 0 ] || set -- build
for group in "$@"; do
    case "$group" in
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $test" ;;
    lint) wanted="$wanted $lint" ;;
    fuzz) wanted="$wanted $fuzz" ;;
    bench) wanted="$wanted $bench" ;;
    *) echo "deps.sh: no group '$group' (build, test, lint, fuzz, bench)" >&2; exit 2 ;;
    esac
done

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "This is not a Debian system. Install the equivalents of:" $wanted >&2
    exit 2
fi

missing=""
for package in $wanted; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "Missing Debian packages. Run this line and try again:" >&2
    echo "  sudo apt-get install -y --no-install-recommends$missing" >&2
    exit 2
fi

echo "Installing from Debian:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# A package that starts a daemon on installation shall not: the tests start their own.
policy=/usr/sbin/policy-rc.d
made=no
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && made=yes
fi
trap '[ "$made" = no ] || rm -f "$policy"' EXIT
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 || {
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
