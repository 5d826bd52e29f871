// SPDX-License-Identifier: MIT
#include "registry/commands.h"

#include "lib/base/owned.h"
#include "lib/base/shown.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define REMOTE (TAKES(AT) | TAKES(ANCHOR) | TAKES(AS))

const struct command commands[] = {
    {"init",
     NULL,
     {NULL, TAKES(INSTANCE) | TAKES(NAME), TAKES(VALID_DAYS) | TAKES(ORIGIN) | TAKES(HOST)},
     NULL,
     "makes a new authority: keys, certificates, and the anchor that nodes are given"},
    {"member",
     "add",
     {"ID", TAKES(NAME), TAKES(PUBLIC)},
     act_member_add,
     "registers a member, or sets its name and kind anew"},
    {"member",
     "remove",
     {"ID", TAKES(REASON), 0},
     act_member_remove,
     "takes a member out; its servers and subsystems go first"},
    {"import",
     NULL,
     {"CSV", 0,
      TAKES(PUBLIC) | TAKES(MEMBER_CLASS) | TAKES(CLASS_WITHOUT) | TAKES(NAME_COLUMN) |
          TAKES(NUMBER_COLUMN) | TAKES(CODE_COLUMN) | TAKES(REPORT)},
     act_import,
     "registers the institutions of a table as members: by their tax number, with their code "
     "behind "
     "it where several share one, by the code alone where there is none"},
    {"server",
     "add",
     {"REQUEST_FILE", 0, TAKES(CERTIFICATE_TO) | TAKES(CERTIFICATE)},
     issue_server_add,
     "registers a server from the request that `chaski keys` made at the agency, and issues its "
     "certificate for a year; for a server that is there already, its new keys"},
    {"server",
     "address",
     {"ID", TAKES(ADDRESS), 0},
     act_server_address,
     "says where a server listens now"},
    {"server", "remove", {"ID", 0, TAKES(REASON)}, act_server_remove, "takes a server out"},
    {"operator",
     "key",
     {NULL, 0, TAKES(MODULE)},
     NULL,
     "makes an operator's key, for that person alone, in a file or (pkcs11:...) in a token, and "
     "prints its public half"},
    {"operator",
     "add",
     {"ID", TAKES(NAME) | TAKES(KEY) | TAKES(ROLE), 0},
     act_person_add,
     "names an operator, or gives one another name, key or roles; from the second one on who may "
     "approve, acts need approvals (--as)"},
    {"operator",
     "remove",
     {"ID", TAKES(REASON), 0},
     act_person_remove,
     "takes an operator out; two who may approve always remain"},
    {"directory",
     "witnesses",
     {NULL, TAKES(QUORUM), TAKES(WITNESS)},
     act_directory_witness_set,
     "says which members' servers cosign the directory itself"},
    {"witness",
     "assign",
     {NULL, 0, TAKES(PER_LOG) | TAKES(QUORUM)},
     act_witness_assign,
     "gives every server's log its witnesses among the servers of other members, evenly and so "
     "that "
     "few change when servers come and go"},
    {"witness",
     "set",
     {"ID", TAKES(QUORUM), TAKES(WITNESS) | TAKES(OUTSIDE)},
     act_witness_set,
     "says who cosigns the log of one server"},
    {"subsystem",
     "add",
     {"ID", TAKES(NAME) | TAKES(SERVER), 0},
     act_subsystem_add,
     "registers a subsystem on one or more servers of its member"},
    {"subsystem",
     "remove",
     {"ID", 0, TAKES(REASON)},
     act_subsystem_remove,
     "takes a subsystem out"},
    {"service",
     "add",
     {"ID", 0,
      TAKES(TITLE) | TAKES(CLASS) | TAKES(ENDPOINT) | TAKES(COLUMN) | TAKES(RATE) | TAKES(BURST) |
          TAKES(SUBJECT)},
     act_service_add,
     "publishes a service, or sets its title, class, endpoints and columns anew"},
    {"service",
     "disable",
     {"ID", TAKES(NOTICE), 0},
     act_service_disable,
     "switches a service off for all"},
    {"service", "enable", {"ID", 0, 0}, act_service_enable, "switches a service on again"},
    {"service",
     "remove",
     {"ID", 0, TAKES(REASON)},
     act_service_remove,
     "takes a service out; its grants go first"},
    {"purpose",
     "add",
     {"ID", TAKES(TITLE) | TAKES(LEGAL_BASIS), TAKES(BASIS) | TAKES(PROCEDURE) | TAKES(FUNCTION)},
     act_purpose_add,
     "registers a purpose for which shared services may be used"},
    {"purpose", "remove", {"ID", 0, TAKES(REASON)}, act_purpose_remove, "takes a purpose out"},
    {"legal-basis",
     "add",
     {"ID", TAKES(NORM), TAKES(ARTICLE) | TAKES(TEXT) | TAKES(TOPIC)},
     act_legal_basis_add,
     "registers a norm under a name on which purposes lean"},
    {"legal-basis",
     "remove",
     {"ID", 0, TAKES(REASON)},
     act_legal_basis_remove,
     "takes a legal basis out"},
    {"group",
     "add",
     {"ID", TAKES(TITLE), TAKES(MEMBER)},
     act_group_add,
     "names several members or subsystems at once, for competences, restrictions and grants; "
     "again: "
     "who is in it from now on"},
    {"group", "remove", {"ID", 0, TAKES(REASON)}, act_group_remove, "takes a group out"},
    {"competence",
     "add",
     {"ID", TAKES(CONSUMER) | TAKES(PURPOSE) | TAKES(LEGAL_BASIS), TAKES(UNTIL)},
     act_competence_add,
     "registers who may claim a purpose"},
    {"competence",
     "remove",
     {"ID", 0, TAKES(REASON)},
     act_competence_remove,
     "ends a competence now"},
    {"restriction",
     "add",
     {"ID", TAKES(SERVICE) | TAKES(GROUND) | TAKES(REASON) | TAKES(APPROVER) | TAKES(UNTIL),
      TAKES(CONSUMER) | TAKES(BY_LAW) | TAKES(FROM) | TAKES(ENDPOINT) | TAKES(COLUMN)},
     act_restriction_add,
     "closes a service to all, or to one consumer, without a grant; it opens again by itself"},
    {"restriction",
     "remove",
     {"ID", 0, TAKES(REASON)},
     act_restriction_remove,
     "opens the service again now"},
    {"grant",
     "add",
     {"ID", TAKES(SERVICE) | TAKES(CONSUMER) | TAKES(LEGAL_BASIS) | TAKES(UNTIL),
      TAKES(PURPOSE) | TAKES(ENDPOINT) | TAKES(COLUMN) | TAKES(REQUEST) | TAKES(VOLUME)},
     act_grant_add,
     "opens a restricted service to a consumer until a day"},
    {"grant", "remove", {"ID", 0, TAKES(REASON)}, act_grant_remove, "ends a grant now"},
    {"calendar",
     "set",
     {NULL, TAKES(YEARS), TAKES(HOLIDAY) | TAKES(ANSWER_DAYS) | TAKES(DECIDE_DAYS)},
     act_calendar_set,
     "lists Colombia's holidays (Ley 51 de 1983, Easter) and sets the clock of requests for "
     "access; "
     "deadlines that run stay as they are"},
    {"access",
     "request",
     {"ID", TAKES(SERVICE) | TAKES(CONSUMER) | TAKES(PURPOSE) | TAKES(LEGAL_BASIS) | TAKES(REASON),
      TAKES(ENDPOINT) | TAKES(COLUMN)},
     act_access_request,
     "asks for a restricted service on behalf of a subsystem; a member does it by itself with "
     "`chaski access request`"},
    {"access",
     "object",
     {"ID", TAKES(GROUND) | TAKES(REASON), 0},
     act_access_object,
     "objects to a request on behalf of the provider; the arbiter decides then"},
    {"access",
     "decide",
     {"ID", TAKES(REQUEST) | TAKES(OUTCOME) | TAKES(REASON) | TAKES(UNTIL), 0},
     act_access_decide,
     "the arbiter's word on a request, by two operators; equal requests that come later are "
     "decided by it"},
    {"access",
     "withdraw",
     {"ID", TAKES(REASON), 0},
     act_access_withdraw,
     "takes a request out, and the right that it gives"},
    {"access",
     "revoke",
     {"ID", TAKES(REASON), 0},
     act_access_revoke,
     "takes a decision of the arbiter back"},
    {"access",
     "list",
     {NULL, 0, TAKES(JSON)},
     NULL,
     "requests, the arbiter's decisions and emergencies as they stand now, and whose turn it is"},
    {"break-glass", "list", {NULL, 0, TAKES(JSON)}, NULL, "the same"},
    {"break-glass",
     "open",
     {"ID", TAKES(SERVICE) | TAKES(CONSUMER) | TAKES(PURPOSE) | TAKES(REASON) | TAKES(HOURS), 0},
     act_break_glass_open,
     "opens a service to one subsystem in an emergency, at once, for 72 hours at most; always by "
     "two operators"},
    {"break-glass",
     "review",
     {"ID", TAKES(REASON), 0},
     act_break_glass_reviewed,
     "says what the review of an emergency found; by somebody who did not open it"},
    {"break-glass",
     "end",
     {"ID", TAKES(REASON), 0},
     act_break_glass_remove,
     "ends an emergency now; takes out one that is over and reviewed"},
    {"subject-key",
     "add",
     {"YEAR", 0, TAKES(COMMITMENT)},
     act_subject_key_add,
     "makes the country's key for pseudonyms of persons of that year, and gives it to each server, "
     "sealed; with --at the key is made on the store's machine first (`subject-key make`)"},
    {"subject-key",
     "make",
     {"YEAR", 0, 0},
     NULL,
     "only makes that key in the store, and prints its commitment; works while the store is "
     "served"},
    {"subject-key",
     "destroy",
     {"YEAR", TAKES(REASON), 0},
     act_subject_key_remove,
     "has the key of a year that is over destroyed everywhere: logs of that year can no longer be "
     "searched for a person, and still verify"},
    {"sealing",
     "add",
     {"ID", TAKES(CONSUMER) | TAKES(PURPOSE) | TAKES(LEGAL_BASIS) | TAKES(DAYS) | TAKES(UNTIL), 0},
     act_sealing_add,
     "lets exchanges for a purpose be kept from the view of the person for so many days at most"},
    {"sealing",
     "remove",
     {"ID", 0, TAKES(REASON)},
     act_sealing_remove,
     "nothing more is sealed so"},
    {"once-only",
     "add",
     {"FILE", 0, 0},
     act_once_only_add,
     "sets what a JSON file says of procedures, their requirements, what proves them and who "
     "delivers it, all or none; a procedure that would ask citizens for what a source delivers is "
     "refused"},
    {"once-only",
     "remove",
     {"KIND/ID", 0, TAKES(REASON)},
     act_once_only_removal,
     "takes one of them out: procedure, requirement, evidence, satisfaction or source"},
    {"certificate",
     "revoke",
     {NULL, TAKES(REASON), TAKES(SERVER) | TAKES(CERTIFICATE)},
     act_certificate_revoke,
     "revokes all certificates of a server, or one; what it signs from now on is refused"},
    {"certificate-authority",
     "add",
     {"NAME", TAKES(CERTIFICATE), TAKES(OCSP) | TAKES(CRL)},
     act_certificate_authority_add,
     "from now on certificates of this outside authority are trusted, as far as a server is "
     "registered with one; an outside one has --ocsp or --crl, a further CA of the country's own "
     "(`make`) neither"},
    {"certificate-authority",
     "remove",
     {"NAME", TAKES(REASON), 0},
     act_certificate_authority_remove,
     "what its certificates sign from now on is refused; what they signed before stays good"},
    {"certificate-authority",
     "make",
     {"NAME", 0, 0},
     NULL,
     "makes a further CA of the country's own, to take over from the one that issues; nobody "
     "trusts "
     "it before `certificate-authority add`"},
    {"certificate-authority",
     "use",
     {"NAME|first", 0, 0},
     NULL,
     "from the next start on this CA issues certificates; those of the others stay good"},
    {"log-key",
     "make",
     {NULL, 0, 0},
     NULL,
     "makes the next key of the directory's log, which signs nothing before `log-key use`"},
    {"log-key",
     "use",
     {"HANDOVER", 0, 0},
     act_log_key_use,
     "from here on this key signs the directory's heads; nodes follow by themselves, and the one "
     "before is worth nothing any more"},
    {"acts-key",
     "make",
     {NULL, 0, 0},
     NULL,
     "makes the next key that signs acts and its certificate, which sign nothing before "
     "`acts-key use`; the key that gives way signs that it does, if it is there"},
    {"acts-key",
     "use",
     {"CHANGE", 0, 0},
     act_acts_key_use,
     "from here on this key signs acts; nodes follow by themselves, and refuse what the one before "
     "signs after it"},
    {"statuses",
     NULL,
     {NULL, 0, TAKES(TO) | REMOTE},
     NULL,
     "asks outside authorities for the status of their certificates (OCSP, else CRL), keeps the "
     "answers as evidence and records what was revoked; run it every hour. Its part that asks has "
     "no keys, its part with keys no network. `serve --authority` does it by itself; with --at it "
     "does it now"},
    {"status",
     NULL,
     {NULL, 0, REMOTE},
     NULL,
     "says how the authority stands: acts, validities, and what holds acts back, by which rule; "
     "exit "
     "status 1 while something does"},
    {"stamp-authority",
     "add",
     {NULL, 0, 0},
     NULL,
     "makes key and certificate of the time stamp authority, in a store that has none yet"},
    {"stamp-authority",
     "url",
     {NULL, TAKES(URL), TAKES(NAME) | TAKES(ORDER)},
     act_stamp_authority_url,
     "tells nodes where to have their logs stamped; --name keeps several apart (default TSA-1)"},
    {"stamp-authority",
     "remove",
     {"NAME", 0, TAKES(REASON)},
     act_stamp_authority_remove,
     "nodes no longer ask it; what it stamped stays good"},
    {"batch",
     NULL,
     {"FILE", 0, TAKES(AS) | TAKES(AT) | TAKES(ANCHOR) | TAKES(LABEL) | TAKES(DRAFT)},
     NULL,
     "carries out the acts of a file, one a line without program and STORE, all or none"},
    {"proposals",
     NULL,
     {NULL, REMOTE, TAKES(JSON)},
     NULL,
     "lists what waits at a registry for approvals, and what became of it"},
    {"approve",
     NULL,
     {"ID|LABEL", REMOTE, TAKES(YES)},
     NULL,
     "shows one proposal, or all of a label, in words, and signs them"},
    {"refuse", NULL, {"ID|LABEL", REMOTE | TAKES(REASON), 0}, NULL, "refuses a proposal for good"},
    {"requests", NULL, {NULL, REMOTE, TAKES(JSON)}, NULL, "lists what agencies ask of a registry"},
    {"request", "show", {"ID", REMOTE, 0}, NULL, "shows one request with all that the agency sent"},
    {"request",
     "prepare",
     {"ID", REMOTE, TAKES(WITHOUT_VOUCHER)},
     NULL,
     "issues the certificate and proposes the acts; `approve` them by the request's ID"},
    {"request",
     "refuse",
     {"ID", REMOTE | TAKES(REASON), 0},
     NULL,
     "refuses a request for good; the agency sees the reason"},
    {"publish",
     NULL,
     {NULL, TAKES(TO), TAKES(VALID_DAYS)},
     NULL,
     "signs the directory as it stands and writes it where nodes find it"},
    {"backup",
     NULL,
     {NULL, TAKES(TO), 0},
     NULL,
     "copies the store, also while it is served; another machine takes over from the copy"},
    {"anchor",
     NULL,
     {NULL, TAKES(TO) | TAKES(URL), TAKES(PUSH) | TAKES(DAYS)},
     NULL,
     "writes the file that nodes begin with, and says its fingerprint"},
    {"serve",
     NULL,
     {NULL, TAKES(LISTEN),
      TAKES(DIRECTORY) | TAKES(READY_FILE) | TAKES(AUTHORITY) | TAKES(ADMIN) | TAKES(PUSH) |
          TAKES(MIRROR) | TAKES(STATUSES) | TAKES(REACH_PRIVATE) | TAKES(HELD_WAIT)},
     NULL,
     "answers over HTTP until SIGTERM: time stamps (/tsa), and the published directory. Of STORE "
     "it needs the folder stamp/ only, so it can stand on another machine; with --authority, all"},
    {"admin-certificate",
     NULL,
     {NULL, TAKES(HOST), 0},
     NULL,
     "makes the certificate by which operators' programs recognize `serve --admin`"},
    {"show",
     NULL,
     {NULL, 0, TAKES(JSON) | TAKES(POLICY) | TAKES(LOG_VKEY) | TAKES(STATUS_HOURS)},
     NULL,
     "prints what stands in the directory, or what auditors are to be given about one log"},
    {"acts",
     NULL,
     {NULL, 0, TAKES(BY) | TAKES(SINCE) | TAKES(JSON) | TAKES(ANCHOR)},
     NULL,
     "prints each act with its number, its time and who approved it, of a store or (with --anchor) "
     "of a published folder, all signatures checked"},
};
const size_t commands_count = sizeof commands / sizeof commands[0];

