// SPDX-License-Identifier: MIT
/*
 * limits - every bound of the system on one page. What an operator may change stands in the
 * config tables with these as outer bounds or defaults; the rest is fixed here.
 */
#ifndef BUS_LIMITS_H
#define BUS_LIMITS_H

// identifiers
#define ID_PART_BYTES_MAX 255
#define ID_BYTES_MAX (5 * (ID_PART_BYTES_MAX + 1))
#define WORD_BYTES_MAX 255 /* purpose, procedure, legal basis, case */
#define EXCHANGE_ID_BYTES 16
#define SUBJECT_BYTES_MAX 64        /* pseudonym of a person */
#define SUBJECT_NUMBER_BYTES_MAX 20 /* of a document, without its type */
#define SUBJECT_NUMBER_TOLD_FROM 6  /* characters: so long a number is seen in other words */
#define SUBJECT_YEAR_FIRST 2000
#define SUBJECT_YEAR_LAST 2049
#define SUBJECT_KEYS_MAX 16        /* years whose keys a server, or the directory, has at once */
#define SUBJECT_OVERLAP_DAYS 7     /* of a new year in which the old key still serves */
#define SUBJECT_BLOB_BYTES_MAX 256 /* a sealed key */
/* A gateway that was broken into tries numbers through its server: so many an hour at most. */
#define SUBJECTS_A_MINUTE_DEFAULT 6000
#define SUBJECTS_A_MINUTE_MAX 600000
#define SUBJECTS_REMEMBERED 16 /* that are made again without being counted */
#define SUBJECT_KEYS_LOOK_MS 1000
#define SUBJECT_FETCH_AGAIN_MS 5000 /* a follower asks its addresses for a key again */
#define SUBJECT_INDEX_STEP 20000    /* entries taken in at once */
#define SUBJECT_INDEX_EVERY_MS 2000 /* the index follows the log */
#define SUBJECT_INDEX_KEEP_MS 60000 /* ... and is made durable */
#define SUBJECT_RECORDS_MAX 20000   /* about one person in one log and time: more are refused */
#define SUBJECT_NEAR_MS 86400000    /* a request and its outcome are nearer */
#define SUBJECT_PAGE_MAX 50         /* exchanges in one answer about a person */
#define SUBJECT_VIEWS_MAX 32        /* answered by one server at once */
#define SUBJECT_ASKED_VIEWS_MAX 4   /* gathered by one gateway at once */
#define SUBJECT_BODY_BYTES_MAX 1024 /* of a question that names a person */
#define SERVERS_PAGE_MAX 256        /* in one message from server to gateway */
#define SERVERS_MAX 20000           /* asked for one view */
/* Asked for one view: so many at once; a silent one has its first wait, and later a second one. */
#define SUBJECT_SERVERS_AT_ONCE 256
#define SUBJECT_VIEW_WAIT_MS 20000 /* for all of them; one that is silent is named */
#define SUBJECT_FIRST_WAIT_MS 2500 /* for one of them */
#define SUBJECT_SECOND_WAIT_MS 6000
#define SUBJECT_SERVER_ENTRIES_MAX 500   /* of one server in one view: it is named as cut */
#define SUBJECT_SERVER_PAGES_MAX 100     /* of one server in one view, whatever they hold */
#define SUBJECT_VIEW_CALLERS_MAX 32      /* told of one person, who asked for views */
#define SUBJECT_SERVER_GONE_MAX 20000    /* of one server, that its log does not hold any more */
#define SUBJECT_VIEW_ENTRIES_MAX 10000   /* in one view */
#define INDICATOR_EXCHANGES_MAX 20000000 /* that are summed up in one run */
#define SUBJECT_VIEW_YEARS_MAX 4         /* tokens in one question; years in one without any */
#define SUBJECT_KEYS_SAY_MS 3600000      /* that one is missing */
#define SEALING_DAYS_MAX 732 /* how far off an exchange's unseal date may lie: 24 months */
#define DETAIL_BYTES_MAX 1024
#define POLICY_RULE_ROOM 512 /* name of a rule with its closing NUL */

// HTTP
#define HTTP_HEAD_BYTES_MAX 16384
#define HTTP_FIELDS_MAX 100
#define HTTP_BODY_BYTES_DEFAULT (32u << 20)
#define HTTP_BODY_BYTES_MAX (256u << 20)
#define HTTP_CONNECTIONS_DEFAULT 10000
#define HTTP_HEAD_WAIT_MS_DEFAULT 10000         /* whole head must be there */
#define HTTP_BODY_WAIT_MS_DEFAULT 60000         /* whole body must be there */
#define HTTP_IDLE_MS_DEFAULT 75000              /* keep-alive */
#define GATEWAY_HELD_BYTES_DEFAULT (192u << 20) /* bodies in memory at once */

