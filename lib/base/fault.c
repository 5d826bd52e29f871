// SPDX-License-Identifier: MIT
#include "lib/base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct fact {
    const char *name;
    const char *xroad;
    const char *sentence;
    int status;
    enum fault_blame blame;
};

static const struct fact facts[] = {
#define FAULT(name, number, status, xroad, blame, sentence) \
    [number] = {#name, xroad, sentence, status, blame},
#include "lib/base/fault_list.def"
#undef FAULT
};

#define DETAIL_BYTES 384

static _Thread_local char detail[DETAIL_BYTES];
static _Thread_local char place[96];

static const struct fact *fact_of(enum fault_code code)
{
    return &facts[fault_known((unsigned)code) ? code : INTERNAL];
}

bool fault_known(unsigned number)
{
    return number < sizeof facts / sizeof facts[0] && facts[number].name != NULL;
}

bool fault_named(const char *name, enum fault_code *out)
{
    for (unsigned number = 0; number < sizeof facts / sizeof facts[0]; number++)
        if (facts[number].name != NULL && strcasecmp(facts[number].name, name) == 0) {
            *out = (enum fault_code)number;
            return true;
        }
    return false;
}

void fault_note(const char *file, int line, const char *format, ...)
{
    char fresh[DETAIL_BYTES]; /* an argument may be fault_detail() itself */
    va_list args;
    va_start(args, format);
    vsnprintf(fresh, sizeof fresh, format, args);
    va_end(args);
    memcpy(detail, fresh, sizeof detail);
    snprintf(place, sizeof place, "%s:%d", file, line);
}

const char *fault_detail(void)
{
    return detail;
}

const char *fault_place(void)
{
    return place;
}

const char *fault_name(enum fault_code code)
{
    return fact_of(code)->name;
}

const char *fault_sentence(enum fault_code code)
{
    return fact_of(code)->sentence;
}

const char *fault_xroad(enum fault_code code)
{
    return fact_of(code)->xroad;
}

int fault_status(enum fault_code code)
{
    return fact_of(code)->status;
}

enum fault_blame fault_blame(enum fault_code code)
{
    return fact_of(code)->blame;
}

const char *fault_blame_word(enum fault_blame blame)
{
    static const char *const words[] = {"nobody", "caller",      "provider",
                                        "peer",   "this server", "authority"};
    return words[blame];
}
