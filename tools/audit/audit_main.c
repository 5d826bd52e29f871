// SPDX-License-Identifier: MIT
/* chaski-audit: the auditor's program. Works offline, on copied folders, and changes nothing but
 * the index that a search keeps beside the log. */
#include "tools/audit/commands.h"

#include "lib/base/text.h"
#include "lib/evidence/printable.h"

#include <getopt.h>
#include <stdio.h>

static const char usage[] =
    "chaski-audit - shows and checks the evidence of a node, offline, on a copied folder\n"
    "\n"
    "  show DIR [--limit N] [--exchange ID] [--kind KIND] [--json]\n"
    "      the entries; KIND: request, response, fault, started, stopped, incident, stamped,\n"
    "      erased, late, pruned, card, notice\n"
    "  show DIR INDEX [--payload]\n"
    "      one entry in full\n"
    "  verify DIR... [--directory FOLDER] [--as-of TIME] [--json] [--quiet] [--threads N]\n"
    "      every signature, certificate, commitment, head and root; several logs against one\n"
    "      another. FINDING: what an honest node does not leave behind. REMARK: what may well\n"
    "      be so, and what this log alone cannot settle. --threads: as many as there are cores;\n"
    "      the result is the same. --as-of: logs are held against one another up to that time\n"
    "      only, for copies that were made at different moments\n"
    "  report DIR... --html FILE [--from TIME] [--until TIME] [--member MEMBER]\n"
    "         [--directory FOLDER] [--as-of TIME] [--threads N]\n"
    "      the same, and what the logs say, as one page for a browser or paper: exchanges over\n"
    "      time, who asks whom, refusals, latencies, gaps, findings. It loads and runs nothing. "
    "All\n"
    "      is verified; the filters, as for search, are for the exchanges that are shown\n"
    "  leaves DIR --peer SERVER [--hour YYYYMMDDHH]\n"
    "      the leaf hashes of exchanges with that server in an hour (UTC), sorted, for comm(1); "
    "or\n"
    "      all hours: hour, count, SHA-256 over the sorted hashes, as two servers compare them\n"
    "  search DIR [filters] [--limit N] [--after KEY] [--oldest] [--json | --csv]\n"
    "      who got what, when and why, newest first: one row per exchange. Looks into an index in\n"
    "      DIR/index, which is brought up to the log's end each time. It shows what the log says;\n"
    "      whether that is true, verify tells\n"
    "  export DIR ID [--to FOLDER] [--asice FILE [--seal-key KEY --seal-cert PEM]] [--asics FILE]\n"
    "         [--asics-checkpoint FILE] [--policy FILE] [--tsa FILE]\n"
    "      records as files with verify.sh, which checks them without our programs; ID: the index\n"
    "      of an entry, or an exchange (its id, or the first 8 digits of it), whose entries then\n"
    "      come in folders request/, answer/.\n"
    "      --asice: the same as one container, sealed with the exporter's key if there is one;\n"
    "      --asics: the header and its signature only; --asics-checkpoint: the checkpoint over it "
    "and\n"
    "      the time stamp over that. --policy: whose cosignatures count,\n"
    "      otherwise than the directory says; --tsa: certificates of a time-stamping authority "
    "that\n"
    "      --trust does not vouch for\n"
    "  indicators DIR... [--from MONTH [--until MONTH]] [--json | --csv]\n"
    "      how access goes, by who was asked: exchanges and what became of them, share allowed\n"
    "      without anybody's word, availability, latency, refusals by rule, what is sealed; and "
    "of\n"
    "      the directory restrictions by ground and age, requests for access, debts of "
    "procedures.\n"
    "      Once only: questions to citizens that were denied and permitted. Counts under five\n"
    "      are suppressed, with what would tell them. MONTH: 2026-11; months that are over, each "
    "by\n"
    "      itself\n"
    "  keys export DIR --day YYYYMMDD\n"
    "      prints the key of one day: whoever gets it can open that day's payloads and no others\n"
    "\n"
    "Filters of search; a row must pass all of them:\n"
    "  --from TIME --until TIME   2026-11-21, 2026-11-21T04:05, 2026-11-21T04:05:06Z; UTC, both\n"
    "                             included: a day up to its end\n"
    "  --peer SERVER              I/C/MEMBER/SERVERCODE, the other end\n"
    "  --member MEMBER            I/C/MEMBER, who asked or was asked\n"
    "  --service PREFIX           identifiers that begin so: CO/GOV/899999027/DIVIPOLA\n"
    "  --exchange ID              or its first 8 digits\n"
    "  --purpose, --case          as they stand in the log\n"
    "  --rule RULE                likewise, or without its id: restricted/grant\n"
    "  --subject HEX              the pseudonym of a person\n"
    "  --outcome OUTCOME          ok, refused (by a rule, or for what was asked), failed, none "
    "yet;\n"
    "                             or a status such as 404, or a fault such as ACCESS_DENIED\n"
    "  --kind KIND                as for show, of the request or its outcome; unreadable\n"
    "Of search also:\n"
    "  --limit N                  rows of a page, 50; at most 10000\n"
    "  --after KEY                the next page: the key that the one before ended with\n"
    "  --index FILE               the index, when DIR cannot be written\n"
    "  --rebuild                  makes the index anew\n"
    "  --as-is                    does not look into the log for what is not indexed yet\n"
    "\n"
    "A log whose end was lost goes on in a new epoch. show, export and search look at the newest;\n"
    "verify checks all of them:\n"
    "  --epoch N               another one\n"
    "\n"
    "Payloads are sealed under keys that are under the node's store key. To open them:\n"
    "  --store-key FILE        a node's store.key, or day keys that keys export printed; as often\n"
    "                          as there are files\n"
    "  --passphrase SOURCE     of store keys that are sealed: file:PATH, fd:N or terminal\n"
    "\n"
    "What everything rests on; without these it comes from the folder, and whoever gave you\n"
    "the folder may have made it up:\n"
    "  --trust FILE            certificates of the authority (PEM)\n"
    "  --directory-vkey FILE   the key that signs the directory\n"
    "  --directory FOLDER      a directory that you fetched yourself: signers are judged by the\n"
    "                          newest one at hand, so that a revocation cannot be kept back\n"
    "  --directory-policy FILE whose cosignatures a directory must carry (c2sp.org/tlog-policy),\n"
    "                          for verify and report; else the witnesses that it names itself\n"
    "\n"
    "Exit status: 0 clean (there may be remarks), or a search that found something or nothing;\n"
    "1 findings; 2 could not check, or a wrong command line.\n";

