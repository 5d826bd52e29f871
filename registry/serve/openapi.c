// SPDX-License-Identifier: MIT
#include "registry/serve/openapi.h"

/* The assembler takes the file in as it is; the Makefile knows that this object is made of it. */
extern const uint8_t openapi_bytes[];
extern const uint64_t openapi_size;
__asm__(".pushsection .rodata\n"
        ".global openapi_bytes\n"
        "openapi_bytes:\n"
        ".incbin \"docs/registry-openapi.json\"\n"
        "1:\n"
        ".balign 8\n"
        ".global openapi_size\n"
        "openapi_size:\n"
        ".quad 1b - openapi_bytes\n"
        ".popsection\n");

struct span openapi_document(void)
{
    return span_of(openapi_bytes, (size_t)openapi_size);
}
