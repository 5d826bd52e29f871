// SPDX-License-Identifier: MIT
/*
 * registers - once only in a book: acts from the JSON that people write.
 */
#ifndef TESTS_BUS_REGISTERS_H
#define TESTS_BUS_REGISTERS_H

#include "lib/bus/once_only.h"
#include "lib/bus/register_file.h"
#include "tests/unit/bus/book.h"

static inline fault registers_take(void *owner, Chaski__Act *act, const char *what)
{
    (void)what;
    book_act(owner, act);
    return DONE;
}

static inline fault registers_add(struct book *book, const char *json)
{
    OWNED(directory) state = NULL;
    TRY(book_fold(book, &state));
    return register_file_read(span_of_text(json), state, book->time_ms, registers_take, book);
}

/* The acts of this JSON are refused, and taken back. */
static inline void registers_refused(struct book *book, const char *json)
{
    OWNED(directory) none = NULL;
    size_t before = book->count;
    fault f = registers_add(book, json);
    if (!failed(f))
        f = book_fold(book, &none);
    if (!failed(f))
        fprintf(stderr, "  taken: %s\n", json);
    CU_ASSERT_EQUAL(f.code, DIRECTORY_BAD);
    while (book->count > before)
        bytes_free(&book->act[--book->count]);
}

static inline void registers_remove(struct book *book, Chaski__Removed__WhatCase what,
                                    const char *id)
{
    BOOK_ACT(book, REMOVED, removed, CHASKI__REMOVED__INIT, it->what_case = what,
             it->procedure = book_text(id), it->reason = book_text("fin"));
}

#define REGISTERS_SERVICE(book, name) book_service(book, DANE "/DIVIPOLA/" name, SERVICE_OPEN)
#define S DANE "/DIVIPOLA/"

/* One procedure of every municipality: residence, proved by a certificate or by bill and contract
 * together; identity, which nothing proves; income, of which nobody is a source until 2030. */
static const char registers_json[] =
    "{\"requirements\":[{\"id\":\"R-RES\",\"name\":\"Vive aquí\",\"fact\":\"residencia\"},"
    "{\"id\":\"R-ID\",\"name\":\"Quién es\"},{\"id\":\"R-INC\",\"name\":\"Cuánto gana\"}],"
    "\"evidence_types\":[{\"id\":\"E-CERT\",\"title\":\"Certificado\",\"versions\":[\"2\",\"1\"],"
    "\"sensitivity\":\"classified\",\"days_max\":90},"
    "{\"id\":\"E-BILL\",\"title\":\"Factura\",\"sensitivity\":\"public\"},"
    "{\"id\":\"E-DEED\",\"title\":\"Contrato\",\"sensitivity\":\"reserved\"},"
    "{\"id\":\"E-TAX\",\"title\":\"Renta\",\"sensitivity\":\"reserved\"}],"
    "\"satisfactions\":[{\"id\":\"Q-RES\",\"requirement\":\"R-RES\",\"territory\":\"CO\","
    "\"any_of\":[[\"E-CERT\"],[\"E-BILL\",\"E-DEED\"]]},"
    "{\"id\":\"Q-ID\",\"requirement\":\"R-ID\",\"territory\":\"CO\",\"any_of\":[]},"
    "{\"id\":\"Q-INC\",\"requirement\":\"R-INC\",\"territory\":\"CO\",\"any_of\":[[\"E-TAX\"]]}],"
    "\"sources\":[{\"id\":\"S-CERT\",\"evidence_type\":\"E-CERT\",\"territory\":\"05001\","
    "\"service\":\"" S "cert\",\"path\":\"/{territory}/{subject.number}\",\"versions\":[\"1\"]},"
    "{\"id\":\"S-BILL\",\"evidence_type\":\"E-BILL\",\"territory\":\"CO\",\"service\":\"" S
    "bill\",\"path\":\"/?year={year}\",\"selectors\":[{\"name\":\"year\",\"question\":\"¿Año?\","
    "\"codes\":\"AAAA\"}]},"
    "{\"id\":\"S-DEED\",\"evidence_type\":\"E-DEED\",\"territory\":\"05\",\"service\":\"" S
    "deed\",\"path\":\"/{subject.type}-{subject.number}\"},"
    "{\"id\":\"S-TAX\",\"evidence_type\":\"E-TAX\",\"territory\":\"CO\",\"none\":\"Sin ley\","
    "\"until\":\"2030-01-31\"}],"
    "\"procedures\":[{\"id\":\"T-1\",\"number\":\"00431\",\"title\":\"Licencia\",\"owner\":"
    "\"CO/MUN\",\"requirements\":[\"R-RES\",\"R-ID\",\"R-INC\"],\"ask_citizen\":[\"R-INC\"],"
    "\"subject\":\"person\",\"purpose\":\"tramite-licencia\"}]}";

static inline void registers_country(struct book *book)
{
    book_country(book);
    REGISTERS_SERVICE(book, "cert");
    REGISTERS_SERVICE(book, "bill");
    REGISTERS_SERVICE(book, "deed");
    MUST(registers_add(book, registers_json));
}

#endif
