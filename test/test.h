/* Tests register themselves, and a test's name is a sentence:
 *
 *     TEST(a_segment_shorter_than_its_header_is_corrupt)
 *     {
 *         CHECK_STATUS(segment_open(&seg, "short.seg", &err), STATUS_CORRUPT);
 *     }
 *
 * A test file includes the .c it tests, so statics need no export.  Runs on cmocka; each file links
 * test_main.c.  `PROGRAM WORDS` runs only the tests whose names contain WORDS. */
#ifndef HARRIER_TEST_H
#define HARRIER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* base/status.h has a function of that name; tests use CHECK and FAIL */

#include "base/base.h"

struct test_entry {
    const char *name;
    void (*run)(void **state);
    struct test_entry *next;
};
void test_register(struct test_entry *entry);

#define TEST(sentence)                                                                            \
    static void test_##sentence(void **state);                                                    \
    static struct test_entry test_entry_##sentence = {.name = #sentence, .run = test_##sentence}; \
    __attribute__((constructor)) static void test_register_##sentence(void)                       \
    {                                                                                             \
        test_register(&test_entry_##sentence);                                                    \
    }                                                                                             \
    static void test_##sentence(void **state __attribute__((unused)))

#define CHECK(condition) assert_true(condition)
#define CHECK_INT(actual, expected) assert_int_equal((actual), (expected))
#define CHECK_TEXT(actual, expected) assert_string_equal((actual), (expected))
#define CHECK_STATUS(call, expected) \
    test_check_status((call), (expected), #call, __FILE__, __LINE__)
#define CHECK_OK(call) CHECK_STATUS(call, STATUS_OK)
#define CHECK_CONTAINS(text, part) test_check_contains((text), (part), __FILE__, __LINE__)
#define CHECK_NEAR(actual, expected, relative) \
    test_check_near((actual), (expected), (relative), #actual, __FILE__, __LINE__)
#define CHECK_SAME_BITS(a, b, count) test_check_bits((a), (b), (count), #a, __FILE__, __LINE__)
#define FAIL(...)                  \
    do {                           \
        print_error(__VA_ARGS__);  \
        print_error("\n");         \
        _fail(__FILE__, __LINE__); \
    } while (0)
#define SKIP(reason)                              \
    do {                                          \
        print_message("skipped: %s\n", (reason)); \
        skip();                                   \
    } while (0)

/* Under a sanitizer memory and time are not the program's own, and everything takes thirty times as
 * long: what only counts up is cut there, for the release build has counted it. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

void test_check_status(enum status actual, enum status expected, const char *call, const char *file,
                       int line);
void test_check_contains(const char *text, const char *part, const char *file, int line);

/* Equal NaNs and infinities, or |a - b| <= relative * max(1e-300, |a|, |b|). */
void test_check_near(double actual, double expected, double relative, const char *what,
                     const char *file, int line);

/* Doubles with the same bits; every NaN equals every other. */
void test_check_bits(const double *a, const double *b, size_t count, const char *what,
                     const char *file, int line);

/* A fresh directory of this test program, removed at its end. */
const char *test_directory(void);

#endif
