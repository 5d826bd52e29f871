// SPDX-License-Identifier: MIT
#include "registry/arguments.h"

#include "lib/base/text.h"

#include <getopt.h>
#include <string.h>

struct described {
    const char *name;
    const char *value; /* how it is called; NULL for a switch */
    bool repeats;
    const char *sentence;
};

static const struct described options[ARGUMENTS] = {
    [ARGUMENT_INSTANCE] = {"instance", "CODE", false,
                           "first part of every identifier, such as CO; cannot be changed later"},
    [ARGUMENT_NAME] = {"name", "TEXT", false, "name for people"},
    [ARGUMENT_ORIGIN] = {"origin", "NAME", false,
                         "name of the directory's log (default chaski/CODE/directory)"},
    [ARGUMENT_VALID_DAYS] = {"valid-days", "N", false,
                             "days for which a published directory is valid (default of init: 30)"},
    [ARGUMENT_PUBLIC] = {"public", NULL, false,
                         "the member is a public agency: shared services are open to it"},
    [ARGUMENT_COMMITMENT] = {"commitment", "HEX", false, "what `subject-key make` printed"},
    [ARGUMENT_REASON] = {"reason", "TEXT", false, "why; published with the act"},
    [ARGUMENT_CERTIFICATE] = {"certificate", "FILE", false,
                              "a PEM certificate: of an outside authority (then those above it, "
                              "up to the root), issued by one, or the one to be revoked"},
    [ARGUMENT_CERTIFICATE_TO] = {"certificate-to", "FILE", false,
                                 "where to write the certificate (default: the request's name + "
                                 ".crt)"},
    [ARGUMENT_ADDRESS] = {"address", "tcp://HOST:PORT", true,
                          "where the server listens; tried in the order given"},
    [ARGUMENT_SERVER] = {"server", "ID", true, "INSTANCE/CLASS/MEMBER/SERVERCODE"},
    [ARGUMENT_TITLE] = {"title", "TEXT", false, "what it is, for people"},
    [ARGUMENT_CLASS] = {"class", "open|shared", false,
                        "open: any member; shared (default): public agencies, for a purpose for "
                        "which they are competent"},
    [ARGUMENT_NOTICE] = {"notice", "TEXT", false, "what callers are told meanwhile"},
    [ARGUMENT_LEGAL_BASIS] = {"legal-basis", "TEXT", false, "norm and article"},
    [ARGUMENT_SERVICE] = {"service", "ID", false, "INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE"},
    [ARGUMENT_CONSUMER] = {"consumer", "ID", false,
                           "a member (all its subsystems), one subsystem, INSTANCE/CLASS (all "
                           "members of a class) or group:ID"},
    [ARGUMENT_PURPOSE] = {"purpose", "ID", true,
                          "a registered purpose; of a grant: without it, any"},
    [ARGUMENT_ENDPOINT] =
        {"endpoint", "ID[:METHOD:PATTERN[:CLASS]]", true,
         "of a service: a part with a class of its own, such as "
         "ficha:GET:/personas/*:open; of the given ones, in order, the first that "
         "fits is meant; none: takes all away. Of a restriction or grant: the ID "
         "of the part that it is about"},
    [ARGUMENT_COLUMN] =
        {"column", "NAME[:CLASS]", true,
         "of a service that is a table: a column with a class of its own (default "
         "shared); columns that are not listed are given to nobody; none: takes the "
         "list away. Of a restriction or grant: the NAME of one that it is about"},
    [ARGUMENT_SUBJECT] = {"subject", "required|optional", false,
                          "of a service: must a request say about which person it is, so that it "
                          "stands in that person's view? (default: optional)"},
    [ARGUMENT_RATE] = {"rate", "N", false,
                       "requests a second that the service takes, shared evenly among who asks; 0: "
                       "what its server is set to"},
    [ARGUMENT_BURST] = {"burst", "N", false, "with --rate: so many at once (default: as many)"},
    [ARGUMENT_VOLUME] = {"volume", "N", false,
                         "answers a day (UTC) to each member; 0: without a bound (default)"},
    [ARGUMENT_UNTIL] = {"until", "YYYY-MM-DD", false,
                        "last day (UTC): of a restriction within 12 months, of a grant within 24"},
    [ARGUMENT_FROM] = {"from", "YYYY-MM-DD", false,
                       "first day (UTC) of a restriction (default: now)"},
    [ARGUMENT_TO] = {"to", "PATH", false,
                     "the folder where nodes and web servers find the directory; of an anchor, the "
                     "file"},
    [ARGUMENT_JSON] = {"json", NULL, false, "as JSON"},
    [ARGUMENT_POLICY] =
        {"policy", "SERVER", false,
         "only this: whose cosignatures count for that server's log, in the form of "
         "c2sp.org/tlog-policy, for who checks a record"},
    [ARGUMENT_LOG_VKEY] = {"log-vkey", "SERVER", false,
                           "only this: the key of that server's log, for who checks a record"},
    [ARGUMENT_PER_LOG] = {"per-log", "N", false, "witnesses of each log (default 5)"},
    [ARGUMENT_QUORUM] = {"quorum", "N", false,
                         "cosignatures that make a checkpoint good (default: more than half)"},
    [ARGUMENT_WITNESS] = {"witness", "SERVER", true, "a server of another member"},
    [ARGUMENT_OUTSIDE] = {"outside", "VKEY=URL", true,
                          "a witness that is no server of this bus, such as an audit office; what "
                          "it cosigned must be shown (C2SP: monitoring) under the same URL"},
    [ARGUMENT_URL] = {"url", "http://HOST:PORT/PATH", true,
                      "where nodes reach it; `serve` answers under /tsa, and the directory lies "
                      "under /directory/. Of an anchor: one or more, tried in turn"},
    [ARGUMENT_PUSH] = {"push", "tcp://HOST:PORT[=KEY]", true,
                       "where news of the directory are pushed; in an anchor with the sender's "
                       "public key, if it is not this store's"},
    [ARGUMENT_DAYS] = {"days", "N", false,
                       "of an anchor: how long nodes may begin with it (default 90); of a "
                       "sealing: how far off an unseal date may lie, at most 732"},
    [ARGUMENT_ORDER] = {"order", "N", false,
                        "from 1 to 1000; the lowest is asked first (default 1)"},
    [ARGUMENT_LISTEN] = {"listen", "IP:PORT", false,
                         "such as 127.0.0.1:8080 or [::1]:8080; port 0 takes a free one"},
    [ARGUMENT_DIRECTORY] = {"directory", "FOLDER", false,
                            "what `publish --to` writes, served under /directory/"},
    [ARGUMENT_READY_FILE] = {"ready-file", "FILE", false,
                             "written once it answers: listen=IP:PORT and the process ids"},
    [ARGUMENT_OCSP] = {"ocsp", "http://HOST/PATH", false,
                       "where the status of its certificates is asked for"},
    [ARGUMENT_CRL] = {"crl", "http://HOST/PATH", false,
                      "its list of revoked certificates, for when OCSP does not answer"},
    [ARGUMENT_STATUS_HOURS] = {"status-hours", "N", false,
                               "certificates of outside authorities whose status is older are "
                               "told of (default 24)"},
    [ARGUMENT_KEY] = {"key", "PUBLIC", false, "what `operator key` printed"},
    [ARGUMENT_ROLE] = {"role", "enrol|approve|publish|revoke|audit", true,
                       "what the operator may do; give it once for each. approve also prepares and "
                       "refuses agencies' requests"},
    [ARGUMENT_AT] = {"at", "https://HOST:PORT", false,
                     "instead of STORE: proposes to the registry there (its --admin address)"},
    [ARGUMENT_ANCHOR] = {"anchor", "FILE", false,
                         "the country's anchor: with --at, by which the registry is recognized; of "
                         "`acts`, a published folder"},
    [ARGUMENT_LABEL] = {"label", "TEXT", false,
                        "with --at: a name for what is proposed together (`approve LABEL`)"},
    [ARGUMENT_DRAFT] = {"draft", "FILE", false,
                        "does nothing and proposes nothing, but writes the acts, unsigned, for "
                        "`chaski policy diff`: what would they break?"},
    [ARGUMENT_YES] = {"yes", NULL, false, "approves without being asked once more"},
    [ARGUMENT_NAME_COLUMN] = {"name-column", "COLUMN", false, "names (default nombre)"},
    [ARGUMENT_NUMBER_COLUMN] = {"number-column", "COLUMN", false,
                                "tax numbers, by which members are called (default nit)"},
    [ARGUMENT_CODE_COLUMN] = {"code-column", "COLUMN", false,
                              "the table's own key (default cod_institucion)"},
    [ARGUMENT_MEMBER_CLASS] = {"member-class", "CLASS", false,
                               "member class of rows with a number (default GOV)"},
    [ARGUMENT_CLASS_WITHOUT] = {"class-without", "CLASS", false,
                                "member class of rows without a number (default SIGEP)"},
    [ARGUMENT_REPORT] = {"report", "FILE", false, "a CSV with what became of each row"},
    [ARGUMENT_MIRROR] = {"mirror", "http://HOST:PORT/PATH", true,
                         "a copy of the directory elsewhere (/directory/checkpoint lies below): a "
                         "store that is older than it is not served"},
    [ARGUMENT_AUTHORITY] = {"authority", NULL, false,
                            "holds the store open, carries out what is approved, and publishes it "
                            "at once in the folder of --directory"},
    [ARGUMENT_ADMIN] = {"admin", "IP:PORT", false,
                        "where operators reach it over HTTPS; with --authority"},
    [ARGUMENT_STATUSES] = {"statuses", "SECONDS", false,
                           "with --authority: how often outside authorities are asked how their "
                           "certificates stand (default 3600)"},
    [ARGUMENT_HELD_WAIT] = {"held-wait", "SECONDS", false,
                            "with --authority: how long who follows may show the acts of a head "
                            "larger than the store before it counts as signed with a stolen key "
                            "(default 300)"},
    [ARGUMENT_REACH_PRIVATE] = {"reach-private", NULL, false,
                                "with --authority: agencies that ask to be enrolled are called "
                                "back at private and reserved addresses too, for a bus on a "
                                "private network"},
    [ARGUMENT_HOST] = {"host", "NAME", true,
                       "a name or an IP address under which operators reach `serve --admin`"},
    [ARGUMENT_AS] = {"as", "KEYFILE|pkcs11:...", true,
                     "approves as the operator with this key, in a file or a token; needed as soon "
                     "as two operators may approve"},
    [ARGUMENT_MODULE] = {"module", "PATH", false,
                         "the PKCS#11 module of a token, such as /usr/lib/softhsm/libsofthsm2.so"},
    [ARGUMENT_GROUND] = {"ground", "WORD", false,
                         "why it may be: privacy, trade-secret, investigation, ... (a wrong one "
                         "lists them all)"},
    [ARGUMENT_BY_LAW] = {"by-law", NULL, false,
                         "the law itself reserves the data: silence never opens it"},
    [ARGUMENT_APPROVER] = {"approver", "TEXT", false, "the office that answers for it; public"},
    [ARGUMENT_REQUEST] = {"request", "ID", false, "the request for access that it answers"},
    [ARGUMENT_OUTCOME] = {"outcome", "allow|deny", false, "what the arbiter decides"},
    [ARGUMENT_HOURS] = {"hours", "N", false, "how long it stays open, 1 to 72"},
    [ARGUMENT_YEARS] = {"years", "FIRST-LAST", false,
                        "the years whose holidays are listed; no deadline reaches beyond"},
    [ARGUMENT_HOLIDAY] = {"holiday", "YYYY-MM-DD", true,
                          "a day of rest besides those of Ley 51 de 1983"},
    [ARGUMENT_ANSWER_DAYS] = {"answer-days", "N", false,
                              "working days in which a provider answers a request (default 10)"},
    [ARGUMENT_DECIDE_DAYS] = {"decide-days", "N", false,
                              "working days in which the arbiter decides (default 15)"},
    [ARGUMENT_MEMBER] = {"member", "ID", true, "a member (all its subsystems) or one subsystem"},
    [ARGUMENT_NORM] = {"norm", "TEXT", false, "such as \"Ley 1712 de 2014\""},
    [ARGUMENT_ARTICLE] = {"article", "TEXT", false, "such as \"artículo 18\""},
    [ARGUMENT_TEXT] = {"text", "TEXT", false, "what it says"},
    [ARGUMENT_TOPIC] = {"topic", "WORD", true, "what it is about"},
    [ARGUMENT_BASIS] = {"basis", "ID", true, "a registered legal basis"},
    [ARGUMENT_PROCEDURE] = {"procedure", "TEXT", false, "the procedure that it is"},
    [ARGUMENT_FUNCTION] = {"function", "TEXT", false, "the function that it is"},
    [ARGUMENT_BY] = {"by", "OPERATOR|SERVER", false, "only acts that carry this approval"},
    [ARGUMENT_WITHOUT_VOUCHER] =
        {"without-voucher", "REASON", false,
         "no server of the member can vouch for the request, and why that is sure: all who approve "
         "read it"},
    [ARGUMENT_SINCE] = {"since", "YYYY-MM-DD", false, "only acts from this day (UTC) on"},
};

