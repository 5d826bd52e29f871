// SPDX-License-Identifier: MIT
/*
 * once_only - nobody is asked for what the state already holds: which procedure needs which facts,
 * what proves each of them, and who delivers that where.
 *
 * The registers are part of the directory, so every question here is answered locally, with no
 * effect. A territory is the country (CO), a DIVIPOLA department (05) or a municipality (05001);
 * what is set for the narrowest one that holds counts alone. Objects live as long as the state.
 * Source: ref B.1 to B.5 (the EU's Evidence Broker and Data Service Directory), H.1 and H.2.
 */
#ifndef BUS_ONCE_ONLY_H
#define BUS_ONCE_ONLY_H

#include "lib/bus/directory.h"

enum subject_kind { SUBJECT_ANYBODY = 1, SUBJECT_PERSON, SUBJECT_FIRM, SUBJECT_KINDS_END };
enum sensitivity {
    SENSITIVITY_PUBLIC = 1,
    SENSITIVITY_CLASSIFIED,
    SENSITIVITY_RESERVED,
    SENSITIVITIES_END
};

struct directory_requirement {
    const char *id;
    const char *name; /* in plain words */
    const char *fact;
};

struct directory_evidence_type {
    const char *id;
    const char *title;
    size_t versions;
    const char **version; /* newest first */
    enum sensitivity sensitivity;
    unsigned days_max; /* 0: it does not grow old */
};

struct directory_need {
    const struct directory_requirement *requirement;
    bool ask_citizen; /* the procedure's form asks for it */
};

struct directory_procedure {
    const char *id;
    const char *number; /* in SUIT; "" */
    const char *title;
    const char *owner; /* a consumer, as in consumer.h */
    size_t territories;
    const char **territory; /* none: every municipality */
    size_t legal_bases;
    const char **legal_basis_id;
    size_t needs;
    struct directory_need *need;
    enum subject_kind subject;
    const char *purpose; /* "": evidence is asked for without one */
    int64_t since_ms;    /* from when it is asked for so, as is said of it; 0: not said */
};

struct evidence_list {
    size_t types;
    const struct directory_evidence_type **type; /* all together */
};

struct directory_satisfaction {
    const char *id;
    const struct directory_requirement *requirement;
    const char *territory;
    size_t lists;
    struct evidence_list *list; /* any one; none: nothing satisfies it there */
};

struct source_selector {
    const char *name, *question, *code_list;
};

struct directory_source {
    const char *id;
    const struct directory_evidence_type *type;
    const char *territory;
    const char *service; /* "": there is none, for a reason and until a time */
    const char *path;    /* with {names} */
    size_t selectors;
    struct source_selector *selector;
    size_t versions;
    const char **version;
    const char *basis;
    const char *reason;
    int64_t until_ms; /* 0 with a service */
    int64_t since_ms; /* from when it delivers, as is said of it; 0: not said */
};

const struct directory_procedure *directory_procedure(const struct directory *self, struct span id);
const struct directory_requirement *directory_requirement(const struct directory *self,
                                                          struct span id);
const struct directory_evidence_type *directory_evidence_type(const struct directory *self,
                                                              struct span id);
const struct directory_satisfaction *directory_satisfaction(const struct directory *self,
                                                            struct span id);
const struct directory_source *directory_source(const struct directory *self, struct span id);

/* As the walks of directory.h. */
const struct directory_procedure *directory_next_procedure(const struct directory *self,
                                                           size_t *step);
const struct directory_requirement *directory_next_requirement(const struct directory *self,
                                                               size_t *step);
const struct directory_evidence_type *directory_next_evidence_type(const struct directory *self,
                                                                   size_t *step);
const struct directory_satisfaction *directory_next_satisfaction(const struct directory *self,
                                                                 size_t *step);
const struct directory_source *directory_next_source(const struct directory *self, size_t *step);

const char *subject_kind_word(enum subject_kind kind);      /* "person"; "" of none */
enum subject_kind subject_kind_of(const char *word);        /* 0: none is called so */
const char *sensitivity_word(enum sensitivity sensitivity); /* "classified"; "" of none */
enum sensitivity sensitivity_of(const char *word);

// --- territories --------------------------------------------------------------------------------

#define TERRITORY_BYTES_MAX 5
/* Of the country in which the directory's instance is, whether or not there is such a place. */
bool territory_fits(const struct directory *directory, const char *text);
/* The territory itself and those around it, the narrowest first; at most 3. */
size_t territory_around(const struct directory *directory, const char *text,
                        char out[3][TERRITORY_BYTES_MAX + 1]);
/* Is it the other one, or in it? */
bool territory_within(const struct directory *directory, const char *inner, const char *outer);

// --- questions ----------------------------------------------------------------------------------

/* What satisfies a requirement there; NULL: nothing is registered. No list in it: NO_MATCH. */
const struct directory_satisfaction *once_only_evidence_for(const struct directory *directory,
                                                            const char *requirement,
                                                            const char *territory);

/* Does the service deliver something that proves a requirement of the procedure? With a
 * requirement that is not "": that one. In whichever territory: who asks about somebody who was
 * born elsewhere is in the plan. */
bool once_only_in_plan(const struct directory *directory,
                       const struct directory_procedure *procedure, struct span service,
                       struct span requirement);

/* May this subsystem act in the procedure's name? Its owner is a member, or a class or a group
 * whose members all run it: a procedure of the nation that each municipality offers is CO/MUN's. */
bool once_only_runs(const struct directory *directory, const struct directory_procedure *procedure,
                    struct span client);

/* Is that service's own query as this source among what proves the requirement of the procedure? */
bool once_only_source_in_plan(const struct directory *directory,
                              const struct directory_procedure *procedure, struct span service,
                              struct span requirement, struct span source);

#endif
