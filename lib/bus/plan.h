// SPDX-License-Identifier: MIT
/*
 * plan - what has to be fetched, from whom and how, for one case of a procedure: requirements, all
 * of them; of each, ways to satisfy it, any one; of each way, sorts of evidence, all together; of
 * each sort, a ready request, or the question that is missing, or why nobody delivers it.
 *
 * A pure function of the directory, the question and the time. The subject of the case is not
 * asked for: its places in a path, {subject.type} and {subject.number}, are left to the gateway, so
 * that a plan, what is said of it and what is kept of it hold no number of a person.
 */
#ifndef BUS_PLAN_H
#define BUS_PLAN_H

#include "lib/base/arena.h"
#include "lib/bus/once_only.h"

#define PLAN_METHOD "GET"
#define PLAN_CODES_TERRITORY "DIVIPOLA"
#define PLAN_SUBJECT "subject." /* begins the places of a path that are the subject's */

/* What is known beside the procedure. Of a sort of evidence E: "E.territory" when it is about
 * another place than the case, "E.source" when several deliver it there, "E.version"; any other
 * name is a selector of sources. */
struct plan_answer {
    const char *name, *value;
};

/* No answer: whom a request is about is said once, or it could be about another person than it
 * says. */
bool plan_names_subject(struct span name);

struct plan_question {
    const char *procedure;
    const char *territory;     /* "": the procedure's own, if it has one */
    const char *version;       /* that sources have to deliver; "": any */
    const char *requirement;   /* "": all of them */
    enum subject_kind subject; /* 0: not said */
    size_t answers;            /* at most PLAN_ANSWERS_MAX */
    const struct plan_answer *answer;
    int64_t at_ms;
};

/* Numbers travel in proto/front.proto. */
enum plan_state {
    PLAN_READY = 1,
    PLAN_NEED,       /* a question has to be answered first */
    PLAN_NO_SOURCE,  /* nobody delivers it, and that is registered; or no source is */
    PLAN_NO_VERSION, /* nobody delivers that version */
    PLAN_NO_MATCH,   /* of a requirement: nothing satisfies it, and that is registered; or nothing
                        is */
    PLAN_STATES_END
};

struct plan_leaf {
    enum plan_state state;
    const struct directory_evidence_type *type;
    const struct directory_source *source; /* PLAN_READY; of a NO_SOURCE that is registered */
    const char *version;                   /* PLAN_READY: what it delivers; "" */
    const char *path;                      /* PLAN_READY: filled in but for the subject */
    const char *need, *question, *codes;   /* PLAN_NEED: the name to answer under */
    const char *reason;                    /* of all others */
    int64_t until_ms;                      /* PLAN_NO_SOURCE: 0, or until when */
};

struct plan_way {
    enum plan_state state; /* READY when all its leaves are; else the worst of them */
    size_t leaves;
    struct plan_leaf *leaf;
};

struct plan_requirement {
    enum plan_state state; /* the best of its ways; NO_MATCH when it has none */
    const struct directory_requirement *requirement;
    const struct directory_satisfaction *satisfaction; /* or NULL */
    bool ask_citizen;
    size_t ways;
    struct plan_way *way;
};

struct plan {
    const struct directory_procedure *procedure;
    const char *territory;
    size_t requirements;
    struct plan_requirement *requirement;
    size_t leaves; /* of all */
    struct arena memory;
};

/* PROCEDURE_UNKNOWN, REQUIREMENT_UNKNOWN (it is none of this procedure), PLAN_NEEDS (the territory
 * is missing, and which are possible; or the requirement, of more than PLAN_LEAVES_MAX leaves: one
 * requirement has fewer), BAD_QUESTION (a territory that is none, another kind of subject).
 * plan_free() it; good while `directory` is held. */
fault plan_make(const struct directory *directory, const struct plan_question *question,
                struct plan **out);
/* The same of a procedure that is not (yet) what is registered under its id. */
fault plan_make_of(const struct directory *directory, const struct directory_procedure *procedure,
                   const struct plan_question *question, struct plan **out);
void plan_free(struct plan **self);

const char *plan_state_word(enum plan_state state); /* "READY" */

/* A template's {names} become values, percent-encoded; those that `value_of` answers with NULL stay
 * as they are. BAD_QUESTION: longer than `room`. */
fault plan_fill(const char *path, const char *(*value_of)(void *owner, struct span name),
                void *owner, char *out, size_t room);

#endif
