/* zone: reads the zone files of the system (TZif, RFC 9636), never the process's own TZ. */
#include "import/zone.h"

#include "model/model.h"

#include <stdio.h>
#include <string.h>

enum {
    ZONE_FILE_BYTES_MAX = 1 << 20,
    ZONE_CHANGES_MAX = 4096,
    ZONE_LAST_YEAR = 2100,
    HOUR_MS = 3600000
};

/* ---- fixed distances ----------------------------------------------------------------------- */

static bool digits_of(struct text *text, unsigned count, int *value)
{
    *value = 0;
    if (text->length < count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (text->at[i] < '0' || text->at[i] > '9')
            return false;
        *value = *value * 10 + (text->at[i] - '0');
    }
    text->at += count;
    text->length -= count;
    return true;
}

/* "+03:00", "-0500", "+3" */
static bool fixed_offset(struct text text, int64_t *offset_ms)
{
    int hours, minutes = 0, sign;

    if (text.length < 2 || (text.at[0] != '+' && text.at[0] != '-'))
        return false;
    sign = text.at[0] == '-' ? -1 : 1;
    text.at++;
    text.length--;
    if (!digits_of(&text, 2, &hours) && !(text.length == 1 && digits_of(&text, 1, &hours)))
        return false;
    if (text.length > 0 && text.at[0] == ':') {
        text.at++;
        text.length--;
    }
    if (text.length > 0 && !digits_of(&text, 2, &minutes))
        return false;
    if (text.length > 0 || hours > 18 || minutes > 59)
        return false;
    *offset_ms = sign * (int64_t)(hours * 60 + minutes) * 60000;
    return true;
}

/* ---- TZif ---------------------------------------------------------------------------------- */

