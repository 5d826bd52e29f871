// SPDX-License-Identifier: MIT
/*
 * directory_acts - what each kind of act does to the state: for the fold alone.
 *
 * act_words.c checks what acts are made of; the other act_*.c are one room for each sort of thing.
 * Every fault is DIRECTORY_BAD with the reason; the state is of no use then.
 */
#ifndef BUS_DIRECTORY_ACTS_H
#define BUS_DIRECTORY_ACTS_H

#include "lib/bus/directory_private.h"

struct Chaski__MemberSet; /* directory.pb-c.h */
struct Chaski__ServerSet;
struct Chaski__WitnessesSet;
struct Chaski__SubsystemSet;
struct Chaski__ServiceSet;
struct Chaski__CertificateRevoked;
struct Chaski__PurposeSet;
struct Chaski__GrantSet;
struct Chaski__GroupSet;
struct Chaski__LegalBasisSet;
struct Chaski__CompetenceSet;
struct Chaski__RestrictionSet;
struct Chaski__CalendarSet;
struct Chaski__AccessRequested;
struct Chaski__AccessObjected;
struct Chaski__AccessDecided;
struct Chaski__SnapshotRequest;
struct Chaski__SnapshotDecision;
struct Chaski__SnapshotBreakGlass;
struct Chaski__Act;
struct Chaski__ProcedureSet;
struct Chaski__RequirementSet;
struct Chaski__EvidenceTypeSet;
struct Chaski__SatisfactionSet;
struct Chaski__SourceSet;
struct Chaski__StampAuthoritySet;
struct Chaski__CertificateAuthoritySet;
struct Chaski__Removed;
struct Chaski__OperatorSet;
struct Chaski__DirectoryWitnessesSet;
struct Chaski__AuthorityKeysSet;
struct Chaski__SubjectKeySet;
struct Chaski__SubjectKeyDestroyed;
struct Chaski__SealingSet;

/* Memory that lives as long as the state; filled with zeros. */
void *directory_make(struct directory *self, size_t size);
const char *directory_keep_text(struct directory *self, const char *from);
void *directory_find(const struct map *map, const char *id);
/* Keeps the texts too. */
const char **directory_keep_texts(struct directory *self, char *const *from, size_t count);

/* `what` begins the sentence of the fault. */
fault act_text(const char *what, const char *text); /* plain, for people; may be empty */
fault act_word(const char *what, const char *word); /* plain, not empty */
fault act_code(const char *what, const char *code); /* visible ASCII, not empty */
fault act_time(const char *what, uint64_t time_ms); /* between 1970 and 2049 */
fault act_address(const char *address);             /* of a server on the mesh */
fault act_url(const char *what, const char *url);
/* Canonical, fit for registration, of this instance. */
fault act_id(const struct directory *self, const char *id, unsigned parts);

fault act_open(struct directory *self, const char *instance);
fault act_member_apply(struct directory *self, const struct Chaski__MemberSet *act);
fault act_server_apply(struct directory *self, const struct Chaski__ServerSet *act, int64_t at_ms);
/* What stood in its last entry is no longer the server's. */
void act_server_retire(struct directory *self, const struct directory_server *server);
/* A certificate that was in force since at_ms, and maybe is no more; server is kept. */
fault act_server_known(struct directory *self, const struct directory_server *server,
                       struct span der, int64_t at_ms, const struct directory_authority *authority,
                       struct directory_signer **out);
/* By SHA-256 of its certificate, in force or not; NULL when there was none. */
struct directory_signer *act_server_signer(const struct directory *self, struct span wanted);
fault act_revocation_apply(struct directory *self, const struct Chaski__CertificateRevoked *act,
                           int64_t at_ms);
fault act_witnesses_apply(struct directory *self, const struct Chaski__WitnessesSet *act);
fault act_subsystem_apply(struct directory *self, const struct Chaski__SubsystemSet *act);
fault act_service_apply(struct directory *self, const struct Chaski__ServiceSet *act);
/* Endpoints and columns of a service, kept; those that rights name must still be there. */
fault act_endpoints_make(struct directory *self, const struct Chaski__ServiceSet *act,
                         const struct endpoint **out);
fault act_columns_make(struct directory *self, const struct Chaski__ServiceSet *act,
                       const struct directory_column **out);
fault act_parts_kept(const struct directory *self, const struct directory_service *now,
                     const struct Chaski__ServiceSet *act);
/* The service has what a right names; `right` begins the sentence. */
struct act_scope {
    size_t endpoints, columns;
    char *const *endpoint, *const *column;
};
fault act_scope_check(const struct directory *self, const char *right, const char *service_id,
                      const struct act_scope *scope);