#define CODE_OF_FIRST 1000 /* for getopt: beyond every character */

struct table {
    struct option row[ARGUMENTS + 1];
};

static bool takes(const struct arguments_shape *shape, int which)
{
    return ((shape->must | shape->may) >> which & 1) != 0;
}

static struct table table_of(const struct arguments_shape *shape)
{
    struct table table = {0};
    size_t rows = 0;
    for (int i = 0; i < ARGUMENTS; i++)
        if (takes(shape, i))
            table.row[rows++] = (struct option){
                options[i].name, options[i].value == NULL ? no_argument : required_argument, NULL,
                CODE_OF_FIRST + i};
    return table;
}

static fault keep(struct arguments *self, int which, const char *value)
{
    size_t most = options[which].repeats ? ARGUMENT_VALUES_MAX : 1;
    if (self->count[which] == most)
        return RAISE(BAD_REQUEST, "--%s is given too often", options[which].name);
    self->value[which][self->count[which]++] = value;
    return DONE;
}

static fault take_operand(const struct arguments_shape *shape, int count, char **words,
                          struct arguments *out)
{
    int wanted = shape->operand != NULL;
    if (count < wanted)
        return RAISE(BAD_REQUEST, "%s is missing", shape->operand);
    if (count > wanted)
        return RAISE(BAD_REQUEST, "'%s' is one word too many", words[wanted]);
    out->operand = wanted ? words[0] : NULL;
    return DONE;
}

