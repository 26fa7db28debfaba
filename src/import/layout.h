/* layout: how a file's rows are to be read: delimiter, which column is what, how times are written.
 *
 * It is recognised from the head of the file (its first chunk) and from what the user said, and it
 * can say in one sentence what was recognised.  It never depends on the order of files. */
#ifndef HARRIER_IMPORT_LAYOUT_H
#define HARRIER_IMPORT_LAYOUT_H

#include "import/import.h"
#include "import/moment.h"

enum field {
#define FIELD(id, name) FIELD_##id,
#include "import/field.def"
#undef FIELD
    FIELD_COUNT
};

enum { LAYOUT_NAME_MAX = 128, LAYOUT_TEXT_BYTES = 1024 };

/* What the user said, read once for all files. */
struct layout_wish {
    bool csv, json, klines, decimal_comma;
    struct moment_rules rules;
    struct {
        struct text name; /* as given; a number where `number` is not 0 */
        unsigned number;
    } column[FIELD_COUNT];
    struct {
        struct text name, value;
        unsigned number;
    } where[IMPORT_WHERES_MAX];
    unsigned where_count;
    int price_shift;
    double price_factor;
    bool symbol_elsewhere; /* the symbol comes from --symbol or --symbol-from */
};

/* STATUS_USAGE with the option and what is wrong with it. */
enum status layout_wish_init(struct layout_wish *wish, const struct import_options *options,
                             struct error *err);

struct layout {
    bool json, header;
    char delimiter, decimal;
    unsigned fields;         /* of a row */
    int column[FIELD_COUNT]; /* -1: there is none */
    struct {
        int column;
        struct text value;
    } where[IMPORT_WHERES_MAX];
    unsigned where_count;
    struct moment_rules rules;
    int price_shift;
    double price_factor;
    size_t data_at;               /* bytes before the first row */
    uint32_t data_line;           /* lines before the first row */
    char text[LAYOUT_TEXT_BYTES]; /* the sentence, but for what only all rows can tell */
};

/* Splits a line into fields without their quotes and the blanks around them; how many there are (at
 * most `most` are written).  `*open_quote` where a quote is not closed. */
unsigned layout_split(struct text line, char delimiter, struct text *fields, unsigned most,
                      bool *open_quote);

/* Of a text file with delimiters.  `head` begins the file and ends with a line end or with the
 * file. */
enum status layout_of_csv(struct layout *layout, const struct layout_wish *wish, struct text head,
                          struct error *err);

/* Of rows that a JSON file holds: `rows` of `counts[]` fields each, one after the other. */
enum status layout_of_json(struct layout *layout, const struct layout_wish *wish,
                           const struct text *fields, const unsigned *counts, unsigned rows,
                           struct error *err);

#endif
