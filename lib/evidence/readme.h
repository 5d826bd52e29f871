// SPDX-License-Identifier: MIT
/*
 * readme - README.txt of an exported record: who said what to whom and when, what each file proves,
 * and what is not proved. For people; every word of a log in it is made harmless first.
 */
#ifndef EVIDENCE_README_H
#define EVIDENCE_README_H

#include "lib/evidence/record.h"

struct readme_facts {
    enum payload_state payload;
    bool payload_damaged;
    bool policy;               /* there is that file */
    bool stamped, later;       /* ... and such ones */
    const struct cover *cover; /* or NULL */
    const struct directory_signer *signer;
};

fault readme_write(const struct record *record, const struct record_source *from,
                   const struct readme_facts *facts, struct bytes **out);

#endif