static fault check_must(const struct arguments_shape *shape, const struct arguments *self)
{
    for (int i = 0; i < ARGUMENTS; i++)
        if ((shape->must >> i & 1) && self->count[i] == 0)
            return RAISE(BAD_REQUEST, "--%s %s is missing", options[i].name, options[i].value);
    return DONE;
}

#define WORDS_MAX 256

fault arguments_parse(const struct arguments_shape *shape, int count, char **words,
                      struct arguments *out)
{
    struct table table = table_of(shape);
    struct arguments self = {0};
    char none[] = "";
    char *line[WORDS_MAX + 1] = {none}; /* getopt passes over a program's name */
    if (count >= WORDS_MAX)
        return RAISE(BAD_REQUEST, "more than %d words", WORDS_MAX);
    for (int i = 0; i < count; i++)
        line[i + 1] = words[i];
    optind = 0; /* begins anew, as a batch does line after line */
    opterr = 0;
    for (int code; (code = getopt_long(count + 1, line, ":", table.row, NULL)) != -1;) {
        if (code == ':')
            return RAISE(BAD_REQUEST, "%s needs a value", line[optind - 1]);
        if (code < CODE_OF_FIRST)
            return RAISE(BAD_REQUEST, "%s is no option of this command", line[optind - 1]);
        TRY(keep(&self, code - CODE_OF_FIRST, optarg == NULL ? "" : optarg));
    }
    TRY(take_operand(shape, count + 1 - optind, line + optind, &self));
    TRY(check_must(shape, &self));
    *out = self;
    return DONE;
}

