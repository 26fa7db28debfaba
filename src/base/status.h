/* A failure that can happen is a status; a bug is an ASSERT, which ends the process.
 *
 * A function that can fail returns `enum status` and fills `struct error`, whose text is the
 * sentence that a user reads: what, where, what was expected, what to do.  On STATUS_OK the error
 * is untouched. */
#ifndef HARRIER_BASE_STATUS_H
#define HARRIER_BASE_STATUS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum status {
#define STATUS(name, text, exit_code, http_code) STATUS_##name,
#include "base/status.def"
#undef STATUS
    STATUS_COUNT
};

enum { ERROR_TEXT_BYTES = 4096 };

struct error {
    enum status status;
    char text[ERROR_TEXT_BYTES];
};

const char *status_text(enum status status);
int status_exit_code(enum status status);
int status_http_code(enum status status);

/* Fills the sentence (cut at ERROR_TEXT_BYTES) and returns `status`: `return fail(err, …);`. */
enum status fail(struct error *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* The same with ": reason of errno" behind the sentence; chooses the status from errno (no space is
 * STATUS_FULL, not there STATUS_MISSING, not permitted STATUS_REFUSED, otherwise STATUS_SYSTEM). */
enum status fail_errno(struct error *err, int error_number, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* The analyzer reads one file at a time and would think that a failure may be STATUS_OK. */
#ifdef __clang_analyzer__
#define fail(...) (fail(__VA_ARGS__), STATUS_BUG)
#define fail_errno(...) (fail_errno(__VA_ARGS__), STATUS_SYSTEM)
#endif

/* Puts words in front of the sentence of an error that is passed upwards. */
void error_prefix(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

/* Returns a failure upwards.  Only where the function holds nothing that it must release. */
#define TRY(call)                         \
    do {                                  \
        enum status try_status_ = (call); \
        if (try_status_ != STATUS_OK)     \
            return try_status_;           \
    } while (0)

_Noreturn void assert_failed(const char *condition, const char *file, int line);
#define ASSERT(condition) ((condition) ? (void)0 : assert_failed(#condition, __FILE__, __LINE__))

#endif
