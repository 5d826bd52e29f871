// SPDX-License-Identifier: MIT
#include "security-server/exchange/own_certificate.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"

#include <stdlib.h>

#define LOOK_MS 1000
#define DAY_MS INT64_C(86400000)

struct own_certificate {
    struct node *node;
    struct loop_timer timer;
    const char *said; /* event that was said last */
    int64_t said_ms;  /* steady */
};

#define RENEW                                                                                   \
    "have a new certificate issued: chaski keys make in a new folder, send the request to the " \
    "authority, then chaski keys certificate"

bool own_certificate_judge(const struct certificate *certificate,
                           const struct directory_signer *signer, int64_t now_ms,
                           struct own_certificate_word *out)
{
    int64_t left_ms = certificate_not_after_ms(certificate) - now_ms;
    if (left_ms <= 0)
        *out = (struct own_certificate_word){"certificate.ended", ERROR, RENEW};
    else if (signer == NULL)
        *out = (struct own_certificate_word){
            "certificate.not_registered", ERROR,
            "the directory names another certificate for this server: put sign.key and sign.crt of "
            "that one into keys_folder, or have this one registered"};
    else if (signer->revoked_since_ms != 0)
        *out = (struct own_certificate_word){"certificate.revoked", ERROR,
                                             "find out why from the authority; then " RENEW};
    else if (!signer->trusted)
        *out = (struct own_certificate_word){
            "certificate.not_trusted", ERROR,
            "the directory knows no authority that issued it: ask the authority of the country"};
    else if (left_ms < CERTIFICATE_ENDS_SOON_MS)
        *out = (struct own_certificate_word){"certificate.ends_soon", WARN, RENEW};
    else
        return false;
    return true;
}

fault own_certificate_check(const struct node *node)
{
    const struct directory_signer *signer =
        directory_signer(node->directory, certificate_ski(node->certificate));
    return signer == NULL || signer->revoked_since_ms == 0
               ? DONE
               : RAISE(OWN_REVOKED, "the certificate of %s is revoked", node->config->server);
}

const char *own_certificate_remedy(enum fault_code code)
{
    return code == OWN_REVOKED ? "tell the operator of this server: it needs new keys and a new "
                                 "certificate; until then other servers refuse what it signs"
                               : "";
}

static void look(struct own_certificate *self)
{
    struct own_certificate_word word;
    char until[32];
    const struct node *node = self->node;
    const struct certificate *certificate = node->certificate;
    int64_t now_ms = clock_wall_ms(), until_ms = certificate_not_after_ms(certificate);
    const struct directory_signer *signer =
        directory_signer(node->directory, certificate_ski(certificate));
    if (!own_certificate_judge(certificate, signer, now_ms, &word)) {
        self->said = NULL;
        return;
    }
    if (self->said == word.event && clock_steady_ms() - self->said_ms < DAY_MS)
        return;
    self->said = word.event;
    self->said_ms = clock_steady_ms();
    clock_text(until_ms, until, sizeof until);
    EVENT(word.level, word.event, E_TEXT("server", node->config->server), E_TEXT("until", until),
          E_NUMBER("days_left", until_ms <= now_ms ? 0 : (until_ms - now_ms) / DAY_MS),
          E_TEXT("what_to_do", word.what_to_do));
}

static void on_timer(struct loop_timer *timer)
{
    struct own_certificate *self = timer->owner;
    look(self);
    loop_set_timer(self->node->loop, &self->timer, LOOK_MS);
}

struct own_certificate *own_certificate_new(struct node *node)
{
    struct own_certificate *self = owned_new(sizeof *self);
    self->node = node;
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(node->loop, &self->timer, 0);
    return self;
}

void own_certificate_free(struct own_certificate **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    free(*self);
    *self = NULL;
}