const char *arguments_text(const struct arguments *self, enum argument which)
{
    return self->count[which] == 0 ? NULL : self->value[which][0];
}

fault arguments_number(const struct arguments *self, enum argument which, unsigned least,
                       unsigned most, unsigned otherwise, unsigned *out)
{
    const char *text = arguments_text(self, which);
    uint64_t number = otherwise;
    if (text != NULL && (failed(text_number(span_of_text(text), most, &number)) || number < least))
        return RAISE(BAD_REQUEST, "--%s is a number from %u to %u", options[which].name, least,
                     most);
    *out = (unsigned)number;
    return DONE;
}

// --- telling ------------------------------------------------------------------------------------

static void print_option(int which, FILE *out)
{
    fprintf(out, "--%s", options[which].name);
    if (options[which].value != NULL)
        fprintf(out, " %s", options[which].value);
}

static void print_usage_of(int which, bool must, FILE *out)
{
    fputs(must ? " " : " [", out);
    print_option(which, out);
    fprintf(out, "%s%s", must ? "" : "]", options[which].repeats ? "..." : "");
}

void arguments_usage(const struct arguments_shape *shape, FILE *out)
{
    if (shape->operand != NULL)
        fprintf(out, " %s", shape->operand);
    for (int i = 0; i < ARGUMENTS; i++)
        if (shape->must >> i & 1)
            print_usage_of(i, true, out);
    for (int i = 0; i < ARGUMENTS; i++)
        if (shape->may >> i & 1)
            print_usage_of(i, false, out);
}

