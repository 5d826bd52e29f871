// SPDX-License-Identifier: MIT
/*
 * gateway - what the rooms of this program share. Made by gateway_main.c; one thread.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "gateway/budget.h"
#include "lib/base/event_rate.h"
#include "gateway/front_line.h"
#include "gateway/gateway_config.h"
#include "gateway/http_server.h"
#include "gateway/metrics.h"
#include "gateway/service_client.h"
#include "gateway/services.h"

struct asks;
struct can_i;
struct clerk_line;
struct clients;
struct descriptions;
struct evidence;
struct subjects;
struct once_only;

struct gateway {
    struct gateway_config config;
    struct loop *loop;
    struct net *net;
    struct budget budget;
    struct metrics metrics;
    struct services *services; /* replaced on SIGHUP: nobody keeps pointers into it */
    struct front_line *front;
    struct http_server *http;
    struct service_client *client;
    struct asks *asks;
    struct clients *clients;           /* who asks who is in the directory */
    struct can_i *can_i;               /* who asks whether an exchange would be let through */
    struct subjects *subjects;         /* who asks who looked at a person */
    struct once_only *once_only;       /* who asks what has to be fetched, or has it fetched */
    struct descriptions *descriptions; /* of own services, as far as they are fetched */
    struct evidence *evidence;         /* who waits for some */
    struct clerk_line *clerk;          /* NULL: evidence_server is not set */
    struct http_server *evidence_http; /* for strangers; NULL: evidence_listen is not set */
    struct budget evidence_budget;     /* of its bodies: strangers take no room from callers */
    struct event_rate refused_early;
    bool draining;
};

#endif
