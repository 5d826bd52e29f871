// SPDX-License-Identifier: MIT
#include "security-server/renewal_act.h"

#include "directory.pb-c.h"

#include <string.h>

/* That log and witness key stay is for the directory's own rules. */
static fault check_certificates(const struct renewal_own *own, const Chaski__ServerSet *act)
{
    for (size_t i = 0; i < act->n_certificate; i++) {
        uint8_t point[P256_POINT_BYTES];
        TRY(p256_of_certificate(span_of(act->certificate[i].data, act->certificate[i].len), point));
        if (memcmp(point, i == 0 ? own->next : own->now, sizeof point) != 0)
            return RAISE(REFUSED, "a certificate of another key, or in another order");
    }
    return act->n_certificate > 0 ? DONE : RAISE(REFUSED, "a server without a certificate");
}

static fault check_seals(const struct renewal_own *own, const Chaski__ServerSet *act)
{
    for (size_t i = 0; i < act->n_seal_key; i++) {
        uint8_t id[SEAL_KEY_ID_BYTES];
        size_t k = 0;
        if (act->seal_key[i].len != X25519_PUBLIC_BYTES)
            return RAISE(REFUSED, "a sealing key that is none");
        seal_key_id(act->seal_key[i].data, id);
        while (k < own->seals && memcmp(own->seal_id[k], id, sizeof id) != 0)
            k++;
        if (k == own->seals)
            return RAISE(REFUSED, "a sealing key of somebody else");
    }
    return act->n_seal_key > 0 ? DONE : RAISE(REFUSED, "a server without a sealing key");
}

fault renewal_act_check(const struct renewal_own *own, const Chaski__Act *act)
{
    if (act->act_case != CHASKI__ACT__ACT_SERVER_SET ||
        strcmp(act->server_set->id, own->server) != 0)
        return RAISE(REFUSED, "an act that is not about this server's certificates");
    TRY(check_certificates(own, act->server_set));
    return check_seals(own, act->server_set);
}
