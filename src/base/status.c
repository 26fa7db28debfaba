/* Status codes and the sentences of errors. */
#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    int exit_code, http_code;
} rows[STATUS_COUNT] = {
#define STATUS(name, text, exit_code, http_code) {text, exit_code, http_code},
#include "base/status.def"
#undef STATUS
};

const char *status_text(enum status status)
{
    return rows[status].text;
}

int status_exit_code(enum status status)
{
    return rows[status].exit_code;
}

int status_http_code(enum status status)
{
    return rows[status].http_code;
}

/* In parentheses, so that the macro for the analyzer (status.h) leaves it alone; so below. */
enum status(fail)(struct error *err, enum status status, const char *format, ...)
{
    va_list args;

    err->status = status;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return status;
}

static enum status status_of_errno(int error_number)
{
    switch (error_number) {
    case ENOENT:
    case ENOTDIR:
        return STATUS_MISSING;
    case EACCES:
    case EPERM:
    case EROFS:
        return STATUS_REFUSED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STATUS_FULL;
    case ENOMEM:
        return STATUS_MEMORY;
    default:
        return STATUS_SYSTEM;
    }
}

enum status(fail_errno)(struct error *err, int error_number, const char *format, ...)
{
    va_list args;
    size_t length;

    err->status = status_of_errno(error_number);
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    length = strlen(err->text);
    snprintf(err->text + length, sizeof err->text - length, ": %s", strerror(error_number));
    return err->status;
}

void error_prefix(struct error *err, const char *format, ...)
{
    char prefix[ERROR_TEXT_BYTES];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    if (length <= 0)
        return;
    if ((size_t)length >= sizeof err->text)
        length = (int)sizeof err->text - 1;
    memmove(err->text + length, err->text, sizeof err->text - (size_t)length);
    memcpy(err->text, prefix, (size_t)length);
    err->text[sizeof err->text - 1] = '\0';
}

void assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "harrier: bug: %s:%d: expected %s\n", file, line, condition);
    abort();
}
