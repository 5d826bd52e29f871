// SPDX-License-Identifier: MIT
/*
 * unit - how a unit test file enters its folder's test program.
 *
 *   static void test_a_sentence(void) { CU_ASSERT(...); }
 *   SUITE(stem, TEST(test_a_sentence), ...)
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <CUnit/CUnit.h>
#include "lib/base/fault.h"

struct unit_test {
    const char *name;
    CU_TestFunc run;
};

void unit_register(const char *suite, const struct unit_test *tests, size_t count);

#define TEST(function)      \
    {                       \
#function, function \
    }
#define SUITE(stem, ...)                                                                     \
    static const struct unit_test stem##_tests_[] = {__VA_ARGS__};                           \
    __attribute__((constructor)) static void stem##_register_(void)                          \
    {                                                                                        \
        unit_register(#stem, stem##_tests_, sizeof stem##_tests_ / sizeof stem##_tests_[0]); \
    }

/* The call must succeed; the test stops here when it does not. */
#define MUST(call)                                                                                 \
    do {                                                                                           \
        fault must_fault_ = (call);                                                                \
        if (failed(must_fault_))                                                                   \
            fprintf(stderr, "  %s:%d: %s: %s\n", __FILE__, __LINE__, fault_name(must_fault_.code), \
                    fault_detail());                                                               \
        CU_ASSERT_FATAL(!failed(must_fault_));                                                     \
    } while (0)

/* The call must fail with exactly this fault. */
#define MUST_FAIL(fault_code_, call) CU_ASSERT_EQUAL((call).code, (fault_code_))

/* A fresh folder below build/, removed at the end of the program. */
const char *unit_folder(void);

#endif
