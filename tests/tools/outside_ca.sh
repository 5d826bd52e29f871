#!/bin/bash
# SPDX-License-Identifier: MIT
# An outside certification authority, of stock openssl alone: a root (RSA), the CA below it that issues (P-384), and
# the responder that it delegates to. For tests.
#
#   outside_ca.sh FOLDER make                       root.pem ca.pem chain.pem (both) ocsp.pem; stranger.pem: a CA of nobody
#   outside_ca.sh FOLDER key FILE SUBJECT           a P-256 key FILE.key and its request FILE.csr
#   outside_ca.sh FOLDER issue CSR CERT [PROFILE]   PEM; profiles: sign (default), server, short (ends in 20 days)
#   outside_ca.sh FOLDER revoke CERT [REASON]       such as keyCompromise
#   outside_ca.sh FOLDER crl DER [OPTIONS]          options of openssl ca -gencrl; default -crldays 2
#   outside_ca.sh FOLDER answer REQUEST DER [SIGNER] [OPTIONS]   SIGNER: ocsp (default), ca, member or stranger
#   outside_ca.sh FOLDER serve PORT                 answers OCSP over HTTP until it is ended
set -eu
folder=$1 verb=$2
shift 2
mkdir -p "$folder"
cd "$folder"

settings() {
    cat <<'END'
[ca]
default_ca = issuing
[issuing]
dir = .
certificate = ca.pem
private_key = ca.key
new_certs_dir = issued
database = index.txt
crlnumber = crlnumber
rand_serial = yes
unique_subject = no
default_md = sha256
default_days = 365
default_crl_days = 2
policy = any
copy_extensions = none
preserve = yes
utf8 = yes
string_mask = utf8only
[any]
countryName = optional
organizationName = optional
organizationalUnitName = optional
serialNumber = optional
commonName = optional
[req]
distinguished_name = any
utf8 = yes
string_mask = utf8only
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[between]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[sign]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature, nonRepudiation
extendedKeyUsage = emailProtection, clientAuth
certificatePolicies = 1.2.3.4
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[server]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature, nonRepudiation
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[responder]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, OCSPSigning
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
}
key() { openssl ecparam -name "${2:-prime256v1}" -genkey -noout -out "$1"; }
ca() { openssl ca -config openssl.cnf -batch -notext "$@" 2>ca.log; }

case $verb in
make)
    mkdir -p issued
    settings >openssl.cnf
    : >index.txt
    echo 01 >crlnumber
    openssl req -new -x509 -config openssl.cnf -extensions root -newkey rsa:2048 -nodes -keyout root.key -sha256 -days 7300 \
        -subj '/C=CO/O=Certificadora Externa/CN=Raiz Externa' -out root.pem 2>/dev/null
    key ca.key secp384r1
    openssl req -new -config openssl.cnf -key ca.key -subj '/C=CO/O=Certificadora Externa/CN=Emisora 1' -out ca.csr
    openssl x509 -req -in ca.csr -CA root.pem -CAkey root.key -set_serial 2 -days 3650 -sha256 -extfile openssl.cnf \
        -extensions between -out ca.pem 2>/dev/null
    cat ca.pem root.pem >chain.pem
    key ocsp.key
    openssl req -new -config openssl.cnf -key ocsp.key -subj '/C=CO/O=Certificadora Externa/CN=OCSP' -out ocsp.csr
    ca -extensions responder -in ocsp.csr -out ocsp.pem
    openssl req -new -x509 -config openssl.cnf -extensions root -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
        -keyout stranger.key -days 3650 -subj '/C=CO/O=Certificadora Externa/CN=Emisora 1' -out stranger.pem 2>/dev/null
    ;;
key)
    key "$1.key"
    openssl req -new -config openssl.cnf -key "$1.key" -subj "$2" -out "$1.csr"
    ;;
issue)
    case ${3:-sign} in short) days=(-extensions sign -days 20) ;; *) days=(-extensions "${3:-sign}") ;; esac
    ca "${days[@]}" -in "$1" ${SUBJECT:+-subj "$SUBJECT"} -out "$2"
    ;;
revoke) ca -revoke "$1" ${2:+-crl_reason "$2"} ;;
crl)
    der=$1
    shift
    [ $# -gt 0 ] || set -- -crldays 2
    ca -gencrl "$@" -out crl.pem
    openssl crl -in crl.pem -outform DER -out "$der"
    ;;
answer)
    request=$1 der=$2 signer=${3:-ocsp}
    shift 2
    [ $# = 0 ] || shift
    [ $# -gt 0 ] || set -- -ndays 1
    issuer=ca.pem
    [ "$signer" != stranger ] || issuer=stranger.pem
    openssl ocsp -index index.txt -CA "$issuer" -rsigner "$signer.pem" -rkey "$signer.key" -reqin "$request" -respout "$der" "$@" \
        >ocsp.log 2>&1
    ;;
serve)
    exec openssl ocsp -index index.txt -CA ca.pem -rsigner ocsp.pem -rkey ocsp.key -port "$1" -ndays 1 -ignore_err
    ;;
*) echo "outside_ca.sh: no verb $verb" >&2; exit 2 ;;
esac
