#!/bin/bash
# SPDX-License-Identifier: MIT
# House rules that can be grepped: one SPDX line a file, no calls that we do not use, no build output.
cd "$(dirname "$0")/../.." || exit 1
bad=0
rule() { if [ -z "$2" ]; then echo "ok - $1"; else echo "not ok - $1: $2"; bad=1; fi; }
sources() { git ls-files '*.c' '*.h' '*.def' '*.proto' '*.sh' Makefile .ci/run; }
rule "every source has one SPDX line" "$(for f in $(sources); do [ "$(grep -c 'SPDX-License-Identifier: MIT$' "$f")" = 1 ] || echo "$f"; done)"
rule "no calls that overflow or start a shell" "$(git grep -nE '\b(strcat|sprintf|gets|atoi|atol|system|popen|rand|strtok)\(' -- '*.c' ':!tests' | head -n 5)"
rule "no unfinished work is marked" "$(git grep -nE '\b(TODO|FIXME|XXX|HACK)\b' -- '*.c' '*.h' '*.md' | head -n 5)"
rule "no build output is tracked" "$(git ls-files | grep -E '\.(o|so|a|log|orig|rej|gcda)$')"
rule "no absolute path of a machine stands in the tree" "$(git grep -nE '/(root|work|home)/[a-z]+/' -- ':!tools/check' ':!docs' ':!tests/fuzz/corpus' | head -n 5)"
exit $bad