// gateway <-> security server
#define FRONT_BEAT_MS 1000
#define FRONT_LOST_MS 5000
#define NODE_STATE_LOOK_MS 500
#define FRONT_QUEUE_MESSAGES 20000
#define FRONT_HEAD_BYTES_MAX 16384
#define FRONT_GATEWAYS_MAX 64

// an exchange
#define PAYLOAD_BYTES_MAX (HTTP_BODY_BYTES_MAX + (1u << 20))
#define EXCHANGES_LIVE_DEFAULT 10000
#define DEADLINE_MS_DEFAULT 60000
#define DEADLINE_MS_MAX 600000
#define DEADLINE_MS_LEAST 50
#define FRESH_PAST_MS 120000  /* older is stale, unless its deadline is still to come */
#define FRESH_FUTURE_MS 30000 /* a clock may run ahead by this much */
#define RESEND_FIRST_MS 3000  /* an unanswered question is sent again, then at doubling waits */
#define SEEN_MAX 4000000      /* exchange ids remembered while they could come again */
#define SERVICE_SPARE_MS 1000 /* at most this of a deadline is kept for the way back */
#define SALT_BYTES 32

// mesh
#define MESH_ENVELOPE_BYTES_MAX 256
#define MESH_QUEUE_MESSAGES 10000
#define MESH_PEERS_MAX 4000
#define MESH_PEER_IDLE_MS 600000
#define SEAL_CONTEXT_MS 3600000 /* a new ephemeral key per peer after this */
#define SEAL_CONTEXT_MESSAGES (1u << 30)
#define SEAL_OPENED_CACHE 4096 /* derived keys of peers' contexts kept */

// sealing keys that change (docs/decisions/0028)
#define SEAL_ROLL_S_DEFAULT 86400
#define SEAL_ROLL_S_MAX (30 * 86400)
#define SEAL_OVERLAP_S_DEFAULT 3600 /* five times as long as any letter can be on its way */
#define SEAL_OVERLAP_S_MAX (7 * 86400)
#define SEAL_MADE_MAX 64  /* keys in memory at once: the newest, and those in their overlap */
#define SEAL_LOOK_MS 1000 /* is it time for a new one, is there an order? */
#define SEAL_ROLL_AGAIN_MS 10000 /* after one that failed */
#define CARD_ASK_MS 3000         /* so long a first letter waits for the receiver's card */
#define CARD_AGAIN_MS 1000       /* a peer is asked for its newer card at most this often */
#define CARD_WITHOUT_MS 10000    /* who has none, or is silent, is asked again this often */
#define CARD_SWAPS_A_MINUTE 240  /* of one peer */
#define CARD_GONE_MS 100         /* a peer is told at most this often that a key is gone */

// a transport key that changes (docs/decisions/0028)
#define TRANSPORT_SETTLE_MS 500  /* before others connect with a server's new key */
#define TRANSPORT_CLIENT_MS 3000 /* before it connects to others with it */

// keys process
#define KEYS_DATAGRAM_BYTES_MAX 65536
#define KEYS_JOBS_PER_DATAGRAM 64
#define KEYS_WAIT_MS 5000
#define KEYS_START_WAIT_MS 30000 /* each sealed key costs a good part of a second */
#define SEAL_KEYS_MAX 8

// a token that signs
#define TOKEN_SESSIONS_DEFAULT 4
#define TOKEN_SESSIONS_MAX 64
#define TOKEN_JOBS_MAX 512      /* that wait for signatures */
#define TOKEN_JOBS_NEW_MAX 256  /* ... before new exchanges are refused: the rest is for answers */
#define TOKEN_WAIT_MS 10000     /* for one signature, in the queue and in the token */
#define TOKEN_LOOK_MS 250       /* how often waits and states are looked at */
#define TOKEN_RETRY_MS 5000     /* a token that is away is opened again this often */
#define TOKEN_PROBE_MS 5000     /* an idle session signs something for nobody this often */
#define TOKEN_HANG_S 15         /* a module that does not return is left with its process */
#define TOKEN_TAKE_WAIT_MS 5000 /* headers wait while another key takes over */
#define TOKEN_ERRAND_WAIT_MS 60000 /* for a new key and a request: some tokens take their time */
#define TOKEN_RELOAD_MS 1000       /* certificates are not looked for more often than that */
#define TOKEN_NAMES_MAX 20         /* labels that are tried for a new key in a day */
#define TOKEN_OLD_KEYS_MAX 16      /* whose certificates have not ended */
#define TOKEN_DATAGRAM_BYTES_MAX (RENEWAL_ACT_BYTES_MAX + 4096)
#define TOKEN_RESULT_BYTES_MAX 1024 /* the longest is a request for a certificate */
#define TOKEN_DETAIL_BYTES_MAX 400

// audit log
#define LEAF_BYTES_MAX 65535
#define HEADER_BYTES_MAX 8192
#define WAL_SEGMENT_MIB_DEFAULT 64
#define WAL_SEGMENT_BYTES_MAX (UINT64_C(2) << 30) /* of one that is read */
/* Checksums over bytes behind the last record that pose as one, and are none: then no more are
 * tried. A torn write has nearly none. */
