/* Names of markets and symbols.  A name that passes here can be a part of a path or of a table. */
#include <stdio.h>
#include <string.h>

#include "model/model.h"

enum { QUOTED_MAX = 64 }; /* of a wrong name in an error's sentence */

static bool venue_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

enum status market_parse(struct market_name *name, struct text text, struct error *err)
{
    const char *slash = text.length ? memrchr(text.at, '/', text.length) : NULL;
    size_t venue_length = slash ? (size_t)(slash - text.at) : 0;
    int quoted = (int)MIN(text.length, QUOTED_MAX);
    bool right = slash && venue_length > 0 && text.at[0] != '.';

    for (size_t i = 0; i < venue_length; i++)
        right = right && venue_char(text.at[i]);
    if (!right)
        return fail(err, STATUS_USAGE,
                    "`%.*s` is not a market: expected venue/timeframe, such as bybit/1d; a venue "
                    "is letters, "
                    "digits, `.`, `_` and `-`, and does not begin with a dot",
                    quoted, text.at);
    if (venue_length >= VENUE_BYTES_MAX)
        return fail(err, STATUS_USAGE, "`%.*s…` is not a market: a venue has at most %d letters",
                    quoted, text.at, VENUE_BYTES_MAX - 1);
    text.at += venue_length + 1;
    text.length -= venue_length + 1;
    TRY(timeframe_parse(&name->frame, text, err));
    memcpy(name->venue, slash - venue_length, venue_length);
    memset(name->venue + venue_length, 0, sizeof name->venue - venue_length);
    return STATUS_OK;
}

void market_to_text(const struct market_name *name, char text[MARKET_TEXT_BYTES])
{
    snprintf(text, MARKET_TEXT_BYTES, "%s/%s", name->venue, timeframe_name(name->frame));
}

enum status symbol_check(struct text symbol, struct error *err)
{
    int quoted = (int)MIN(symbol.length, QUOTED_MAX);

    if (symbol.length == 0)
        return fail(err, STATUS_USAGE, "a symbol is empty: expected 1 to %d characters",
                    SYMBOL_BYTES_MAX - 1);
    if (symbol.length >= SYMBOL_BYTES_MAX)
        return fail(err, STATUS_USAGE,
                    "`%.*s…` is not a symbol: it has %zu characters, at most %d are allowed",
                    quoted, symbol.at, symbol.length, SYMBOL_BYTES_MAX - 1);
    for (size_t i = 0; i < symbol.length; i++) {
        char c = symbol.at[i];

        if (c <= ' ' || c > '~' || strchr("\"'`,*?", c))
            return fail(
                err, STATUS_USAGE,
                "`%.*s` is not a symbol: expected printable ASCII without blanks, quotes, commas, "
                "`*` and `?`",
                quoted, symbol.at);
    }
    return STATUS_OK;
}
