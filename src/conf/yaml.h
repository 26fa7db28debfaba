/* Inside of conf: the configuration file. */
#ifndef HARRIER_CONF_YAML_H
#define HARRIER_CONF_YAML_H

#include "conf/conf.h"

struct yaml_value {
    const char *text; /* NULL: not in the file */
    unsigned line;    /* 0: not known (keys in flow style) */
};

/* Reads the text of a file into the values of all rows that have a name.  Loads libcyaml.  What it
 * returns is in the arena. */
enum status yaml_read(struct yaml_value values[OPTION_COUNT], struct arena *arena, const char *path,
                      struct text content, struct error *err);

#endif