#define WAL_TAIL_WASTE_BYTES (256u << 20)
#define WAL_PREPARE_BYTES (1u << 20)   /* of the next segment, made ready in one step */
#define WAL_LET_GO_BYTES (1u << 20)    /* of a mapped segment, at a time; whole pages */
#define AUDIT_GROUP_MAX 512            /* records per group commit */
#define PAYLOAD_GROUP_BYTES (1u << 20) /* gathered before they are written; one may be larger */
#define JOURNAL_BYTES_MAX (12u << 20)  /* of its file */
#define JOURNAL_LAP_BYTES (8u << 20)   /* after so many all is flushed, and it is rewound */
#define JOURNAL_AHEAD_BYTES (1u << 20) /* after so many the disk is told to begin with that */
#define JOURNAL_BLOBS_BYTES (1u << 18) /* payloads of larger groups go to their file alone */
#define CHECKPOINT_EVERY_MS_DEFAULT 10000
#define PUBLISH_EVERY_MS_DEFAULT 60000
#define HEARTBEAT_MS 3600000 /* an idle log is published, cosigned and stamped this often */
#define PEER_CHECK_EVERY_MS_DEFAULT 3600000
#define START_CHECK_MS_DEFAULT 5000
#define WITNESS_ALARM_MS_DEFAULT 900000
#define WITNESS_STOP_MS_DEFAULT 86400000
#define STAMP_RETRY_MS 10000   /* a stamp that failed, without a newer head to be stamped */
#define GROWTH_GRACE_MS 300000 /* for witnesses and authorities to answer after a start */
#define OUTSIDE_ROUND_MS 8000  /* all outside witnesses together are asked for so long */
#define OUTSIDE_RETRY_MS 10000 /* those that did not cosign are asked again after this */
#define OUTSIDE_TRIES_MAX 3    /* in one round: a witness may name its size, and again */
/* Cosignature lines of one witness, or a size. A line of ML-DSA-87 (FIPS 204) is 6.2 KB, one of
 * Ed25519 may stand beside it. */
#define WITNESS_LINES_BYTES_MAX 8192
#define CONFLICTS_A_LOG_MAX 32   /* contradicting notes of one log that are kept */
#define CONFLICT_TELL_MS 3600000 /* further heads of a directory of another history, together */
#define HEADS_OVERTAKE_MS 5000   /* messages of one log arrive, or its clock is set, out of order */
#define PEER_CHECK_LOOK_MS 1000  /* is a peer to be asked again? */
#define PEER_SILENT_ROUNDS 3     /* a peer that answers none of so many is told of */
#define LOG_EPOCHS_MAX 64        /* of one node's log */
#define EPOCH_HEADS_MAX 32       /* heads that a record of a closed epoch names */
#define EPOCH_HEADS_BYTES_MAX 6000    /* ... in so many bytes: they stand in a header */
#define EPOCH_WORDS_BYTES_MAX 1024    /* of the reason for closing one, and of who ordered it */
#define LOG_PRUNE_YOUNGEST_MS 3600000 /* entries as young as this are not removed from a log */
#define RETENTION_DAYS_MAX 36500
#define RETENTION_LOOK_MS 3600000
#define KEPT_ANSWERS_BYTES_MAX (64u << 20) /* outcomes that are not written down */
#define KEPT_ANSWERS_LOOK_MS 5000
#define ORDERS_LOOK_MS 1000
#define ORDER_WORDS_BYTES_MAX 1024 /* of an order's ground, and of its officer */
#define SLAB_KEYS_LOOK_MS 5000     /* how often it is seen whether a day key is wanted */

// evidence over HTTP: gateway <-> clerk
#define MESSAGE_ID_BYTES_MAX 1024 /* X-Road-Id, as far as records are looked for by it */
#define EVIDENCE_PATH_BYTES_MAX 160
#define EVIDENCE_HEAD_BYTES_MAX 8192
#define EVIDENCE_BODY_BYTES_MAX (65u << 20) /* a container or a bundle of entries */
#define EVIDENCE_QUEUE_MESSAGES 256
#define EVIDENCE_ASKS_MAX 64 /* of a gateway, outstanding */
#define EVIDENCE_FILE_ASKS_MAX 32
#define EVIDENCE_WITNESS_ASKS_MAX 16
#define EVIDENCE_RECORD_ASKS_MAX 8
#define EVIDENCE_WAIT_MS 10000
#define EVIDENCE_RECORD_WAIT_MS 90000
#define RECORDS_QUEUE_MAX 8  /* asks for records at a clerk; one is worked on */
#define RECORDS_FOUND_MAX 16 /* under one id */
/* Of what goes into verificationconf.zip: 24,000 members with their servers (6,300 are 17 MB of
 * tiles). It is in a clerk's memory twice, and an answer of a gateway (EVIDENCE_BODY_BYTES_MAX). */
