// SPDX-License-Identifier: MIT
/*
 * commands - what the operator's program can do; each command takes its own words and options.
 */
#ifndef TOOLS_CHASKI_COMMANDS_H
#define TOOLS_CHASKI_COMMANDS_H

#include "lib/base/fault.h"

/* BAD_REQUEST: the command line is wrong (exit 2); any other fault: exit 1. argv[0] is the command.
 */
fault keys_command(int argc, char **argv);
fault share_command(int argc, char **argv);
fault erase_command(int argc, char **argv);
fault log_command(int argc, char **argv);
fault reconcile_command(int argc, char **argv);
fault enrol_command(int argc, char **argv);
fault member_command(int argc, char **argv);
fault status_command(int argc, char **argv);
fault anchor_command(int argc, char **argv);
fault access_command(int argc, char **argv);
fault can_i_command(int argc, char **argv);
fault policy_command(int argc, char **argv);
fault indicators_command(int argc, char **argv);
fault subject_command(int argc, char **argv);
fault once_only_command(int argc, char **argv);
fault trace_command(int argc, char **argv);
fault free_ports_command(int argc, char **argv);

#endif