const struct command *commands_find(int count, char *const *words, int *used)
{
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *at = &commands[i];
        int own = at->verb == NULL ? 1 : 2;
        if (count < own || strcmp(words[0], at->noun) != 0)
            continue;
        if (own == 2 && strcmp(words[1], at->verb) != 0)
            continue;
        *used = own;
        return at;
    }
    return NULL;
}

const char *commands_place(const struct command *command)
{
    bool makes_a_key = strcmp(command->noun, "operator") == 0 && strcmp(command->verb, "key") == 0;
    if ((command->shape.must & REMOTE) == REMOTE)
        return ""; /* --at says where */
    if (strcmp(command->noun, "acts") == 0)
        return "STORE|FOLDER";
    return makes_a_key ? "FILE" : "STORE";
}

struct arguments_shape commands_shape(const struct command *command)
{
    struct arguments_shape shape = command->shape;
    if (command->act != NULL)
        shape.may |= TAKES(AT) | TAKES(ANCHOR) | TAKES(LABEL) | TAKES(AS) | TAKES(DRAFT);
    if (((shape.must | shape.may) & TAKES(AS)) != 0)
        shape.may |= TAKES(MODULE);
    return shape;
}

// --- what is said -------------------------------------------------------------------------------

struct page {
    char *text;
    size_t size;
    FILE *into;
};

