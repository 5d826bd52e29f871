// SPDX-License-Identifier: MIT
/*
 * What outside authorities answer. First byte of the input: 0 OCSP, 1 a CRL; the rest is it. The
 * corpus is signed by an authority of which only the certificate is kept, so that what is changed
 * in it comes as far as the signature. In the corpus the certificate is revoked in both.
 */
#include "lib/base/cursor.h"
#include "lib/crypto/status.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AT_MS INT64_C(1795271044421)

static const char pem[] = "-----BEGIN CERTIFICATE-----\n"
                          "MIICIzCCAaigAwIBAgIUSm6oalxjBHsJcaQrcBy0QY/X8TYwCgYIKoZIzj0EAwIw\n"
                          "QTELMAkGA1UEBhMCQ08xHjAcBgNVBAoMFUNlcnRpZmljYWRvcmEgRXh0ZXJuYTES\n"
                          "MBAGA1UEAwwJRW1pc29yYSAxMB4XDTI2MTEyMTE0MjQwMloXDTI3MTEyMTE0MjQw\n"
                          "MlowLzELMAkGA1UEBhMCQ08xEDAOBgNVBAoMB0VudGlkYWQxDjAMBgNVBAMMBVNl\n"
                          "bGxvMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAA6UJ/2rIdiDUgY21AmJFStI\n"
                          "VePh2YhOMU6IkK7IFzaVwG/hLixfl58nJJ1BYskXBDNvtFantaYEDq+GHpAhOaOB\n"
                          "jzCBjDAJBgNVHRMEAjAAMA4GA1UdDwEB/wQEAwIGwDAdBgNVHSUEFjAUBggrBgEF\n"
                          "BQcDBAYIKwYBBQUHAwIwEAYDVR0gBAkwBzAFBgMqAwQwHQYDVR0OBBYEFGYsDEGS\n"
                          "OXl5u3d9uAOidkyNzgLfMB8GA1UdIwQYMBaAFEft3uF1CIdPmBTNHFNpAWrtigXD\n"
                          "MAoGCCqGSM49BAMCA2kAMGYCMQC2k9QOirS+OgK54sdGdLJLhQpyCZRmHhOtiD+Y\n"
                          "1VsVhJNrAnsrf67h+UBGAOO4ezMCMQDWkJdgMfNV45DOGaEWqeB2pyR/851nvibU\n"
                          "64eFox5bOi1pWvnlAK9xtko2o9jkhjE=\n"
                          "-----END CERTIFICATE-----\n"
                          "-----BEGIN CERTIFICATE-----\n"
                          "MIICuDCCAaCgAwIBAgIBAjANBgkqhkiG9w0BAQsFADBEMQswCQYDVQQGEwJDTzEe\n"
                          "MBwGA1UECgwVQ2VydGlmaWNhZG9yYSBFeHRlcm5hMRUwEwYDVQQDDAxSYWl6IEV4\n"
                          "dGVybmEwHhcNMjYxMTIxMTQyNDAxWhcNMzYxMTE4MTQyNDAxWjBBMQswCQYDVQQG\n"
                          "EwJDTzEeMBwGA1UECgwVQ2VydGlmaWNhZG9yYSBFeHRlcm5hMRIwEAYDVQQDDAlF\n"
                          "bWlzb3JhIDEwdjAQBgcqhkjOPQIBBgUrgQQAIgNiAARGL9yRfMaHB4pB5OJAH7/c\n"
                          "eGvBSjU6fObH1bCU55FQIdfFjZQlUx4WU3k83NYm4G0WIheFQgV/eaqtFFYXFBBi\n"
                          "xZ0N09K+pkngeg60Z9PvxdlkBqzv+yZJAeTXOu9ysHijZjBkMBIGA1UdEwEB/wQI\n"
                          "MAYBAf8CAQAwDgYDVR0PAQH/BAQDAgEGMB0GA1UdDgQWBBRH7d7hdQiHT5gUzRxT\n"
                          "aQFq7YoFwzAfBgNVHSMEGDAWgBQqJA9Yi5t707gq21nZ5HB6K8T2VjANBgkqhkiG\n"
                          "9w0BAQsFAAOCAQEAI/JLrW+OPSL1IDYQvprk+J9DPNvtiJjBYas29KOCK2sdAVw1\n"
                          "Fte4qwECUgoU0/W6qLoK2iSuGC101bNgsa+kxpyQnAmN5+HwUPm1nYkeUoV5RNkg\n"
                          "EmI8rFWAVwDY8cydZKWOk80q+9O52PWDsrzF/HRLmSUSnTWa9Xu6Xu764LXrVkPq\n"
                          "C1NVvGYGDZuBUxgXm6ZDVb0sz1pVysDc0sVYrGprhDW9TPhA1YYK165Uh8KN6z6q\n"
                          "oaRCu/AoOqnqs8nzAXVKcyfgsAB7TA22n3lWQq/MvkoRwNxGA/QZzAA1TbxfJu3u\n"
                          "JwMGQvYAhU6zDR5+39yE/zSQxiErMZ4VpZcbYw==\n"
                          "-----END CERTIFICATE-----\n"
                          "-----BEGIN CERTIFICATE-----\n"
                          "MIIDWDCCAkCgAwIBAgIUfAbAvsXN2XdtNmd+xoygI6vXs9QwDQYJKoZIhvcNAQEL\n"
                          "BQAwRDELMAkGA1UEBhMCQ08xHjAcBgNVBAoMFUNlcnRpZmljYWRvcmEgRXh0ZXJu\n"
                          "YTEVMBMGA1UEAwwMUmFpeiBFeHRlcm5hMB4XDTI2MTEyMTE0MjQwMVoXDTQ2MTEx\n"
                          "NjE0MjQwMVowRDELMAkGA1UEBhMCQ08xHjAcBgNVBAoMFUNlcnRpZmljYWRvcmEg\n"
                          "RXh0ZXJuYTEVMBMGA1UEAwwMUmFpeiBFeHRlcm5hMIIBIjANBgkqhkiG9w0BAQEF\n"
                          "AAOCAQ8AMIIBCgKCAQEAhmQGNeuHCSMmOyaz75WggblitO04EeiSqs0PuW3saJrJ\n"
                          "riQFYicU9JleuGQ51ZKwn36O13T1ymszt4p55axtXy+/seQ98wP4ym8rXFzIaZsF\n"
                          "qaPyAhozQHmiNygKeNhwHsVxOXsBeHo5i/GNY/IvOOuARXNs0UUBTOeFR9RG2lBf\n"
                          "+9LNU1RJJJqYPwmw9QxhBDSMCh34N6Uw9d9PTAYn5VMVjuQ2c+fBVj7kYTJiRsj2\n"
                          "N9eWP6/Eqokc3i4DT7AVvbVDs6tMsoYlnBu4epyDWzg4LPpd1jFtp0vU9Fx+ZcfB\n"
                          "SIg1K+NhLwf+qMKMPfhtEu6MWLFF0l6ndOfW/yf5JQIDAQABo0IwQDAPBgNVHRMB\n"
                          "Af8EBTADAQH/MA4GA1UdDwEB/wQEAwIBBjAdBgNVHQ4EFgQUKiQPWIube9O4KttZ\n"
                          "2eRweivE9lYwDQYJKoZIhvcNAQELBQADggEBAEmTAGj59mAi9DIjwnI4fH9mz4Hm\n"
                          "7s+EWbfSuBn0vOK9Lw5/ZT6+tE1bh8WyehdychVhgcmp5Ol3ZLlJBx3EPD+FTXoQ\n"
                          "LzkXcW5du52XZ7qChCAr11QJAcvmCM1RbE0Zi2QlBtXFll//RIYxEIndTZPr9TOv\n"
                          "f71J9AXGfMTUz2Db6JwXQkL/H7dNo1rZswoR670DGEd++dG+2c5Ht9vgxEBKG136\n"
                          "CDTOmQZrVxjtFpBoIkYMWSRJyEhmnleK3rBVHuz4+PqfO+mKn0E5C/UfC/R6+aBN\n"
                          "lDvhjQSBxfFt+8yb+ieu2fGRM6rDyDEEqZZiwwW2uZGqKnBaQXJ556hFJX8=\n"
                          "-----END CERTIFICATE-----\n";