void arguments_help(const struct arguments_shape *shape, FILE *out)
{
    for (int i = 0; i < ARGUMENTS; i++) {
        if (!takes(shape, i))
            continue;
        fputs("  ", out);
        print_option(i, out);
        fprintf(out, "\n      %s\n", options[i].sentence);
    }
}

// --- a line of a batch --------------------------------------------------------------------------

/* Takes the quotes away in place; NULL when one stays open. */
static char *take_word(char **at)
{
    char *from = *at, *to = *at, *word = *at;
    char quote = '\0';
    for (; *from != '\0' && (quote != '\0' || strchr(" \t\r\n", *from) == NULL); from++) {
        if (quote == '\0' && (*from == '"' || *from == '\''))
            quote = *from;
        else if (*from == quote)
            quote = '\0';
        else
            *to++ = *from;
    }
    *at = *from == '\0' ? from : from + 1;
    *to = '\0';
    return quote == '\0' ? word : NULL;
}

fault arguments_split(char *line, char **words, int room, int *count)
{
    int found = 0;
    for (char *at = line;;) {
        at += strspn(at, " \t\r\n");
        if (*at == '\0' || *at == '#')
            break;
        if (found == room)
            return RAISE(BAD_REQUEST, "more than %d words", room);
        words[found] = take_word(&at);
        if (words[found++] == NULL)
            return RAISE(BAD_REQUEST, "a quote is not closed");
    }
    *count = found;
    return DONE;
}
