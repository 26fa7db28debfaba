/* message: the errors and warnings of one compile, in the shape that a reader of compilers knows:
 *
 *     mine.rule:3:21: error: unknown indicator `rsl`; did you mean `rsi`?
 *         3 | buy when crossunder(rsl(close, 14), 30)
 *           |                     ^^^ rsi(real, timeperiod = 14): relative strength index
 */
#ifndef HARRIER_RULE_MESSAGE_H
#define HARRIER_RULE_MESSAGE_H

#include "rule/lexer.h"
#include "rule/rule.h"

struct messages {
    const char *file;
    struct text source;
    struct buffer errors, warnings;
    size_t ends[RULE_ERRORS_MAX]; /* of each error's text */
    int error_count, warning_count;
};

void messages_deinit(struct messages *messages);

/* The hint stands behind the caret; NULL: none.  Errors beyond RULE_ERRORS_MAX are dropped. */
void message_error(struct messages *messages, struct place place, const char *hint,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
void message_warning(struct messages *messages, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void message_note(struct messages *messages, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* All errors that fit into err->text, whole ones; the last line says how many are left out. */
enum status messages_fail(struct messages *messages, struct error *err);

#endif
