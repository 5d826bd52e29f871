#!/bin/bash
# SPDX-License-Identifier: MIT
# asic_stamp.sh - adds a time stamp to a sealed ASiC-E container, with nothing but zip, unzip, openssl and coreutils:
# META-INF/ASiCManifest002.xml names the manifest and the seal by their digests, META-INF/timestamp002.tst is an RFC 3161 token
# over it (EN 319 162-1). So the seal can be checked when the certificate under it has ended.
#
#   asic_stamp.sh query  CONTAINER QUERY.tsq            what a time-stamping authority is to be asked
#   curl -sSH 'Content-Type: application/timestamp-query' --data-binary @QUERY.tsq URL -o REPLY.tsr
#   asic_stamp.sh add    CONTAINER REPLY.tsr            puts its answer in, when it is one to that question
#   asic_stamp.sh verify CONTAINER CAFILE.pem           the digests, and the token over them
set -u
export LC_ALL=C
stop() { echo "asic_stamp.sh: $1" >&2; exit 2; }
[ $# = 3 ] || stop "query CONTAINER QUERY, add CONTAINER REPLY, or verify CONTAINER CAFILE"
for tool in zip unzip openssl sha256sum xxd base64; do command -v $tool >/dev/null || stop "$tool is missing"; done
[ -f "$2" ] || stop "there is no $2"
work=$(mktemp -d) || stop "no room for scratch files"
trap 'rm -rf "$work"' EXIT
parts=(META-INF/ASiCManifest001.xml META-INF/signature001.p7s)
MANIFEST=META-INF/ASiCManifest002.xml TOKEN=META-INF/timestamp002.tst
mkdir "$work/META-INF"
take() { unzip -p "$2" "$1" >"$work/$1" 2>/dev/null && [ -s "$work/$1" ]; } # NAME CONTAINER
for part in "${parts[@]}"; do take "$part" "$2" || stop "$2 has no $part: it is no sealed container"; done

manifest() {
    local part
    printf '<?xml version="1.0" encoding="UTF-8"?>\n<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">\n'
    printf '  <asic:SigReference URI="%s" MimeType="application/vnd.etsi.timestamp-token"/>\n' "$TOKEN"
    for part in "${parts[@]}"; do
        printf '  <asic:DataObjectReference URI="%s"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>%s</ds:DigestValue></asic:DataObjectReference>\n' \
            "$part" "$(sha256sum <"$work/$part" | head -c 64 | xxd -r -p | base64)"
    done
    echo '</asic:ASiCManifest>'
}
manifest >"$work/$MANIFEST"
case $1 in
query) openssl ts -query -data "$work/$MANIFEST" -sha256 -cert -out "$3" 2>/dev/null || stop "no query could be written to $3" ;;
add)
    ! unzip -l "$2" "$TOKEN" >/dev/null 2>&1 || stop "$2 has a time stamp already"
    openssl ts -reply -in "$3" -token_out -out "$work/$TOKEN" 2>/dev/null || stop "$3 holds no time stamp"
    # a mistake of files is seen here; whether the token is good, verify says
    [[ $(xxd -p "$work/$TOKEN" | tr -d '\n') == *$(sha256sum <"$work/$MANIFEST" | head -c 64)* ]] || stop "$3 is a time stamp over something else"
    full=$(cd "$(dirname -- "$2")" && pwd)/$(basename -- "$2")
    (cd "$work" && zip -qX "$full" "$MANIFEST" "$TOKEN") || stop "$2 cannot be written"
    ;;
verify)
    mv "$work/$MANIFEST" "$work/expected"
    take "$MANIFEST" "$2" && take "$TOKEN" "$2" || stop "$2 has no time stamp"
    cmp -s "$work/expected" "$work/$MANIFEST" || { echo "FAIL the manifest or the seal is not what was stamped"; exit 1; }
    openssl ts -verify -in "$work/$TOKEN" -token_in -data "$work/$MANIFEST" -CAfile "$3" -partial_chain >/dev/null 2>&1 ||
        { echo "FAIL the token does not verify over $MANIFEST with $3"; exit 1; }
    echo "PASS $(openssl ts -reply -in "$work/$TOKEN" -token_in -text 2>/dev/null | grep '^Time stamp: ')"
    ;;
*) stop "query, add or verify" ;;
esac
