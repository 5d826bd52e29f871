// SPDX-License-Identifier: MIT
/* chaski: the operator's program. */
#include "lib/base/shown.h"
#include "lib/base/text.h"
#include "tools/chaski/commands.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    fault (*run)(int argc, char **argv);
    const char *usage;
} commands[] = {
    {"keys", keys_command,
     "keys make --folder DIR --server I/C/M/CODE --name NAME --address tcp://HOST:PORT --request "
     "FILE\n"
     "        [--token URI --module FILE] [--passphrase SOURCE]\n"
     "      makes a server's keys and its request for enrolment; the signing key inside a PKCS#11\n"
     "      token, such as 'pkcs11:token=T;object=NAME?pin-source=file:PATH', and all others "
     "sealed\n"
     "  keys certificate --folder DIR --certificate FILE [--token URI --module FILE] [--passphrase "
     "SOURCE]\n"
     "      takes in the certificate that the authority issued\n"
     "  keys seal | unseal --folder DIR [--passphrase SOURCE]\n"
     "  keys passphrase --folder DIR [--passphrase SOURCE] [--new-passphrase SOURCE]\n"
     "      puts all keys of the folder under a passphrase, takes it away, or changes it: all "
     "files\n"
     "      or none. SOURCE is credential:NAME, file:PATH, fd:N or terminal, which is asked when\n"
     "      nothing else is said\n"
     "  keys roll seal --config SERVER_CONF [--forget] [--wait S]\n"
     "      orders the running node to have letters to it sealed to a new key from now on; with\n"
     "      --forget the keys before are destroyed at once, and senders seal again\n"
     "  keys roll transport --config SERVER_CONF [--passphrase SOURCE]\n"
     "      has the country's directory name the node's next transport key, signed with its\n"
     "      signing key; the node takes it into use by itself\n"
     "  keys transport FILE [--passphrase SOURCE]\n"
     "      prints the public key of a transport key, and makes the key if there is none"},
    {"share", share_command,
     "share (--table FILE --key COLUMN | --url URL) --service [I/C/M/SUBSYSTEM/]NAME\n"
     "        [--gateway-config FILE] [--title T] [--class open|shared]\n"
     "        [--registry STORE [--publish-to FOLDER]]\n"
     "      puts a table or a service on the bus; broken tables are refused with row and column.\n"
     "      NAME alone will do where the gateway serves one subsystem; its settings are those of\n"
     "      --gateway-config, else CHASKI_GATEWAY_CONFIG, else /etc/chaski/gateway.conf"},
    {"erase", erase_command,
     "erase --config SERVER_CONF (--entry N | --day YYYYMMDD) --ground TEXT --officer ID [--wait "
     "S] [--epoch E]\n"
     "      orders the running node to erase the payload of one entry of its evidence log, or of\n"
     "      one day; the order, its ground and officer stand in the log as a signed record. The\n"
     "      copies at the other server and at the agencies are theirs to erase"},
    {"subject", subject_command,
     "subject token --config SERVER_CONF --ground TEXT --officer ID [--year Y] [--wait S]\n"
     "      has the running node compute the pseudonym of a person, to search copied logs with it\n"
     "      (chaski-audit search --subject). Type and number are read from standard input; ground\n"
     "      and officer stand in the log as a signed record, and in the person's own view"},
    {"log", log_command,
     "log new-epoch --config SERVER_CONF --reason TEXT --officer ID [--closes N]\n"
     "      when the end of the evidence log is really lost: orders the node to close the present\n"
     "      epoch at its next start, and to begin the next one with a record of what is left, "
     "what\n"
     "      others hold, and why. It cannot be undone, and every auditor will see it\n"
     "  log prune --config SERVER_CONF --before ENTRY|YYYY-MM-DD --ground TEXT --officer ID "
     "[--wait "
     "S]\n"
     "      orders the running node to remove the beginning of its evidence log, in whole "
     "segments,\n"
     "      by a record in it. Payloads must be erased before, witnesses have confirmed what "
     "goes;\n"
     "      hashes and checkpoints stay, so that proofs go on"},
    {"reconcile", reconcile_command,
     "reconcile --config SERVER_CONF [--peer I/C/M/CODE] [--days N] [--wait S] [--report] "
     "[--all] [--json]\n"
     "      has the running node compare its evidence log with its peers', or with one of them; "
     "what\n"
     "      one side lacks is sent by the other and taken in. --report only tells what the last "
     "runs\n"
     "      found: nine types, what each means and what to do; --all also the runs before that "
     "found\n"
     "      something"},
    {"status", status_command,
     "status --config SERVER_CONF\n"
     "      how the node on this machine is, since when, and why; exit status 0 when it is ready"},
    {"anchor", anchor_command,
     "anchor FILE\n"
     "      shows what a node is given of its country before it knows anything, and the "
     "fingerprint\n"
     "      that you compare with the authority on the telephone"},
    {"enrol", enrol_command,
     "enrol --anchor FILE --folder KEYS --server I/C/M/CODE --name TEXT --address "
     "tcp://HOST:PORT...\n"
     "      [--subsystem CODE=NAME]... [--public] [--at URL] [--fingerprint WORDS] [--audit "
     "FOLDER]\n"
     "      [--passphrase SOURCE] [--token URI --module PATH [--request FILE]] [--wait S] "
     "[--anew]\n"
     "      makes the keys, tests the machine, proves each key to the authority and asks to be "
     "enrolled;\n"
     "      run again it goes on where it stopped and says how the request stands: exit status 0\n"
     "      approved, 3 it waits, 4 refused by the authority, with its reason. --anew: another "
     "request\n"
     "      with the same keys. With an outside authority's certificate: --request-out FILE writes "
     "the\n"
     "      PKCS#10 for it and sends nothing, then --certificate FILE [--chain FILE] goes on\n"
     "  enrol vouch ID --config SERVER_CONF [--yes]\n"
     "      at a server that is enrolled: shows that request of its own member, for one more "
     "server "
     "or\n"
     "      other keys, and stands behind it with its signing key. Instead of --config: --folder "
     "KEYS\n"
     "      --anchor FILE [--passphrase SOURCE] [--token URI --module PATH]"},
    {"service", member_command,
     "service add|class|disable|enable|remove ID --config SERVER_CONF [--title T] [--class "
     "open|shared]\n"
     "      [--notice T] [--reason T] [--endpoint ID:METHOD:PATTERN[:open|:shared]]...\n"
     "      [--column NAME[:open|:shared]]... [--rate N [--burst N]]\n"
     "      [--subject required|optional]\n"
     "      changes what this member offers, in the country's directory, signed with its server's "
     "key;\n"
     "      says which epoch it stands in, or who else must approve it. Instead of --config:\n"
     "      --folder KEYS --anchor FILE [--passphrase SOURCE] [--token URI --module PATH]. With "
     "--draft FILE\n"
     "      nothing is done, and the change written down for `chaski policy diff`"},
    {"subsystem", member_command,
     "subsystem add|remove ID --config SERVER_CONF [--name T] [--reason T]\n"
     "      likewise: a subsystem of this member, on this server"},
    {"address", member_command,
     "address set --config SERVER_CONF --address tcp://HOST:PORT...\n"
     "      likewise: where peers reach this server, in place of what stood there"},
    {"grant", member_command,
     "grant add|remove ID --config SERVER_CONF [--service ID --consumer ID [--purpose P]\n"
     "      [--endpoint ID]... [--column NAME]... [--volume N] --legal-basis T --until YYYY-MM-DD] "
     "[--reason "
     "T]\n"
     "      likewise: who may use a service of this member"},
    {"key", member_command,
     "key revoke --config SERVER_CONF --reason T [--certificate FILE]\n"
     "      likewise: ends the certificate of this server's signing key, for good"},
    {"access", access_command,
     "access request [ID] --service I/C/M/SUBSYSTEM/SERVICE --client I/C/M/SUBSYSTEM --purpose "
     "ID... "
     "\n"
     "      [--endpoint ID]... [--column NAME]... --legal-basis T --reason T --config "
     "SERVER_CONF\n"
     "      asks for what a restriction closes, all of it or these parts; when the provider does "
     "not answer in time, "
     "silence\n"
     "      opens it, or the arbiter decides if the law reserves it\n"
     "  access object ID --ground WORD --reason T | grant ID --until YYYY-MM-DD --config "
     "SERVER_CONF\n"
     "      the provider's answer; after an objection the arbiter decides\n"
     "  access withdraw ID --reason T | decide ID | status [ID] --config SERVER_CONF\n"
     "      takes a request back; says who decides it; how requests of and to this member stand"},
    {"can-i", can_i_command,
     "can-i --client I/C/M/SUBSYSTEM --service I/C/M/SUBSYSTEM/SERVICE [--purpose ID]\n"
     "        [--method GET] [--path /PATH] [--on YYYY-MM-DD] (--gateway URL | --gateway-config "
     "FILE) [--json]\n"
     "      would this be let through, by which rule; if not, what is missing, who can supply it, "
     "and\n"
     "      by which command. Nothing is sent to the provider; exit status 1: no"},
    {"policy", policy_command,
     "policy diff --config SERVER_CONF --draft FILE [--days N] [--on YYYY-MM-DD] [--json]\n"
     "      which of the flows of the last N days (30) in this node's log would be refused after a "
     "change,\n"
     "      and which be allowed anew. FILE is what any command that changes the directory writes "
     "with\n"
     "      --draft, here or in chaski-registry. Exit status 1: something would break"},
    {"once-only", once_only_command,
     "once-only plan --procedure ID [--territory CODE] [--requirement ID] [--selector "
     "NAME=VALUE]...\n"
     "        (--gateway URL | --gateway-config FILE) [--json]\n"
     "      what a case of a procedure needs, from whom, and which question is open; exit status "
     "1:\n"
     "      not all of it can be fetched as it is\n"
     "  once-only lint (--config SERVER_CONF | --csv FILE | both) [--all] [--json]\n"
     "      procedures that ask citizens for what a source delivers, by the oldest; numbers that "
     "stand\n"
     "      twice, are missing or lost a zero. FILE is a table of SUIT. Exit status 1: findings\n"
     "  once-only counts (--config SERVER_CONF | --audit FOLDER) [--days N] [--json]\n"
     "      per entity and procedure, from this node's own log: fetched, failed, permits by "
     "reason, "
     "denied\n"
     "  once-only source FILE --config SERVER_CONF\n"
     "      what this member's own services are sources of, in the directory, signed with its "
     "server's\n"
     "      key; FILE as for chaski-registry once-only add, with sources only"},
    {"indicators", indicators_command,
     "indicators LOG... [--from MONTH [--until MONTH]] [--json | --csv] [--directory FOLDER]\n"
     "          [--trust FILE --directory-vkey FILE]\n"
     "      how access goes, from the evidence in these folders: what rules allowed by themselves, "
     "silence,\n"
     "      restrictions by ground and age, once only, latency, refusals by rule; small cells are "
     "suppressed"},
    {"trace", trace_command,
     "trace EXCHANGE_ID EVENTS_FILE...\n"
     "      the walk of one exchange in words, from the events of the servers that it crossed"},
    {"free-ports", free_ports_command, "free-ports N\n      loopback ports that are free now"},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void usage(FILE *out)
{
    fputs("chaski - for the operator of a node\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %s\n", commands[i].usage);
    fputs("\nExit status: 0 done, 1 refused or failed, 2 the command line is wrong.\n", out);
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (text_is_among("--help", argc, argv)) {
            printf("  %s\n", commands[i].usage);
            return 0;
        }
        fault f = commands[i].run(argc - 1, argv + 1);
        if (failed(f)) {
            fprintf(stderr, "chaski: %s: ", fault_sentence(f.code));
            shown_page(stderr, span_of_text(fault_detail())); /* maybe in words of others */
            fputc('\n', stderr);
        }
        return failed(f) ? f.code == BAD_REQUEST ? 2 : 1 : 0;
    }
    fprintf(stderr, "chaski: no command \"%s\"; see chaski --help\n", argv[1]);
    return 2;
}