#define VERIFICATION_BYTES_MAX (64u << 20)
#define VERIFICATION_KEPT_MS 10000 /* it is made again at most so often */
#define RECORD_LOOKUP_MS 20000     /* for looking through the log */
#define RECORD_FORCE_MS \
    45000 /* for a stamp that is made right away: checkpoint, witnesses, token */
#define RECORD_PAYLOAD_BYTES_MAX (16u << 20) /* of a record that is handed out */
#define EVIDENCE_CONNECTIONS_MAX 256
#define EVIDENCE_HELD_BYTES_MAX (64u << 20) /* bodies for strangers in a gateway's memory */
#define EVIDENCE_BODY_WAIT_MS 30000 /* a stranger's whole request; and for 64 KiB to be taken */
#define EVIDENCE_IDLE_MS 15000
#define EVIDENCE_BYTES_PER_S_LEAST 1024

// reconciliation with peers (docs/decisions/0013)
/* To one peer: a start, a check of another log and a checkpoint need one answer each. */
#define LOG_TALK_HEADS_A_MINUTE 60
#define LOG_TALK_PROOFS_A_MINUTE 60
#define LOG_TALK_CHECKPOINTS_A_MINUTE 1200
#define RECONCILE_HOUR_DEFAULT 2
#define RECONCILE_EVERY_MS_DEFAULT 86400000
#define RECONCILE_DAYS_DEFAULT 7
#define RECONCILE_DAYS_MAX 400 /* how far back leaves are compared and taken in */
#define RECONCILE_GRACE_MS_DEFAULT                                 \
    (DEADLINE_MS_MAX + FRESH_PAST_MS) /* younger: maybe on its way \
                                       */
/* With none at all a leaf is missed that was signed in the same moment, which the other side cannot
 * have yet: honest peers would accuse one another. So much it takes on a fast line. */
#define RECONCILE_GRACE_MS_LEAST 100
#define RECONCILE_JITTER_MS 3600000 /* at most, and at most a tenth of an interval */
#define RECONCILE_HOURS_A_QUESTION 24
#define RECONCILE_HASHES_A_MESSAGE 2048 /* more in a minute: by prefix, or page by page */
#define RECONCILE_LEAVES_A_MESSAGE 64
#define RECONCILE_LEAVES_BYTES_MAX (160u << 10) /* of them together, framed */
#define RECONCILE_DIFFERENCES_MAX 20000         /* with one peer in one run; then the next run */
#define RECONCILE_FINDINGS_MAX 200              /* told one by one in a report; all are counted */
#define RECONCILE_REPORTS_KEPT 30          /* of one peer: the last ones that found something */
#define RECONCILE_ANSWERS_A_MINUTE 1200    /* to one peer */
#define RECONCILE_ASK_MS 30000             /* for one answer */
#define RECONCILE_AGAIN_MS 1000            /* when a peer, or our own scribe, is not ready */
#define RECONCILE_WAIT_MS 120000           /* in all, then the run with this peer ends */
#define RECONCILE_PEER_MS 1800000          /* for a whole run with one peer */
#define RECONCILE_QUEUE 64                 /* questions of peers that are being answered */
#define SET_SPILL_SPARE_BYTES (1ull << 30) /* of the disk, beside what an hour is sorted in */
#define SET_SORT_MAX 131072                /* hashes in memory at once, 34 bytes each */
#define LATE_QUEUE_LEAVES 4096             /* verified, and not yet in the log */
#define LATE_QUEUE_BYTES (8u << 20)
#define LATE_QUEUE_LEAVES_A_PEER 1024
#define LATE_SEEN_MAX 200000 /* leaves appended while the log is watched */
#define LATE_WATCH_MS 300000
#define LATE_HOURS_COUNTED 4096      /* in that time */
#define LATE_A_DAY_DEFAULT 100000    /* of one peer: five runs of RECONCILE_DIFFERENCES_MAX */
#define LATE_AN_HOUR_DEFAULT 1000000 /* of one peer, dated in one hour: 72 MB of its set */
#define LATE_FREE_MIB_DEFAULT 2048
#define LATE_LOOK_MS 200
#define LATE_ANSWER_MS 20000 /* then who brought a leaf is told to bring it again; < ask */

// an auditor
#define VERIFY_THREADS_MAX 64

// directory
#define DIRECTORY_ENTRIES_MAX 2000000
#define DIRECTORY_SNAPSHOT_BYTES_MAX (64 << 20)
#define DIRECTORY_SNAPSHOTS_MAX 256    /* in one folder, when they are compared */
#define DIRECTORY_PROVE_ACTS 128       /* folded at once when a snapshot is compared, on one core */
#define DIRECTORY_PROVE_STEPS 4        /* so many times a second at a node */
#define DIRECTORY_PROVE_SAY_MS 3600000 /* it cannot be compared yet: said again */
#define DIRECTORY_POLL_MS 1000
#define DIRECTORY_ADDRESSES_MAX 8
#define DIRECTORY_CERTIFICATES_MAX 8
#define DIRECTORY_CHECK_LEAST 256     /* so many new acts at once are checked with all cores, */
#define DIRECTORY_CHECK_THREADS_MAX 8 /* but not more */
#define DIRECTORY_UNFOLDED_MAX 1024   /* certificates of peers that are kept parsed, 10 KB each */
#define DIRECTORY_WITNESSES_MAX 16    /* of one log */
#define DIRECTORY_STAMPERS_MAX 8
#define DIRECTORY_BOTH_KEYS \
    64 /* so many entries behind a change of keys heads are signed by both */