struct said {
    struct page all, looks;
    bool undone;
};

static void page_open(struct page *self)
{
    self->into = open_memstream(&self->text, &self->size);
    if (self->into == NULL)
        abort();
}

static void page_close(struct page *self)
{
    fclose(self->into);
    free(self->text);
}

struct said *said_new(void)
{
    struct said *self = owned_new(sizeof *self);
    page_open(&self->all);
    page_open(&self->looks);
    return self;
}

void said_free(struct said **self)
{
    if (*self == NULL)
        return;
    page_close(&(*self)->all);
    page_close(&(*self)->looks);
    free(*self);
    *self = NULL;
}

void said_add(struct said *self, const char *format, ...)
{
    char *line = NULL;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&line, format, args);
    va_end(args);
    if (size < 0)
        abort();
    for (char *end; (end = strchr(line, '\n')) != NULL;)
        *end = ' '; /* words of others make no line of their own */
    said_add_page(self, line);
    free(line);
}

void said_add_page(struct said *self, const char *text)
{
    fputs(text, self->all.into);
    fputc('\n', self->all.into);
}

void said_look(struct said *self, const char *line)
{
    said_add(self, "%s", line);
    fprintf(self->looks.into, "%s\n", line);
}

void said_take_looks(struct said *self, struct said *from)
{
    fflush(from->looks.into);
    fputs(from->looks.text, self->all.into);
    fputs(from->looks.text, self->looks.into);
}

void said_undone(struct said *self)
{
    self->undone = true;
}

bool said_is_undone(const struct said *self)
{
    return self->undone;
}

void said_print(const struct said *self, FILE *out)
{
    fflush(self->all.into);
    shown_page(out, span_of(self->all.text, self->all.size));
}
