#!/bin/bash
# SPDX-License-Identifier: MIT
# Many threads check a log as one does: the same findings in the same order, the same figures, the same exit
# status; over logs of several batches, honest ones and ones with much that is wrong.
. "$(dirname "$0")/lib.sh"
AUDIT=$BIN/chaski-audit
A=CO/MUN/890905211
B=CO/GOV/899999027
CHECKPOINT_MS=200
two_members $B/DIVIPOLA/uno
publish
servers_start a b
stand_in_start b $B/DIVIPOLA
EXCHANGES=700 # 1,400 entries: eleven batches
timeout 120 "$PEER" ask "ipc://$C/a/front" $A/TRAMITES $S $EXCHANGES 16 >"$C/asked" 2>/dev/null
check "exchanges" grep -q "OK  *$EXCHANGES\$" "$C/asked"
server_stop a; server_stop b
sleep 2.1
KEYS=(--store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key")

# same SENTENCE STATUS FINDINGS-AT-LEAST FOLDERS...: as text and as JSON, with 1 to 64 threads
untimed() { sed -E 's/[0-9]+ ms, [0-9]+ entries a second$//; s/"(took_ms|entries_a_second)": [0-9]+/"\1": 0/'; }
same() {
    local sentence=$1 status=$2 least=$3 threads form said; shift 3
    for form in --limit=0 --json; do
        for threads in 1 2 3 8 64; do
            "$AUDIT" verify "$@" "${KEYS[@]}" $form --threads $threads >"$C/out" 2>&1
            said=$?
            untimed <"$C/out" >"$C/said$threads"
            [ $said = "$status" ] || { not_ok "$sentence" "status $said with $threads threads: $(tail -n 1 "$C/out")"; return; }
            cmp -s "$C/said1" "$C/said$threads" ||
                { not_ok "$sentence" "$threads threads differ: $(diff "$C/said1" "$C/said$threads" | head -n 4)"; return; }
        done
    done
    [ "$(jq .count "$C/said1")" -ge "$least" ] || { not_ok "$sentence" "$(jq .count "$C/said1") findings"; return; }
    ok "$sentence"
}
same "honest logs, both" 0 0 "$C/a/audit" "$C/b/audit"
same "one of them" 0 0 "$C/b/audit"
count=$(jq .entries "$C/said1")
check "... all entries of it are counted" equal "$count" $((2 * EXCHANGES + 2))
check "... and all payloads" equal "$(jq .payloads.held "$C/said1")" "$count"

# --- much that is wrong ---------------------------------------------------------------------------
X=$C/copy
cp -r "$C/b/audit" "$X"
slab=$(ls "$X"/keys/*.slab | head -n 1)
payloads=$(ls "$X"/payload/*.seg | head -n 1)
for ((i = 3; i < count; i += 97)); do slot_set "$slab" $i 00000002 "$NO_KEY"; done # marked as erased
for ((i = 5; i < 50; i += 7)); do flip "$payloads" $((i * 1000)); done
segment=$(ls "$X"/log/1/wal/*.seg | head -n 1)
frame_at() { # INDEX: "OFFSET LENGTH" of a leaf in the only segment, by its frame's number
    local at=0 length number=0
    while length=$((16#$(xxd -s $at -l 4 -p "$segment"))) && [ $length -gt 0 ]; do
        [ $number != "$1" ] || { echo $((at + 16)) $length; return; }
        at=$((at + length + 16)); number=$((number + 1))
    done
}
spoil() { # INDEX OFFSET: a byte of a leaf becomes another one, under a right checksum
    local from length number
    read -r from length < <(frame_at "$1")
    flip "$segment" $((from + $2))
    number=$(printf '%016x' "$1")
    crc32c "$number$(xxd -s "$from" -l "$length" -p "$segment" | tr -d '\n')" | xxd -r -p |
        dd of="$segment" bs=1 seek=$((from - 12)) conv=notrunc 2>/dev/null
}
SIGNED=06082a8648ce3d040302 # ecdsa-with-SHA256; the signature follows
spoil_signature() { # INDEX: in the middle of it; behind it stands a place in a batch, or nothing
    local from length hex
    read -r from length < <(frame_at "$1")
    hex=$(xxd -s "$from" -l "$length" -p "$segment" | tr -d '\n')
    hex=${hex%"$SIGNED"*}
    spoil "$1" $((${#hex} / 2 + 30))
}
for i in 40 127 128 300; do spoil_signature $i; done # about the ends of what a thread takes
spoil 129 60 # the certificate's name, or the form
same "a log with much that is wrong" 1 30 "$X"
for rule in signature form payload "append only" checkpoint; do
    check "... $rule" grep -q "\"rule\": \"$rule\"" "$C/said1"
done
same "... beside an honest one that holds the same exchanges" 1 30 "$C/a/audit" "$X"
check "... whose good signatures do not vouch for bad ones" equal \
    "$(jq -c '[.findings[] | select(.rule == "signature") | .entry]' "$C/said1")" "[40,127,128,300]"
same "... after it" 1 30 "$X" "$C/a/audit"
cp -r "$C/a/audit" "$C/holes"
first=$(ls "$C"/holes/log/1/wal/*.seg)
cp "$first" "${first%/*}/00000000000000009999.seg"
same "a log that breaks off in the middle" 1 1 "$C/holes"

# --- key slabs without end ------------------------------------------------------------------------
# Each of a stranger's folder begins at another entry, so that no two entries are of one day's reach.
DAYS=20000
cp -r "$C/b/audit" "$C/days"
perl -e 'my @t = map { my $c = $_; $c = $c & 1 ? $c >> 1 ^ 0x82f63b78 : $c >> 1 for 1 .. 8; $c } 0 .. 255;
    my ($folder, $days, $entries) = @ARGV;
    for my $i (1 .. $days) {
        my $head = pack("a8 Q> Q>", "CHSKSLB2", 1 + $i % $entries, $i) . "\0" x 36;
        my $crc = 0xffffffff;
        $crc = $crc >> 8 ^ $t[($crc ^ $_) & 255] for unpack("C*", $head);
        open(my $slab, ">", sprintf("%s/%08d.slab", $folder, 10000000 + $i)) or die;
        print $slab $head, pack("N", $crc ^ 0xffffffff);
    }' "$C/days/keys" $DAYS "$count"
check "a folder with $DAYS key slabs more" equal "$(find "$C/days/keys" -name '*.slab' -size -2 | wc -l)" $DAYS
took_ms() { "$AUDIT" verify "$@" "${KEYS[@]}" --json >"$C/said" && jq .took_ms "$C/said"; }
few=$(took_ms "$C/b/audit")
many=$(took_ms "$C/days")
echo "# $few ms with one key slab, $many ms with $DAYS more"
check "... is clean, with all payloads opened" equal "$(jq .clean "$C/said") $(jq .payloads.held "$C/said")" "true $count"
check "... and takes little longer than without them" test "${many:-1000000}" -lt $((10 * few + 5000))

# --- parts of tiles that are left -----------------------------------------------------------------
old_parts() { find "$C/b/audit/log/1/tile/$1" -path '*.p/*' -type f | grep -c .; }
check "parts of earlier heads lie in the folder" test "$(old_parts 0)" -ge 1 -a "$(old_parts entries)" -ge 1
tiles_copy() { rm -rf "$C/tiles"; cp -r "$C/b/audit" "$C/tiles"; T=$C/tiles/log/1/tile; }
tiles_say() { # SENTENCE STATUS WORDS
    "$AUDIT" verify "$C/tiles" "${KEYS[@]}" >"$C/out" 2>&1
    check "$1" equal "$? $(grep -cF "$3" "$C/out")" "$2 1"
}
tiles_copy
mkdir -p "$T/0/000.p" "$T/entries/000.p"
head -c $((12 * 32)) "$T/0/000" >"$T/0/000.p/12"
length_of() { perl -0777 -ne "\$at = 0; my \$all = \$_; \$at += 2 + unpack('n', substr(\$all, \$at, 2)) for 1 .. $2; print \$at" "$1"; }
head -c "$(length_of "$T/entries/000" 12)" "$T/entries/000" >"$T/entries/000.p/12"
for odd in 0 012 256 300 x 12.tmp; do echo "no part" >"$T/0/000.p/$odd"; done
tiles_say "a part beside the full tile that has replaced it is the beginning of that, and nothing to tell" 0 "clean"
flip "$T/0/000.p/12" 40
tiles_say "one that is not is found" 1 "tile/0/000.p/12, which is left of an earlier head"
tiles_copy
mkdir -p "$T/entries/000.p"
head -c 300 "$T/entries/000" >"$T/entries/000.p/12"
tiles_say "a bundle that is too short is found" 1 "tile/entries/000.p/12, which is left of an earlier head"
tiles_copy
last=$(find "$T/0" -path '*.p/*' -type f | sed 's/.*\///' | sort -n | tail -n 1)
folder=$(dirname "$(find "$T/0" -path "*.p/$last")")
cp "$folder/$last" "$folder/1"
tiles_say "one that is longer than its name says is found" 1 "${folder#"$C/tiles/log/1/"}/1, which is left"

# --- what is told meanwhile -----------------------------------------------------------------------
script -qec "'$AUDIT' verify '$C/a/audit' '$C/b/audit' --threads 4" "$C/typescript" >/dev/null 2>&1 </dev/null
shown=$(tr '\r' '\n' <"$C/typescript" | sed -n 's/^.* %  \([0-9]*\) entries checked, [0-9]* a second.*/\1/p' | tail -n 1)
percent=$(tr '\r' '\n' <"$C/typescript" | sed -n 's/^  \[#* *\] *\([0-9]*\) %  .*/\1/p' | tail -n 1)
check "a terminal is told how many entries are done" test "${shown:-0}" -ge 1 -a "${shown:-0}" -le $((2 * count))
check "... and how much of all that is, as a bar" test "${percent:-101}" -le 100
check "... and not more than the others" equal "$("$AUDIT" verify "$C/a/audit" --threads 2 2>&1 >/dev/null | wc -c)" 0
for bad in 0 65 x ""; do
    "$AUDIT" verify "$C/a/audit" --threads "$bad" >"$C/out" 2>&1
    check "--threads '$bad' is refused" equal "$? $(grep -c BAD "$C/out")" "2 0"
done
finish
