#!/bin/bash
# SPDX-License-Identifier: MIT
# An exported record proves itself: verify.sh says PASS in a folder that was carried elsewhere, with openssl and
# coreutils only; whatever is changed in it, FAIL; and containers are what stock tools take them for.
. "$(dirname "$0")/lib.sh"
# an auditor to whom both nodes have given their store keys
AUDIT=$C/audit
printf '#!/bin/sh\nexec "%s" "$@" --store-key "%s" --store-key "%s"\n' "$BIN/chaski-audit" "$C/a/keys/store.key" "$C/b/keys/store.key" >"$AUDIT"
chmod +x "$AUDIT"
A=CO/MUN/890905211
B=CO/GOV/899999027
CHECKPOINT_MS=200
PUBLISH_MS=300
two_members $B/DIVIPOLA/uno
registry witness assign --per-log 1 --quorum 1 >/dev/null || die "no witnesses"
port=$(free_port)
registry stamp-authority url --url "http://127.0.0.1:$port/tsa" >/dev/null || die "no time stamp authority"
tsa_serve "$port"
publish
servers_start a b
stand_in_start b $B/DIVIPOLA
ask() { timeout 30 "$PEER" ask "ipc://$C/a/front" $A/TRAMITES $S "$1" 1 2>/dev/null; }
size_of() { sed -n 2p "$1"; }
stamped() { # SIZE: is there a stamped checkpoint over as many entries in both logs?
    local node
    for node in a b; do [ -s "$C/$node/audit/log/1/stamped" ] && [ "$(cut -d ' ' -f 1 "$C/$node/audit/log/1/stamped")" -ge "$1" ] || return 1; done
}

all_ok() { local said; said=$(ask "$1"); [[ $said =~ OK\ +$1$ ]] || { echo "$said"; return 1; }; }
check "exchanges" all_ok 4
check "both logs are witnessed and stamped" wait_for 60 stamped 9
for node in a b; do cp "$C/$node/audit/log/1/promise" "$C/early-$node"; done
check "more exchanges" all_ok 16
wait_for 60 stamped 41 || die "no stamp"
before=$("$AUDIT" show "$C/b/audit" | wc -l) # the first entry after the revocation, but for notes of stamps
registry certificate revoke --server $A/SS1 --reason "clave perdida" >/dev/null || die "no revocation"
registry publish --to "$C/newer" >/dev/null || die "nothing published"
check "a node that does not know of a revocation yet goes on" all_ok 2
wait_for 60 stamped $((before + 4)) || die "no stamp"
server_stop a; check "server a stops as asked" equal $? 0
server_stop b; check "server b stops as asked" equal $? 0
for node in a b; do cp -r "$C/$node/audit" "$C/log-$node"; done
kind_at() { "$AUDIT" show "$C/log-b" "$1" | sed -n 's/^  kind  *//p'; }
after=$before
while [ "$(kind_at "$after")" != request ]; do after=$((after + 1)); done
request=5 # an early request, that is no note of a stamp
while [ "$(kind_at $request)" != request ]; do request=$((request + 1)); done
exchange_at() { "$AUDIT" show "$C/log-b" "$1" | sed -n 's/^  exchange  *//p'; }
ID=$(exchange_at $request)
index_of() { "$AUDIT" show "$C/log-$1" --exchange "$ID" --kind "$2" | awk '{ print $1 }'; }

# --- what verify.sh may use: these tools, and nothing of ours ---------------------------------------
mkdir "$C/tools"
for tool in openssl xxd sha256sum stat date mktemp head tr cat sort dirname rm; do ln -s "$(command -v $tool)" "$C/tools/$tool"; done
verify() { # FOLDER OPTIONS...: exit status; what it said is in $C/said
    (cd / && timeout 60 env -i PATH="$C/tools" "$BASH" "$@") >"$C/said" 2>&1 </dev/null
    echo $?
}
verify_here() { local folder=$1; shift; verify "$folder/verify.sh" "$@"; }
said() { contains "$(cat "$C/said")" "$1"; }
passes() { # SENTENCE FOLDER OPTIONS...
    local sentence=$1 status; shift
    status=$(verify_here "$@")
    if [ "$status" = 0 ] && [ "$(tail -n 1 "$C/said")" = PASS ]; then ok "$sentence"; else not_ok "$sentence" "status $status: $(grep FAIL "$C/said" | tr '\n' ' ')$(tail -n 1 "$C/said")"; fi
}
fails() { # SENTENCE NAMES FOLDER OPTIONS...: FAIL with exactly these names
    local sentence=$1 names=$2 status; shift 2
    status=$(verify_here "$@")
    if [ "$status" = 1 ] && [ "$(tail -n 1 "$C/said")" = "FAIL $names" ]; then ok "$sentence"; else not_ok "$sentence" "status $status: $(grep FAIL "$C/said" | tr '\n' ' ')$(tail -n 1 "$C/said")"; fi
}
export_to() { rm -rf "$1"; "$AUDIT" export "${@:2}" --to "$1" >"$C/exported" 2>&1; }

