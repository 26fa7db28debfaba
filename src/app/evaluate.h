/* Values of expressions on one symbol's bars: `bars --with`. */
#ifndef HARRIER_APP_EVALUATE_H
#define HARRIER_APP_EVALUATE_H

#include "app/app.h"

struct evaluated_column {
    const char *name;
    double *values; /* [bars.count]; those from begin to end are filled; conditions are 0 and 1 */
};

struct evaluation {
    struct bars bars;
    size_t begin, end; /* the bars that are evaluated; indicators see nothing before */
    struct evaluated_column *columns;
    size_t column_count;
};

/* Fills the columns of every --with, from the arena. */
enum status evaluate_expressions(struct app *app, struct evaluation *evaluation,
                                 struct arena *arena, struct error *err);

#endif
