#!/bin/bash
# SPDX-License-Identifier: MIT
# verify.sh - checks an exported record with nothing but bash, coreutils, xxd and openssl.
#
#   bash verify.sh [FOLDER] [OPTION VALUE]...        FOLDER: where the record is; default: beside this file
#
#   --trust FILE            certificates of the authority (PEM)
#   --log-vkey FILE         the key of the log that the record was exported from
#   --directory-vkey FILE   the key that signs the authority's directory
#   --policy FILE           whose cosignatures count, and how many (c2sp.org/tlog-policy)
#   --directory-policy FILE the same for the directory: whose cosignatures it must carry
#   --quorum N              at least N of the policy's witnesses, whatever its quorum line says
#   --tsa FILE              certificates of the time-stamping authority (PEM); default: those of --trust
#
# What is not given is taken from the folder, and whoever gave you the folder may have made it up; so may he have
# made up this very file: take it from where you trust. One line for each check, then PASS or FAIL with names.
# Exit status: 0 PASS, 1 FAIL, 2 could not check. docs/AUDIT.md says what each check means.
set -u
export LC_ALL=C
shopt -s nullglob
unset CDPATH

stop() { echo "verify.sh: $1" >&2; exit 2; }
for tool in openssl xxd sha256sum stat date mktemp; do command -v $tool >/dev/null || stop "$tool is missing"; done

# --- what is asked for ---------------------------------------------------------------------------
folder='' quorum=''
declare -A given=()
absolute() { case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }
while [ $# -gt 0 ]; do
    case $1 in
    --trust | --log-vkey | --directory-vkey | --policy | --directory-policy | --tsa)
        [ $# -gt 1 ] && [ -f "$2" ] || stop "$1 wants a file"
        given[${1#--}]=$(absolute "$2"); shift 2 ;;
    --quorum)
        [[ ${2-} =~ ^(0|[1-9][0-9]{0,2})$ ]] || stop "--quorum wants a number"
        quorum=$2; shift 2 ;;
    -*) stop "no option $1" ;;
    *) [ -z "$folder" ] || stop "one folder at a time"
        folder=$1; shift ;;
    esac
done
[ -n "$folder" ] || folder=$(dirname -- "${BASH_SOURCE[0]}")
cd -- "$folder" 2>/dev/null || stop "no folder $folder"
work=$(mktemp -d) || stop "no room for scratch files"
trap 'rm -rf "$work"' EXIT
anchor() { echo "${given[$1]:-$2}"; } # NAME FILE: the auditor's own, or the folder's
trust=$(anchor trust trust.pem)

failures=() verdict=PASS
good() { printf '%-13s ok    %s\n' "$1" "$2"; }
bad() { printf '%-13s FAIL  %s\n' "$1" "$2"; failures+=("$1"); }
none() { printf '%-13s --    %s\n' "$1" "$2"; }