# --- as nodes leave their logs ------------------------------------------------------------------------
for node in a b; do
    check "an exchange is exported from the log of $node" export_to "$C/plain-$node" "$C/log-$node" "$ID"
    check "... each record in a folder of its own" equal "$(ls "$C/plain-$node" | tr '\n' ' ')" "answer request "
    mkdir -p "$C/carried" && cp -r "$C/plain-$node" "$C/carried/$node"
    passes "the request verifies elsewhere, with stock tools" "$C/carried/$node/request"
    check "... saying who, to whom, when" said "a request from $A/TRAMITES to $B/DIVIPOLA"
    check "... cosigned as the directory says" said "witnesses     ok    1 of 1 cosigned, asked for: quorum"
    check "... and when at the latest" said "timestamp     ok    before 20"
    passes "the answer verifies elsewhere" "$C/carried/$node/answer"
    check "... and that it answers the request beside it" said "it answers the request"
    for record in request answer; do
        check "stock openssl alone verifies the $record" openssl cms -verify -cades -binary -inform DER \
            -in "$C/carried/$node/$record/leaf.p7m" -certfile "$C/carried/$node/$record/signer.pem" \
            -CAfile "$C/store/anchor/trust.pem" -out "$C/header.out"
        check "... to the header that lies there" cmp "$C/header.out" "$C/carried/$node/$record/header.bin"
    done
done
check "both logs give the same leaf of a request" cmp "$C/plain-a/request/leaf.p7m" "$C/plain-b/request/leaf.p7m"
check "... and the same payload" cmp "$C/plain-a/answer/payload.bin" "$C/plain-b/answer/payload.bin"
check "a record is exported by its index" export_to "$C/one" "$C/log-b" $request
passes "... and verifies" "$C/one"
check "a note of the log about itself is exported too" export_to "$C/start" "$C/log-b" 0
passes "... and verifies" "$C/start"
TRUE=(--trust "$C/store/anchor/trust.pem" --directory-vkey "$C/store/anchor/directory.vkey" --log-vkey "$C/b/audit/anchor/log.vkey")
passes "with the auditor's own anchors it verifies" "$C/one" "${TRUE[@]}" --policy "$C/one/policy"
check "... and nothing is said of the folder's" equal "$(grep -c 'from this folder' "$C/said")" 0
# README.txt's command as it stands, where the auditor has laid his own files beside the folder
desk() { # FOLDER FILES...: its exit status; what it said is in $C/said
    local at=$C/desk record=$1; shift
    rm -rf "$at"; mkdir "$at"
    cp -r "$record" "$at/THIS-FOLDER"
    cp "$ROOT/lib/evidence/record_verify.sh" "$at/verify.sh"
    cp "$C/store/anchor/trust.pem" "$C/store/anchor/directory.vkey" "$@" "$at"
    registry show --log-vkey $B/SS1 >"$at/log.vkey"
    sed -n '/^  bash verify.sh THIS-FOLDER/,/[^\\]$/p' "$record/README.txt" >"$at/command"
    [ -s "$at/command" ] || return 9
    (cd "$at" && timeout 60 env -i PATH="$C/tools" "$BASH" -c "bash() { \"$BASH\" \"\$@\"; }; . ./command") >"$C/said" 2>&1 </dev/null
    echo $?
}
mkdir "$C/given"
registry show --policy $B/SS1 >"$C/given/policy"
check "README.txt's command runs as it stands" equal "$(desk "$C/one" "$C/given/policy")" 0
check "... and passes" equal "$(tail -n 1 "$C/said")" PASS
check "README.txt names the parties" contains "$(cat "$C/one/README.txt")" "$B/DIVIPOLA"
check "... and what is not proved" contains "$(cat "$C/one/README.txt")" "WHAT IS NOT PROVED"
check "nobody else can read what was exported" equal "$(stat -c %a "$C/one" "$C/one/payload.bin" | tr '\n' ' ')" "700 600 "

# --- what docs/AUDIT.md says how to do by hand, as it stands there ---
recipe() { # N FOLDER: what the Nth piece of the section prints, in a copy of that folder
    rm -rf "$C/by-hand"; cp -r "$2" "$C/by-hand"
    awk -v n="$1" '/^### By hand/ { on = 1; next } /^### / { on = 0 } on && /^```bash/ { k++; next } /^```$/ { if (k == n) exit } on && k == n' \
        "$ROOT/docs/AUDIT.md" >"$C/recipe.sh"
    [ -s "$C/recipe.sh" ] && (cd "$C/by-hand" && bash "$C/recipe.sh" 2>&1)
}
for record in "$C/one" "$C/plain-a/request" "$C/plain-a/answer" "$C/start"; do
    check "by hand: ${record#"$C"/} is in the log" contains "$(recipe 1 "$record")" "entry $(sed -n 's/^index //p' "$record/record.tlog-proof") of the log: $(sed -n 3p "$record/checkpoint" | base64 -d | xxd -p -c 64)"
    check "... under a checkpoint that the log signed" contains "$(recipe 2 "$record")" "Signature Verified Successfully"
    check "... and a witness confirmed" contains "$(recipe 3 "$record")" ": confirmed it at 20"
