// SPDX-License-Identifier: MIT
/*
 * gateway_config - the settings of chaski-gateway.
 */
#ifndef GATEWAY_GATEWAY_CONFIG_H
#define GATEWAY_GATEWAY_CONFIG_H

#include "lib/base/config.h"

enum service_kind { SERVICE_HTTP, SERVICE_TABLE };

/* service "CO/GOV/899999027/DIVIPOLA/municipios" { ... } */
struct service_section {
    char *title; /* the service's identifier */
    int64_t kind;
    char *url;
    int64_t timeout_ms;
    char *file;
    char *key;
    char *name;
    char *openapi;
};

/* client "CO/MUN/890905211/TRAMITES" { ... } */
struct client_section {
    char *title; /* the subsystem's identifier */
    char *purpose;
    char *procedure;
    char *legal_basis;
    int64_t records; /* 1: may fetch its records (/asic) */
};

struct gateway_config {
    char *name;
    struct config_list listen;
    char *server;
    char *server_key;
    char *key_file;
    char *evidence_server; /* "": none */
    struct config_list evidence_listen;
    char *permits_url; /* "": none */
    int64_t body_bytes_max;
    int64_t held_bytes_max;
    int64_t connections_max;
    int64_t head_wait_ms;
    int64_t body_wait_ms;
    int64_t body_bytes_per_s_least;
    int64_t idle_ms;
    int64_t deadline_ms;
    int64_t service_connections;
    int64_t fault_style;
    int64_t compat_status;
    int64_t event_level;
    char *services_folder;
    char *ready_file;
    char *pid_file;
    struct config_sections service;
    struct config_sections client;
};

extern const struct config_setting gateway_settings[];

/* Reads the file and those in its services_folder. BAD_CONFIG with file and line. */
fault gateway_config_read(const char *path, struct gateway_config *out);
void gateway_config_clear(struct gateway_config *self);

#endif
