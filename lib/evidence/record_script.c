// SPDX-License-Identifier: MIT
#include "lib/evidence/record_script.h"

/* The assembler takes the file in as it is; the Makefile knows that this object is made of it. */
extern const uint8_t record_script_bytes[];
extern const uint64_t record_script_size;
__asm__(".pushsection .rodata\n"
        ".global record_script_bytes\n"
        "record_script_bytes:\n"
        ".incbin \"lib/evidence/record_verify.sh\"\n"
        "1:\n"
        ".balign 8\n"
        ".global record_script_size\n"
        "record_script_size:\n"
        ".quad 1b - record_script_bytes\n"
        ".popsection\n");

struct span record_script(void)
{
    return span_of(record_script_bytes, (size_t)record_script_size);
}
