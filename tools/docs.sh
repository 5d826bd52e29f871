#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes docs/CONFIG.md from the programs' tables of settings. Called by `make docs`,
# and by tests with another file to compare.
set -eu
{
    echo "# Settings"
    echo
    echo "Made by \`make docs\` from the tables in the programs; do not edit. Files are in libconfuse's format:"
    echo "\`name = value\`, lists \`{\"a\", \"b\"}\`, sections \`service \"X\" { ... }\`, comments with \`#\`. Every program has"
    echo "\`--check-config\` and \`--print-config\`."
    echo
    "$1/bin/chaski-security-server" --document-config
    echo
    "$1/bin/chaski-gateway" --document-config
} | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >"${2:-docs/CONFIG.md}"
