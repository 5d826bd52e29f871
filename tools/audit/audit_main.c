// SPDX-License-Identifier: MIT
/* chaski-audit: the auditor's program. Works offline, on copied folders, and changes nothing. */
#include "tools/audit/commands.h"

#include "lib/base/text.h"
#include "tools/audit/printable.h"

#include <getopt.h>
#include <stdio.h>

static const char usage[] =
    "chaski-audit - shows and checks the evidence of a node, offline, on a copied folder\n"
    "\n"
    "  show DIR [--limit N] [--exchange ID] [--kind KIND] [--json]\n"
    "      the entries; KIND: request, response, fault, started, stopped, incident\n"
    "  show DIR INDEX [--payload]\n"
    "      one entry in full\n"
    "  verify DIR... [--directory FOLDER] [--json] [--quiet]\n"
    "      every signature, certificate, commitment, head and root; several logs against one\n"
    "      another. FINDING: what an honest node does not leave behind. REMARK: what may well\n"
    "      be so, and what this log alone cannot settle\n"
    "  export DIR INDEX --to OUT\n"
    "      one record as files, with the stock commands that prove it\n"
    "\n"
    "What everything rests on; without these it comes from the folder, and whoever gave you\n"
    "the folder may have made it up:\n"
    "  --trust FILE            certificates of the authority (PEM)\n"
    "  --directory-vkey FILE   the key that signs the directory\n"
    "  --directory FOLDER      a directory that you fetched yourself: signers are judged by the\n"
    "                          newest one at hand, so that a revocation cannot be kept back\n"
    "\n"
    "Exit status: 0 clean (there may be remarks), 1 findings, 2 could not check.\n";

static fault take_option(int code, struct audit_arguments *out)
{
    switch (code) {
    case 't':
        out->anchors.trust_file = optarg;
        return DONE;
    case 'v':
        out->anchors.authority_file = optarg;
        return DONE;
    case 'd':
        out->directory = optarg;
        return DONE;
    case 'o':
        out->to = optarg;
        return DONE;
    case 'x':
        out->exchange = optarg;
        return DONE;
    case 'k':
        out->kind = optarg;
        return DONE;
    case 'l':
        return text_number(span_of_text(optarg), UINT32_MAX, &out->limit);
    case 'j':
        out->json = true;
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
                                            {"to", required_argument, NULL, 'o'},
                                            {"exchange", required_argument, NULL, 'x'},
                                            {"kind", required_argument, NULL, 'k'},
                                            {"limit", required_argument, NULL, 'l'},
                                            {"json", no_argument, NULL, 'j'},
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

static int run(int argc, char **argv)
{
    struct audit_arguments arguments = {0};
    uint64_t findings = 0;
    fault f = parse(argc - 1, argv + 1, &arguments);
    if (!failed(f)) {
        if (strcmp(argv[1], "show") == 0)
            f = show_command(&arguments);
        else if (strcmp(argv[1], "verify") == 0)
            f = verify_command(&arguments, &findings);
        else if (strcmp(argv[1], "export") == 0)
            f = export_command(&arguments);
        else
            f = RAISE(BAD_REQUEST, "no command \"%s\"; see chaski-audit --help", argv[1]);
    }
    if (failed(f)) {
        OWNED(printable) detail = printable_of(span_of_text(fault_detail()));
        fprintf(stderr, "chaski-audit: %s: %s\n", fault_sentence(f.code), detail->text);
        return 2;
    }
    return findings > 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        fputs(usage, argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    return run(argc, argv);
}
