/* json: a strict scanner.  Recursion-free; every byte is looked at once or, at the end of a window,
 * twice. */
#include "import/json.h"

#include <string.h>

enum expect {
    EXPECT_VALUE,
    EXPECT_FIRST_VALUE,
    EXPECT_FIRST_KEY,
    EXPECT_KEY,
    EXPECT_COLON,
    EXPECT_NEXT,
    EXPECT_NOTHING
};

/* What a piece of the window is. */
enum scan { SCAN_FINE, SCAN_CUT, SCAN_BAD };

/* What a step of the walk over the text came to. */
enum walk { WALK_ON, WALK_CUT, WALK_ROW, WALK_BAD };

struct window {
    const char *at, *end;
    bool last;
};

void json_init(struct json *json)
{
    *json = (struct json){.expect = EXPECT_VALUE};
}

static enum scan cut(const struct window *window)
{
    return window->last ? SCAN_BAD : SCAN_CUT;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct window *window)
{
    while (window->at < window->end && is_space(*window->at))
        window->at++;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum scan scan_hex4(const char *at, const char *end, unsigned *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, at++) {
        if (at >= end)
            return SCAN_CUT;
        if (is_digit(*at))
            *unit = *unit * 16 + (unsigned)(*at - '0');
        else if ((*at | 32) >= 'a' && (*at | 32) <= 'f')
            *unit = *unit * 16 + (unsigned)((*at | 32) - 'a' + 10);
        else
            return SCAN_BAD;
    }
    return SCAN_FINE;
}

/* Behind the backslash.  A surrogate must have its other half. */
static enum scan scan_escape(const char **at, const char *end)
{
    static const char letters[8] = {'"', '\\', '/', 'b', 'f', 'n', 'r', 't'};
    unsigned high, low;
    enum scan scan;

    if (*at >= end)
        return SCAN_CUT;
    if (**at != 'u')
        return memchr(letters, *(*at)++, sizeof letters) ? SCAN_FINE : SCAN_BAD;
    scan = scan_hex4(*at + 1, end, &high);
    *at += scan == SCAN_FINE ? 5 : 0;
    if (scan != SCAN_FINE || high < 0xd800 || high > 0xdfff)
        return scan;
    if (high > 0xdbff)
        return SCAN_BAD;
    if (end - *at < 2)
        return SCAN_CUT;
    if ((*at)[0] != '\\' || (*at)[1] != 'u')
        return SCAN_BAD;
    scan = scan_hex4(*at + 2, end, &low);
    *at += scan == SCAN_FINE ? 6 : 0;
    return scan == SCAN_FINE && (low < 0xdc00 || low > 0xdfff) ? SCAN_BAD : scan;
}

static enum scan scan_string(struct window *window, struct text *value)
{
    const char *at = window->at + 1;

    for (;;) {
        if (at >= window->end)
            return cut(window);
        if (*at == '"')
            break;
        if ((unsigned char)*at < 0x20)
            return SCAN_BAD;
        if (*at++ == '\\') {
            enum scan scan = scan_escape(&at, window->end);

            if (scan != SCAN_FINE)
                return scan == SCAN_CUT ? cut(window) : scan;
        }
    }
    *value = (struct text){window->at + 1, (size_t)(at - window->at - 1)};
    window->at = at + 1;
    return utf8_valid(value->at, value->length) ? SCAN_FINE : SCAN_BAD;
}

static enum scan scan_digits(const char **at, const struct window *window)
{
    const char *begin = *at;

    while (*at < window->end && is_digit(**at))
        (*at)++;
    if (*at == window->end && !window->last)
        return SCAN_CUT;
    return *at > begin ? SCAN_FINE : SCAN_BAD;
}

static enum scan scan_number(struct window *window, struct text *value)
{
    const char *at = window->at, *digits;
    enum scan scan;

    at += *at == '-';
    digits = at;
    if ((scan = scan_digits(&at, window)) != SCAN_FINE)
        return scan;
    if (*digits == '0' && at - digits > 1)
        return SCAN_BAD;
    if (at < window->end && *at == '.') {
        at++;
        if ((scan = scan_digits(&at, window)) != SCAN_FINE)
            return scan;
    }
    if (at < window->end && (*at | 32) == 'e') {
        at++;
        if (at < window->end && (*at == '+' || *at == '-'))
            at++;
        if ((scan = scan_digits(&at, window)) != SCAN_FINE)
            return scan;
    }
    *value = (struct text){window->at, (size_t)(at - window->at)};
    window->at = at;
    return SCAN_FINE;
}

static enum scan scan_word(struct window *window, struct text *value)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        size_t length = strlen(words[i]), there = (size_t)(window->end - window->at);

        if (memcmp(window->at, words[i], MIN(length, there)) != 0)
            continue;
        if (there < length)
            return cut(window);
        *value = (struct text){window->at, length};
        window->at += length;
        return SCAN_FINE;
    }
    return SCAN_BAD;
}

/* A string, a number, true, false or null. */
static enum scan scan_plain(struct window *window, struct text *value)
{
    char c = *window->at;

    if (c == '"')
        return scan_string(window, value);
    return is_digit(c) || c == '-' ? scan_number(window, value) : scan_word(window, value);
}