#define DIRECTORY_STAMPER_ORDER_MAX 1000
#define DIRECTORY_AUTHORITIES_MAX 32    /* outside ones, in force at once */
#define DIRECTORY_PROOF_BYTES_MAX 32768 /* of a revocation by an outside authority */
#define DIRECTORY_APPROVALS_MAX 8       /* of one act */
#define DIRECTORY_OPERATORS_MAX 1000
#define DIRECTORY_GROUPS_OF_ONE_MAX 32   /* groups that name one member or subsystem */
#define DIRECTORY_GROUP_MEMBERS_MAX 1000 /* of one group; a class has no bound */
#define DIRECTORY_LEGAL_BASES_MAX 16     /* of one purpose */
#define DIRECTORY_TOPICS_MAX 16          /* of one legal basis */
#define DIRECTORY_GRANT_PURPOSES_MAX 32  /* of one grant */
#define SERVICE_RATE_MAX 100000          /* requests a second */
#define SERVICE_BURST_MAX 1000000
#define GRANT_VOLUME_MAX 1000000000      /* answers a day */
#define FAIR_MEMBERS_MAX 256             /* who share the rate of one service, remembered at once */
#define FAIR_ACTIVE_US INT64_C(10000000) /* who asked within it has a share */
#define QUOTA_SERVICES_MAX 4096          /* whose rates are kept at once */
#define QUOTA_COUNTS_MAX 100000          /* grants by members, in one day */
#define DIRECTORY_ENDPOINTS_MAX 32       /* of one service */
#define DIRECTORY_COLUMNS_MAX 48         /* of one service; those withheld stand in a header */
#define COLUMN_NAME_BYTES_MAX 48
#define ENDPOINT_ID_BYTES_MAX 64      /* it travels in headers and rules */
#define ENDPOINT_PATH_BYTES_MAX 4096  /* raw, of a request to a service that has endpoints */
#define GLOB_BYTES_MAX 127            /* a pattern of paths */
#define ACCESS_ANSWER_DAYS_DEFAULT 10 /* working days for a provider */
#define ACCESS_DECIDE_DAYS_DEFAULT 15 /* ... and for the arbiter */
#define ACCESS_DAYS_MAX 60
#define ACCESS_SILENCE_MS (366 * INT64_C(86400000)) /* how long silence opens */
#define ACCESS_REQUESTS_OPEN_MAX 4     /* of one consumer about one service, waiting at once */
#define ACCESS_REQUESTS_OF_ONE_MAX 256 /* of one consumer about one service, in the register */
#define ACCESS_REQUESTS_OF_MEMBER_MAX 2000
#define ACCESS_DECISIONS_OF_ONE_MAX 1000 /* about one service and class of consumers */
#define CALENDAR_YEARS_MAX 20
#define CALENDAR_HOLIDAYS_MAX 1000
#define BREAK_GLASS_MS_MAX (72 * INT64_C(3600000))
#define BREAK_GLASS_OF_ONE_MAX 256 /* of one consumer and service, in the register */
#define BREAK_GLASS_REVIEW_MS (7 * INT64_C(86400000)) /* from its end to its review */
#define NOTICE_NEWS_MS (30 * INT64_C(86400000)) /* a node that slept still says that it ended */
#define NOTICE_LOOK_MS 1000                     /* is there anything new? */
#define NOTICE_AGAIN_MS 60000                   /* when a record could not be kept */
#define NOTICE_FIRST_MS 2000                    /* after a start */
#define REMINDERS_LOOK_MS 60000                 /* of the registry */
#define RIGHTS_REMINDED_MS (800 * INT64_C(86400000))
#define NOTICES_BYTES_MAX (4u << 20)                     /* of those that the registry has said */
#define DIRECTORY_INTENT_MS_MAX (30 * INT64_C(86400000)) /* from a proposal to its act */
#define DIRECTORY_INTENT_AHEAD_MS 300000                 /* clocks of those who propose */
#define DIRECTORY_INTENTS_LOOK 4096 /* so many remembered ones, and old ones are forgotten */

