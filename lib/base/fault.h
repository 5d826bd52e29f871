// SPDX-License-Identifier: MIT
/*
 * fault - what went wrong.
 *
 * Every function that can fail returns `fault`. Results leave through `out`, which is written only
 * on success. TRY passes a fault up; RAISE makes one and notes, for this thread, where and why.
 * All faults stand in fault_list.def with wire number, HTTP status, X-Road code and sentence.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum fault_code {
#define FAULT(name, number, status, xroad, blame, sentence) name = number,
#include "lib/base/fault_list.def"
#undef FAULT
};

enum fault_blame {
    BLAME_NONE,
    BLAME_CALLER,
    BLAME_PROVIDER,
    BLAME_PEER,
    BLAME_US,
    BLAME_AUTHORITY
};

/* A struct and not an enum, so that the compiler refuses a forgotten or mistyped check. */
typedef struct [[nodiscard]] fault {
    enum fault_code code;
} fault;

#define DONE ((fault){OK})

/* True when the call failed. */
static inline bool failed(fault f)
{
    return f.code != OK;
}

/* Says that a fault is knowingly left aside; the reason stands beside the call. */
static inline void ignore(fault f)
{
    (void)f;
}

#define TRY(call)                  \
    do {                           \
        fault try_fault_ = (call); \
        if (try_fault_.code != OK) \
            return try_fault_;     \
    } while (0)

/* Makes a fault and notes file, line and a detail for people (printf style, cut at 383 bytes).
 * The detail never holds payload, key or personal data. */
#define RAISE(code, ...) (fault_note(__FILE__, __LINE__, __VA_ARGS__), (fault){(code)})

void fault_note(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The note of the last fault raised on this thread; valid until the next one. Never NULL. */
const char *fault_detail(void);
const char *fault_place(void);

/* Facts of the list; an unknown number answers as INTERNAL does. */
const char *fault_name(enum fault_code code);
const char *fault_sentence(enum fault_code code);
const char *fault_xroad(enum fault_code code); /* PascalCase suffix, such as "AccessDenied" */
int fault_status(enum fault_code code);        /* HTTP status */
enum fault_blame fault_blame(enum fault_code code);
const char *fault_blame_word(enum fault_blame blame); /* "caller", "provider", ... */
bool fault_known(unsigned number);                    /* is this wire number in our list? */
/* In small letters or capitals. */
bool fault_named(const char *name, enum fault_code *out); /* false: a later version may know it */

#endif
