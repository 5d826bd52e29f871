// SPDX-License-Identifier: MIT
/*
 * commands - what chaski-registry can be told, one table of it; acts.c, issue.c, publish.c and
 * show.c carry them out.
 *
 * A command that acts adds to the store and says on stdout what it did; the caller commits. What is
 * said is held back until then, so that nothing is reported that a crash can undo.
 */
#ifndef REGISTRY_COMMANDS_H
#define REGISTRY_COMMANDS_H

#include "registry/arguments.h"
#include "registry/store.h"

struct said; /* lines for stdout, held back */

struct said *said_new(void);
void said_free(struct said **self);
void said_add(struct said *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
void said_add_page(struct said *self, const char *text); /* several lines, such as JSON */
/* A line for who asks for the act, whatever becomes of it; it stays when the rest is unsaid. */
void said_look(struct said *self, const char *line);
void said_take_looks(struct said *self, struct said *from); /* those lines of the other */
/* What the lines tell of was to be done by now and is not: the exit status says so too. */
void said_undone(struct said *self);
bool said_is_undone(const struct said *self);
/* With what would mislead a reader made visible, see lib/base/shown.h. */
void said_print(const struct said *self, FILE *out);

typedef fault command_act(struct store *store, const struct arguments *arguments,
                          struct said *said);

struct command {
    const char *noun;
    const char *verb; /* NULL: the noun says it all */
    struct arguments_shape shape;
    command_act *act; /* NULL: not an act, and not for a batch */
    const char *sentence;
};

extern const struct command commands[];
extern const size_t commands_count;

/* The command that these words begin with; *used = how many belong to it. NULL when there is none.
 */
const struct command *commands_find(int count, char *const *words, int *used);

/* Where it works: "STORE" as a rule. */
const char *commands_place(const struct command *command);
/* What the command takes when it is given by itself; in a batch, only command->shape. */
struct arguments_shape commands_shape(const struct command *command);

/* acts.c */
command_act act_member_add, act_member_remove;
command_act act_server_address, act_server_remove;
command_act act_subsystem_add, act_subsystem_remove;
command_act act_service_add, act_service_disable, act_service_enable, act_service_remove;
command_act act_purpose_add, act_purpose_remove;
command_act act_grant_add, act_grant_remove;
command_act act_group_add, act_group_remove, act_legal_basis_add, act_legal_basis_remove;
command_act act_competence_add, act_competence_remove;
command_act act_restriction_add, act_restriction_remove;
command_act act_certificate_revoke;
/* access_acts.c */
command_act act_calendar_set, act_access_request, act_access_object, act_access_decide;
command_act act_access_withdraw, act_access_revoke;
command_act act_break_glass_open, act_break_glass_reviewed, act_break_glass_remove;
/* subject_acts.c */
command_act act_subject_key_add, act_subject_key_remove;
command_act act_sealing_add, act_sealing_remove;
/* once_only_acts.c */
command_act act_once_only_add, act_once_only_removal;
/* outside_acts.c */
command_act act_log_key_use;
command_act act_acts_key_use;
fault acts_key_make(struct store *store, struct said *said);
fault log_key_make(struct store *store, struct said *said);
command_act act_certificate_authority_add, act_certificate_authority_remove;
/* Each certificate that its outside authority has revoked, by the proofs that were found: no
 * approval is needed. *count of them, to be committed. */
fault outside_revocations(struct store *store, struct said *said, size_t *count);
command_act act_stamp_authority_url, act_stamp_authority_remove;
/* witnesses.c */
command_act act_witness_set, act_witness_assign;
/* Says how many logs nobody witnesses, though somebody could. */
void witnesses_warn(const struct store *store, struct said *said);
/* operators.c */
command_act act_person_add, act_person_remove, act_directory_witness_set;
/* import.c */
command_act act_import;
/* issue.c */
command_act issue_server_add;

/* batch.c: acts of a file, one a line, all or none. REFUSED with "FILE:LINE: why". */
fault batch_run(struct store *store, const char *path, struct said *said);
/* publish.c: adds Published, commits, signs and writes the folder; says epoch, root, validity. */
/* How much of this store the folder shows; 0 when it is empty. REFUSED when it shows anything else:
 * another directory, or acts that this store does not have. */
fault publish_look(const struct store *store, const char *folder, uint64_t *out_size);
/* Is this head, which somebody else shows, the store's own past? REFUSED; `where` begins the
 * sentence. */
fault publish_check_past(const struct store *store, struct span note, const char *where);
/* For who publishes again and again: adds Published and commits it with what was added before.
 * Nothing is folded a second time. *snapshot: of the acts before, for publish_write, or NULL. */
fault publish_record(struct store *store, const char *folder, unsigned valid_days,
                     struct bytes **snapshot);
/* Writes what is committed and not yet in the folder, which shows old_size, and a heartbeat.
 * snapshot: of all but the last act, or NULL. note: the checkpoint, bytes_free() it. */
fault publish_write(struct store *store, const char *folder, uint64_t old_size,
                    const struct bytes *snapshot, struct bytes **note);
/* A heartbeat of what is committed, into the folder; bytes_free() it. */
fault publish_beat(struct store *store, const char *folder, struct bytes **heartbeat);
fault publish_to(struct store *store, const char *folder, unsigned valid_days, struct said *said);
/* show.c */
/* status_hours: an older status of a certificate of an outside authority is told of. */
fault show_tables(struct store *store, unsigned status_hours, FILE *out);
fault show_json(struct store *store, FILE *out);
/* Of one server's log, for auditors: REFUSED when it is not registered. */
fault show_policy(struct store *store, const char *server, FILE *out);
fault show_log_vkey(struct store *store, const char *server, FILE *out);

#endif
