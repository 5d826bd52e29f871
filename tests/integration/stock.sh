#!/bin/bash
# SPDX-License-Identifier: MIT
# stock - what agencies, members and witnesses send to a registry, made with stock openssl, protoc and jq. Sourced.
HALF=7FFFFFFF800000007FFFFFFFFFFFFFFFDE737D56D38BCF4279DCE5617E3192A8 # of P-256's order

hex_of() { xxd -p | tr -d '\n'; }
b64() { base64 -w 0; }
# low_sign KEY: ECDSA over the 32 bytes of $C/digest, with low S as everywhere on this bus; base64
low_sign() {
    local s
    while :; do
        openssl pkeyutl -sign -inkey "$1" -in "$C/digest" -out "$C/signature" || return 1
        s=$(openssl asn1parse -inform DER -in "$C/signature" | sed -n '3s/.*INTEGER *:0*//p')
        while [ ${#s} -lt 64 ]; do s=0$s; done
        [[ $s < $HALF ]] && [ ${#s} = 64 ] && break
    done
    b64 <"$C/signature"
}
public_of() { openssl pkey -in "$1" -pubout -outform DER | tail -c 32; }
# vkey NAME TYPE KEY: a C2SP verifier key; TYPE 01 log, 04 witness
vkey() {
    local typed
    typed=$2$(public_of "$3" | hex_of)
    printf '%s+%s+%s' "$1" "$( (printf '%s\n' "$1"; printf '%s' "$typed" | xxd -r -p) | sha256sum | cut -c 1-8)" \
        "$(printf '%s' "$typed" | xxd -r -p | b64)"
}
# agree_proof KEY: HMAC with what KEY and the intake key agree on, over the context and $C/digest; hex
agree_proof() {
    local shared
    openssl pkeyutl -derive -inkey "$1" -peerkey "$C/intake.pub" -out "$C/shared" || return 1
    shared=$(hex_of <"$C/shared")
    (printf 'chaski enrol proof v1'; cat "$C/digest") | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$shared" -r | cut -c 1-64
}
# agency NAME: new keys in $C/NAME
agency() {
    mkdir -p "$C/$1"
    openssl ecparam -name prime256v1 -genkey -noout -out "$C/$1/sign.key"
    openssl req -new -key "$C/$1/sign.key" -subj /CN=x -outform DER -out "$C/$1/sign.csr"
    for key in log witness; do openssl genpkey -algorithm ed25519 -out "$C/$1/$key.key"; done
    for key in transport seal; do openssl genpkey -algorithm x25519 -out "$C/$1/$key.key"; done
}
# bare NAME SERVER [JQ]: the request without its proofs, changed by a jq filter
bare() {
    jq -n --arg server "$2" --arg csr "$(b64 <"$C/$1/sign.csr")" --arg transport "$(public_of "$C/$1/transport.key" | hex_of)" \
        --arg seal "$(public_of "$C/$1/seal.key" | hex_of)" --arg log "$(vkey "log.example/$1/1" 01 "$C/$1/log.key")" \
        --arg witness "$(vkey "log.example/$1/1" 04 "$C/$1/witness.key")" \
        '{server: $server, organisation: "Alcaldía de Prueba", public_agency: true, subsystems: [{code: "TRAMITES", name: "Trámites"}],
          addresses: ["tcp://127.0.0.1:5500"], certificate_request: $csr, transport_key: $transport, seal_keys: [$seal], log_vkey: $log,
          witness_vkey: $witness, self_test: {clock_ms: 3, disk: true}} | '"${3:-.}"
}
# proven NAME < bare > with proofs
proven() {
    cat >"$C/bare"
    jq -cS . "$C/bare" | tr -d '\n' | sha256sum | cut -c 1-64 | xxd -r -p >"$C/digest"
    local ed
    ed() { openssl pkeyutl -sign -rawin -inkey "$1" -in "$C/digest" | b64; }
    jq --arg sign "$(low_sign "$C/$1/sign.key")" --arg log "$(ed "$C/$1/log.key")" --arg witness "$(ed "$C/$1/witness.key")" \
        --arg transport "$(agree_proof "$C/$1/transport.key")" --arg seal "$(agree_proof "$C/$1/seal.key")" \
        '. + {proofs: {sign: $sign, log: $log, witness: $witness, transport: $transport, seal: [$seal]}}' "$C/bare"
}
request() { bare "$@" | proven "$1"; }
# act TEXT-FORMAT: packs an act as a draft with a fresh intent; $C/draft, and its digest in $C/digest
draft() {
    (echo 'context: "chaski directory act v1"'
        printf 'intent { proposed_ms: %s nonce: "%s" }\n' "$(date +%s%3N)" \
            "$(head -c 16 /dev/urandom | hex_of | sed 's/../\\x&/g')"
        echo "$1") >"$C/act.txt"
    protoc --encode=chaski.Act "$ROOT/proto/directory.proto" --proto_path="$ROOT/proto" <"$C/act.txt" >"$C/draft" || return 1
    (printf 'chaski act approval v1\0CO\0'; cat "$C/draft") | sha256sum | cut -c 1-64 | xxd -r -p >"$C/digest"
}
# approved SERVER KEY: adds the approval of a member's server to $C/draft; the whole in base64
approved() {
    low_sign "$2" >/dev/null
    printf 'approval { server: "%s" signature: "%s" }\n' "$1" "$(hex_of <"$C/signature" | sed 's/../\\x&/g')" >>"$C/act.txt"
    protoc --encode=chaski.Act "$ROOT/proto/directory.proto" --proto_path="$ROOT/proto" <"$C/act.txt" | b64
}
# cosignature VKEY KEY: a witness's line over the head in $C/head
cosignature() {
    local now name id
    now=$(date +%s)
    name=${1%%+*}
    id=${1#*+}
    id=${id%%+*}
    (printf 'cosignature/v1\ntime %s\n' "$now"; head -n 3 "$C/head") >"$C/cosigned"
    printf '— %s %s\n' "$name" "$( (printf '%s%016x' "$id" "$now" | xxd -r -p
        openssl pkeyutl -sign -rawin -inkey "$2" -in "$C/cosigned") | b64)"
}