static fault take_epoch(struct audit_arguments *out)
{
    uint64_t epoch = 0;
    TRY(text_number(span_of_text(optarg), LOG_EPOCHS_MAX, &epoch));
    out->epoch = (unsigned)epoch;
    return DONE;
}

/* Options that are one text each. */
static const char **place_of(int code, struct audit_arguments *out)
{
    const struct {
        int code;
        const char **place;
    } places[] = {
        {'r', &out->peer},
        {'h', &out->hour},
        {'w', &out->html},
        {'F', &out->from},
        {'U', &out->until},
        {'O', &out->as_of},
        {'M', &out->member},
        {'y', &out->day},
        {'t', &out->anchors.trust_file},
        {'v', &out->anchors.authority_file},
        {'d', &out->directory},
        {'D', &out->directory_policy},
        {'o', &out->to},
        {'e', &out->asice},
        {'s', &out->asics},
        {'c', &out->stamped},
        {'K', &out->seal_key},
        {'C', &out->seal_certificate},
        {'P', &out->policy},
        {'T', &out->tsa},
        {'x', &out->exchange},
        {'k', &out->kind},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (places[i].code == code)
            return places[i].place;
    return NULL;
}

static fault take_option(int code, struct audit_arguments *out)
{
    const char **place = place_of(code, out);
    if (place != NULL) {
        *place = optarg;
        return DONE;
    }
    switch (code) {
    case 'S':
        if (out->store_keys == LOGS_MAX)
            return RAISE(BAD_REQUEST, "more than %d files of keys", LOGS_MAX);
        out->store_key[out->store_keys++] = optarg;
        return DONE;
    case 'a':
        secret_free(&out->passphrase);
        return secret_read(optarg, "passphrase of the store key", &out->passphrase);
    case 'l':
        return text_number(span_of_text(optarg), UINT32_MAX, &out->limit);
    case 'n':
        return take_epoch(out);
    case 'N':
        TRY(text_number(span_of_text(optarg), VERIFY_THREADS_MAX, &out->threads));
        return out->threads > 0 ? DONE : RAISE(BAD_REQUEST, "--threads: at least 1");
    case 'j':
        out->json = true;
        return DONE;
    case 'V':
        out->csv = true;
        return DONE;
    case 'q':
        out->quiet = true;
        return DONE;
    case 'p':
        out->payload = true;
        return DONE;
    default:
        return RAISE(BAD_REQUEST, "an option that is not known");
    }
}

static fault parse(int argc, char **argv, struct audit_arguments *out)
{
    static const struct option options[] = {{"trust", required_argument, NULL, 't'},
                                            {"directory-vkey", required_argument, NULL, 'v'},
                                            {"directory", required_argument, NULL, 'd'},
                                            {"directory-policy", required_argument, NULL, 'D'},
                                            {"to", required_argument, NULL, 'o'},
                                            {"asice", required_argument, NULL, 'e'},
                                            {"asics", required_argument, NULL, 's'},
                                            {"asics-checkpoint", required_argument, NULL, 'c'},
                                            {"seal-key", required_argument, NULL, 'K'},
                                            {"seal-cert", required_argument, NULL, 'C'},
                                            {"policy", required_argument, NULL, 'P'},
                                            {"tsa", required_argument, NULL, 'T'},
                                            {"store-key", required_argument, NULL, 'S'},
                                            {"passphrase", required_argument, NULL, 'a'},
                                            {"day", required_argument, NULL, 'y'},
                                            {"peer", required_argument, NULL, 'r'},
                                            {"hour", required_argument, NULL, 'h'},
                                            {"exchange", required_argument, NULL, 'x'},
                                            {"kind", required_argument, NULL, 'k'},
                                            {"limit", required_argument, NULL, 'l'},
                                            {"epoch", required_argument, NULL, 'n'},
                                            {"threads", required_argument, NULL, 'N'},
                                            {"html", required_argument, NULL, 'w'},
                                            {"from", required_argument, NULL, 'F'},
                                            {"until", required_argument, NULL, 'U'},
                                            {"as-of", required_argument, NULL, 'O'},
                                            {"member", required_argument, NULL, 'M'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"csv", no_argument, NULL, 'V'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"payload", no_argument, NULL, 'p'},
                                            {0}};
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, "", options, NULL)) != -1;)
        TRY(take_option(code, out));
    if (argc - optind > LOGS_MAX || argc - optind < 1)
        return RAISE(BAD_REQUEST, "a folder is missing, or there are more than %d", LOGS_MAX);
    for (int i = optind; i < argc; i++)
        out->positional[out->count++] = argv[i];
    return DONE;
}

