/* field: the names that column headers have, and what they mean. */
#ifndef HARRIER_IMPORT_FIELD_H
#define HARRIER_IMPORT_FIELD_H

#include "import/layout.h"

/* Letters and digits of a header, in lower case: "<TICKVOL>" is "tickvol", "Adj Close" is
 * "adjclose". */
size_t field_plain_name(struct text name, char plain[LAYOUT_NAME_MAX]);

/* How well a header names a field: 0 not at all, else the smaller the better. */
unsigned field_rank(enum field field, const char *plain);

/* "volume btc": the coin behind a volume ("btc"), "" where there is none. */
const char *field_volume_unit(const char *plain);

#endif
