#!/bin/bash
# SPDX-License-Identifier: MIT
# Fuzzes each parser of strangers' bytes with libFuzzer, ASan and UBSan. Called by `make fuzz SECONDS=n`.
#   fuzz.sh SECONDS TARGET...        the seconds are shared; finds stay in build/fuzz
set -u
seconds=$1; shift
cd "$(dirname "$0")/../.." || exit 1
out=build/fuzz
mkdir -p "$out/objects"
each=$((seconds / $# > 0 ? seconds / $# : 1))
flags="-std=gnu2x -D_GNU_SOURCE -I. -isystem build/gen -isystem /usr/share/include -isystem /usr/share/include/llhttp -isystem /usr/include/p11-kit-1 -pthread -O1 -g -w \
 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
sources=$(ls lib/base/*.c lib/crypto/*.c lib/net/*.c lib/bus/*.c lib/evidence/witness_policy.c build/gen/*.c registry/*.c registry/serve/enrolment*.c gateway/*.c \
    security-server/server_config.c security-server/renewal_act.c security-server/transport_key.c \
    security-server/keys/*.c /usr/share/llhttp/*.c | grep -v '_main\.c$')
echo "building for the fuzzer"
# An object is stale when anything that it was made of is newer or gone: the compiler wrote down what.
stale() { # OBJECT
    local made_of newer
    [ -e "$1" ] && [ -e "$1.d" ] || return 0
    made_of=$(sed -e 's/^[^:]*://' -e 's/\\$//' "$1.d")
    newer=$(find $made_of tests/fuzz/fuzz.sh -newer "$1" -print -quit 2>&1) || return 0
    [ -n "$newer" ]
}
object_of() { echo "$out/objects/$(echo "$1" | tr / _).o"; }
objects=$(for source in $sources; do object_of "$source"; done) # and none of sources that are gone
for source in $sources; do
    object=$(object_of "$source")
    ! stale "$object" || echo "$source $object"
done | xargs -r -P "$(nproc)" -L 1 sh -c "clang $flags -MMD -MF \"\$1.d\" -c \"\$0\" -o \"\$1\"" || exit 1
bad=0
for target in "$@"; do
    clang $flags -fsanitize=fuzzer,address,undefined -o "$out/$target" "tests/fuzz/fuzz_$target.c" $objects \
        -lprotobuf-c -lzmq -ljansson -lcrypto -lexpat -lyaml -lconfuse -lseccomp -lqrencode || exit 1
    mkdir -p "$out/corpus/$target" "tests/fuzz/corpus/$target"
    printf '%-16s ' "$target"
    if (cd "$out" && "./$target" -max_total_time="$each" -max_len=65536 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$target-" "corpus/$target" "../../tests/fuzz/corpus/$target") >"$out/$target.log" 2>&1; then
        awk '/number_of_executed_units/ { n = $2 } /average_exec_per_sec/ { r = $2 } /new_units_added/ { u = $2 }
            END { printf "%9d inputs  %7d a second  %5d new\n", n, r, u }' "$out/$target.log"
    else
        bad=$((bad + 1))
        echo "BROKEN: see $out/$target.log; reproduce with: $out/$target $out/$(ls -t "$out" | grep "^$target-" | head -n 1)"
    fi
done
[ "$bad" = 0 ]
