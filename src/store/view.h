/* A symbol's bars as the journal says they are: its file mapped, and where the journal's bars are
 * not known to be in it, laid over a copy. */
#ifndef HARRIER_STORE_VIEW_H
#define HARRIER_STORE_VIEW_H

#include "store/journal.h"

struct view {
    struct column_view file;
    double *block; /* where the bars had to be copied */
    struct bars bars;
};

enum status view_open(struct view *view, const struct place *place, const struct journal *journal,
                      const struct row *row, struct error *err);

/* Whether the bars that the journal has of a file are the ones given. */
bool view_has_journal(const struct bars *bars, const struct journal *journal,
                      const struct row *row);

/* Copies the bars and lays those of the journal over them; view_close frees the copy. */
enum status view_lay_over(struct view *view, const struct journal *journal, const struct row *row,
                          struct error *err);
void view_close(struct view *view, struct env *env);

#endif