# --- small things --------------------------------------------------------------------------------
# A file as such: no link, no pipe, nothing that leads elsewhere or never ends.
regular() { [ -f "$1" ] && [ ! -L "$1" ]; }
hex_of() { xxd -p -c 256 "$1" | while read -r line; do printf %s "$line"; done; }
hash_hex() { read -r HASH _ < <(xxd -r -p <<<"$1" | sha256sum); } # HEX: HASH, of the bytes
sha256_of_file() { sha256sum <"$1" | head -c 64; }
is_file_of() { [ "$(sha256sum | head -c 64)" = "$(sha256_of_file "$1")" ]; } # FILE: the same bytes as on the input
# Words out of a record, made harmless for a terminal: control characters and changes of direction.
plain() {
    local text=$1
    text=${text//[$'\x01'-$'\x1f\x7f']/?}
    text=${text//$'\xc2'[$'\x80'-$'\x9f']/?}
    text=${text//$'\xe2\x80'[$'\x8e'$'\x8f'$'\xa8'-$'\xae']/?}
    echo "${text//$'\xe2\x81'[$'\xa6'-$'\xa9']/?}"
}
text_of_hex() { # as printable text; a NUL ends it
    local text
    text=$(xxd -r -p <<<"$1" | tr -d '\0')
    plain "$text"
}
utc() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }

BASE64=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/
declare -A SIX=() DECODED=()
for ((i = 0; i < 64; i++)); do SIX[${BASE64:i:1}]=$i; done
BASE64_FORM='^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$'
unbase64() { # TEXT: HEX is its bytes. Strict: alphabet, padding, no spare bits, so that each text stands for itself
    local text=$1 i n part end
    HEX=
    [[ -n $text && $text =~ $BASE64_FORM ]] || return 1
    HEX=${DECODED[$text]-}
    [ -z "$HEX" ] || return 0
    end=${text%%=*}
    for ((i = 0; i + 4 <= ${#end}; i += 4)); do
        n=$((${SIX[${text:i:1}]} << 18 | ${SIX[${text:i+1:1}]} << 12 | ${SIX[${text:i+2:1}]} << 6 | ${SIX[${text:i+3:1}]}))
        printf -v part %06x $n
        HEX+=$part
    done
    case $((${#end} - i)) in
    2) n=$((${SIX[${text:i:1}]} << 6 | ${SIX[${text:i+1:1}]}))
        [ $((n & 15)) = 0 ] || return 1
        printf -v part %02x $((n >> 4)) ;;
    3) n=$((${SIX[${text:i:1}]} << 12 | ${SIX[${text:i+1:1}]} << 6 | ${SIX[${text:i+2:1}]}))
        [ $((n & 3)) = 0 ] || return 1
        printf -v part %04x $((n >> 2)) ;;
    *) part= ;;
    esac
    HEX+=$part
    DECODED[$text]=$HEX
}

# --- protobuf: the few wire types that we use ----------------------------------------------------
varint() { # of $hex at $at: $value
    local shift=0 byte
    value=0
    while [ $((at + 2)) -le ${#hex} ] && [ $shift -lt 63 ]; do
        byte=$((16#${hex:at:2})) at=$((at + 2))
        value=$((value | (byte & 127) << shift)) shift=$((shift + 7))
        [ $((byte & 128)) != 0 ] || return 0
    done
    return 1
}
declare -A LAST=() ALL=()
fields() { # HEX: LAST[n] is the last value of field n, ALL[n] all of them; bytes as hex
    local hex=$1 at=0 value=0 number item
    LAST=() ALL=()
    while [ $at -lt ${#hex} ]; do
        varint || return 1
        number=$((value >> 3))
        case $((value & 7)) in
        0) varint || return 1
            item=$value ;;
        1) [ $((at + 16)) -le ${#hex} ] || return 1
            item=${hex:at:16} at=$((at + 16)) # little endian
            item=$((16#${item:14:2}${item:12:2}${item:10:2}${item:8:2}${item:6:2}${item:4:2}${item:2:2}${item:0:2})) ;;
        2) varint || return 1
            [ $value -le $(((${#hex} - at) / 2)) ] || return 1
            item=${hex:at:value*2} at=$((at + value * 2)) ;;
        *) return 1 ;;
        esac
        LAST[$number]=$item
        ALL[$number]="${ALL[$number]-} $item"
    done
}

# --- keys, notes, proofs -------------------------------------------------------------------------
read_vkey() { # TEXT: KEY_NAME KEY_ID KEY_TYPE KEY_PUBLIC (hex); "name+<8 hex>+base64(type || key)"
    local rest=${1#*+} name=${1%%+*}
    [[ $rest =~ ^([0-9a-f]{8})\+(.*)$ ]] && [ -n "$name" ] || return 1
    unbase64 "${BASH_REMATCH[2]}" || return 1
    [ ${#HEX} = 66 ] || return 1
    KEY_NAME=$name KEY_ID=${rest:0:8} KEY_TYPE=${HEX:0:2} KEY_PUBLIC=${HEX:2}
    printf '%s\n' "$name" >"$work/vkey"
    xxd -r -p <<<"$HEX" >>"$work/vkey"
    read -r HASH _ < <(sha256sum <"$work/vkey")
    [ "${HASH:0:8}" = "$KEY_ID" ]
}
read_vkey_file() { # FILE
    local -a line=()
    [ -f "$1" ] || return 1
    mapfile -t line <"$1" 2>/dev/null
    [ ${#line[@]} = 1 ] && read_vkey "${line[0]}"
}
ed25519() { # PUBLIC MESSAGE-FILE SIGNATURE-HEX
    xxd -r -p <<<"302a300506032b6570032100$1" >"$work/key"
    xxd -r -p <<<"$3" >"$work/signature"
    openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key" -rawin -in "$2" -sigfile "$work/signature" \
        >/dev/null 2>&1
}
# FILE: its LINES. A file that is anything else than lines of text is refused: what is read is all there is.
lines_of() {
    local joined size
    regular "$1" && size=$(stat -c %s -- "$1") && [ "$size" -le 65536 ] || return 1
    mapfile -t LINES_READ <"$1" 2>/dev/null
    printf -v joined '%s\n' "${LINES_READ[@]}"
    [ ${#joined} = "$size" ]
}
DASH=$'\xe2\x80\x94 '
read_note() { # LINES...: ORIGIN SIZE ROOT, SIGNED (names), FIELD (hex) of each signature line; text in $work/text
    local -a line=("$@")
    local i rest
    ORIGIN=${1-} SIZE=${2-} SIGNED=() FIELD=()
    WHY="the checkpoint has another form"
    [[ -n $ORIGIN && $SIZE =~ ^(0|[1-9][0-9]{0,17})$ && -z ${4-x} && $# -gt 4 ]] || return 1
    unbase64 "$3" && [ ${#HEX} = 64 ] || return 1
    ROOT=$HEX
    for ((i = 4; i < $#; i++)); do
        [ "${line[i]:0:4}" = "$DASH" ] || return 1
        rest=${line[i]:4}
        [[ $rest == ?*" "?* ]] && unbase64 "${rest#* }" && [ ${#HEX} -gt 8 ] || return 1
        SIGNED+=("${rest%% *}") FIELD+=("$HEX")
    done
    printf '%s\n' "${@:1:3}" >"$work/text"
}
read_proof() { # FILE: INDEX, STEPS (hex), NOTE (lines), and as read_note
    local i
    WHY="there is no $1"
    regular "$1" || return 1
    WHY="$1 is no c2sp.org/tlog-proof@v1"
    lines_of "$1" || return 1
    [ "${LINES_READ[0]}" = c2sp.org/tlog-proof@v1 ] && [[ ${LINES_READ[1]-} =~ ^index\ (0|[1-9][0-9]{0,17})$ ]] || return 1
    INDEX=${BASH_REMATCH[1]} STEPS=()
    for ((i = 2; i < ${#LINES_READ[@]}; i++)); do
        [ -n "${LINES_READ[i]}" ] || break
        unbase64 "${LINES_READ[i]}" && [ ${#HEX} = 64 ] || return 1
        STEPS+=("$HEX")
    done
    [ ${#STEPS[@]} -le 64 ] || return 1
    NOTE=("${LINES_READ[@]:i+1}")
    read_note "${NOTE[@]}"
}
leads_to_root() { # LEAF-FILE: does the path lead from it to ROOT? RFC 9162 section 2.1.3.2
    local index=$INDEX last=$((SIZE - 1)) hash step
    WHY="entry $INDEX is not in a log of $SIZE"
    [ "$INDEX" -lt "$SIZE" ] || return 1
    WHY="the path does not lead to the checkpoint's root"
    read -r hash _ < <( (printf '\0'; cat -- "$1") | sha256sum)
    for step in "${STEPS[@]}"; do
        [ $last != 0 ] || return 1
        if [ $((index & 1)) = 0 ] && [ $index != $last ]; then
            hash_hex "01$hash$step"
        else
            hash_hex "01$step$hash"
            while [ $((index & 1)) = 0 ] && [ $index != 0 ]; do index=$((index >> 1)) last=$((last >> 1)); done
        fi
        hash=$HASH index=$((index >> 1)) last=$((last >> 1))
    done
    [ $last = 0 ] && [ "$hash" = "$ROOT" ]
}
# After read_vkey_file: the directory has a log's key under the origin of its first epoch, NAME/1; that of a later
# one, NAME/2 and so on, is the same key under another name.
of_epoch() {
    [[ $KEY_NAME == */1 && $ORIGIN =~ ^(.*)/([2-9]|[1-5][0-9]|6[0-4])$ && ${BASH_REMATCH[1]} == "${KEY_NAME%/1}" ]] || return 0
    KEY_NAME=$ORIGIN
    printf '%s\n' "$KEY_NAME" >"$work/vkey"
    xxd -r -p <<<"$KEY_TYPE$KEY_PUBLIC" >>"$work/vkey"
    read -r HASH _ < <(sha256sum <"$work/vkey")
    KEY_ID=${HASH:0:8}
}
log_signed() { # after read_vkey_file: is the note signed by this key, and of this origin?
    local i found=no
    WHY="no signature of $(plain "$KEY_NAME")"
    [ "$KEY_TYPE" = 01 ] || return 1
    for ((i = 0; i < ${#SIGNED[@]}; i++)); do
        [ "${SIGNED[i]}" = "$KEY_NAME" ] && [ "${FIELD[i]:0:8}" = "$KEY_ID" ] || continue
        [ ${#FIELD[i]} = 136 ] && ed25519 "$KEY_PUBLIC" "$work/text" "${FIELD[i]:8}" ||
            { WHY="the signature of $(plain "$KEY_NAME") is wrong"; return 1; }
        found=yes
    done
    [ $found = yes ] || return 1
    WHY="the checkpoint is of the log $(plain "$ORIGIN")"
    [ "$ORIGIN" = "$KEY_NAME" ]
}

# --- signatures ----------------------------------------------------------------------------------
# FILE: SIGNED_S, seconds since 1970. The attribute signingTime stands behind the content, so the last one is it.
SIGNING_TIME=301c06092a864886f70d010905310f170d
signing_time() { # FILE [TAIL]: without this hex at its end, which is not signed as such
    local hex text
    hex=$(hex_of "$1")
    hex=${hex%"${2-}"}
    [[ $hex == *$SIGNING_TIME* ]] || return 1
    text=$(xxd -r -p <<<"${hex##*$SIGNING_TIME}" | head -c 13 | tr -d '\0')
    [[ $text =~ ^([0-4][0-9])([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z$ ]] || return 1
    SIGNED_S=$(date -u -d "20${BASH_REMATCH[1]}-${BASH_REMATCH[2]}-${BASH_REMATCH[3]} ${BASH_REMATCH[4]}:${BASH_REMATCH[5]}:${BASH_REMATCH[6]}" +%s 2>/dev/null)
}
# A header that was signed in a batch: CMS signed the head (batch.head) over all headers of the batch, and the leaf ends
# with place and header, as DER OCTET STRINGs.
octets() { # HEX: as OCTET STRING, appended to MEMBER
    local size=$((${#1} / 2)) head
    if [ $size -lt 128 ]; then printf -v head '04%02x' $size
    elif [ $size -lt 256 ]; then printf -v head '0481%02x' $size
    else printf -v head '0482%04x' $size; fi
    MEMBER+=$head$1
}
read_member() { # LEAF: MEMBER, the hex at the leaf's end; "" when there is no batch.place beside it
    local leaf
    MEMBER=
    [ -e batch.place ] || return 0
    WHY="batch.place is no place in a batch"
    regular batch.place && regular header.bin && [ "$(stat -c %s batch.place)" -le 196 ] &&
        [ "$(stat -c %s header.bin)" -le 65535 ] || return 1
    octets "$(hex_of batch.place)"
    octets "$(hex_of header.bin)"
    leaf=$(hex_of "$1")
    WHY="the leaf does not end with batch.place and header.bin"
    [[ $leaf == ?*"$MEMBER" ]]
}
in_batch() { # HEAD-FILE: do batch.place and header.bin lead to it?
    local place i
    local INDEX SIZE ROOT STEPS=()
    WHY="what was signed is no head of a batch"
    lines_of "$1" && [ ${#LINES_READ[@]} = 3 ] && [ "${LINES_READ[0]}" = "chaski batch v1" ] || return 1
    SIZE=${LINES_READ[1]}
    [[ $SIZE =~ ^[1-9][0-9]?$ ]] && [ "$SIZE" -ge 2 ] && [ "$SIZE" -le 64 ] || return 1
    unbase64 "${LINES_READ[2]}" && [ ${#HEX} = 64 ] || return 1
    ROOT=$HEX
    place=$(hex_of batch.place)
    WHY="batch.place is no place in this batch"
    [ ${#place} -ge 8 ] && [ $(((${#place} - 8) % 64)) = 0 ] && [ $((16#${place:4:4})) = "$SIZE" ] || return 1
    INDEX=$((16#${place:0:4}))
    for ((i = 8; i < ${#place}; i += 64)); do STEPS+=("${place:i:64}"); done
    leads_to_root header.bin && return
    WHY="batch.place does not lead from header.bin to what was signed"
    return 1
}
is_head() { [ "$(head -c 15 -- "$1" | tr -d '\0')" = "chaski batch v1" ]; } # FILE
is_signed_header() { # FILE, which CMS signed: is it header.bin, or does header.bin stand in that batch?
    WHY="header.bin is not what was signed"
    regular header.bin || return 1
    if [ -n "$MEMBER" ] || is_head "$1"; then
        WHY="there is no batch.place"
        [ -n "$MEMBER" ] || return 1
        in_batch "$1" || return 1
        WHY="batch.head is not what was signed"
        regular batch.head && is_file_of batch.head <"$1"
    else
        is_file_of header.bin <"$1"
    fi
}
one_certificate() { # FILE: holds it one certificate, and no other?
    local line count=0
    regular "$1" && [ "$(stat -c %s -- "$1")" -le 65536 ] || return 1
    while IFS= read -r line; do [[ $line != *"-----BEGIN "* ]] || count=$((count + 1)); done <"$1" 2>/dev/null
    [ $count = 1 ]
}
leads_to_anchor() { # CERTIFICATE CHAIN TIME: did it then?
    local untrusted=()
    WHY="there is no $1"; regular "$1" || return 1
    WHY="the certificates that all rests on cannot be read"; [ -f "$trust" ] || return 1
    WHY="$1 is not one certificate"; one_certificate "$1" || return 1
    [ -z "$2" ] || ! regular "$2" || untrusted=(-untrusted "$2")
    WHY="its certificate leads to no trusted authority, or was not valid then"
    openssl verify -purpose any -partial_chain -attime "$3" -CAfile "$trust" -no-CApath -no-CAstore \
        "${untrusted[@]}" "$1" >/dev/null 2>&1
}
cades() { # LEAF CERTIFICATE OUT: did it sign the leaf? What it signed goes to OUT
    WHY="there is no $1"; regular "$1" || return 1
    WHY="the signature of $1 is wrong"
    openssl cms -verify -cades -binary -nointern -inform DER -in "$1" -certfile "$2" -purpose any \
        -partial_chain -no_check_time -CAfile "$2" -no-CApath -no-CAstore -out "$3" >/dev/null 2>&1
}
subject_of() { # FILE WORD: O, serialNumber or CN of a certificate
    openssl x509 -in "$1" -noout -subject -nameopt multiline,utf8,-esc_msb 2>/dev/null |
        while IFS= read -r line; do
            [[ $line =~ ^\ *$2\ *=\ (.*)$ ]] && plain "${BASH_REMATCH[1]}"
        done
}

# =================================================================================================
# 0. Nothing in the folder leads elsewhere.
for name in * directory/* later/* status/*; do
    case $name in directory | later | status | META-INF) [ -d "$name" ] && [ ! -L "$name" ] && continue ;; esac
    regular "$name" && continue
    bad folder "$(plain "$name") is not a file"
    echo "FAIL folder"
    exit 1 # before anything is read from where it leads
done

# 1. Who signed what?
declare -A head=()
outside='' # hash of the outside authority that the signer's certificate leads to, if it is one: act 24 must name it
signer_leads() { # TIME
    leads_to_anchor signer.pem chain.pem "$1" && return
    [ -e issuer.pem ] && one_certificate issuer.pem || return 1
    openssl verify -purpose any -partial_chain -attime "$1" -CAfile issuer.pem -no-CApath -no-CAstore signer.pem \
        >/dev/null 2>&1 || return 1
    outside=$(openssl x509 -in issuer.pem -outform DER 2>/dev/null | sha256sum | head -c 64)
}
WHY="there is no leaf.p7m, or it is no signature"
if ! regular leaf.p7m || ! read_member leaf.p7m || ! signing_time leaf.p7m "$MEMBER" || ! signer_leads "$SIGNED_S" || ! cades leaf.p7m signer.pem "$work/header"; then
    bad signature "$WHY"
elif ! is_signed_header "$work/header"; then
    bad signature "$WHY"
elif ! fields "$(hex_of header.bin)" || [ "${LAST[1]-}" != 1 ] || [ $((${LAST[7]:-0} / 1000)) != "$SIGNED_S" ]; then
    bad signature "what was signed is no header, or of another time than the signature"
else
    for n in "${!LAST[@]}"; do head[$n]=${LAST[$n]}; done
    kinds=([1]="a request" [2]="a response" [3]="a refusal" [16]="a start" [17]="a stop" [18]="an incident" [19]="a stamp"
        [20]="an erasure" [21]="a late receipt" [22]="a prune" [23]="a key card")
    good signature "$(subject_of signer.pem organizationName), server $(text_of_hex "${head[15]-}"), at $(utc "$SIGNED_S")"
    none "" "${kinds[${head[3]:-0}]:-a record} from $(text_of_hex "${head[4]-}") to $(text_of_hex "${head[5]-}")"
fi

# 2. Is this the content that was signed for?
if regular payload.bin; then
    if [ "$(sha256_of_file payload.bin)" != "${head[8]-}" ] ||
        [ "$(stat -c %s payload.bin)" != $((${head[9]:-0} + 32)) ]; then
        bad payload "payload.bin is not what the header commits to"
    else
        good payload "${head[9]:-0} bytes, SHA-256 with salt ${head[8]}"
    fi
elif [ -e payload.bin ]; then
    bad payload "payload.bin is not a file"
else
    none payload "not in this folder: erased, sealed to whoever exported it, or taken out since; ask the log. The header commits to ${head[8]-}"
    verdict="PASS (commitment only)"
fi

# 3.-6. Where does it stand in the log, and who saw that when?
unstamped=yes
# witnesses: which of the policy's witnesses cosigned the note that was read last
declare -A member=() group=() group_k=() seen_key=()
read_policy() { # FILE: WITNESS (names) WITNESS_KEY group... QUORUM POLICY_LOGS
    local -a word=()
    local line name k n
    WITNESS=() WITNESS_KEY=() POLICY_LOGS=() QUORUM='' member=() group=() group_k=() seen_key=()
    while IFS= read -r line || [ -n "$line" ]; do
        IFS=$' \t' read -r -a word <<<"$line"
        [ ${#word[@]} -gt 0 ] && [ "${word[0]:0:1}" != "#" ] || continue
        name=${word[1]-}
        case ${word[0]} in
        log) read_vkey "$name" && [ "$KEY_TYPE" = 01 ] || return 1
            POLICY_LOGS+=("$name") ;;
        witness)
            [ -n "$name" ] && [ "$name" != none ] && [ -z "${member[$name]-}" ] && read_vkey "${word[2]-}" &&
                [ "$KEY_TYPE" = 04 ] && [ -z "${seen_key[$KEY_PUBLIC]-}" ] || return 1
            member[$name]=defined seen_key[$KEY_PUBLIC]=yes WITNESS+=("$name") WITNESS_KEY+=("${word[2]}") ;;
        group)
            [ -n "$name" ] && [ "$name" != none ] && [ -z "${member[$name]-}" ] && [ ${#word[@]} -ge 4 ] || return 1
            for n in "${word[@]:3}"; do
                [ "${member[$n]-}" = defined ] || return 1 # before this line, and in one group only
                member[$n]=taken
            done
            k=${word[2]}
            case $k in any) k=1 ;; all) k=$((${#word[@]} - 3)) ;; esac
            [[ $k =~ ^[1-9][0-9]{0,2}$ ]] && [ "$k" -le $((${#word[@]} - 3)) ] || return 1
            member[$name]=defined group[$name]="${word[*]:3}" group_k[$name]=$k ;;
        quorum)
            [ -z "$QUORUM" ] && [ ${#word[@]} = 2 ] && { [ "$name" = none ] || [ -n "${member[$name]-}" ]; } || return 1
            QUORUM=$name ;;
        *) return 1 ;;
        esac
    done <"$1"
    [ -n "$QUORUM" ]
}
stands() { # NAME: has this witness, or enough of this group, cosigned?
    local n count=0
    local -a members=()
    [ -n "${group[$1]-}" ] || { [ -n "${cosigned[$1]-}" ]; return; }
    read -r -a members <<<"${group[$1]}"
    for n in "${members[@]}"; do ! stands "$n" || count=$((count + 1)); done
    [ $count -ge "${group_k[$1]}" ]
}
declare -A cosigned=()
count_cosignatures() {
    local i k time
    cosigned=()
    for ((k = 0; k < ${#WITNESS[@]}; k++)); do
        read_vkey "${WITNESS_KEY[k]}"
        for ((i = 0; i < ${#SIGNED[@]}; i++)); do
            [ "${SIGNED[i]}" = "$KEY_NAME" ] && [ "${FIELD[i]:0:8}" = "$KEY_ID" ] || continue
            WHY="the cosignature of ${WITNESS[k]} is wrong"
            [ ${#FIELD[i]} = 152 ] && [[ ${FIELD[i]:8:1} == [0-7] ]] || return 1
            time=$((16#${FIELD[i]:8:16}))
            (printf 'cosignature/v1\ntime %s\n' $time; cat "$work/text") >"$work/message"
            ed25519 "$KEY_PUBLIC" "$work/message" "${FIELD[i]:24}" || return 1
            cosigned[${WITNESS[k]}]=$time
        done
    done
}
take_policy() { # WORD FILE
    have_policy=no
    [ -f "$2" ] || return
    if read_policy "$2"; then have_policy=yes; else bad "$1" "the policy cannot be read"; have_policy=bad; fi
}
check_witnesses() { # WORD
    local name words='' need
    if [ $have_policy = bad ]; then return; fi
    if [ $have_policy = no ]; then
        if [ "${quorum:-0}" -gt 0 ]; then bad "$1" "no policy says whose cosignatures count"
        else none "$1" "no policy: $((${#SIGNED[@]} - 1)) further signature lines, of unknown keys"; fi
        return
    fi
    count_cosignatures || { bad "$1" "$WHY"; return; }
    for name in "${WITNESS[@]}"; do
        [ -z "${cosigned[$name]-}" ] || words+="; $(plain "$name") at $(utc "${cosigned[$name]}")"
    done
    need=${quorum:-$QUORUM}
    words="${#cosigned[@]} of ${#WITNESS[@]} cosigned, asked for: $(plain "$need")$words"
    if [ -n "$quorum" ]; then
        [ ${#cosigned[@]} -ge "$quorum" ] || { bad "$1" "$words"; return; }
    elif [ "$QUORUM" != none ]; then
        stands "$QUORUM" || { bad "$1" "$words"; return; }
    fi
    good "$1" "$words"
}

stamp_time() { # TOKEN: STAMP_S
    local line found
    found=$(openssl ts -reply -in "$1" -token_in -text 2>/dev/null |
        while IFS= read -r line; do [[ $line == "Time stamp: "* ]] && echo "${line#Time stamp: }"; done | head -n 1)
    [ -n "$found" ] && STAMP_S=$(date -u -d "$found" +%s 2>/dev/null)
}
stamped_by() { # ANCHORS TOKEN DATA [TIME]: as of now, or of that time
    openssl ts -verify -in "$2" -token_in -data "$3" -CAfile "$1" -partial_chain ${4:+-attime "$4"} >/dev/null 2>&1
}
# The newer checkpoint covers what the older one does: its stamp, if it stands today, renews the older stamp.
renewed() { [ -e later/checkpoint.tst ] && regular later/checkpoint.tst && regular later/checkpoint && stamped_by "$1" later/checkpoint.tst later/checkpoint; }
# Whole, though nobody here vouches for who signed it: by the certificate that it carries.
whole_alone() { # TOKEN DATA
    openssl pkcs7 -inform DER -in "$1" -print_certs -out "$work/tsa-own.pem" 2>/dev/null && stamped_by "$work/tsa-own.pem" "$1" "$2" "$STAMP_S"
}
check_stamp() { # WORD TOKEN DATA
    local tsa note='' newer=no
    tsa=$(anchor tsa tsa.pem)
    [ -f "$tsa" ] || tsa=$trust
    [ "$1" = timestamp-later ] || ! renewed "$tsa" || newer=yes
    [ -e "$2" ] || { none "$1" "no time stamp covers this checkpoint here"; return; }
    regular "$2" && stamp_time "$2" || { bad "$1" "$2 is no time-stamp token"; return; }
    if ! stamped_by "$tsa" "$2" "$3"; then
        if ! stamped_by "$tsa" "$2" "$3" "$STAMP_S"; then
            if [ $newer = yes ] && whole_alone "$2" "$3"; then
                none "$1" "of an authority that is not among the certificates of ${tsa##*/}; the newer stamp counts"
            else
                bad "$1" "the token does not verify over this checkpoint with the certificates of ${tsa##*/}"
            fi
            return
        fi
        note='; the certificate of the time-stamping authority has ended since'
        if [ $newer = yes ]; then
            note+=', and a newer stamp covers it'
        elif [ "$1" = timestamp-later ] || [ ! -e later/checkpoint.tst ]; then
            none renewal "no newer stamp that stands today covers the last one: nobody can tell it from a forgery for ever"
        fi
    fi
    # who is dated after a head that covers it, by more than clocks may differ, was dated forward
    [ $((${head[7]:-0} / 1000)) -le $((STAMP_S + 60)) ] || { bad "$1" "stamped at $(utc "$STAMP_S"), before the record is dated"; return; }
    unstamped=no
    good "$1" "before $(utc "$STAMP_S")$note"
}

check_cover() { # FOLDER/ ENDING: one checkpoint that covers the record
    local log
    take_policy "witnesses$2" "$(anchor policy "$1policy")"
    if ! read_proof "$1record.tlog-proof"; then
        bad "inclusion$2" "$WHY"
        return
    fi
    WHY="there is no leaf.p7m"
    if ! regular leaf.p7m || ! leads_to_root leaf.p7m; then
        bad "inclusion$2" "$WHY"
    else
        good "inclusion$2" "entry $INDEX of the $SIZE in $(plain "$ORIGIN")"
    fi
    log=$(anchor log-vkey log.vkey)
    if ! regular "$1checkpoint" || ! printf '%s\n' "${NOTE[@]}" | is_file_of "$1checkpoint"; then
        bad "checkpoint$2" "the file checkpoint is not the one in the proof"
    elif ! read_vkey_file "$log"; then
        bad "checkpoint$2" "no key of the log"
    elif ! of_epoch || ! log_signed; then
        bad "checkpoint$2" "$WHY"
    elif [ $have_policy = yes ] && [ ${#POLICY_LOGS[@]} -gt 0 ] && [[ " ${POLICY_LOGS[*]} " != *" $(<"$log") "* ]]; then
        bad "checkpoint$2" "the policy knows no such log"
    else
        good "checkpoint$2" "signed by $(plain "$KEY_NAME"), key id $KEY_ID"
    fi
    check_witnesses "witnesses$2"
    check_stamp "timestamp$2" "$1checkpoint.tst" "$1checkpoint"
}
if [ ! -e record.tlog-proof ]; then
    bad inclusion "no proof here: when this was exported no checkpoint covered the record, or the file was taken away"
else
    check_cover "" ""
    [ ! -d later ] || check_cover later/ -later
fi

# 7. What the authority's directory said of the signer.
signers=0 # that stand in authority.pem, one after the other: ActsKeySet leads from one to the next
signer_at=1
split_authority() {
    local line
    WHY="no certificate of the authority"
    regular directory/authority.pem && [ "$(stat -c %s directory/authority.pem)" -le 16384 ] || return 1
    while IFS= read -r line; do
        [[ $line != *"-----BEGIN "* ]] || signers=$((signers + 1))
        [ $signers = 0 ] || printf '%s\n' "$line" >>"$work/acts-$signers.pem"
    done <directory/authority.pem 2>/dev/null
    [ $signers -ge 1 ] && [ $signers -le 13 ]
}
print_of() { openssl x509 -in "$1" -outform DER 2>/dev/null | sha256sum | head -c 64; }
gave_way() { # SIGNATURE BEFORE AFTER: did the key sign that it does? Hex; of a lost one there is none
    [ -n "$1" ] || return 0
    { printf 'chaski acts key v1\0'; printf %s "$2$3" | xxd -r -p; } >"$work/gave-way"
    printf %s "$1" | xxd -r -p >"$work/gave-way.sig"
    openssl x509 -in "$work/acts-$signer_at.pem" -noout -pubkey >"$work/gave-way.pub" 2>/dev/null &&
        openssl dgst -sha256 -verify "$work/gave-way.pub" -signature "$work/gave-way.sig" "$work/gave-way" >/dev/null 2>&1
}
next_signer() { # TIME: the act in LAST names who signed it, and who did until then
    local at_s=$1 before after next=$((signer_at + 1))
    fields "${LAST[36]-}" || return 1
    hash_hex "${LAST[1]-}"; before=$HASH
    hash_hex "${LAST[2]-}"; after=$HASH
    WHY="the acts do not lead from one certificate in directory/authority.pem to the next"
    [ "$before" = "$(print_of "$work/acts-$signer_at.pem")" ] && [ "$after" = "$(print_of "$work/acts-$next.pem")" ] || return 1
    WHY="the key of acts that gave way did not sign that it does"
    gave_way "${LAST[3]-}" "$before" "$after" || return 1
    signer_at=$next
    check_authority "$at_s"
}
act_of() { # NUMBER: fields of the act, which the directory holds and the authority signed
    local next=no
    if ! cades "directory/$1.p7m" "$work/acts-$signer_at.pem" "$work/act"; then
        [ $signer_at -lt $signers ] && cades "directory/$1.p7m" "$work/acts-$((signer_at + 1)).pem" "$work/act" || return 1
        next=yes
    fi
    read_proof "directory/$1.tlog-proof" || return 1
    WHY="directory/$1.p7m is act $INDEX"
    [ "$INDEX" = "$1" ] || return 1
    leads_to_root "directory/$1.p7m" || return 1
    # all proofs of one export end in the same note: it is checked once, and its cosignatures stand for all acts
    if [ "${directory_note-}" = "" ]; then
        log_signed || return 1
        directory_note=${NOTE[*]}
    fi
    WHY="the acts are proved under different heads of the directory"
    [ "${NOTE[*]}" = "$directory_note" ] || return 1
    WHY="directory/$1.p7m holds no act"
    fields "$(hex_of "$work/act")" && [ "$(text_of_hex "${LAST[1]-}")" = "chaski directory act v1" ] &&
        [ "${LAST[2]:-0}" = "$1" ] || return 1
    WHY="directory/$1.p7m is signed by a certificate that did not sign acts then"
    [ $next = "$([ -n "${LAST[36]-}" ] && echo yes || echo no)" ]
}
check_authority() { # TIME: was the certificate that signs the acts the authority's own, and sound?
    leads_to_anchor "$work/acts-$signer_at.pem" "" "$1" || { WHY="directory/authority.pem: $WHY"; return 1; }
    WHY="the acts are signed by somebody else than the authority"
    [[ $(subject_of "$work/acts-$signer_at.pem" serialNumber) == */AUTHORITY/* ]]
}
check_directory() {
    local name number act_ms act_s since server subsystem certificate print signer_s=$((${head[7]:-0} / 1000)) slack=600
    local registered='' revoked='' log_of='' open='' stood=no until epoch=0 sender_server=${head[15]-} sender=${head[4]-}
    local item log_hex kind=${head[3]:-0} begun=no authority='' vouched=''
    print=$(openssl x509 -in signer.pem -outform DER 2>/dev/null | sha256sum | head -c 64)
    log_hex=$(printf %s "$(head -n 1 "$(anchor log-vkey log.vkey)" 2>/dev/null)" | xxd -p -c 256 | tr -d '\n')
    WHY="no key of the directory"
    read_vkey_file "$(anchor directory-vkey directory/directory.vkey)" || return 1
    split_authority || return 1
    WHY="no acts of the directory are here"
    for number in $(for name in directory/*.p7m; do name=${name#directory/}; echo "${name%.p7m}"; done | sort -n); do
        [[ $number =~ ^(0|[1-9][0-9]{0,9})$ ]] || { WHY="an act of no number"; return 1; }
        act_of "$number" || return 1
        if [ -n "${LAST[36]-}" ]; then # ActsKeySet: the first one until the act before, the next one from here on
            [ $begun = no ] || check_authority "$act_s" || return 1
            act_s=$((${LAST[3]:-0} / 1000)) epoch=$SIZE
            next_signer "$act_s" || return 1
            begun=yes
            continue
        fi
        epoch=$SIZE act_ms=${LAST[3]:-0} act_s=$((${LAST[3]:-0} / 1000))
        # acts stand in the order of time, and a chain is sound from one date to another: first and last are enough
        [ $begun = yes ] || check_authority "$act_s" || return 1
        begun=yes
        if [ -n "${LAST[23]+set}" ]; then # DirectoryWitnessesSet; empty: nobody any more
            fields "${LAST[23]}" || return 1
            directory_quorum=${LAST[2]:-0}
        elif [ -n "${LAST[12]-}" ]; then # ServerSet
            fields "${LAST[12]}" || return 1
            server=${LAST[1]-}
            for item in ${ALL[6]-}; do
                hash_hex "$item"
                [ "$HASH" = "$print" ] && [ "$server" = "$sender_server" ] && [ "$act_s" -le $((signer_s + slack)) ] &&
                    [ -z "$registered" ] && registered=$number vouched=$authority
            done
            [ "${LAST[5]-}" = "$log_hex" ] && log_of=$server
        elif [ -n "${LAST[15]-}" ]; then # CertificateRevoked
            fields "${LAST[15]}" || return 1
            since=${LAST[2]:-0}
            [ "$since" != 0 ] || since=$act_ms # no other date: from the act on
            [ "${LAST[1]-}" != "$print" ] || { [ -n "$revoked" ] && [ "$revoked" -le "$since" ]; } || revoked=$since
        elif [ -n "${LAST[24]-}" ]; then # CertificateAuthoritySet
            fields "${LAST[24]}" || return 1
            [ -n "$outside" ] || continue
            hash_hex "${LAST[2]-}"
            [ "$HASH" != "$outside" ] || authority=${LAST[1]-}
        elif [ -n "${LAST[13]-}" ]; then # SubsystemSet
            fields "${LAST[13]}" || return 1
            [ "${LAST[1]-}" = "$sender" ] || continue
            if [[ " ${ALL[3]-} " == *" $sender_server "* ]]; then open=${open:-$act_s}
            elif [ -n "$open" ]; then
                [ "$signer_s" -lt $((open - slack)) ] || [ "$signer_s" -gt $((act_s + slack)) ] || stood=yes
                open=
            fi
        elif [ -n "${LAST[18]-}" ]; then # Removed
            fields "${LAST[18]}" || return 1
            if [ -n "$authority" ] && [ "${LAST[10]-}" = "$authority" ]; then
                authority='' # what it vouched for ends, as if it had been revoked
                [ -z "$registered" ] || { [ -n "$revoked" ] && [ "$revoked" -le "$act_ms" ]; } || revoked=$act_ms
            fi
            if [ "${LAST[3]-}" = "$sender" ] && [ -n "$open" ]; then
                [ "$signer_s" -lt $((open - slack)) ] || [ "$signer_s" -gt $((act_s + slack)) ] || stood=yes
                open=
            fi
        fi
    done
    [ "$epoch" != 0 ] && check_authority "$act_s" || return 1
    [ -z "$open" ] || [ "$signer_s" -lt $((open - slack)) ] || stood=yes
    WHY="no act registers this certificate on $(text_of_hex "$sender_server") before it signed"
    [ -n "$registered" ] || return 1
    WHY="no act says, before that, that the authority in issuer.pem is trusted"
    [ -z "$outside" ] || [ -n "$vouched" ] || return 1
    WHY="the certificate was revoked at $(utc $((${revoked:-0} / 1000))), before it signed"
    [ -z "$revoked" ] || [ "${head[7]:-0}" -lt "$revoked" ] || return 1
    # a server speaks for itself of its own log and in a refusal, otherwise for a subsystem that stands on it
    WHY="$(text_of_hex "$sender") did not stand on $(text_of_hex "$sender_server") then"
    [ "$kind" -ge 16 ] || [ $stood = yes ] || { [ "$kind" = 3 ] && [ "$sender" = "$sender_server" ]; } || return 1
    WHY="$(text_of_hex "$sender") is not of the member whose server signed"
    subsystem=$(text_of_hex "$sender") server=$(text_of_hex "$sender_server")
    [[ $subsystem/ == "${server%/*}"/* ]] || return 1
    WHY="the log's key is not one of the sender's or the receiver's server"
    [ -n "$log_of" ] && { [ "$log_of" = "$sender_server" ] || [ "$log_of" = "${head[16]-}" ]; } || return 1
    DIRECTORY_WORDS="act $registered registered the signer; by epoch $epoch "
    [ -z "$outside" ] || DIRECTORY_WORDS="of the outside authority $(text_of_hex "$vouched"), $DIRECTORY_WORDS"
    if [ -n "$revoked" ]; then DIRECTORY_WORDS+="revoked since $(utc $((revoked / 1000))), after it signed"
    else DIRECTORY_WORDS+="no revocation is here"; fi
    DIRECTORY_WORDS+="; the log is of $(text_of_hex "$log_of")"
}
check_directory_witnesses() { # the note that was read last is the one under all acts
    take_policy directory "$(anchor directory-policy directory/policy)"
    if [ $have_policy = yes ]; then
        # the folder's own policy may ask for no less than the act that is here
        if [ -z "${given[directory-policy]-}" ] && count_cosignatures && [ ${#cosigned[@]} -lt "$directory_quorum" ]; then
            bad directory "${#cosigned[@]} of ${#WITNESS[@]} cosigned, the directory asks for $directory_quorum"
        else
            quorum='' check_witnesses directory
        fi
    elif [ $have_policy = no ] && [ "$directory_quorum" != 0 ]; then
        bad directory "it asks for $directory_quorum cosignatures, and no policy says whose"
    elif [ $have_policy = no ]; then
        none directory "no act here names witnesses of it: that everybody has the same directory is the authority's word"
    fi
}
directory_quorum=0
if check_directory; then
    good registration "$DIRECTORY_WORDS"
    check_directory_witnesses
else
    bad registration "$WHY"
fi

# 8. What an outside authority said of the signer's certificate, before and after.
status_of() { # FILE SECONDS: STATUS_WORDS; fails when it is no sound answer, or says that it was revoked before
    local said line revoked=''
    WHY="$1 is not signed by the authority, or is about another certificate or time"
    case $1 in
    *.ocsp)
        said=$(TZ=UTC openssl ocsp -respin "$1" -issuer issuer.pem -cert signer.pem -CAfile issuer.pem -partial_chain \
            -no-CApath -no-CAstore -attime "$2" 2>/dev/null) || return 1
        line=${said##*This Update: } line=${line%%$'\n'*}
        [[ $said == *"This Update: "* ]] && [ "$(date -u -d "$line" +%s 2>/dev/null)" = "$2" ] || return 1
        case ${said%%$'\n'*} in
        *": good") ;;
        *": revoked")
            line=${said##*Revocation Time: }
            revoked=$(date -u -d "${line%%$'\n'*}" +%s 2>/dev/null) || return 1 ;;
        *) WHY="the authority said that it does not know the certificate"; return 1 ;;
        esac ;;
    *)
        openssl crl -inform DER -in "$1" -out "$work/crl" 2>/dev/null || return 1
        said=$(TZ=UTC openssl crl -in "$work/crl" -noout -text 2>/dev/null)
        line=${said#*Last Update: } line=${line%%$'\n'*}
        [ "$(date -u -d "$line" +%s 2>/dev/null)" = "$2" ] && [[ $said != *"Delta CRL Indicator"* ]] || return 1
        # 23: revoked; the list itself is sound then
        line=$(openssl verify -purpose any -partial_chain -crl_check -attime "$2" -CAfile issuer.pem -CRLfile "$work/crl" \
            -no-CApath -no-CAstore signer.pem 2>&1) || {
            [[ $line == *"error 23 at 0 depth"* ]] || return 1
            line=$(openssl x509 -in signer.pem -noout -serial 2>/dev/null)
            line=${said#*"Serial Number: ${line#serial=}"$'\n'} line=${line#*Revocation Date: }
            revoked=$(date -u -d "${line%%$'\n'*}" +%s 2>/dev/null) || return 1
        } ;;
    esac
    WHY="by $1 it was revoked at $(utc "${revoked:-0}"), before it signed"
    [ -z "$revoked" ] || [ "$revoked" -gt "$SIGNED_S" ] || return 1
    STATUS_WORDS="good at $(utc "$2")"
    [ -z "$revoked" ] || STATUS_WORDS="revoked at $(utc "$revoked"), after it signed"
}
if [ -n "$outside" ]; then
    words=''
    for name in status/*; do
        [[ $name =~ ^status/([1-9][0-9]{9})\.(ocsp|crl)$ ]] || { bad status "$(plain "$name") has another name than an answer"; continue; }
        if status_of "$name" "${BASH_REMATCH[1]}"; then words+="${words:+; }$STATUS_WORDS"; else bad status "$WHY"; fi
    done
    if [ -n "$words" ]; then good status "the authority itself: $words"
    else none status "no answer of the authority itself is here; the directory says what it was told"; fi
fi

# 9. The request that it answers, when that lies beside it.
if [ -n "${head[10]-}" ] && regular ../request/leaf.p7m; then
    if [ "$( (printf '\0'; cat ../request/leaf.p7m) | sha256sum | head -c 64)" = "${head[10]}" ]; then
        good reply "it answers the request in ../request"
    else
        bad reply "it does not answer the request in ../request"
    fi
fi

# --- what it rests on ----------------------------------------------------------------------------
own=()
for name in trust log-vkey directory-vkey; do [ -n "${given[$name]-}" ] || own+=("$name"); done
[ -n "${given[policy]-}" ] || ! [ -f policy ] || own+=(policy)
[ -n "${given[directory-policy]-}" ] || ! [ -f directory/policy ] || own+=(directory-policy)
if [ ${#own[@]} -gt 0 ]; then
    none anchors "from this folder itself: ${own[*]}. Compare with what the authority has made known:"
    [ -n "${given[trust]-}" ] || none "" "$(openssl x509 -in "$trust" -noout -fingerprint -sha256 2>/dev/null | tr -d : | tr A-F a-f)"
    [ -n "${given[directory-vkey]-}" ] || ! regular directory/directory.vkey || none "" "$(plain "$(head -n 1 directory/directory.vkey)")"
fi
if [ ${#failures[@]} -gt 0 ]; then
    echo "FAIL ${failures[*]}"
    exit 1
fi
[ $unstamped = no ] || none time "no stamp: when it was signed is the signer's word, and the log's"
echo "$verdict"
