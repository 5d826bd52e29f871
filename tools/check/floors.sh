#!/bin/bash
# SPDX-License-Identifier: MIT
# House rule: includes go down the floors only, and each library is included in one place.
cd "$(dirname "$0")/../.." || exit 1
bad=0
rule() { # SENTENCE FORBIDDEN-PATTERN FILES...
    local sentence=$1 pattern=$2; shift 2
    local found
    found=$(grep -nE "^#include [<\"]($pattern)" "$@" 2>/dev/null)
    if [ -z "$found" ]; then echo "ok - $sentence"; else echo "not ok - $sentence: $found"; bad=1; fi
}
all() { git ls-files '*.c' '*.h' | grep -E "$1"; }
rule "lib/base includes nothing above it" 'lib/(crypto|net|bus)/|openssl/|zmq\.h' $(all '^lib/base/')
rule "lib/crypto includes neither net nor bus" 'lib/(net|bus)/|zmq\.h' $(all '^lib/crypto/')
rule "lib/net includes neither crypto nor bus" 'lib/(crypto|bus)/|openssl/' $(all '^lib/net/')
rule "lib/bus includes no sockets" 'lib/net/|zmq\.h|openssl/' $(all '^lib/bus/')
rule "lib/bus includes nothing above it" 'lib/evidence/' $(all '^lib/(base|crypto|net|bus)/')
rule "lib/evidence includes no sockets" 'lib/net/|zmq\.h|openssl/' $(all '^lib/evidence/')
rule "only lib/crypto includes OpenSSL" 'openssl/' $(all '^(gateway|security-server|registry|tools|lib/(base|net|bus|evidence))/')
rule "only lib/crypto includes p11-kit" 'p11-kit/' $(all '.' | grep -v -E '^(lib/crypto/|tests/)')
rule "only lib/net includes zmq.h" 'zmq\.h' $(all '^(gateway|security-server|registry|tools|lib/(base|crypto|bus|evidence))/')
rule "only lib/evidence includes zip.h" 'zip\.h' $(all '.' | grep -v '^lib/evidence/')
rule "only tools/audit/database.c includes sqlite3.h" 'sqlite3\.h' $(all '.' | grep -v '^tools/audit/database\.c$')
rule "only gateway/soap.c includes expat.h, and what fuzzes it" 'expat\.h' $(all '.' | grep -vE '^(gateway/soap|tests/fuzz/fuzz_soap)\.c$')
rule "only gateway/openapi_yaml.c includes yaml.h" 'yaml\.h' $(all '.' | grep -v '^gateway/openapi_yaml\.c$')
rule "only gateway/qr.c includes qrencode.h" 'qrencode\.h' $(all '.' | grep -v '^gateway/qr\.c$')
rule "libraries include no program" '(gateway|security-server|registry|tools)/' $(all '^lib/')
rule "the gateway includes no other program" '(security-server|registry|tools)/' $(all '^gateway/')
rule "the security server includes no other program" '(gateway|registry|tools)/' $(all '^security-server/')
rule "the registry includes no other program" '(gateway|security-server|tools)/' $(all '^registry/')
rule "generated headers are included from .c files only" '[a-z]+\.pb-c\.h' $(git ls-files '*.h' | grep -v '^tests/')
exit $bad