done
copy() { rm -rf "$C/changed"; cp -r "$C/one" "$C/changed"; }
copy; flip "$C/changed/leaf.p7m" 100
check "by hand: a changed record is not in the log" equal "$(recipe 1 "$C/changed")" "NOT in this log"
copy; sed -i '3s/^./@/; 3s/^@./AB/' "$C/changed/record.tlog-proof"
check "... nor one on another way" contains "$(recipe 1 "$C/changed")" "NOT in this log"
copy; sed -i "s/^index .*/index $((request + 1048576))/" "$C/changed/record.tlog-proof"
check "... nor one at another place" equal "$(recipe 1 "$C/changed")" "NOT in this log"
copy; sed -i '2s/.*/999999/' "$C/changed/checkpoint"
check "... a changed checkpoint is not signed" equal "$(recipe 2 "$C/changed" | grep -c Successfully)" 0
check "... nor confirmed" contains "$(recipe 3 "$C/changed")" "NOT its signature"
copy; sed -i '/chaski.witness/d' "$C/changed/checkpoint"
check "... and a missing confirmation is missing" contains "$(recipe 3 "$C/changed")" "has not confirmed this one"

# --- an exchange, by what search prints of it ---
digits=$("$BIN/chaski-audit" search "$C/log-b" --exchange "$ID" --index "$C/search.db" | grep -o "${ID:0:8}" | head -n 1)
check "search prints the first digits of an exchange" equal "$digits" "${ID:0:8}"
check "... by which it is exported" export_to "$C/short" "$C/log-b" "$digits"
check "... the same as by all of them" equal "$(cd "$C/short" && find . -name leaf.p7m -exec sha256sum {} + | sort)" \
    "$(cd "$C/plain-b" && find . -name leaf.p7m -exec sha256sum {} + | sort)"
check "... and shown" equal "$("$AUDIT" show "$C/log-b" --exchange "$digits" | awk '{ print $1 }' | tr '\n' ' ')" \
    "$("$AUDIT" show "$C/log-b" --exchange "$ID" | awk '{ print $1 }' | tr '\n' ' ')"
check "fewer digits name nothing" eval "! export_to '$C/fewer' '$C/log-b' 'abc'"
check "... which is told" grep -q "neither the index of an entry nor an exchange" "$C/exported"

# the tiles only make it faster
cp -r "$C/log-a" "$C/bare"
rm -r "$C/bare/log/1/tile" "$C/bare/log/1/checkpoint"
check "without tiles the proof comes from the segments" export_to "$C/segments" "$C/bare" "$(index_of a request)"
passes "... and verifies" "$C/segments"
check "... the very same" cmp "$C/segments/record.tlog-proof" "$C/plain-a/request/record.tlog-proof"
cp -r "$C/log-a" "$C/bent"
flip "$(ls "$C"/bent/log/1/tile/0/000.p/* | tail -n 1)" 0
check "damaged tiles do no harm" export_to "$C/segments" "$C/bent" "$(index_of a request)"
passes "... either" "$C/segments"

# --- witnesses and time stamps, as the log will hold them -------------------------------------------
hex() { xxd -p -c 256 "$@" | tr -d '\n'; }
witness_make() { # NAME: a key, and its vkey in $C/NAME.vkey
    local public id
    openssl genpkey -algorithm ed25519 -out "$C/$1.key" 2>/dev/null
    public=04$(openssl pkey -in "$C/$1.key" -pubout -outform DER | tail -c 32 | hex)
    id=$( (printf '%s\n' "$1"; echo "$public" | xxd -r -p) | sha256sum | cut -c 1-8)
    echo "$1+$id+$(echo "$public" | xxd -r -p | base64 -w 0)" >"$C/$1.vkey"
}
cosign() { # NOTE NAME: adds the witness's line
    local time rest
    time=$(date +%s)
    (printf 'cosignature/v1\ntime %s\n' "$time"; head -n 3 "$1") >"$C/message"
    openssl pkeyutl -sign -inkey "$C/$2.key" -rawin -in "$C/message" -out "$C/signature"
    rest=$(cut -d + -f 2 "$C/$2.vkey")$(printf %016x "$time")$(hex "$C/signature")
    printf '\xe2\x80\x94 %s %s\n' "$2" "$(echo "$rest" | xxd -r -p | base64 -w 0)" >>"$1"
}
for name in w1.example w2.example w3.example unknown.example; do witness_make $name; done
mkdir "$C/tsa"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/O=Hora/CN=ca" -keyout "$C/tsa/ca.key" -out "$C/tsa/ca.pem" 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/O=Hora/CN=tsa" -keyout "$C/tsa/tsa.key" -out "$C/tsa/tsa.csr" 2>/dev/null
printf 'extendedKeyUsage=critical,timeStamping\nbasicConstraints=critical,CA:false\n' >"$C/tsa/ext"
openssl x509 -req -in "$C/tsa/tsa.csr" -CA "$C/tsa/ca.pem" -CAkey "$C/tsa/ca.key" -set_serial 2 -days 20 -extfile "$C/tsa/ext" -out "$C/tsa/tsa.pem" 2>/dev/null
cat >"$C/tsa/conf" <<CONF
[tsa]
default_tsa = t
[t]
serial = $C/tsa/serial
signer_cert = $C/tsa/tsa.pem
certs = $C/tsa/ca.pem
signer_key = $C/tsa/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_chain = no
ess_cert_id_alg = sha256
CONF
stamp() { # NOTE: its token in NOTE.tst
    openssl ts -query -data "$1" -sha256 -cert -out "$C/tsa/query" 2>/dev/null
    openssl ts -reply -config "$C/tsa/conf" -queryfile "$C/tsa/query" -token_out -out "$1.tst" 2>/dev/null
}
for node in a b; do
    cp -r "$C/log-$node" "$C/syn-$node"
    cp=$C/syn-$node/log/1/cp
    rm -r "$cp"
    mkdir -p "$cp"
    for note in "$C/early-$node" "$C/syn-$node/log/1/promise"; do
        size=$(size_of "$note")
        cp "$note" "$cp/$size"
        cosign "$cp/$size" w1.example
        cosign "$cp/$size" unknown.example
        cosign "$cp/$size" w2.example
        stamp "$cp/$size" || die "no time stamp"
    done
