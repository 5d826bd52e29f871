#!/bin/bash
# SPDX-License-Identifier: MIT
# tlog_check FOLDER VKEY: a second checker of a C2SP tlog-tiles directory that shares nothing with ours:
# bash, coreutils, xxd and openssl. Checks the checkpoint's signature, that every entry hashes into its
# tile, that tiles hash into the tiles above, and that all lead to the root. Prints "ok SIZE".
set -u
folder=$1 vkey=$2
fail() { echo "tlog_check: $1"; exit 1; }
hash_hex() { xxd -r -p | sha256sum | cut -c 1-64; } # hex in, hex out
path_of() { # NUMBER: 1234067 -> x001/x234/067
    local n=$1 out
    out=$(printf '%03d' $((n % 1000)))
    while [ $((n / 1000)) -gt 0 ]; do n=$((n / 1000)); out="x$(printf '%03d' $((n % 1000)))/$out"; done
    echo "$out"
}
tile() { # KIND NUMBER WIDTH: the file; a full one may have replaced a partial one
    local base=$folder/tile/$1/$(path_of "$2")
    if [ "$3" -lt 256 ] && [ -f "$base.p/$3" ]; then echo "$base.p/$3"; else echo "$base"; fi
}

# the note
note=$folder/checkpoint
origin=$(sed -n 1p "$note") size=$(sed -n 2p "$note")
root=$(sed -n 3p "$note" | base64 -d | xxd -p -c 64)
[ "$origin" = "${vkey%%+*}" ] || fail "the origin is $origin"
key=$(echo "$vkey" | cut -d + -f 3- | base64 -d | xxd -p -c 64)
line=$(grep -aF -- "— $origin " "$note" | head -n 1)
signature=$(echo "${line##* }" | base64 -d | xxd -p -c 200)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "302a300506032b6570032100${key:2}" | xxd -r -p >"$work/key"
echo "${signature:8}" | xxd -r -p >"$work/signature"
head -n 3 "$note" >"$work/text"
openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key" -rawin -in "$work/text" -sigfile "$work/signature" >/dev/null 2>&1 ||
    fail "the checkpoint's signature"

# MTH of a list of hex hashes, one a line: pairs are joined level by level, an odd one goes up as it is
mth() {
    local -a level
    mapfile -t level
    while [ ${#level[@]} -gt 1 ]; do
        local -a up=()
        local i
        for ((i = 0; i + 1 < ${#level[@]}; i += 2)); do up+=("$(echo "01${level[i]}${level[i + 1]}" | hash_hex)"); done
        [ $((${#level[@]} % 2)) = 0 ] || up+=("${level[-1]}")
        level=("${up[@]}")
    done
    echo "${level[0]}"
}

# entries against level 0
for ((n = 0; n * 256 < size; n++)); do
    width=$((size - n * 256 < 256 ? size - n * 256 : 256))
    bundle=$(xxd -p -c 0 "$(tile entries $n $width)") || fail "bundle $n"
    at=0
    : >"$work/hashes"
    for ((i = 0; i < width; i++)); do
        length=$((16#${bundle:at:4}))
        echo "00${bundle:at+4:length * 2}" | hash_hex >>"$work/hashes"
        at=$((at + 4 + length * 2))
    done
    xxd -p -c 32 "$(tile 0 $n $width)" | head -n $width | cmp -s - "$work/hashes" || fail "bundle $n does not hash into its tile"
    cat "$work/hashes" >>"$work/all"
done
# full tiles against the level above
for ((level = 0, count = size / 256; count > 0; level++, count /= 256)); do
    for ((n = 0; n < count; n++)); do
        above=$((n / 256)) width=$((count - n / 256 * 256))
        [ "$width" -le 256 ] || width=256
        xxd -p -c 32 "$(tile $((level + 1)) $above $width)" | sed -n "$((n % 256 + 1))p" |
            cmp -s - <(xxd -p -c 32 "$(tile $level $n 256)" | mth) || fail "tile $level/$n does not hash into the one above"
    done
done
[ "$(mth <"$work/all")" = "$root" ] || fail "the root"
echo "ok $size"