static fault do_command(int argc, char **argv, uint64_t *findings)
{
    struct audit_arguments arguments = {0};
    if (strcmp(argv[0], "search") == 0)
        return search_command(argc, argv);
    TRY(parse(argc, argv, &arguments));
    if (strcmp(argv[0], "show") == 0)
        return show_command(&arguments);
    if (strcmp(argv[0], "verify") == 0)
        return verify_command(&arguments, findings);
    if (strcmp(argv[0], "report") == 0)
        return picture_command(&arguments, findings);
    if (strcmp(argv[0], "export") == 0)
        return export_command(&arguments);
    if (strcmp(argv[0], "leaves") == 0)
        return leaves_command(&arguments);
    if (strcmp(argv[0], "indicators") == 0)
        return indicators_command(&arguments);
    if (strcmp(argv[0], "keys") == 0)
        return keys_command(&arguments);
    return RAISE(BAD_REQUEST, "no command \"%s\"; see chaski-audit --help", argv[0]);
}

static int run(int argc, char **argv)
{
    uint64_t findings = 0;
    fault f = do_command(argc - 1, argv + 1, &findings);
    if (failed(f)) {
        OWNED(printable) detail = printable_of(span_of_text(fault_detail()));
        fprintf(stderr, "chaski-audit: %s: %s\n", fault_sentence(f.code), detail->text);
        return 2;
    }
    return findings > 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 2 || text_is_among("--help", argc, argv)) {
        fputs(usage, argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    return run(argc, argv);
}