done
{
    printf '# of the test\nwitness w1 %s\nwitness w2 %s https://w2.example/\n\n' "$(cat "$C/w1.example.vkey")" "$(cat "$C/w2.example.vkey")"
    printf '\tgroup both all w1 w2\nquorum both\n'
} >"$C/policy"
WITH=(--policy "$C/policy" --tsa "$C/tsa/ca.pem")
check "a stamp of an authority that nobody has named is exported" export_to "$C/nameless" "$C/syn-a" 0 --policy "$C/policy"
fails "... and does not verify" "timestamp timestamp-later" "$C/nameless"
passes "... until the auditor names it" "$C/nameless" --tsa "$C/tsa/ca.pem"
check "a quorum of the directory's witnesses that is missing" export_to "$C/nameless" "$C/syn-a" 0 --tsa "$C/tsa/ca.pem"
fails "... is found" "witnesses witnesses-later" "$C/nameless"
first=1 # the log may begin with the note of a stamp
while [ "$(kind_at $first)" != request ]; do first=$((first + 1)); done
FIRST=$(exchange_at $first)
check "an early exchange is exported with all that covers it" export_to "$C/full-a" "$C/syn-a" "$FIRST" "${WITH[@]}"
check "... from the other log too" export_to "$C/full-b" "$C/syn-b" "$FIRST" "${WITH[@]}"
for node in a b; do
    for record in request answer; do
        passes "the $record from the log of $node verifies with witnesses and time stamps" "$C/full-$node/$record"
    done
done
check "... under the first stamped checkpoint that covers it" equal "$(size_of "$C/full-b/answer/checkpoint")" "$(size_of "$C/early-b")"
check "... and under the newest" equal "$(size_of "$C/full-b/answer/later/checkpoint")" "$(size_of "$C/syn-b/log/1/promise")"
check "... naming who cosigned" said "2 of 2 cosigned, asked for: both; w1 at 20"
check "... and what the stamp says" said "timestamp     ok    before 20"
cp "$C/policy" "$C/given/policy"; cp "$C/tsa/ca.pem" "$C/given/tsa.pem"
check "README.txt's command names the authority's anchors when they came along" equal "$(desk "$C/full-b/answer" "$C/given/policy" "$C/given/tsa.pem")" 0
check "... and passes" equal "$(tail -n 1 "$C/said")" PASS
check "stock openssl verifies the time stamp" openssl ts -verify -in "$C/full-a/request/checkpoint.tst" -token_in \
    -data "$C/full-a/request/checkpoint" -CAfile "$C/tsa/ca.pem"
check "a late record has one checkpoint only" export_to "$C/late" "$C/syn-b" "$after" "${WITH[@]}"
passes "... and verifies" "$C/late"
check "... without a later one" test ! -e "$C/late/later"

