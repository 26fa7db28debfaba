/* Inside of conf: text of a row's value → the value. */
#ifndef HARRIER_CONF_VALUE_H
#define HARRIER_CONF_VALUE_H

#include "conf/conf.h"

struct value {
    const char *text;   /* as written; NULL: not set */
    const char *origin; /* where, for a person */
    enum option_source source;
    bool flag;
    int64_t whole; /* and dates */
    double number; /* and rates */
};

/* Reads `text` by the row's type and checks its range.  `origin` stands at the front of the
 * sentence. */
enum status value_parse(struct value *value, const struct option_row *row, const char *text,
                        const char *origin, struct error *err);

#endif
