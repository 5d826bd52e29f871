// SPDX-License-Identifier: MIT
/* The command line of `chaski enrol`. */
#include "tools/chaski/enrol.h"

#include "lib/base/secret.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"

#include <getopt.h>

static fault take_subsystem(const char *text, struct enrol_options *out)
{
    char *equals = strchr(text, '=');
    if (equals == NULL || out->subsystems == ENROLMENT_SUBSYSTEMS_MAX)
        return RAISE(BAD_REQUEST, "--subsystem CODE=NAME, at most %d times",
                     ENROLMENT_SUBSYSTEMS_MAX);
    *equals = '\0'; /* of our own command line */
    out->subsystem[out->subsystems++] = (struct enrol_subsystem){text, equals + 1};
    return DONE;
}

static const char **place_of(struct enrol_options *self, int code)
{
    switch (code) {
    case 'A':
        return &self->anchor;
    case 'f':
        return &self->keys.folder;
    case 's':
        return &self->keys.server;
    case 'n':
        return &self->keys.name;
    case 'u':
        return &self->at;
    case 'F':
        return &self->fingerprint;
    case 'd':
        return &self->audit;
    case 'r':
        return &self->request;
    case 'o':
        return &self->request_out;
    case 'c':
        return &self->certificate;
    case 'h':
        return &self->chain;
    case 'p':
        return &self->keys.passphrase;
    case 't':
        return &self->keys.token;
    case 'm':
        return &self->keys.module;
    default:
        return NULL;
    }
}

static fault take_option(int code, struct enrol_options *out)
{
    const char **place = place_of(out, code);
    if (place != NULL)
        *place = optarg;
    else if (code == 'a' && out->keys.addresses < DIRECTORY_ADDRESSES_MAX)
        out->keys.address[out->keys.addresses++] = optarg;
    else if (code == 'S')
        return take_subsystem(optarg, out);
    else if (code == 'P')
        out->public_agency = true;
    else if (code == 'N')
        out->anew = true;
    else if (code == 'w')
        return text_number(span_of_text(optarg), 30 * 86400, &out->wait_s);
    else
        return RAISE(BAD_REQUEST, "an option that is not known, or too many addresses");
    return DONE;
}

fault enrol_options_take(int argc, char **argv, struct enrol_options *out)
{
    static const struct option known[] = {{"anchor", required_argument, NULL, 'A'},
                                          {"folder", required_argument, NULL, 'f'},
                                          {"server", required_argument, NULL, 's'},
                                          {"name", required_argument, NULL, 'n'},
                                          {"address", required_argument, NULL, 'a'},
                                          {"subsystem", required_argument, NULL, 'S'},
                                          {"public", no_argument, NULL, 'P'},
                                          {"at", required_argument, NULL, 'u'},
                                          {"fingerprint", required_argument, NULL, 'F'},
                                          {"audit", required_argument, NULL, 'd'},
                                          {"request", required_argument, NULL, 'r'},
                                          {"request-out", required_argument, NULL, 'o'},
                                          {"certificate", required_argument, NULL, 'c'},
                                          {"chain", required_argument, NULL, 'h'},
                                          {"passphrase", required_argument, NULL, 'p'},
                                          {"token", required_argument, NULL, 't'},
                                          {"module", required_argument, NULL, 'm'},
                                          {"anew", no_argument, NULL, 'N'},
                                          {"wait", required_argument, NULL, 'w'},
                                          {0}};
    optind = 0;
    for (int code; (code = getopt_long(argc, argv, "", known, NULL)) != -1;)
        TRY(take_option(code, out));
    if (optind != argc || out->anchor == NULL || out->keys.folder == NULL)
        return RAISE(BAD_REQUEST, "enrol needs --anchor and --folder; see chaski enrol --help");
    if (out->certificate != NULL ? out->request_out != NULL : out->chain != NULL)
        return RAISE(BAD_REQUEST, "first --request-out FILE; when the outside authority has issued "
                                  "it --certificate FILE, with --chain FILE");
    if (out->keys.passphrase != NULL && failed(secret_check(out->keys.passphrase)))
        return RAISE(BAD_REQUEST, "%s", fault_detail());
    return DONE;
}

fault enrol_options_check(const struct enrol_options *options)
{
    struct bus_id id;
    if (options->keys.server == NULL || options->keys.name == NULL || options->keys.addresses == 0)
        return RAISE(BAD_REQUEST, "a first request needs --server, --name and --address");
    return keys_check_server(options->keys.server, &id);
}
