// SPDX-License-Identifier: MIT
/* Outside authorities, and the certificates that somebody has to see to. */
#include "registry/show_certificates.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"

#include <stdlib.h>

static void day_text(int64_t ms, char out[32])
{
    clock_text(ms, out, 32);
    out[10] = '\0';
}

// --- authorities --------------------------------------------------------------------------------

void show_authorities(const struct directory *directory, FILE *out)
{
    const struct directory_authority *const *at = NULL;
    size_t count = directory_authorities(directory, &at);
    fprintf(out, "\nOUTSIDE AUTHORITIES (%zu)\n", count);
    for (size_t i = 0; i < count; i++) {
        char until[32], words[160];
        day_text(issuer_not_after_ms(at[i]->issuer), until);
        issuer_words(at[i]->issuer, words, sizeof words);
        fprintf(out, "  %s  %s, until %s%s%s%s%s\n", at[i]->name, words, until,
                at[i]->ocsp_url[0] != '\0' ? "; OCSP " : "", at[i]->ocsp_url,
                at[i]->crl_url[0] != '\0' ? "; CRL " : "", at[i]->crl_url);
    }
}

json_t *show_authorities_json(const struct directory *directory)
{
    const struct directory_authority *const *at = NULL;
    size_t count = directory_authorities(directory, &at);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        char until[32], hex[2 * SHA256_BYTES + 1];
        struct sha256 hash = issuer_hash(at[i]->issuer);
        clock_text(issuer_not_after_ms(at[i]->issuer), until, sizeof until);
        text_hex(sha256_span(&hash), hex, sizeof hex);
        json_array_append_new(array, json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", at[i]->name,
                                               "sha256", hex, "not_after", until, "ocsp",
                                               at[i]->ocsp_url, "crl", at[i]->crl_url));
    }
    return array;
}

// --- certificates to see to ---------------------------------------------------------------------

static void say_end(const struct directory_signer *signer, int64_t now_ms, char *out, size_t room)
{
    char until[32];
    int64_t left_ms = certificate_not_after_ms(signer->certificate) - now_ms;
    day_text(certificate_not_after_ms(signer->certificate), until);
    out[0] = '\0';
    if (left_ms <= 0)
        text_format(out, room, "ended on %s", until);
    else if (left_ms < CERTIFICATE_ENDS_SOON_MS)
        text_format(out, room, "ends in %lld days, on %s", (long long)(left_ms / STORE_DAY_MS),
                    until);
}

static void say_status(const struct status_note *note, int64_t now_ms, unsigned hours, char *out,
                       size_t room)
{
    int64_t age_ms = note == NULL ? -1 : now_ms - note->this_update_ms;
    out[0] = '\0';
    if (note == NULL || note->this_update_ms == 0)
        text_format(out, room, "its authority has never said how it stands%s%.150s",
                    note != NULL && note->problem[0] != '\0' ? ": " : "",
                    note == NULL ? "" : note->problem);
    else if (strcmp(note->verdict, "good") != 0)
        text_format(out, room, "its authority says: %s", note->verdict);
    else if (age_ms > (int64_t)hours * 3600000)
        text_format(
            out, room, "its authority said \"good\" %lld hours ago, and nothing since%s%.150s",
            (long long)(age_ms / 3600000), note->problem[0] != '\0' ? ": " : "", note->problem);
}

static void print_one(const struct directory_signer *signer, const struct status_book *book,
                      int64_t now_ms, unsigned hours, FILE *out)
{
    char end[80], status[320] = "", hex[2 * SHA256_BYTES + 1];
    struct sha256 hash = certificate_hash(signer->certificate);
    say_end(signer, now_ms, end, sizeof end);
    if (signer->authority != NULL && signer->authority->removed_ms == 0 &&
        !signer->authority->is_own)
        say_status(status_book_find(book, &hash), now_ms, hours, status, sizeof status);
    if (end[0] == '\0' && status[0] == '\0')
        return;
    text_hex(sha256_span(&hash), hex, sizeof hex);
    fprintf(out, "  %s  certificate %.16s  %s%s%s\n", signer->server->id, hex, end,
            end[0] != '\0' && status[0] != '\0' ? "; " : "", status);
}

void show_certificates(const struct directory *directory, const struct status_book *book,
                       unsigned hours, FILE *out)
{
    size_t step = 0;
    int64_t now_ms = clock_wall_ms();
    fprintf(out, "\nCERTIFICATES TO SEE TO\n");
    for (const struct directory_server *at; (at = directory_next_server(directory, &step)) != NULL;)
        for (size_t i = 0; i < at->signers; i++)
            if (at->signer[i]->revoked_since_ms == 0)
                print_one(at->signer[i], book, now_ms, hours, out);
}

json_t *show_status_json(const struct directory_signer *signer, const struct status_book *book)
{
    struct sha256 hash = certificate_hash(signer->certificate);
    const struct status_note *note = status_book_find(book, &hash);
    char answered[32], this_update[32];
    if (note == NULL)
        return NULL;
    clock_text(note->answered_ms, answered, sizeof answered);
    clock_text(note->this_update_ms, this_update, sizeof this_update);
    return json_pack("{s:s,s:s,s:s,s:s}", "verdict", note->verdict, "answered",
                     note->answered_ms == 0 ? "" : answered, "this_update",
                     note->this_update_ms == 0 ? "" : this_update, "problem", note->problem);
}