# --- how many witnesses -----------------------------------------------------------------------------
F=$C/full-a/request
passes "two witnesses are two" "$F" --quorum 2
fails "two witnesses are not three" "witnesses witnesses-later" "$F" --quorum 3
policy() { printf '%b' "$1" >"$C/other-policy"; }
W1="witness w1 $(cat "$C/w1.example.vkey")\n" W2="witness w2 $(cat "$C/w2.example.vkey")\n" W3="witness w3 $(cat "$C/w3.example.vkey")\n"
policy "$W1$W2${W3}group g 2 w1 w2 w3\nquorum g\n"
passes "two of three are enough where two are asked for" "$F" --policy "$C/other-policy"
policy "$W1$W2${W3}group g any w1 w2\ngroup all all g w3\nquorum all\n"
fails "a group that lacks its member is not there" "witnesses witnesses-later" "$F" --policy "$C/other-policy"
policy "${W3}quorum none\n"
passes "no quorum asks for nobody" "$F" --policy "$C/other-policy"
policy "log $(cat "$C/b/audit/anchor/log.vkey")\nquorum none\n"
fails "a policy that names another log refuses this one" "checkpoint checkpoint-later" "$F" --policy "$C/other-policy"
for broken in "$W1$W1" "${W1}group g 2 w1\nquorum g" "${W1}group w1 1 w1\nquorum w1" "${W1}quorum g" "$W1" "${W1}quorum w1\nquorum w1" "group * any *\nquorum *" "witness none $(cat "$C/w1.example.vkey")\nquorum none"; do
    policy "$broken\n"
    [ "$(verify_here "$F" --policy "$C/other-policy")" = 1 ] || not_ok "a broken policy is refused" "$broken"
done
ok "broken policies are refused"

# --- every byte ---------------------------------------------------------------------------------------
for folder in full-a/request full-a/answer full-b/request full-b/answer; do
    check "each bit of $folder, changed, is found" "$OUT/tests/record_flip" "$C/$folder"
    cat "$C/check.out"
done
mkdir "$C/flips"
# the acts of the record's sender, by their numbers: the member, its server with the signer, the subsystem
mapfile -t acts < <(cd "$F/directory" && printf '%s\n' *.p7m | sort -n | cut -d . -f 1)
# FILE POSITION: one byte of a copy is changed; a line for each change that verify.sh does not find
cat >"$C/flip_one" <<FLIP
export PATH=$C/tools:\$PATH
copy=\$(mktemp -d "$C/flips/XXXXXX")
cp -r "$F/." "\$copy"
rm -r "\$copy/later" "\$copy/checkpoint.tst" "\$copy/directory/${acts[0]}.p7m" # what would find some changes once more, or none
for file in \${1//,/ }; do
    at=\$2
    # a checkpoint stands at the end of the proof too
    [ \$file = checkpoint ] || [ \$1 = \$file ] || at=\$((\$2 + \$(stat -c %s "\$copy/record.tlog-proof") - \$(stat -c %s "\$copy/checkpoint")))
    byte=\$(xxd -s \$at -l 1 -p "\$copy/\$file")
    printf "\\\\x\$(printf %02x \$((16#\$byte ^ (1 << \$2 % 8))))" | dd of="\$copy/\$file" bs=1 seek=\$at conv=notrunc 2>/dev/null
done
said=\$(timeout 60 env -i PATH="$C/tools" "$BASH" "\$copy/verify.sh" 2>&1) && echo "\$1 \$2: passed"
case \$said in *"FAIL "*) ;; *) echo "\$1 \$2: no verdict: \$said" ;; esac
echo "\$1 \$2" >>"$C/flips/done"
rm -rf "\$copy"
FLIP
for file in leaf.p7m payload.bin record.tlog-proof checkpoint; do
    size=$(stat -c %s "$F/$file")
    for ((i = 0; i < 60; i++)); do echo "$file" $((i * size / 60)); done
done >"$C/places"
# the same change in both files that hold the checkpoint; lines of keys that nobody knows are harmless, and left out
unknown=$(LC_ALL=C grep -abo $'\xe2\x80\x94 unknown.example' "$F/checkpoint" | cut -d : -f 1)
behind=$(LC_ALL=C grep -abo $'\xe2\x80\x94 w2.example' "$F/checkpoint" | cut -d : -f 1)
size=$(stat -c %s "$F/checkpoint")
for ((i = 0; i < 24; i++)); do
    at=$((i * size / 24))
    # (the line's end is none of them: without it two lines become one)
    [ $at -ge "$unknown" ] && [ $at -lt $((behind - 1)) ] || echo record.tlog-proof,checkpoint $at
done >>"$C/places"
xargs -P 2 -L 1 bash "$C/flip_one" <"$C/places" >"$C/flipped" 2>&1
check "verify.sh finds each change of a sample" equal "$(head -n 5 "$C/flipped")" ""
check "... all of which were tried" equal "$(wc -l <"$C/flips/done")" "$(wc -l <"$C/places")"
cp -r "$F" "$C/harmless"
for file in checkpoint record.tlog-proof; do
    sed -i 's/^\(— unknown.example \)\(.\)/\1A/; s/unknown.example/anybody.example/' "$C/harmless/$file"
done
fails "another line of an unknown key is another checkpoint for the stamp" timestamp "$C/harmless"
rm "$C/harmless/checkpoint.tst"
passes "... and otherwise harmless, as the format says" "$C/harmless"

