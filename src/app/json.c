/* Writes JSON into a buffer. */
#include "app/json.h"

#include <math.h>
#include <string.h>

static void quoted(struct buffer *out, const char *text)
{
    buffer_add_char(out, '"');
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\') {
            buffer_add_char(out, '\\');
            buffer_add_char(out, (char)*c);
        } else if (*c == '\n') {
            buffer_add_text(out, "\\n");
        } else if (*c < 0x20) {
            buffer_addf(out, "\\u%04x", *c);
        } else {
            buffer_add_char(out, (char)*c);
        }
    }
    buffer_add_char(out, '"');
}

static void place(struct json *json, const char *key)
{
    if (json->comma[json->depth])
        buffer_add_text(&json->out, ", ");
    json->comma[json->depth] = true;
    if (key) {
        quoted(&json->out, key);
        buffer_add_text(&json->out, ": ");
    }
}

void json_begin(struct json *json, const char *key, char bracket)
{
    place(json, key);
    buffer_add_char(&json->out, bracket);
    ASSERT(json->depth + 1 < JSON_DEPTH_MAX);
    json->comma[++json->depth] = false;
}

void json_end(struct json *json, char bracket)
{
    ASSERT(json->depth > 0);
    json->depth--;
    buffer_add_char(&json->out, bracket);
    if (json->depth == 1)
        buffer_add_char(&json->out, '\n'); /* one row a line, for people and for diff */
}

void json_text(struct json *json, const char *key, const char *value)
{
    place(json, key);
    if (value && utf8_valid(value, strlen(value)))
        quoted(&json->out, value);
    else
        buffer_add_text(&json->out, "null");
}

void json_number(struct json *json, const char *key, double value)
{
    place(json, key);
    if (isfinite(value))
        buffer_add_double(&json->out, value);
    else
        buffer_add_text(&json->out, "null");
}

void json_int(struct json *json, const char *key, int64_t value)
{
    place(json, key);
    buffer_addf(&json->out, "%lld", (long long)value);
}

void json_bool(struct json *json, const char *key, bool value)
{
    place(json, key);
    buffer_add_text(&json->out, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
    place(json, key);
    buffer_add_text(&json->out, "null");
}

void json_raw(struct json *json, const char *key, const char *value)
{
    place(json, key);
    buffer_add_text(&json->out, value);
}
