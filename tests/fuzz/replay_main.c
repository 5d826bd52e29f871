// SPDX-License-Identifier: MIT
/* Runs a fuzz target over files, without a fuzzer: what once broke something must stay mended. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_BYTES_MAX (1u << 20)

int main(int argc, char **argv)
{
    static uint8_t input[INPUT_BYTES_MAX];
    int passed = 0;
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rbe");
        if (file == NULL) {
            fprintf(stderr, "%s cannot be read\n", argv[i]);
            return 1;
        }
        size_t size = fread(input, 1, sizeof input, file);
        fclose(file);
        fprintf(stderr, "%s\n", argv[i]); /* the last one named is the one that crashed */
        LLVMFuzzerTestOneInput(input, size);
        passed++;
    }
    printf("replay: %d passed, 0 failed\n", passed);
    return passed > 0 ? 0 : 1;
}
