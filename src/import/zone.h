/* zone: what the clocks of a place say.  A fixed distance from UTC, or a zone of the IANA database
 * (/usr/share/zoneinfo, RFC 9636) with its clock changes. */
#ifndef HARRIER_IMPORT_ZONE_H
#define HARRIER_IMPORT_ZONE_H

#include "sys/sys.h"

struct zone_change {
    int64_t from_ms;   /* UTC */
    int64_t offset_ms; /* east of UTC from then on */
};

struct zone {
    char name[64];
    int64_t offset_ms;           /* before the first change */
    struct zone_change *changes; /* rising; until the year 2100 */
    size_t change_count;
};

/* "UTC", "Z", "+03:00", "-0500", or a name such as "Europe/Athens".  STATUS_USAGE where it is none,
 * or where the system has no such zone. */
enum status zone_open(struct zone *zone, struct env *env, struct text name, struct error *err);
void zone_close(struct zone *zone);

enum zone_result {
    ZONE_ONE,
    ZONE_NONE, /* the clocks go forward over it */
    ZONE_TWO   /* the clocks go back over it */
};

/* UTC of a time on the wall. */
enum zone_result zone_to_utc(const struct zone *zone, int64_t local_ms, int64_t *utc_ms);

#endif
