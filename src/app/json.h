/* JSON out.  Numbers are the shortest text that reads back to the same bits; NaN and infinity are
 * null. */
#ifndef HARRIER_APP_JSON_H
#define HARRIER_APP_JSON_H

#include "base/base.h"

enum { JSON_DEPTH_MAX = 16 };

struct json {
    struct buffer out;
    int depth;
    bool comma[JSON_DEPTH_MAX]; /* something stands in this object or array already */
};

void json_begin(struct json *json, const char *key,
                char bracket); /* '{' or '['; key NULL inside an array */
void json_end(struct json *json, char bracket);
void json_text(struct json *json, const char *key, const char *value); /* NULL: null */
void json_number(struct json *json, const char *key, double value);
void json_int(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
void json_raw(struct json *json, const char *key, const char *value); /* JSON as it stands */

#endif