static struct world {
    struct issuer *issuer;
    struct certificate *member;
} world;

static void must(fault f)
{
    if (failed(f)) {
        fprintf(stderr, "%s\n", fault_detail());
        abort();
    }
}

/* The certificate of the member, of the authority, and of its root. */
static void make_world(void)
{
    char path[] = "/tmp/chaski-fuzz-XXXXXX";
    struct bytes *all[3] = {NULL};
    size_t count = 0;
    int fd = mkstemp(path);
    assert(fd >= 0 && write(fd, pem, sizeof pem - 1) == (ssize_t)sizeof pem - 1);
    close(fd);
    must(certificate_load_all(path, all, 3, &count));
    unlink(path);
    assert(count == 3);
    struct span chain[1] = {bytes_span(all[2])};
    must(certificate_parse(bytes_span(all[0]), &world.member));
    must(issuer_new(bytes_span(all[1]), chain, 1, AT_MS, &world.issuer));
    for (size_t i = 0; i < count; i++)
        bytes_free(&all[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor left = cursor_over(span_of(data, size));
    struct status status;
    uint8_t kind = 0;
    if (world.issuer == NULL)
        make_world();
    if (failed(cursor_take_u8(&left, &kind)))
        return 0;
    /* nobody but the authority of the corpus could say anything else */
    if (!failed(status_read(kind == 1 ? STATUS_CRL : STATUS_OCSP, left.left, world.issuer,
                            world.member, AT_MS, &status)))
        assert(status.verdict == STATUS_REVOKED && status.revoked_ms > 0 &&
               status.reason[0] != '\0');
    return 0;
}