/* A whole list of plain values from its bracket on.  SCAN_BAD also where it is a list of something
 * else: the walk then goes into it and finds what is wrong, if anything is. */
static enum scan scan_row(struct json *json, struct window *window)
{
    struct window row = {window->at + 1, window->end, window->last};

    for (json->count = 0; json->count < IMPORT_COLUMNS_MAX;) {
        enum scan scan;

        skip_space(&row);
        if (row.at >= row.end)
            return cut(&row);
        if (*row.at == '[' || *row.at == '{' || *row.at == ']')
            return SCAN_BAD;
        if ((scan = scan_plain(&row, &json->fields[json->count])) != SCAN_FINE)
            return scan;
        json->count++;
        skip_space(&row);
        if (row.at >= row.end)
            return cut(&row);
        if (*row.at == ']') {
            if (json->count < JSON_ROW_FIELDS_MIN)
                return SCAN_BAD;
            window->at = row.at + 1;
            return SCAN_FINE;
        }
        if (*row.at++ != ',')
            return SCAN_BAD;
    }
    return SCAN_BAD;
}

static enum walk bad(struct json *json, const char *problem)
{
    json->problem = problem;
    return WALK_BAD;
}

/* A value is complete: what may follow. */
static void after_value(struct json *json)
{
    json->expect = json->depth == 0 ? EXPECT_NOTHING : EXPECT_NEXT;
}

static enum walk open_nest(struct json *json, struct window *window)
{
    if (json->depth == JSON_DEPTH_MAX)
        return bad(json, "nested too deeply");
    json->stack[json->depth++] = (uint8_t)*window->at;
    json->expect = *window->at == '[' ? EXPECT_FIRST_VALUE : EXPECT_FIRST_KEY;
    window->at++;
    return WALK_ON;
}

static enum walk close_nest(struct json *json, struct window *window)
{
    if (json->row_depth == json->depth)
        json->list_done = true;
    json->depth--;
    window->at++;
    after_value(json);
    return WALK_ON;
}

static enum walk take_plain(struct json *json, struct window *window, const char *problem)
{
    struct text value;

    switch (scan_plain(window, &value)) {
    case SCAN_FINE:
        return WALK_ON;
    case SCAN_CUT:
        return WALK_CUT;
    default:
        return bad(json, problem);
    }
}

/* One value, or the opening of one. */
static enum walk take_value(struct json *json, struct window *window)
{
    enum walk step;

    if (*window->at == '[' && json->depth > 0 && json->stack[json->depth - 1] == '[') {
        switch (scan_row(json, window)) {
        case SCAN_CUT:
            return WALK_CUT;
        case SCAN_FINE:
            if (json->list_done || (json->row_depth && json->row_depth != json->depth))
                return bad(json, "a second list of bars");
            json->row_depth = json->depth;
            after_value(json);
            return WALK_ROW;
        case SCAN_BAD:
            break;
        }
    }
    if (*window->at == '[' || *window->at == '{')
        return open_nest(json, window);
    step = take_plain(json, window, "no value");
    if (step == WALK_ON)
        after_value(json);
    return step;
}

static enum walk take_next(struct json *json, struct window *window)
{
    char c = *window->at;
    bool in_list = json->stack[json->depth - 1] == '[';

    if (c == (in_list ? ']' : '}'))
        return close_nest(json, window);
    if (c != ',')
        return bad(json, in_list ? "expected `,` or `]`" : "expected `,` or `}`");
    window->at++;
    json->expect = in_list ? EXPECT_VALUE : EXPECT_KEY;
    return WALK_ON;
}

static enum walk take(struct json *json, struct window *window)
{
    char c = *window->at;
    enum walk step;

    switch ((enum expect)json->expect) {
    case EXPECT_FIRST_VALUE:
        if (c == ']')
            return close_nest(json, window);
        return take_value(json, window);
    case EXPECT_VALUE:
        return take_value(json, window);
    case EXPECT_FIRST_KEY:
        if (c == '}')
            return close_nest(json, window);
        /* fall through */
    case EXPECT_KEY:
        if (c != '"')
            return bad(json, "expected a name in quotes");
        step = take_plain(json, window, "no string");
        if (step == WALK_ON)
            json->expect = EXPECT_COLON;
        return step;
    case EXPECT_COLON:
        if (c != ':')
            return bad(json, "expected `:`");
        window->at++;
        json->expect = EXPECT_VALUE;
        return WALK_ON;
    case EXPECT_NEXT:
        return take_next(json, window);
    case EXPECT_NOTHING:
        break;
    }
    return bad(json, "more behind the end");
}

enum json_step json_next(struct json *json, const char **at, const char *end, bool last)
{
    struct window window = {*at, end, last};
    enum walk walk = WALK_ON;
    bool done = false;

    while (walk == WALK_ON && !done) {
        skip_space(&window);
        if (window.at < window.end)
            walk = take(json, &window);
        else if (!last)
            walk = WALK_CUT;
        else if (json->expect == EXPECT_NOTHING)
            done = true;
        else
            walk = bad(json, "the text ends inside a value");
    }
    json->offset += (uint64_t)(window.at - *at);
    *at = window.at;
    json->problem_at = json->offset;
    return done ? JSON_END : walk == WALK_ROW ? JSON_ROW : walk == WALK_CUT ? JSON_MORE : JSON_BAD;
}
