/* Runs the scanner over a text in windows and compares what it says with jansson. */
#ifndef HARRIER_TEST_SUPPORT_JSON_H
#define HARRIER_TEST_SUPPORT_JSON_H

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "import/json.h"

enum { SEEN_ROWS_MAX = 4096 };

struct json_seen {
    bool taken, deep, second_list;
    size_t rows;
    uint64_t hash; /* of counts and fields, in order */
};

static inline uint64_t hash_field(uint64_t hash, const char *at, size_t length)
{
    return hash_bytes(at, length, hash * 31 + length);
}

/* Hands the text over in pieces that grow by `window` bytes, from where the scanner stopped. */
static inline struct json_seen json_see(const char *text, size_t length, size_t window)
{
    struct json_seen seen = {.taken = false};
    size_t at = 0, end = window < length ? window : length;
    struct json json;

    json_init(&json);
    for (;;) {
        /* A copy of its own, so that reading beyond the window is found by the address sanitizer.
         */
        char *copy = mem_alloc(end - at);
        const char *cursor = copy;
        enum json_step step;

        memcpy(copy, text + at, end - at);
        while ((step = json_next(&json, &cursor, copy + (end - at), end == length)) == JSON_ROW) {
            seen.rows++;
            seen.hash = seen.hash * 31 + json.count;
            for (unsigned i = 0; i < json.count; i++)
                seen.hash = hash_field(seen.hash, json.fields[i].at, json.fields[i].length);
        }
        at += (size_t)(cursor - copy);
        mem_free(copy);
        if (step == JSON_MORE && end < length) {
            end = end + window < length ? end + window : length;
            continue;
        }
        seen.taken = step == JSON_END;
        seen.deep = step == JSON_BAD && strcmp(json.problem, "nested too deeply") == 0;
        seen.second_list = step == JSON_BAD && strcmp(json.problem, "a second list of bars") == 0;
        return seen;
    }
}

/* Rows as jansson has them: lists of five or more plain values directly in a list. */
static inline size_t json_count_rows(const json_t *value)
{
    size_t rows = 0, index;
    const char *key;
    json_t *child;

    if (json_is_object(value))
        json_object_foreach((json_t *)(uintptr_t)value, key, child) rows += json_count_rows(child);
    if (json_is_array(value))
        json_array_foreach(value, index, child)
        {
            bool plain = json_is_array(child) && json_array_size(child) >= JSON_ROW_FIELDS_MIN &&
                         json_array_size(child) <= IMPORT_COLUMNS_MAX;

            for (size_t i = 0; plain && i < json_array_size(child); i++)
                plain = !json_is_array(json_array_get(child, i)) &&
                        !json_is_object(json_array_get(child, i));
            rows += plain ? 1 : json_count_rows(child);
        }
    return rows;
}

/* What jansson refuses for reasons that a reader of text need not have. */
static inline bool json_is_stricter(const json_error_t *error)
{
    return strstr(error->text, "too big") || strstr(error->text, "overflow") ||
           strstr(error->text, "\\u0000") || strstr(error->text, "NUL byte") ||
           strstr(error->text, "maximum parsing depth");
}

/* NULL, or how the scanner and jansson differ. */
static inline const char *json_compare(const char *text, size_t length, size_t window)
{
    struct json_seen seen = json_see(text, length, window),
                     whole = json_see(text, length, length ? length : 1);
    json_error_t error;
    json_t *value = json_loadb(text, length, JSON_DECODE_ANY, &error);
    const char *difference = NULL;

    if (seen.taken != whole.taken ||
        (seen.taken && (seen.rows != whole.rows || seen.hash != whole.hash)))
        difference = "windows make a difference";
    else if (length > 0 && memchr(text, '\0', length))
        difference = NULL; /* jansson takes one for the end of the text */
    else if (value && !seen.taken && !seen.deep && !seen.second_list)
        difference = "jansson takes it";
    else if (!value && seen.taken && !json_is_stricter(&error))
        difference = "jansson refuses it";
    else if (value && seen.taken && json_count_rows(value) != seen.rows)
        difference = "the rows are others";
    json_decref(value);
    return difference;
}

#endif