# --- files that were exchanged, taken away or added ---------------------------------------------------
X=$C/x
again() { rm -rf "$X"; cp -r "${1:-$F}" "$X"; }
again; cp "$C/full-a/answer/payload.bin" "$X"; fails "another record's payload is found" payload "$X"
again; echo >>"$X/payload.bin"; fails "a longer payload is found" payload "$X"
again; cp "$C/full-a/answer/header.bin" "$X"; fails "another record's header is found" "signature payload registration" "$X"
again; cp "$C/full-a/answer/leaf.p7m" "$C/full-a/answer/header.bin" "$C/full-a/answer/payload.bin" "$X"
fails "another record under this proof is found" "signature payload inclusion inclusion-later registration" "$X"
cp "$C/full-a/answer/signer.pem" "$X"
contains "$(verify_here "$X"; cat "$C/said")" "FAIL inclusion" >/dev/null && ok "... also with its signer" || not_ok "... also with its signer" "$(tail -n 1 "$C/said")"
again; cp "$X/later/checkpoint.tst" "$X"; fails "a time stamp over another checkpoint is found" timestamp "$X"
again; cp "$C/full-b/request/log.vkey" "$X"; fails "another log's key is found" "checkpoint checkpoint-later registration" "$X"
again; rm "$X/record.tlog-proof"; fails "a proof that was taken away is found" inclusion "$X"
check "... in words" said "the file was taken away"
again; rm "$X/checkpoint"; fails "a checkpoint that was taken away is found" "checkpoint timestamp" "$X"
again; rm "$X/leaf.p7m"; fails "a leaf that was taken away is found" "signature payload inclusion inclusion-later registration" "$X"
again; rm "$X/signer.pem"; fails "a certificate that was taken away is found" "signature payload registration" "$X"
again; rm "$X/directory/${acts[1]}".*; fails "the act of registration that was taken away is found" registration "$X"
again; cp "$X/directory/${acts[1]}.p7m" "$X/directory/${acts[2]}.p7m"; fails "an act under another's proof is found" registration "$X"
again; flip "$X/directory/${acts[1]}.p7m" 200; fails "a changed act is found" registration "$X"
again; rm -r "$X/directory"; fails "no directory is found" registration "$X"
mkdir "$C/pair"; cp -r "$C/plain-a/request" "$C/pair/request"; cp -r "$C/full-a/answer" "$C/pair/answer"
fails "an answer beside another request is found" reply "$C/pair/answer"
again; rm "$X/payload.bin"; ln -s "$F/payload.bin" "$X/payload.bin"; fails "a file that leads elsewhere is found" folder "$X"
again; rm "$X/leaf.p7m"; mkfifo "$X/leaf.p7m"; fails "a pipe is found, and nobody waits for it" folder "$X"
again; printf 'x\0y\n' >>"$X/checkpoint"; fails "bytes behind the checkpoint are found" "checkpoint timestamp" "$X"
check "what verify.sh prints drives no terminal" equal "$(LC_ALL=C tr -d '\n\40-\176\200-\377' <"$C/said" | wc -c)" 0
passes "and the untouched folder still passes" "$F"

# --- who is believed ----------------------------------------------------------------------------------
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/O=Nadie" -keyout "$C/other.key" -out "$C/other.pem" 2>/dev/null
fails "other anchors do not trust the signer" "signature payload timestamp timestamp-later registration" "$F" --trust "$C/other.pem" --tsa "$C/other.pem"
fails "another directory's key is found" registration "$F" --directory-vkey "$C/b/audit/anchor/log.vkey"
fails "an auditor's other log key is found" "checkpoint checkpoint-later registration" "$F" --log-vkey "$C/b/audit/anchor/log.vkey"
check "an option that is not known is refused" equal "$(verify_here "$F" --nothing)" 2
check "a folder that is not there too" equal "$(verify_here "$F" "$C/nowhere")" 2
cp "$F/verify.sh" "$C/mine.sh"
check "the auditor's own verify.sh checks any folder" equal "$(verify "$C/mine.sh" "$F" "${TRUE[@]:0:4}")" 0

# --- a revoked signer ---------------------------------------------------------------------------------
check "with a newer directory what was signed before a revocation is exported" export_to "$C/revoked" "$C/log-b" $request --directory "$C/newer"
passes "... and verifies" "$C/revoked"
check "... saying when the certificate was revoked" said "revoked since 20"
check "... as README.txt does" contains "$(cat "$C/revoked/README.txt")" "REVOKED, in force since"
check "what was signed after it is exported" export_to "$C/revoked" "$C/log-b" "$after" --directory "$C/newer"
fails "... and does not verify" registration "$C/revoked"
check "... because of that" said "was revoked at"
check "the log's own older directory knows nothing of it" export_to "$C/revoked" "$C/log-b" "$after"
passes "... and the export says no more than that" "$C/revoked"
check "... with the epoch that it goes by" said "no revocation is here"