// once only (docs/decisions/0037)
#define REGISTER_FILE_BYTES_MAX (4u << 20)
#define PROCEDURE_REQUIREMENTS_MAX 32
#define PROCEDURE_TERRITORIES_MAX 64
#define SATISFACTION_LISTS_MAX 16 /* alternatives */
#define SATISFACTION_TYPES_MAX 16 /* of one list */
#define EVIDENCE_VERSIONS_MAX 8
#define EVIDENCE_DAYS_MAX 36500
#define SOURCE_SELECTORS_MAX 8
#define SOURCES_ALIKE_MAX 32                       /* of one sort of evidence in one territory */
#define SOURCES_OF_SERVICE_MAX 256                 /* that one service is */
#define ONCE_ONLY_GAP_MS (365 * INT64_C(86400000)) /* who asks again within it asked all along */
#define PLAN_LEAVES_MAX 512         /* of one plan: not fewer than one requirement may have */
#define PLAN_PATH_BYTES_MAX 2048    /* of a request, filled in */
#define PLAN_CHOICES_BYTES_MAX 1024 /* among which one is to be chosen, as one text */
#define PERMIT_CODE_BYTES 10        /* characters */
#define PERMITS_HELD_MAX 200000     /* in force at once; then no more are given */
#define PERMIT_NO_SOURCE_MS (30 * INT64_C(86400000))   /* at most: the source may come sooner */
#define PERMIT_UNREGISTERED_MS (7 * INT64_C(86400000)) /* nobody has said whether there is one */
#define PERMIT_SOURCE_DOWN_MS (4 * INT64_C(3600000))
#define PERMIT_OTHER_MS (7 * INT64_C(86400000))
#define OUTAGE_WINDOW_MS 900000 /* as old may the newest failure be that bears a permit out */
#define OUTAGE_ATTEMPTS 2       /* ... and so many there must be without an answer between */
#define OUTAGE_SPACING_MS 30000 /* ... each so long after the one before: else they are one */
#define OUTAGE_PATIENCE_MS 5000 /* who waited less long has not seen a source fail */
#define OUTAGES_MAX 4096        /* sources that fail at once */
#define OUTCOMES_HELD_MAX 4096  /* answers in cases, for permits that lean on them */
#define ONCE_ONLY_ASKS_MAX 64   /* callers of a gateway who wait for a plan, evidence or a permit */
#define PERMIT_LOOKS_MAX 16     /* of them, strangers who look at permits */
#define ONCE_ONLY_WAIT_MS 10000 /* for a plan or a permit */
#define ONCE_ONLY_BODY_BYTES_MAX 65536 /* of a question */
#define COLLECT_AT_ONCE 8              /* exchanges of one collection under way */
#define COLLECT_BYTES_MAX (8u << 20)   /* of all evidence of one collection */
#define COLLECT_GRACE_MS 2000          /* the security server's own deadline comes first */
#define ONCE_ONLY_COUNTED_MAX 1024     /* procedures that metrics tell one by one */
#define PLAN_ANSWERS_MAX 64            /* selectors that a question brings along */

// following the directory (docs/decisions/0025)
#define ANCHOR_BYTES_MAX 65536
#define ANCHOR_CERTIFICATES_MAX 8
#define ANCHOR_ADDRESSES_MAX 8
#define ANCHOR_PUSHES_MAX 4
#define ANCHOR_URL_BYTES_MAX 512 /* with its closing NUL */
#define ANCHOR_DAYS_DEFAULT 90
#define ANCHOR_DAYS_MAX 3650
#define DIRECTORY_FOLLOW_MS_DEFAULT 60000
#define DIRECTORY_STALE_MS_DEFAULT 86400000
#define DIRECTORY_STALE_MS_MAX (30 * INT64_C(86400000))
#define DIRECTORY_BAD_MS 60000    /* a head that was refused is not tried again for so long */
#define DIRECTORY_WARN_MS 600000  /* without a fresh word: a warning, again after as long */
#define DIRECTORY_AHEAD_MS 300000 /* a word from further in the future: one clock is wrong */
#define DIRECTORY_FRESH_MS 300000 /* an address whose word is older is not content enough */
#define FOLLOW_ASK_MS 10000       /* for a small file of an address */
#define FOLLOW_BUNDLE_MS 600000   /* for a bundle of acts, on the poorest line */
#define FOLLOW_BUNDLE_TRIES_MAX 3 /* again, when a connection broke */
#define FOLLOW_STILL_MS 30000     /* nothing came for so long: it is given up */
#define FOLLOW_CONNECT_MS 5000
#define FOLLOW_AT_ONCE 8              /* bundles that are asked for at once */
#define FOLLOW_OLDER_MS 1000          /* between two bundles that are filled in later, at least; */
#define FOLLOW_OLDER_SHARE 3          /* and so many times as long as the last one took */
#define FOLLOW_BYTES_MAX (256u << 20) /* of acts that are fetched in one round */
#define FOLLOW_BACKOFF_MS_MAX 300000  /* between rounds while all addresses fail */
#define FOLLOW_FIRST_MS 1000          /* between rounds while nothing is known yet; then doubling */
#define FOLLOW_SAY_MS 600000          /* a standing fault of an address is said again */
#define FOLLOW_REMIND_MS 60000        /* an address that shows less is told what is held */
#define FOLLOW_PUSH_JITTER_MS 2000 /* a push that does not fit sends everybody to the authority */
#define FOLLOW_POST_TRIES_MAX 5    /* to hand over one cosignature */
#define PUSH_BYTES_MAX (80u << 10) /* a frame: acts of at most 64 KiB, and what frames them */
#define PUSH_LEAVES_MAX 4096
#define PUSH_QUEUE_MESSAGES 64
#define DIRECTORY_ASKS_A_MINUTE 60 /* a peer's questions for acts */
#define DIRECTORY_ASK_MS 10000     /* for one answer */
#define DIRECTORY_PEER_ROUNDS 3    /* rounds of polling without a word, and peers are asked */
#define DIRECTORY_HEARD_BYTES_MAX (64u << 20) /* of acts from one peer */