static int64_t big_endian(const unsigned char *at, int bytes)
{
    uint64_t value = at[0] & 0x80 ? ~UINT64_C(0) : 0;

    for (int i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

static bool add_change(struct zone *zone, size_t *capacity, int64_t from_ms, int64_t offset_ms)
{
    if (zone->change_count == ZONE_CHANGES_MAX ||
        mem_grow((void **)&zone->changes, capacity, zone->change_count + 1,
                 sizeof *zone->changes) != 0)
        return false;
    zone->changes[zone->change_count++] = (struct zone_change){from_ms, offset_ms};
    return true;
}

/* The rule behind the last change of the file, as in POSIX's TZ: "EET-2EEST,M3.5.0/3,M10.5.0/4". */
struct yearly_rule {
    int month, week, weekday; /* weekday 0 = Sunday; week 5 = the last */
    int64_t at_ms;            /* on the wall before the change */
};

struct footer {
    const char *at, *end;
};

static bool footer_name(struct footer *footer)
{
    const char *begin = footer->at;

    if (footer->at < footer->end && *footer->at == '<') {
        const char *close = memchr(footer->at, '>', (size_t)(footer->end - footer->at));

        footer->at = close ? close + 1 : footer->end;
        return close != NULL;
    }
    while (footer->at < footer->end && (*footer->at | 32) >= 'a' && (*footer->at | 32) <= 'z')
        footer->at++;
    return footer->at - begin >= 3;
}

static bool footer_number(struct footer *footer, int *value)
{
    const char *begin = footer->at;

    *value = 0;
    while (footer->at < footer->end && *footer->at >= '0' && *footer->at <= '9' &&
           footer->at - begin < 4)
        *value = *value * 10 + (*footer->at++ - '0');
    return footer->at > begin;
}

static bool footer_char(struct footer *footer, char c)
{
    if (footer->at == footer->end || *footer->at != c)
        return false;
    footer->at++;
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool footer_time(struct footer *footer, int64_t *ms)
{
    bool minus = footer_char(footer, '-');
    int part[3] = {0, 0, 0};

    if (!minus)
        footer_char(footer, '+');
    if (!footer_number(footer, &part[0]))
        return false;
    for (int i = 1; i < 3 && footer_char(footer, ':'); i++)
        if (!footer_number(footer, &part[i]))
            return false;
    *ms = ((int64_t)(part[0] * 60 + part[1]) * 60 + part[2]) * 1000 * (minus ? -1 : 1);
    return true;
}

static bool footer_rule(struct footer *footer, struct yearly_rule *rule)
{
    rule->at_ms = 2 * HOUR_MS;
    return footer_char(footer, ',') && footer_char(footer, 'M') &&
           footer_number(footer, &rule->month) && footer_char(footer, '.') &&
           footer_number(footer, &rule->week) && footer_char(footer, '.') &&
           footer_number(footer, &rule->weekday) && rule->month >= 1 && rule->month <= 12 &&
           (!footer_char(footer, '/') || footer_time(footer, &rule->at_ms));
}

static int64_t rule_wall_ms(const struct yearly_rule *rule, int year)
{
    int64_t first = date_to_ms((struct date){year, rule->month, 1});
    int ahead = (rule->weekday - weekday_of_ms(first) % 7 + 7) % 7;
    int64_t day = first + (int64_t)(ahead + 7 * (rule->week - 1)) * DAY_MS;

    while (date_of_ms(day).month != rule->month)
        day -= 7 * (int64_t)DAY_MS;
    return day + rule->at_ms;
}

static bool add_footer(struct zone *zone, size_t *capacity, struct footer footer, int64_t after_ms)
{
    int64_t winter_ms, summer_ms;
    struct yearly_rule to_summer, to_winter;

    if (footer.at == footer.end)
        return true;
    if (!footer_name(&footer) || !footer_time(&footer, &winter_ms))
        return false;
    winter_ms = -winter_ms;
    if (footer.at == footer.end)
        return true; /* no summer time: the last change of the file holds on */
    summer_ms = winter_ms + HOUR_MS;
    if (!footer_name(&footer))
        return false;
    if (footer.at < footer.end && *footer.at != ',') {
        if (!footer_time(&footer, &summer_ms))
            return false;
        summer_ms = -summer_ms;
    }
    if (!footer_rule(&footer, &to_summer) || !footer_rule(&footer, &to_winter))
        return false;
    for (int year = date_of_ms(after_ms).year; year <= ZONE_LAST_YEAR; year++) {
        struct zone_change change[2] = {
            {rule_wall_ms(&to_summer, year) - winter_ms, summer_ms},
            {rule_wall_ms(&to_winter, year) - summer_ms, winter_ms},
        };
        bool south = change[1].from_ms < change[0].from_ms;

        for (int i = 0; i < 2; i++) {
            struct zone_change *next = &change[south ? 1 - i : i];

            if (next->from_ms > after_ms &&
                !add_change(zone, capacity, next->from_ms, next->offset_ms))
                return false;
        }
    }
    return true;
}

struct tzif_counts {
    int64_t utc, standard, leaps, times, types, chars;
};

enum { TZIF_HEADER_BYTES = 44 };

static bool tzif_header(const unsigned char *at, const unsigned char *end,
                        struct tzif_counts *counts)
{
    if (end - at < TZIF_HEADER_BYTES || memcmp(at, "TZif", 4) != 0 || at[4] < '2')
        return false;
    *counts = (struct tzif_counts){big_endian(at + 20, 4), big_endian(at + 24, 4),
                                   big_endian(at + 28, 4), big_endian(at + 32, 4),
                                   big_endian(at + 36, 4), big_endian(at + 40, 4)};
    return counts->utc >= 0 && counts->standard >= 0 && counts->leaps >= 0 && counts->times >= 0 &&
           counts->types > 0 && counts->chars >= 0 && counts->times <= ZONE_CHANGES_MAX &&
           counts->types <= 256 && counts->chars <= ZONE_FILE_BYTES_MAX &&
           counts->leaps <= ZONE_CHANGES_MAX && counts->utc <= 256 && counts->standard <= 256;
}

/* The block with 64-bit times, behind the one with 32-bit times. */
static bool tzif_read(struct zone *zone, const unsigned char *at, const unsigned char *end)
{
    const unsigned char *times, *types, *type, *footer;
    struct tzif_counts counts;
    size_t capacity = 0;
    int64_t last_ms = 0;

    if (!tzif_header(at, end, &counts))
        return false;
    at += TZIF_HEADER_BYTES + counts.times * 5 + counts.types * 6 + counts.chars +
          counts.leaps * 8 + counts.standard + counts.utc;
    if (at > end || !tzif_header(at, end, &counts))
        return false;
    times = at + TZIF_HEADER_BYTES;
    types = times + counts.times * 8;
    type = types + counts.times;
    footer = type + counts.types * 6 + counts.chars + counts.leaps * 12 + counts.standard +
             counts.utc;
    if (footer > end)
        return false;
    zone->offset_ms = big_endian(type, 4) * 1000;
    for (int64_t i = 0; i < counts.times; i++) {
        int64_t from = big_endian(times + i * 8, 8);

        if (types[i] >= counts.types || from > INT64_MAX / 1000)
            return false;
        if (from < -INT64_C(1000000000000)) { /* older writers begin at the big bang */
            zone->offset_ms = big_endian(type + types[i] * 6, 4) * 1000;
            continue;
        }
        last_ms = from * 1000;
        if (!add_change(zone, &capacity, last_ms, big_endian(type + types[i] * 6, 4) * 1000))
            return false;
    }
    if (end - footer >= 2 && footer[0] == '\n' && end[-1] == '\n')
        return add_footer(zone, &capacity,
                          (struct footer){(const char *)footer + 1, (const char *)end - 1},
                          last_ms);
    return true;
}

static bool is_zone_name(struct text name)
{
    static const char marks[4] = {'/', '_', '-', '+'};

    if (name.length == 0 || name.length >= sizeof((struct zone *)0)->name || name.at[0] == '/' ||
        name.at[0] == '.')
        return false;
    for (size_t i = 0; i < name.length; i++) {
        char c = name.at[i];

        if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') &&
            !memchr(marks, c, sizeof marks))
            return false;
    }
    return true;
}

enum status zone_open(struct zone *zone, struct env *env, struct text name, struct error *err)
{
    char path[128], *bytes;
    size_t length;
    enum status status;
    bool fine;

    *zone = (struct zone){0};
    snprintf(zone->name, sizeof zone->name, "%.*s", TEXT_ARG(name));
    if (name.length == 0 || text_is(name, "UTC") || text_is(name, "Z") ||
        fixed_offset(name, &zone->offset_ms))
        return STATUS_OK;
    if (!is_zone_name(name))
        return fail(err, STATUS_USAGE,
                    "\"%.*s\" is no zone: say +03:00, UTC or a name such as Europe/Athens",
                    TEXT_ARG(name));
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", TEXT_ARG(name));
    status = file_read_whole(env, path, ZONE_FILE_BYTES_MAX, &bytes, &length, err);
    if (status == STATUS_MISSING)
        return fail(err, STATUS_USAGE,
                    "no zone \"%.*s\" in /usr/share/zoneinfo (package tzdata): say +03:00, UTC "
                    "or a name such as Europe/Athens",
                    TEXT_ARG(name));
    if (status != STATUS_OK)
        return status;
    fine = tzif_read(zone, (const unsigned char *)bytes, (const unsigned char *)bytes + length);
    mem_free(bytes);
    if (fine)
        return STATUS_OK;
    zone_close(zone);
    return fail(err, STATUS_CORRUPT, "%s: not a zone file that can be read", path);
}

void zone_close(struct zone *zone)
{
    mem_free(zone->changes);
    *zone = (struct zone){0};
}

/* ---- wall to UTC --------------------------------------------------------------------------- */

static int64_t offset_at(const struct zone *zone, int64_t utc_ms)
{
    size_t low = 0, high = zone->change_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (zone->changes[middle].from_ms <= utc_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? zone->offset_ms : zone->changes[low - 1].offset_ms;
}

/* A wall time is right in the offsets of a day before and a day after it; both, one or neither
 * hold. */
enum zone_result zone_to_utc(const struct zone *zone, int64_t local_ms, int64_t *utc_ms)
{
    int64_t before = offset_at(zone, local_ms - DAY_MS), after = offset_at(zone, local_ms + DAY_MS);
    bool by_before = offset_at(zone, local_ms - before) == before;
    bool by_after = offset_at(zone, local_ms - after) == after;

    *utc_ms = local_ms - (by_before ? before : after);
    if (before == after)
        return by_before ? ZONE_ONE : ZONE_NONE;
    if (by_before && by_after)
        return ZONE_TWO;
    return by_before || by_after ? ZONE_ONE : ZONE_NONE;
}