printf "quorum none\n" >"$C/none"
# --- what is not there --------------------------------------------------------------------------------
cp -r "$C/log-b" "$C/erased"
slab=$(ls "$C"/erased/keys/*.slab | head -n 1)
slot_set "$slab" "$request" 00000002 "$NO_KEY"
check "an erased payload does not hinder the export" export_to "$C/gone" "$C/erased" $request
check "... which says so" contains "$(cat "$C/gone/README.txt")" "The payload was erased"
check "... and holds none" test ! -e "$C/gone/payload.bin"
check "all else still verifies" equal "$(verify_here "$C/gone") $(tail -n 1 "$C/said")" "0 PASS (commitment only)"
flip "$slab" $((64 + 64 * request + 12))
check "a damaged payload neither" export_to "$C/gone" "$C/erased" $request
check "... which is said" contains "$(cat "$C/gone/README.txt")" "is damaged"

cp -r "$C/log-a" "$C/young"
rm -r "$C"/young/log/1/{tile,checkpoint,cp}
cp "$C/early-a" "$C/young/log/1/promise"
check "an entry that no checkpoint covers yet is exported" export_to "$C/uncovered" "$C/young" 30
check "... which says so" contains "$(cat "$C/exported")" "entry 30 is not yet under a checkpoint"
check "... also in README.txt" contains "$(cat "$C/uncovered/README.txt")" "NOT YET UNDER A CHECKPOINT"
fails "... and by verify.sh" inclusion "$C/uncovered"
check "... with a signature that holds" said "signature     ok"
check "an earlier one is covered" export_to "$C/uncovered" "$C/young" 1
passes "... and verifies, without witnesses if none is asked for" "$C/uncovered" --policy "$C/none"
cp -r "$C/syn-a" "$C/lying"
cp "$C/syn-b/log/1/promise" "$C/lying/log/1/cp/17"
check "a checkpoint of another log is passed over" export_to "$C/other" "$C/lying" 15 "${WITH[@]}"
passes "... for the next one" "$C/other"

# --- names and places ---------------------------------------------------------------------------------
refuses() { # SENTENCE WORDS ARGUMENTS...: refused with status 2, and nothing was made
    local sentence=$1 words=$2 status; shift 2
    "$AUDIT" export "$@" >"$C/exported" 2>&1
    status=$?
    if [ $status = 2 ] && contains "$(cat "$C/exported")" "$words" >/dev/null; then ok "$sentence"; else not_ok "$sentence" "status $status: $(cat "$C/exported")"; fi
}
refuses "a folder with something in it is refused" "is not empty" "$C/log-a" 5 --to "$C/one"
mkdir "$C/empty"
check "an empty one is taken" "$AUDIT" export "$C/log-a" 5 --to "$C/empty"
refuses "a file for a folder is refused" "Not a directory" "$C/log-a" 5 --to "$C/policy"
refuses "the log's own folder is refused" "is only read" "$C/log-a" 5 --to "$C/log-a/export"
refuses "... under another name" "is only read" "$C/log-a" 5 --to "$C/log-b/../log-a/log/1/x/y"
refuses "... or by a way that is not there yet" "goes up from a folder" "$C/log-a" 5 --to "$C/nowhere/../log-a/export"
ln -s "$C/log-a/keys" "$C/link"
refuses "... or by a link" "is only read" "$C/log-a" 5 --to "$C/link/export"
refuses "... also for a container" "is only read" "$C/log-a" 5 --asice "$C/log-a/x.asice"
check "nothing came into the log" test ! -e "$C/log-a/export" -a ! -e "$C/log-a/log/1/x" -a ! -e "$C/log-a/keys/export" -a ! -e "$C/log-a/x.asice"
refuses "a name without end is refused" "" "$C/log-a" 5 --to "$C/$(printf 'x%.0s' {1..5000})"
refuses "no name is refused" "" "$C/log-a" 5 --to ""
for id in -1 5x 0x5 ../5 '' 99999999999999999999 "${ID:0:7}" "${ID}0" "${ID//-/x}" "${ID:0:8}g" $'5\n'; do
    "$AUDIT" export "$C/log-a" "$id" --to "$C/bad-id" >"$C/exported" 2>&1
    [ $? = 2 ] && [ ! -e "$C/bad-id" ] || not_ok "an id of another form is refused" "$id"
done
ok "ids of another form are refused, and nothing is made"
refuses "an entry that is not there is refused" "the log has" "$C/log-a" 9999 --to "$C/bad-id"
refuses "an exchange that is not there too" "no entry of this exchange" "$C/log-a" "00000000${ID:8}" --to "$C/bad-id"
refuses "nowhere to is refused" "--to FOLDER" "$C/log-a" 5
odd=$C/odd$'\e[2J'
"$AUDIT" export "$C/log-a" 5 --to "$odd" >"$C/exported" 2>&1
check "a folder's name drives no terminal" equal "$(LC_ALL=C tr -d '\n\40-\176' <"$C/exported" | wc -c)" 0
passes "... and may be odd" "$odd"

# --- containers -----------------------------------------------------------------------------------------
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/O=Procuraduría/CN=sello" -keyout "$C/seal.key" -out "$C/seal.pem" 2>/dev/null
is_first() { # FILE TYPE: mimetype is first, stored, without extra field, at its fixed place
    equal "$(hex -l 4 "$1") $(hex -s 8 -l 2 "$1") $(hex -s 26 -l 4 "$1")" "504b0304 0000 08000000" &&
        equal "$(head -c $((38 + ${#2})) "$1" | tail -c +31)" "mimetype$2" &&
        equal "$(unzip -Z1 "$1" | head -n 1)" mimetype &&
        contains "$(unzip -Z "$1" mimetype)" " stor " && unzip -tqq "$1"
}
digests() { # FOLDER: the manifest's digests as sha256sum wants them
    tr -d '\n' <"$1/META-INF/ASiCManifest001.xml" | sed 's/<asic:DataObjectReference /\n&/g' | sed -n 's/.*URI="\([^"]*\)".*<ds:DigestValue>\([^<]*\)<.*/\1 \2/p' |
        while read -r name digest || [ -n "$name" ]; do echo "$(echo "$digest" | base64 -d | xxd -p -c 32)  $name"; done
}
check "a record is exported as a sealed ASiC-E container" "$AUDIT" export "$C/syn-a" 3 --asice "$C/r.asice" \
    --seal-key "$C/seal.key" --seal-cert "$C/seal.pem" "${WITH[@]}"
