#!/bin/bash
# SPDX-License-Identifier: MIT
# Documents that are made from the programs say what the programs say.
. "$(dirname "$0")/lib.sh"
cd "$ROOT" || die "no root"
sh tools/docs.sh "$OUT" "$C/CONFIG.md"
check "docs/CONFIG.md is what make docs writes" diff -u docs/CONFIG.md "$C/CONFIG.md"
finish
