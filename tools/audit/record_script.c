// SPDX-License-Identifier: MIT
#include "tools/audit/record_script.h"

/* The assembler takes the file in as it is; the Makefile knows that this object is made of it. */
extern const uint8_t record_script_begin[], record_script_end[];
__asm__(".pushsection .rodata\n"
        ".global record_script_begin\n"
        "record_script_begin:\n"
        ".incbin \"tools/audit/record_verify.sh\"\n"
        ".global record_script_end\n"
        "record_script_end:\n"
        ".popsection\n");

struct span record_script(void)
{
    return span_of(record_script_begin, (size_t)(record_script_end - record_script_begin));
}
