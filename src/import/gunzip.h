/* gunzip: what gzip packed, checked against the CRC and the length behind every member.
 *
 * libarchive unpacks gzip too, and looks at neither: a price with a flipped bit went in as good.
 * zlib is loaded when the first such file is opened, as libarchive is (unpack.h). */
#ifndef HARRIER_IMPORT_GUNZIP_H
#define HARRIER_IMPORT_GUNZIP_H

#include "base/base.h"

struct gunzip;

/* STATUS_SYSTEM where zlib is not installed. */
enum status gunzip_open(struct gunzip **gunzip, struct error *err);
void gunzip_close(struct gunzip *gunzip);

/* Unpacks from `*packed`, which it moves on, into `bytes`.  `*got` is 0 where it wants more packed
 * bytes; where there are none (`*packed_length` 0), it is the end.  STATUS_CORRUPT for damage, for
 * a cut, and for anything but zeros behind the last member. */
enum status gunzip_read(struct gunzip *gunzip, const unsigned char **packed, size_t *packed_length,
                        void *bytes, size_t length, size_t *got, struct error *err);

#endif
