#!/bin/sh
# SPDX-License-Identifier: MIT
# A throw-away authority for demo and tests:
#   certs/make-test-authority.sh FOLDER [BIN]      BIN: where chaski-registry is (default build/dev/bin)
# Makes FOLDER/store (with private keys: never put it under version control), one purpose, and
# FOLDER/directory, published. Prints shell assignments of what nodes are given.
set -eu

[ $# -ge 1 ] || { echo "usage: certs/make-test-authority.sh FOLDER [BIN]" >&2; exit 2; }
folder=$1
bin=${2:-$(dirname "$0")/../build/dev/bin}
registry=$bin/chaski-registry
[ -x "$registry" ] || { echo "make-test-authority.sh: no $registry: run make first" >&2; exit 1; }

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
"$registry" init "$folder/store" --instance CO --name "Autoridad de prueba" --valid-days 30 >/dev/null
"$registry" purpose add "$folder/store" prueba --title "Prueba" --legal-basis "Ninguna: datos de prueba" >/dev/null
"$registry" publish "$folder/store" --to "$folder/directory" >/dev/null
cat <<EOF
CHASKI_STORE='$folder/store'
CHASKI_DIRECTORY='$folder/directory'
CHASKI_TRUST='$folder/store/anchor/trust.pem'
CHASKI_DIRECTORY_KEY='$folder/store/anchor/directory.vkey'
EOF