check "mimetype comes first, stored and bare" is_first "$C/r.asice" application/vnd.etsi.asic-e+zip
mkdir "$C/asice" && (cd "$C/asice" && unzip -qq ../r.asice)
check "stock openssl verifies the seal" openssl cms -verify -cades -binary -inform DER -in "$C/asice/META-INF/signature001.p7s" \
    -content "$C/asice/META-INF/ASiCManifest001.xml" -CAfile "$C/seal.pem" -out /dev/null
check "sha256sum finds each file as the manifest says" eval "cd '$C/asice' && [ \"\$(digests . | wc -l)\" -gt 15 ] && digests . | sha256sum -c --quiet"
check "... and each file is in it" equal "$(digests "$C/asice" | wc -l)" "$(find "$C/asice" -type f ! -path '*/META-INF/*' ! -name mimetype | wc -l)"
check "the message's own signature verifies without its content" openssl cms -verify -cades -binary -inform DER \
    -in "$C/asice/message-signature.p7s" -content "$C/asice/header.bin" -CAfile "$C/store/anchor/trust.pem" -out /dev/null
passes "verify.sh passes in the unpacked container" "$C/asice"
check "nobody else can read the container" equal "$(stat -c %a "$C/r.asice")" 600
flip "$C/asice/README.txt" 5
check "a changed file is found by its digest" contains "$(cd "$C/asice" && digests . | sha256sum -c 2>&1)" "README.txt: FAILED"
check "an exchange comes into one container" "$AUDIT" export "$C/log-a" "$ID" --asice "$C/both.asice"
mkdir "$C/both" && (cd "$C/both" && unzip -qq ../both.asice)
check "... without a seal when there is no key" test ! -e "$C/both/META-INF/signature001.p7s"
check "... and no reference to one" equal "$(grep -c SigReference "$C/both/META-INF/ASiCManifest001.xml")" 0
passes "... whose records verify" "$C/both/answer"
check "the ASiC-S form is made" "$AUDIT" export "$C/log-a" 4 --asics "$C/r.asics"
check "... with mimetype first" is_first "$C/r.asics" application/vnd.etsi.asic-s+zip
mkdir "$C/asics" && (cd "$C/asics" && unzip -qq ../r.asics)
check "... which holds the header and its signature" equal "$(cd "$C/asics" && find . -type f | sort | tr '\n' ' ')" "./META-INF/signature.p7s ./header.bin ./mimetype "
check "... that stock openssl verifies" openssl cms -verify -cades -binary -inform DER -in "$C/asics/META-INF/signature.p7s" \
    -content "$C/asics/header.bin" -CAfile "$C/store/anchor/trust.pem" -out /dev/null
flip "$C/asics/header.bin" 30
check "... and not over another header" eval "! openssl cms -verify -cades -binary -inform DER -in '$C/asics/META-INF/signature.p7s' \
    -content '$C/asics/header.bin' -CAfile '$C/store/anchor/trust.pem' -out /dev/null"
refuses "a container that is there is not written over" "is there already" "$C/log-a" 5 --asice "$C/r.asice"
refuses "two records in one ASiC-S are refused" "holds one record" "$C/log-a" "$ID" --asics "$C/two.asics"
refuses "half a seal is refused" "--seal-key and --seal-cert" "$C/log-a" 5 --asice "$C/new.asice" --seal-key "$C/seal.key"
refuses "a seal of two people is refused" "do not belong together" "$C/log-a" 5 --asice "$C/new.asice" --seal-key "$C/other.key" --seal-cert "$C/seal.pem"
refuses "a folder for a container is refused" "is there already" "$C/log-a" 5 --asice "$C/empty"
check "nothing is left of what was refused" test ! -e "$C/new.asice" -a ! -e "$C/two.asics"
finish
