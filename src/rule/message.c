/* Messages: where, what, the line, a caret. */
#include "rule/message.h"

#include <stdio.h>
#include <string.h>

enum {
    EXCERPT_COLUMNS = 100, /* of a line that is shown */
    EXCERPT_BEFORE = 70    /* at most so many columns before the caret */
};

void messages_deinit(struct messages *messages)
{
    buffer_deinit(&messages->errors);
    buffer_deinit(&messages->warnings);
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The part of the line around the place that fits, without anything a terminal would act on, and
 * under it the caret. */
static void add_excerpt(struct buffer *out, const struct messages *messages, struct place place,
                        const char *hint)
{
    const char *end = messages->source.at + messages->source.length;
    const char *line = place.text.at, *at;
    int before = 0, column = 0, carets = 0;
    bool cut;

    while (line > messages->source.at && line[-1] != '\n' && before < EXCERPT_BEFORE)
        before += !is_continuation(*--line);
    cut = line > messages->source.at && line[-1] != '\n';
    if (place.text.at - line >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3; /* a byte order mark is not shown */
        before--;
    }

    buffer_addf(out, "%5d | %s", place.line, cut ? "…" : "");
    for (at = line; at < end && *at != '\n' && column < EXCERPT_COLUMNS; at++) {
        bool control = (unsigned char)*at < ' ' || *at == 0x7f;

        if (!(*at == '\r' && (at + 1 == end || at[1] == '\n')))
            buffer_add_char(out, *at == '\t' ? ' ' : control ? '?' : *at);
        column += !is_continuation(*at);
        if (at >= place.text.at && at < place.text.at + place.text.length)
            carets += !is_continuation(*at);
    }
    while (at < end && is_continuation(*at)) /* the rest of the last character */
        buffer_add_char(out, *at++);
    buffer_addf(out, "%s\n      | %*s", at < end && *at != '\n' ? "…" : "", before + cut, "");
    for (int i = 0; i < MAX(carets, 1); i++)
        buffer_add_char(out, '^');
    buffer_addf(out, "%s%s\n", hint && *hint ? " " : "", hint ? hint : "");
}

static void add_message(struct buffer *out, const struct messages *messages, struct place place,
                        const char *kind, const char *hint, const char *sentence)
{
    buffer_addf(out, "%s:%d:%d: %s: %s\n", messages->file, place.line, place.column, kind,
                sentence);
    add_excerpt(out, messages, place, hint);
}

void message_error(struct messages *messages, struct place place, const char *hint,
                   const char *format, ...)
{
    char sentence[1024];
    va_list args;

    if (messages->error_count == RULE_ERRORS_MAX)
        return;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    add_message(&messages->errors, messages, place, "error", hint, sentence);
    messages->ends[messages->error_count++] = messages->errors.length;
}

static void add_remark(struct messages *messages, struct place place, const char *kind,
                       const char *format, va_list args)
{
    char sentence[1024];

    if (messages->warning_count == RULE_ERRORS_MAX)
        return;
    vsnprintf(sentence, sizeof sentence, format, args);
    add_message(&messages->warnings, messages, place, kind, NULL, sentence);
    messages->warning_count++;
}

void message_warning(struct messages *messages, struct place place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_remark(messages, place, "warning", format, args);
    va_end(args);
}

void message_note(struct messages *messages, struct place place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_remark(messages, place, "note", format, args);
    va_end(args);
}

enum status messages_fail(struct messages *messages, struct error *err)
{
    enum { REST_BYTES = 320 }; /* for the last line */
    int shown = 0;
    size_t length;

    if (messages->errors.failed)
        return fail(err, STATUS_MEMORY, "%s: no memory for its messages", messages->file);
    while (shown < messages->error_count && messages->ends[shown] < ERROR_TEXT_BYTES - REST_BYTES)
        shown++;
    length = shown > 0 ? messages->ends[shown - 1] - 1 : 0; /* without the last line's end */
    err->status = STATUS_RULE;
    memcpy(err->text, messages->errors.at, length);
    err->text[length] = '\0';
    if (shown == RULE_ERRORS_MAX)
        snprintf(err->text + length, ERROR_TEXT_BYTES - length,
                 "\n%s: the errors after these %d are not shown", messages->file, shown);
    else if (shown < messages->error_count)
        snprintf(err->text + length, ERROR_TEXT_BYTES - length, "\n%s: %d more errors",
                 messages->file, messages->error_count - shown);
    return STATUS_RULE;
}
