// SPDX-License-Identifier: MIT
/* Between steps 2 and 3: the person whom a request names becomes a pseudonym, before anything is
 * written or sent; and may it be sealed? */
#include "security-server/exchange/exchange_steps.h"

#include "lib/base/clock.h"
#include "lib/bus/metaservice.h"
#include "lib/bus/sealing.h"
#include "lib/crypto/seal.h"
#include "security-server/exchange/keys_line.h"
#include "security-server/exchange/node.h"
#include "security-server/exchange/subject_keys.h"

static void made(void *owner, fault f, struct span result)
{
    struct exchange *x = owner;
    if (!failed(f) && result.size != PSEUDONYM_BYTES)
        f = RAISE(INTERNAL, "a pseudonym of %zu bytes", result.size);
    if (failed(f)) {
        x->subject_year = 0;
        exchange_fail(x, f);
        return;
    }
    memcpy(x->subject.at, result.at, PSEUDONYM_BYTES);
    exchange_resume(x);
}

static fault check_sealing(const struct exchange *x)
{
    struct sealing_question question = {span_of_text(x->client), span_of_text(x->purpose),
                                        span_of_text(x->sealing == NULL ? "" : x->sealing),
                                        x->sealed_until_ms, clock_wall_ms()};
    if (x->sealed_until_ms == 0)
        return DONE;
    if (x->subject_year == 0 && x->person[0] == '\0')
        return RAISE(SUBJECT_BAD, "Chaski-Seal without Chaski-Subject: from whose view?");
    return sealing_check(x->node->directory, &question);
}

enum step_end step_make_pseudonym(struct exchange *x)
{
    fault f = check_sealing(x);
    bool is_view = metaservice_of(span_of_text(x->service)) == METASERVICE_SUBJECT;
    if (!failed(f) && x->person[0] == '\0' && x->subject_year != 0 && !is_view)
        f = RAISE(SUBJECT_BAD, "a pseudonym is taken for the view of a person only");
    if (!failed(f) && x->person[0] == '\0')
        return is_view && x->subject_year == 0
                   ? exchange_refuse(x, RAISE(SUBJECT_BAD, "the view of nobody"))
                   : STEP_NEXT;
    unsigned year = x->subject_year;
    if (!failed(f) && year == 0)
        f = subject_keys_year(x->node->subject_keys, clock_wall_ms(), &year);
    if (!failed(f)) {
        x->subject_year = year;
        keys_line_pseudonym(x->node->keys, year, x->person, made, x);
    }
    seal_wipe(x->person, sizeof x->person);
    return failed(f) ? exchange_refuse(x, f) : STEP_WAIT;
}

void exchange_fill_subject(const struct exchange *x, struct header *out)
{
    if (x->subject_year == 0 || x->person[0] != '\0') /* refused before there was one */
        return;
    out->subject = sha256_span(&x->subject);
    out->subject_year = x->subject_year;
    out->sealed_until_ms = x->sealed_until_ms;
    out->sealing = span_of_text(x->sealing == NULL ? "" : x->sealing);
}