// the registry's server
#define REGISTRY_CONNECTIONS_MAX 256
#define REGISTRY_CONNECTION_BYTES_MAX 16384 /* head of a request, and what answers it */
#define REGISTRY_REQUEST_WAIT_MS 10000      /* a whole request must be there; also between two */
#define REGISTRY_HEAD_WAIT_MS 5000          /* TLS handshake and head of a connection's first one */
#define REGISTRY_ANSWER_WAIT_MS 600000      /* a whole answer must be taken, however slowly */
#define REGISTRY_BODY_DROPPED_MAX 1048576   /* read past to the end, so that a refusal arrives */
#define REGISTRY_STAMP_WAIT_MS 5000
#define REGISTRY_AUTHORITY_WAIT_MS 30000 /* carrying out acts, with every flush */
#define PACKED_FILE_BYTES_MIN 1024       /* smaller files of the directory are sent as they are */
#define PACKED_FILE_BYTES_MAX (64u << 20)
#define PACKED_BYTES_MAX (64u << 20) /* of what is kept packed: 400,000 acts and a snapshot */
#define REGISTRY_BEAT_MS 60000       /* a heartbeat of the directory */
#define REGISTRY_HELD_S_DEFAULT 300  /* who follows has that time to show the acts of a head */
#define REGISTRY_ENDING_LOOK_MS 86400000
#define REGISTRY_HELD_S_MIN 10
#define REGISTRY_AUTHORITY_ENDS_MS (365 * INT64_C(86400000)) /* authority.pem: warned of ahead */
#define REGISTRY_HELD_S_MAX 86400
#define REGISTRY_AHEAD_ACTS_MAX 65536 /* a shown act of a later place than that proves nothing */
#define REGISTRY_QUIET_MS 120000 /* who follows tells in that time that a store is an old copy */
#define REGISTRY_DATAGRAM_BYTES_MAX 196608   /* face <-> authority; fits a socket's room */
#define REGISTRY_GROUP_ACTS_MAX 64           /* carried out together, all or none */
#define REGISTRY_GROUP_BYTES_MAX (96u << 10) /* they together; signed they are larger */
#define REGISTRY_ACT_BYTES_MAX (64u << 10)   /* of one draft */
#define REGISTRY_BODY_BYTES_MAX (256u << 10) /* of a request to either face */
#define REGISTRY_CONNECTIONS_ADMIN_MAX 32
#define REGISTRY_CONNECTIONS_A_SOURCE 64      /* of one address, or of one /64 */
#define REGISTRY_CONNECTIONS_ADMIN_A_SOURCE 8 /* likewise, for operators */
#define REGISTRY_ENROLMENT_BYTES_MAX 65536    /* of one request */
#define REGISTRY_WAITING_MAX 8192             /* proposals; requests likewise */
#define REGISTRY_WAITING_A_SOURCE_MAX 64      /* requests of one address, or of one /64 */
#define REGISTRY_WAITING_MS (30 * INT64_C(86400000))
#define REGISTRY_FORGET_LOOK_MS 3600000
#define REGISTRY_REASON_BYTES_MAX 512
#define RIGHTS_PAGE_MAX 1000 /* restrictions, grants, requests, emergencies in one answer */
#define ENROLMENT_SUBSYSTEMS_MAX 16
#define ENROLMENT_VOUCHERS_MAX 4 /* servers that stand behind one request */
#define REACH_CONNECT_MS 3000    /* calling an agency back: one address */
#define REACH_HANDSHAKE_MS 4000
#define REACH_TRIES_MAX 2    /* addresses of each family */
#define REACH_CALL_MS 60000  /* all of a request, with names that nobody resolves */
#define REACH_LOOK_MS 5000   /* who is to be called */
#define REACH_AGAIN_MS 10000 /* when the agency asks again */
#define REACH_PAUSE_MS 60000 /* when it does not, doubled each time */
#define REACH_DOUBLINGS 6
#define REACH_PAUSE_MS_MAX 3600000
#define ENROLMENT_CHAIN_MAX 4

