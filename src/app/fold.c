/* Breaks lines for a terminal, which itself breaks them inside a word. */
#include <string.h>

#include "app/app.h"

static bool begins_with(struct text line, size_t at, const char *words)
{
    return line.length - at >= strlen(words) && !memcmp(line.at + at, words, strlen(words));
}

static size_t behind_blanks(struct text line, size_t at)
{
    while (at < line.length && line.at[at] == ' ')
        at++;
    return at;
}

/* Where two blanks stand next; the end where they do not. */
static size_t next_gap(struct text line, size_t at)
{
    while (at < line.length && !begins_with(line, at, "  "))
        at++;
    return at;
}

/* How many bytes fill so many columns.  Colours fill none. */
static size_t bytes_in(struct text line, size_t columns)
{
    size_t at = 0;

    for (; at < line.length; at++)
        if (line.at[at] == '\033')
            while (at + 1 < line.length && line.at[at] != 'm')
                at++;
        else if (((unsigned char)line.at[at] & 0xc0) != 0x80 && columns-- == 0)
            break;
    return at;
}

/* The blanks at which a line is broken: the last that stand before `limit`, or else the first. */
static size_t break_at(struct text line, size_t limit)
{
    size_t first = behind_blanks(line, 0), at = MIN(limit, line.length);

    while (at > first && (at == line.length || line.at[at] != ' '))
        at--;
    if (at == first)
        for (at = first; at < line.length && line.at[at] != ' ';)
            at++;
    while (at > first && line.at[at - 1] == ' ')
        at--;
    return at;
}

static void add_blanks(struct buffer *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_add_char(out, ' ');
}

static void fold_line(struct buffer *out, struct text line, size_t width)
{
    size_t begin = behind_blanks(line, 0), room = width, hang, command_end = 0;

    begin += begins_with(line, begin, "next: ") ? 6 : 0;
    hang = behind_blanks(line, next_gap(line, begin)); /* under the second column, if there is */
    if (begins_with(line, begin, "harrier "))
        command_end = next_gap(line, begin);
    if (command_end || hang == line.length || hang > width / 2)
        hang = MIN(begin, width / 2);
    while (bytes_in(line, room) < line.length) {
        size_t at = break_at(line, bytes_in(line, room));

        if (at < command_end) /* with room for the sign */
            at = break_at(line, bytes_in(line, room - 2));
        if (at == line.length)
            break;
        buffer_add(out, line.at, at);
        buffer_add_text(out, at < command_end ? " \\\n" : "\n");
        add_blanks(out, hang);
        at = behind_blanks(line, at);
        command_end -= MIN(command_end, at);
        line = (struct text){line.at + at, line.length - at};
        room = width - hang;
    }
    buffer_add(out, line.at, line.length);
}

void lines_fold(struct buffer *text, int width)
{
    struct buffer folded = {.failed = text->failed};

    if (width < FOLDED_COLUMNS_MIN)
        return;
    for (size_t at = 0; at < text->length;) {
        const char *from = text->at + at, *end = memchr(from, '\n', text->length - at);
        size_t length = end ? (size_t)(end - from) : text->length - at;

        fold_line(&folded, (struct text){from, length}, (size_t)width);
        if (end)
            buffer_add_char(&folded, '\n');
        at += length + 1;
    }
    buffer_deinit(text);
    *text = folded;
}