fault act_purpose_apply(struct directory *self, const struct Chaski__PurposeSet *act);
fault act_grant_apply(struct directory *self, const struct Chaski__GrantSet *act);
fault act_group_apply(struct directory *self, const struct Chaski__GroupSet *act);
fault act_legal_basis_apply(struct directory *self, const struct Chaski__LegalBasisSet *act);
fault act_competence_apply(struct directory *self, const struct Chaski__CompetenceSet *act);
fault act_restriction_apply(struct directory *self, const struct Chaski__RestrictionSet *act);
/* What stands in the tables for decisions is taken out with the thing; false: it is not there. */
bool act_group_drop(struct directory *self, const char *id);
bool act_competence_drop(struct directory *self, const char *id);
bool act_restriction_drop(struct directory *self, const char *id);
bool act_grant_drop(struct directory *self, const char *id);
/* By an act of its own, and not to set it anew. */
bool act_grant_take_back(struct directory *self, const char *id);
fault act_calendar_apply(struct directory *self, const struct Chaski__CalendarSet *act);
fault act_request_apply(struct directory *self, const struct Chaski__AccessRequested *act);
fault act_objection_apply(struct directory *self, const struct Chaski__AccessObjected *act);
fault act_decision_apply(struct directory *self, const struct Chaski__AccessDecided *act);
/* Notes that the grant answers a request, when it names one. */
fault act_request_granted(struct directory *self, const struct Chaski__GrantSet *act);
/* A grant is replaced, or removed (`to` is NULL), before its end: does the request that it answered
 * become the arbiter's? from: NULL, there was none. */
void act_grant_changes(struct directory *self, const struct directory_grant *from,
                       const struct Chaski__GrantSet *to);
/* A group is set anew: likewise for who asked, got a grant to the group and is in it no more. */
void act_group_changes(struct directory *self, const struct directory_group *group);
bool act_request_drop(struct directory *self, const char *id);
bool act_decision_drop(struct directory *self, const char *id);
/* With their approvals: who opens is not who reviews. */
fault act_break_glass_apply(struct directory *self, const struct Chaski__Act *whole);
fault act_break_glass_review(struct directory *self, const struct Chaski__Act *whole);
/* Ends one that runs; takes out one that is over and reviewed. */
fault act_break_glass_end(struct directory *self, const char *id);
/* For a snapshot: as they were. */
fault act_request_was(struct directory *self, const struct Chaski__SnapshotRequest *from);
fault act_decision_was(struct directory *self, const struct Chaski__SnapshotDecision *from);
fault act_break_glass_was(struct directory *self, const struct Chaski__SnapshotBreakGlass *from);
fault act_subject_key_apply(struct directory *self, const struct Chaski__SubjectKeySet *act);
fault act_subject_key_destroy(struct directory *self,
                              const struct Chaski__SubjectKeyDestroyed *act);
fault act_sealing_apply(struct directory *self, const struct Chaski__SealingSet *act);
bool act_sealing_drop(struct directory *self, const char *id);
fault act_procedure_apply(struct directory *self, const struct Chaski__ProcedureSet *act);
fault act_requirement_apply(struct directory *self, const struct Chaski__RequirementSet *act);
fault act_evidence_type_apply(struct directory *self, const struct Chaski__EvidenceTypeSet *act);
fault act_satisfaction_apply(struct directory *self, const struct Chaski__SatisfactionSet *act);
fault act_source_apply(struct directory *self, const struct Chaski__SourceSet *act);
/* NOT_FOUND: the removal is of another kind of thing. */
fault act_once_only_remove(struct directory *self, const struct Chaski__Removed *act);
/* The id of a procedure or source that leans on this service, purpose, legal basis or consumer;
 * NULL: none does. */
const char *act_once_only_naming(const struct directory *self, const char *id);
void act_once_only_clear(struct directory *self);
fault act_stamper_apply(struct directory *self, const struct Chaski__StampAuthoritySet *act);
fault act_stamper_remove(struct directory *self, const char *name);
fault act_authority_apply(struct directory *self, const struct Chaski__CertificateAuthoritySet *act,
                          int64_t at_ms);
/* For a snapshot: one that was set then, and maybe removed (0: it was not). */
fault act_authority_was(struct directory *self, const struct Chaski__CertificateAuthoritySet *act,
                        int64_t set_ms, int64_t removed_ms);
/* What its certificates sign from at_ms on is refused, as if each had been revoked. */
fault act_authority_remove(struct directory *self, const char *name, int64_t at_ms);
/* The one in force that has issued this certificate; NULL when there is none. */
const struct directory_authority *act_authority_of(const struct directory *self,
                                                   const struct certificate *certificate,
                                                   int64_t at_ms);
fault act_operator_apply(struct directory *self, const struct Chaski__OperatorSet *act);
fault act_operator_remove(struct directory *self, const char *id);
fault act_directory_witnesses_apply(struct directory *self,
                                    const struct Chaski__DirectoryWitnessesSet *act);
struct Chaski__ActsKeySet;
/* restored: from a snapshot; what was checked then stands. */
fault act_signer_apply(struct directory *self, const struct Chaski__ActsKeySet *act,
                       uint64_t number, int64_t at_ms, bool restored);
/* DIRECTORY_BAD: anybody may hold a certificate of the same anchor, and this is not the
 * authority's.
 */
fault act_signer_check_subject(const struct directory *self, const struct certificate *authority);
/* Kept as long as the state is. */
struct certificate *directory_keep_certificate(struct directory *self,
                                               struct certificate **certificate);
fault act_keys_apply(struct directory *self, const struct Chaski__AuthorityKeysSet *act,
                     uint64_t number);
fault act_removal_apply(struct directory *self, const struct Chaski__Removed *act, int64_t at_ms);

#endif
