/* json: finds the rows of bars in a JSON text, without building anything.
 *
 * A row is a list of five or more plain values directly inside a list: [[ms, o, h, l, c, v], …],
 * alone or somewhere in an object, as exchanges answer.  The rest is only checked: the whole text
 * must be JSON (RFC 8259).  It works on a window of the text that the caller moves on, so memory
 * does not grow with the file. */
#ifndef HARRIER_IMPORT_JSON_H
#define HARRIER_IMPORT_JSON_H

#include "import/import.h"

enum { JSON_DEPTH_MAX = 64, JSON_ROW_FIELDS_MIN = 5 };

enum json_step {
    JSON_ROW,  /* fields[0 … count-1], borrowed from the window */
    JSON_MORE, /* the window ends inside a value: put more behind what is left */
    JSON_END,
    JSON_BAD /* `problem` and where */
};

struct json {
    uint8_t stack[JSON_DEPTH_MAX]; /* '[' or '{' */
    unsigned depth, expect;
    unsigned row_depth; /* of the list that has the rows; 0: none was seen */
    bool list_done;     /* that list is closed */
    struct text fields[IMPORT_COLUMNS_MAX];
    unsigned count;
    uint64_t offset; /* bytes before the window */
    uint64_t problem_at;
    const char *problem;
};

void json_init(struct json *json);

/* Goes on from *at (moved) up to `end`; `last` where nothing follows. */
enum json_step json_next(struct json *json, const char **at, const char *end, bool last);

#endif