// an agency's side of enrolment, and what it asks of the authority
#define PROGRAM_VERSION "0.4" /* told to operators */
#define WEB_CONNECT_MS 10000
#define WEB_WAIT_MS 60000
#define WEB_LARGE_BYTES \
    (1u << 20) /* of an answer that may be larger, only standing still ends it: */
#define WEB_LARGE_WAIT_MS 1800000 /* or half an hour */
#define WEB_STILL_MS 30000
#define ENROL_ANSWER_BYTES_MAX 65536
#define ENROL_LOOK_MS 5000 /* `--wait`: between questions */
#define ENROL_LOOK_MS_MAX 60000
#define ENROL_DISK_BYTES_LEAST (UINT64_C(1) << 30) /* free, for the log of the first weeks */
#define ENROL_FSYNC_TIMES 8
#define ENROL_FSYNC_SLOW_MS 50 /* each record waits for one: said, not refused */
#define NODE_ENROLMENT_LOOK_MS 1000
#define NODE_ENROLMENT_SAY_MS 3600000 /* that it still waits */
#define MEMBER_ACT_BYTES_MAX 65536
#define RENEW_BEFORE_S_DEFAULT (30 * 86400)
#define RENEW_BEFORE_S_MAX (3650 * 86400)
#define RENEW_SETTLE_S_DEFAULT 600 /* in which every peer has polled several times */
#define RENEWAL_LOOK_MS 1000
#define RENEWAL_AGAIN_MS 3600000    /* what the authority did not take is sent again */
#define RENEWAL_ACT_AGAIN_MS 180000 /* an act that was not taken: longer than it is handed over */
#define RENEWAL_TAKE_AGAIN_MS 30000 /* a token that did not take over is asked again */
#define RENEWAL_ANSWER_BYTES_MAX 32768 /* a certificate in base64 */
#define RENEWAL_ACT_BYTES_MAX 32768    /* with what else a datagram to the keys process may hold */
#define REGISTRY_MEMBER_ACTS_A_MINUTE 60
#define REGISTRY_PUSH_BYTES_MAX 65536
#define REGISTRY_PUSH_QUEUE 64

// metadata
#define OFFER_SERVICES_MAX 20000 /* of one subsystem, in a list */
#define OFFER_PARTS_MAX 20000    /* endpoints or columns of them, that are told with it */
#define CLIENTS_PAGE_MAX 512     /* members and subsystems in one message */
#define CLIENTS_PAGE_BYTES_MAX (128u << 10)
#define CLIENTS_MAX 200000                 /* in a whole list */
#define CLIENTS_BODY_BYTES_MAX (64u << 20) /* ... in each of its two forms */
#define CLIENTS_ASKS_MAX 256               /* callers who wait for it at once */
#define CLIENTS_WAIT_MS 10000
#define CAN_I_ASKS_MAX 256         /* callers who wait for such an answer at once */
#define CLIENTS_TRIES_MAX 5        /* when the directory changes under the pages */
#define SOAP_BYTES_MAX (256 << 10) /* of a message */
#define SOAP_DEPTH_MAX 32
#define SOAP_ELEMENTS_MAX 4096
#define SOAP_TEXT_BYTES_MAX 1024    /* of a field of its header */
#define OPENAPI_BYTES_MAX (4 << 20) /* of a description */
#define OPENAPI_DEPTH_MAX 256
#define OPENAPI_ENDPOINTS_MAX 10000
#define OPENAPI_PATH_BYTES_MAX 2048
#define DESCRIPTION_WAIT_MS 20000  /* for a description that is fetched when nobody asks */
#define DESCRIPTION_RETRY_MS 60000 /* and for the next try when it could not be */

// what outside authorities say of certificates
#define STATUS_CONNECT_WAIT_MS 3000
#define STATUS_FETCH_WAIT_MS 10000 /* a whole answer */
#define STATUS_ROUND_MS 1800000    /* all certificates together */
#define STATUS_FAILURES_MAX 3      /* in a row, then a responder is left alone for this round */
#define STATUS_INDEX_BYTES_MAX (4u << 20)
#define STATUS_COPIES_A_TURN 16 /* files that a node takes over, twice a second */
#define STATUS_EVERY_S_DEFAULT 3600
#define STATUS_EVERY_S_MAX 86400
#define STATUS_FIRST_MS 10000   /* after a start: one that starts again and again asks nobody */
#define STATUS_LOOK_MS 500      /* `statuses --at`: between looks */
#define STATUS_HOURS_DEFAULT 24 /* an older status is told of */
#define CERTIFICATE_ENDS_SOON_MS (30 * INT64_C(86400000))

// tables
#define TABLE_BYTES_MAX (256u << 20)
#define TABLE_COLUMNS_MAX 256
#define TABLE_COVER_FIELD_BYTES_MAX 4096 /* of Chaski-Withheld, about */
#define TABLE_ROWS_MAX 2000000
#define TABLE_PAGE_DEFAULT 100
#define TABLE_PAGE_MAX 1000

#endif
